import type { ReactNode } from 'react';
import { liveColumns } from '../../store/side-by-side.ts';
import { LiveColumnContext } from '../../store/use-store.ts';
import { LedgerLine } from './ledger-line.tsx';
import { StateLine } from './state-line.tsx';

/** How each of two targets stands, and where its events went. */
export function ColumnHeads(): ReactNode {
  return (
    <div className="column-heads">
      {liveColumns.map((column) => (
        <LiveColumnContext key={column} value={column}>
          <section className="column-head" aria-label={`${column} target`}>
            <StateLine />
            <LedgerLine />
          </section>
        </LiveColumnContext>
      ))}
    </div>
  );
}
