import type { ReactNode } from 'react';
import { overviewSentence, verdictSigns, verdictsWorstFirst, verdictWords } from '@faultline/shared';
import type { Compared } from '../../store/select-compare.ts';
import { type BuildsView, buildsOf, buildsTable } from '../../store/select-compare-builds.ts';
import { useStores } from '../../store/use-store.ts';
import { ComparePanel } from './compare-panel.tsx';
import { MetricLine } from './metric-line.tsx';

/** All candidates on one table, a column a build; a press on a build draws it below. */
export function BuildsPanel({ answer: { comparison }, pick }: Compared): ReactNode {
  const view = buildsOf(comparison);
  return (
    <div className="compare-whole">
      <p className="builds-sentence">{overviewSentence(comparison)}</p>
      <ComparePanel
        id="builds"
        title="all builds"
        unit="counts as they are where no run differs, else the multiple of the baseline"
        table={buildsTable(view)}
        isTable
      >
        <div className="scroll-x">
          <table className="compare-metrics compare-builds">
            <thead>
              <tr>
                <th scope="col">metric</th>
                <th scope="col" className="align-end">
                  {view.baseline}
                </th>
                {view.builds.map((build, at) => (
                  <BuildHead key={build.title} {...build} at={at} isPicked={at === pick} />
                ))}
              </tr>
            </thead>
            <tbody>
              {view.rows.map((row) => (
                <BuildsRow key={row.id} row={row} pick={pick} />
              ))}
            </tbody>
          </table>
        </div>
        <p className="compare-legend">
          {verdictsWorstFirst.map((verdict) => (
            <span key={verdict} className={`readout metric-${verdict}`}>
              {verdictSigns[verdict]} {verdictWords[verdict]}
            </span>
          ))}
          <b>*</b> decides. p is corrected over all builds together. A press on a build draws it below.
        </p>
      </ComparePanel>
    </div>
  );
}

function BuildHead({
  title,
  verdict,
  at,
  isPicked,
}: BuildsView['builds'][number] & { readonly at: number; readonly isPicked: boolean }): ReactNode {
  const { app } = useStores();
  return (
    <th scope="col" className={`align-end${isPicked ? ' is-picked' : ''}`}>
      <button
        type="button"
        className="metric-name"
        aria-pressed={isPicked}
        title={`${title}: ${verdictWords[verdict]}`}
        onClick={() => app.page.set({ pick: at === 0 ? undefined : at + 1 })}
      >
        {title} <span className={`metric-${verdict}`}>{verdictSigns[verdict]}</span>
      </button>
    </th>
  );
}

function BuildsRow({ row, pick }: { readonly row: BuildsView['rows'][number]; readonly pick: number }): ReactNode {
  return (
    <MetricLine row={row}>
      <td className="align-end">{row.baseline}</td>
      {row.cells.map(({ build, words, verdict, exact }, at) => (
        <td key={build} className={`align-end${at === pick ? ' is-picked' : ''}`} title={exact}>
          {words} {verdict === undefined ? null : <span className={`metric-${verdict}`}>{verdictSigns[verdict]}</span>}
        </td>
      ))}
    </MetricLine>
  );
}
