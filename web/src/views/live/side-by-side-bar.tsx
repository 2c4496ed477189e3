import type { ReactNode } from 'react';
import { noSession } from '../../store/page-state.ts';
import { selectSideBySide, swapped, withTargetIn } from '../../store/select-side-by-side.ts';
import { usePage, useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { Menu } from '../../widgets/menu.tsx';
import { Segmented } from '../../widgets/segmented.tsx';

/** Two targets at once: begins it, swaps the columns, makes a comparison of them, ends it. */
export function SideBySideBar(): ReactNode {
  const { app } = useStores();
  const { scales } = usePage();
  const view = useShown(selectSideBySide, 'first');
  if (!view.isOn) return <Offers />;
  const { comparable } = view;
  return (
    <div className="beside-bar" role="toolbar" aria-label="side by side">
      <span className="quiet beside-axis">{view.zeroWords}</span>
      <Segmented
        label="scales"
        value={scales}
        options={[
          { value: 'equal', label: 'Equal scales' },
          { value: 'own', label: 'Own' },
        ]}
        onChange={(chosen) => app.page.set({ scales: chosen })}
      />
      <Button icon="swap" label="Swap" hint="left becomes right (x)" onClick={() => app.page.set(swapped(app.get()))} />
      <Button
        icon="chart"
        label="Compare"
        hint={
          comparable.kind === 'ready'
            ? 'what was recorded of both until now, left as the baseline; both go on being recorded'
            : comparable.why
        }
        isBusy={comparable.kind !== 'ready'}
        onClick={() => {
          if (comparable.kind === 'ready') app.page.set({ page: 'compare', ...comparable.sides, ...noSession });
        }}
      />
      <Button
        icon="close"
        label="One target"
        hint="leaves the right column (b)"
        onClick={() => app.page.set({ beside: undefined })}
      />
    </div>
  );
}

function Offers(): ReactNode {
  const { app } = useStores();
  const { offers } = useShown(selectSideBySide, 'first');
  if (offers.length === 0) return null;
  return (
    <div className="beside-bar">
      <Menu
        label="Side by side"
        icon="swap"
        items={() => [
          { kind: 'heading', label: 'Beside this target (b: the first)' },
          ...offers.map(({ id, title }) => ({
            kind: 'action' as const,
            label: id,
            hint: title,
            onPick: () => app.page.set(withTargetIn('right', id, app.get())),
          })),
        ]}
      />
    </div>
  );
}
