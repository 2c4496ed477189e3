import type { ReactNode } from 'react';
import { useStores } from '../store/use-store.ts';
import { Dialog } from '../widgets/dialog.tsx';

const keys: readonly (readonly [keys: string, does: string])[] = [
  ['?', 'this list'],
  ['1 … 5', 'Live, Sessions, Compare, Probes, Lab'],
  ['v', 'locks, or the fault path'],
  ['b', 'two targets side by side, or one again'],
  ['x', 'side by side: swap the columns'],
  ['space', 'pause the page, or let it go on; counting never pauses. A recorded session: play it'],
  [
    'm',
    'mark a moment of what is recorded: the one at the cursor, else now; of a recorded session: the end of the part',
  ],
  ['a', 'a recorded session: all of it'],
  ['f', 'filter by process; on the list of sessions: find one'],
  ['tab', 'from panel to panel, and into a panel'],
  ['← →', 'in a chart: move the cursor from bin to bin and read it out; Home, End, Esc'],
  ['t', 'the table behind the panel that has the focus or the mouse'],
  ['c', 'copy that panel as text'],
  ['l', 'the ledger: where every event went'],
  ['Esc', 'close what is open'],
];

/** The list of keys. */
export function Help(): ReactNode {
  const { app } = useStores();
  return (
    <Dialog title="Keys" onClose={() => app.page.set({ isHelpOpen: false })}>
      <dl>
        {keys.map(([name, does]) => (
          <div key={name}>
            <dt>
              {name.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h3>Marks</h3>
      <p>
        A hatched stretch of a chart: events were lost there. Amber: figures are incomplete; the ledger says why. A
        dash: not measured by what runs now. Latencies are within 3.2 %, counts are exact.
      </p>
    </Dialog>
  );
}
