import type { ReactNode } from 'react';
import type { Shown } from '../../store/app-state.ts';
import { selectSideBySide } from '../../store/select-side-by-side.ts';
import { liveColumns } from '../../store/side-by-side.ts';
import { LiveColumnContext, useShown } from '../../store/use-store.ts';

/** What each column shows; the panels in it are drawn from the column's own target. */
export function LiveColumns({ children }: { readonly children: ReactNode }): ReactNode {
  const { targetIds } = useShown(selectSideBySide, 'first');
  return (
    <div className="live-columns">
      {liveColumns.map((column) => (
        // What a panel holds of its own (a table that stands still) is of its target: another target is another column.
        <LiveColumnContext key={`${column} ${targetIds[column] ?? ''}`} value={column}>
          <section className="live-column" aria-label={`${column}: ${targetIds[column] ?? 'no target'}`}>
            <ColumnTitle />
            {children}
          </section>
        </LiveColumnContext>
      ))}
    </div>
  );
}

function selectColumnTitle({ target, link }: Shown): string {
  if (target === undefined) return link.kind === 'no-target' ? link.targetId : '';
  return [target.id, target.identity?.release].filter((part) => part !== undefined).join(' · ');
}

/** Names the column where its state is not right above it. */
function ColumnTitle(): ReactNode {
  return <h2 className="column-title">{useShown(selectColumnTitle, 'first')}</h2>;
}
