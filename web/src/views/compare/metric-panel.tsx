import type { ReactNode } from 'react';
import { formatPlural, formatRatio, formatShare, type LogAxis } from '@faultline/shared';
import { IntervalMark } from '../../charts/interval-mark.tsx';
import { type MetricRow, metricRows, metricTable, noiseWords } from '../../store/select-compare-metrics.ts';
import { ComparePanel } from './compare-panel.tsx';
import { MetricLine } from './metric-line.tsx';
import type { Compared } from '../../store/select-compare.ts';

/** Colours of verdicts; the word stands beside them. */
const colors: Readonly<Record<MetricRow['verdict'], string>> = {
  regressed: 'var(--amber)',
  improved: 'var(--good)',
  same: 'var(--text-quiet)',
  different: 'var(--text)',
  'need-more-runs': 'var(--text-quiet)',
  'not-comparable': 'var(--text-quiet)',
};

/** Every metric: both sides, the change with its interval on one axis, the verdict. */
export function MetricPanel({ answer, candidate }: Compared): ReactNode {
  const { axis, rows } = metricRows(candidate, answer.comparison.baseline);
  const titles = { baseline: answer.baseline.title, candidate: answer.candidate.title };
  const { alpha, marginShare } = answer.comparison.thresholds;
  return (
    <ComparePanel
      id="metrics"
      title="what changed"
      unit={`candidate over baseline, ${formatShare(1 - alpha)} interval; same is within ±${formatShare(marginShare)}`}
      note={formatPlural(rows.length, 'metric')}
      table={metricTable(rows, titles)}
      isTable
    >
      <div className="scroll-x">
        <table className="compare-metrics">
          <thead>
            <tr>
              <th scope="col">metric</th>
              <th scope="col" className="align-end">
                {titles.baseline}
              </th>
              <th scope="col" className="align-end">
                {titles.candidate}
              </th>
              <th scope="col">change</th>
              <th scope="col" className="interval-cell">
                {axis === undefined ? null : <AxisTicks axis={axis} />}
              </th>
              <th scope="col" className="align-end" title="of Welch’s t, corrected by Holm over the table">
                p
              </th>
              <th scope="col" className="align-end" title="of the permutation test, not corrected">
                p perm.
              </th>
              <th scope="col">verdict</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.id} row={row} axis={axis} />
            ))}
          </tbody>
        </table>
      </div>
      <p className="compare-legend">
        The unit is the run. <b>*</b> decides the verdict. ■ counts that are the same in every run of a side, compared
        exactly. A press on a metric draws its runs below. {noiseWords(answer.comparison.baseline, rows)}
      </p>
    </ComparePanel>
  );
}

function AxisTicks({ axis }: { readonly axis: LogAxis }): ReactNode {
  return (
    <span className="interval-axis">
      {axis.ticks.map((tick) => (
        <span key={tick} style={{ left: `${axis.at(tick) * 100}%` }}>
          {formatRatio(tick)}
        </span>
      ))}
    </span>
  );
}

function Row({ row, axis }: { readonly row: MetricRow; readonly axis: LogAxis | undefined }): ReactNode {
  const { span, noise } = row;
  return (
    <MetricLine row={row}>
      <td className="align-end" title={row.exact.baseline}>
        {row.baseline}
      </td>
      <td className="align-end" title={row.exact.candidate}>
        {row.candidate}
      </td>
      <td className="metric-change">{row.change}</td>
      <td className="interval-cell" title={noise === undefined ? undefined : `baseline against itself: ${noise.words}`}>
        {span === undefined || axis === undefined ? null : (
          <IntervalMark
            low={axis.at(span.low)}
            high={axis.at(span.high)}
            at={axis.at(span.ratio)}
            one={axis.at(1)}
            color={colors[row.verdict]}
            noise={noise === undefined ? undefined : { low: axis.at(noise.low), high: axis.at(noise.high) }}
          />
        )}
      </td>
      <td className="align-end">{row.p}</td>
      <td className="align-end">{row.permutation}</td>
      <td className={`metric-verdict metric-${row.verdict}`} title={row.why}>
        {row.verdictText}
      </td>
    </MetricLine>
  );
}
