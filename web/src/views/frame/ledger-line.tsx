import type { ReactNode } from 'react';
import { formatBytes, formatExact, formatShare } from '@faultline/shared';
import { type LedgerLine as Line, selectLedger } from '../../store/select-frame.ts';
import { usePage, useShown, useStores } from '../../store/use-store.ts';
import { LedgerPanel } from './ledger-panel.tsx';

/** Third line: where every event went. A click opens the panel that says which probe, which stage, when, what it means. */
export function LedgerLine(): ReactNode {
  const { app } = useStores();
  const { isLedgerOpen } = usePage();
  const line = useShown(selectLedger, 'first');
  return (
    <>
      <button
        type="button"
        className={`ledger-line${line.isAmber ? ' is-amber' : ''}`}
        aria-expanded={isLedgerOpen}
        title="Where every event went; a click tells more"
        onClick={() => app.page.set({ isLedgerOpen: !isLedgerOpen })}
      >
        <Entry name="seen" value={line.isKnown ? line.total.seenCount : undefined} />
        <Entry name="recorded" value={line.isKnown ? line.total.recordedCount : undefined} />
        <Entry name="lost" value={line.isKnown ? line.lostCount : undefined} isBad={line.lostCount > 0} />
        <Entry
          name="dropped"
          value={line.isKnown ? line.total.droppedCount : undefined}
          isBad={line.total.droppedCount > 0}
        />
        <Entry
          name="malformed"
          value={line.isKnown ? line.total.malformedCount : undefined}
          isBad={line.total.malformedCount > 0}
        />
        <span className="ledger-verdict">{verdictOf(line)}</span>
        <span className="ledger-cost" title={`server memory ${formatBytes(line.serverMemoryBytes)}`}>
          {costWords(line)}
        </span>
      </button>
      {isLedgerOpen ? <LedgerPanel line={line} onClose={() => app.page.set({ isLedgerOpen: false })} /> : null}
    </>
  );
}

function Entry({
  name,
  value,
  isBad = false,
}: {
  readonly name: string;
  readonly value: number | undefined;
  readonly isBad?: boolean;
}): ReactNode {
  return (
    <span className={`ledger-entry${isBad ? ' is-bad' : ''}`} title={formatExact(value)}>
      {name} <b>{formatExact(value)}</b>
    </span>
  );
}

function verdictOf(line: Line): string {
  if (!line.isKnown || line.rows.length === 0) return '';
  return line.isAmber ? 'figures are incomplete' : 'complete';
}

function costWords({ bpftraceCpuShare, serverCpuShare }: Line): string {
  const parts = [
    bpftraceCpuShare === undefined ? undefined : `bpftrace ${formatShare(bpftraceCpuShare)} CPU`,
    serverCpuShare === undefined ? undefined : `server ${formatShare(serverCpuShare)} CPU`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : `tracing costs ${parts.join(', ')}`;
}
