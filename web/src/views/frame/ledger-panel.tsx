import type { ReactNode } from 'react';
import { formatClock, formatExact, formatPlural, lossStages, lostOf } from '@faultline/shared';
import type { LedgerLine, LedgerRow } from '../../store/select-frame.ts';
import { Button } from '../../widgets/button.tsx';

/** Which probe, which stage, when, and what it means for the figures. */
export function LedgerPanel({ line, onClose }: { readonly line: LedgerLine; readonly onClose: () => void }): ReactNode {
  return (
    <section className="ledger-panel" aria-label="where every event went">
      <div className="ledger-close">
        <Button look="icon" icon="close" label="Close" onClick={onClose} />
      </div>
      {line.rows.length === 0 ? <p>No probe has run yet.</p> : <StageTable rows={line.rows} />}
      {line.rows.map((row) => (
        <Meaning key={row.run.id} row={row} />
      ))}
      {line.clientDroppedCalls > 0 || line.clientMergedTicks > 0 ? (
        <p>
          This page was slower than the server: {formatExact(line.clientDroppedCalls)} calls were not sent to it,{' '}
          {formatPlural(line.clientMergedTicks, 'tick')} came merged. Counts and latencies are whole; the table of calls
          is not.
        </p>
      ) : null}
    </section>
  );
}

function StageTable({ rows }: { readonly rows: readonly LedgerRow[] }): ReactNode {
  return (
    <div className="scroll-x">
      <table className="plain-table">
        <thead>
          <tr>
            <th>probe</th>
            <th>state</th>
            <th className="align-end" title="events that matched in the kernel">
              seen
            </th>
            <th className="align-end" title="held back by the script's own rate cap: not a loss">
              held back
            </th>
            <th className="align-end" title="what the figures hold">
              recorded
            </th>
            {lossStages.map(({ field, title, meaning }) => (
              <th key={field} className="align-end" title={meaning}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ run, ledger, isLossy }) => (
            <tr key={run.id} className={isLossy ? 'is-lossy' : undefined}>
              <th scope="row">
                {run.probe} {run.stream} <small>{run.variant}</small>
              </th>
              <td>{run.state}</td>
              <td className="align-end">{formatExact(ledger.seenCount)}</td>
              <td className="align-end">{formatExact(ledger.suppressedCount)}</td>
              <td className="align-end">{formatExact(ledger.recordedCount)}</td>
              {lossStages.map(({ field }) => (
                <td key={field} className={`align-end${ledger[field] > 0 ? ' is-bad' : ''}`}>
                  {formatExact(ledger[field])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Meaning({ row }: { readonly row: LedgerRow }): ReactNode {
  const { run, ledger, isLossy, lossMeaning } = row;
  const stages = lossStages.filter(({ field }) => ledger[field] > 0);
  if (!isLossy && run.findings.length === 0 && stages.length === 0) return null;
  return (
    <div className="ledger-meaning">
      <h3>
        {run.probe} {run.stream}
        {isLossy ? <span className="tag tag-lossy">{lostOf(ledger) > 0 ? 'events lost' : 'incomplete'}</span> : null}
      </h3>
      {isLossy ? <p>{lossMeaning}</p> : null}
      {stages.map(({ field, title, meaning }) => (
        <p key={field}>
          <b>
            {formatExact(ledger[field])} {title}
          </b>
          : {meaning}.
        </p>
      ))}
      <ul>
        {run.findings.map((finding) => (
          <li key={`${finding.code} ${finding.message}`} className={finding.level === 'lossy' ? 'is-lossy' : undefined}>
            <time>{formatClock(finding.atMs)}</time> {finding.message}
            {finding.count > 1 ? ` (${formatExact(finding.count)} times)` : ''}
          </li>
        ))}
      </ul>
    </div>
  );
}
