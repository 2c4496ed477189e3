import type { ReactNode } from 'react';
import type { WorkloadRow } from '../../store/select-workloads.ts';

/** What workloads say they did, the newest first, in words; what they printed is behind a disclosure. */
export function WorkloadTable({ rows }: { readonly rows: readonly WorkloadRow[] }): ReactNode {
  if (rows.length === 0) return null;
  return (
    <div className="scroll-x">
      <table className="plain-table lab-runs">
        <thead>
          <tr>
            <th>workload</th>
            <th>state</th>
            <th>what it did</th>
            <th className="align-end" title="calls of the fault handler with a final result that its work must take">
              faults expected
            </th>
            <th className="align-end">time</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} className="lab-run">
              <td>{row.title}</td>
              <td className={row.isBad ? 'is-bad' : 'quiet'}>{row.state}</td>
              <td className="lab-run-did">
                {row.did}
                {row.oopses === '' ? null : (
                  <details>
                    <summary>what the kernel said</summary>
                    <pre>{row.oopses}</pre>
                  </details>
                )}
                <details>
                  <summary>{row.linesTitle}</summary>
                  <pre>{row.lines}</pre>
                </details>
              </td>
              <td className="align-end" title={row.faultsHint}>
                {row.faults}
              </td>
              <td className="align-end" title={row.exactTime}>
                {row.time}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
