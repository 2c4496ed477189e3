/** The table of metrics of a comparison, ready to be drawn: intervals on one axis, and what the baseline shows against itself. */
import {
  type CandidateComparison,
  type Comparison,
  formatExact,
  formatMetric,
  formatNsExact,
  formatP,
  formatRatio,
  formatRunsNeeded,
  formatShare,
  formatTest,
  type LogAxis,
  meanOf,
  type MetricComparison,
  type NoiseFloor,
  ratioAxis,
  type RatioSpan,
  ratioSpan,
  verdictWords,
} from '@faultline/shared';
import { type TableData, tableOf } from './table-data.ts';

/** One row of the table of metrics. */
export type MetricRow = {
  readonly id: string;
  readonly title: string;
  readonly decides: boolean;
  readonly baseline: string;
  readonly candidate: string;
  /** Values of all runs, for those who point at it. */
  readonly exact: Readonly<Record<'baseline' | 'candidate', string>>;
  readonly change: string;
  readonly span: RatioSpan | undefined;
  /** Ratios that as many runs of the baseline would show against each other, and the same in words. */
  readonly noise: { readonly low: number; readonly high: number; readonly words: string } | undefined;
  readonly p: string;
  readonly permutation: string;
  readonly verdict: MetricComparison['verdict'];
  readonly verdictText: string;
  readonly why: string | undefined;
};

/** The table of metrics on one axis. */
export function metricRows(
  { metrics }: CandidateComparison,
  { noise }: Pick<Comparison['baseline'], 'noise'>,
): {
  /** Undefined where no row has a ratio to draw. */
  readonly axis: LogAxis | undefined;
  readonly rows: readonly MetricRow[];
} {
  const spans = metrics.map(ratioSpan).filter((span) => span !== undefined);
  return { axis: spans.length === 0 ? undefined : ratioAxis(spans), rows: metrics.map((row) => rowOf(row, noise)) };
}

/** What is said of the noise floor under the table: that of the metrics that decide, or why there is none. */
export function noiseWords({ title, runCount, noise }: Comparison['baseline'], rows: readonly MetricRow[]): string {
  const deciding = rows.filter(({ decides, noise: own }) => decides && own !== undefined);
  if (noise.length === 0)
    return runCount < 4 ? `${title} has too few runs to be compared with itself: that takes four.` : '';
  const words = deciding.map((row) => `${row.title}: ${row.noise?.words ?? ''}`);
  return `The grey band is noise: ${title} against itself would lie within it 19 times of 20${words.length === 0 ? '' : ` (${words.join('; ')})`}.`;
}

function noiseOf(floor: NoiseFloor | undefined): MetricRow['noise'] {
  if (floor === undefined) return undefined;
  const { halfWidthShare, splitRatio } = floor;
  return {
    low: 1 / (1 + halfWidthShare),
    high: 1 + halfWidthShare,
    words: `±${formatShare(halfWidthShare)}, every second run over the others ${formatRatio(splitRatio)}`,
  };
}

function rowOf(row: MetricComparison, noise: Comparison['baseline']['noise']): MetricRow {
  const { metric, baseline, candidate, test, verdict, runsNeeded, why } = row;
  const isTested = test.kind === 'ratio' || test.kind === 'difference';
  const exactOf = (values: readonly number[]): string =>
    values.length === 0 ? 'no value' : values.map((value) => exactly(value, metric.unit)).join(', ');
  return {
    id: metric.id,
    title: metric.title,
    decides: metric.decides,
    baseline: formatMetric(meanOf(row, 'baseline'), metric.unit),
    candidate: formatMetric(meanOf(row, 'candidate'), metric.unit),
    exact: { baseline: exactOf(baseline), candidate: exactOf(candidate) },
    change: formatTest(row),
    span: ratioSpan(row),
    noise: noiseOf(noise.find((one) => one.metric === metric.id)?.noise),
    p: isTested ? formatP(test.pAdjusted) : '',
    permutation: isTested ? formatP(test.permutation?.p) : '',
    verdict,
    verdictText: runsNeeded === undefined ? verdictWords[verdict] : `need ${formatRunsNeeded(runsNeeded)} runs`,
    why,
  };
}

/** A value of a metric in all its digits. */
export function exactly(value: number, unit: MetricComparison['metric']['unit']): string {
  if (unit === 'ns') return formatNsExact(value);
  return unit === 'share' ? formatShare(value) : formatExact(value);
}

/** The metrics as a table to be copied. */
export function metricTable(
  rows: readonly MetricRow[],
  titles: Readonly<Record<'baseline' | 'candidate', string>>,
): TableData {
  return tableOf(
    [['metric'], [titles.baseline, 'end'], [titles.candidate, 'end'], ['change'], ['p (Holm)', 'end'], ['verdict']],
    rows.map((row) => [
      row.id,
      [row.title, row.exact.baseline, row.exact.candidate, row.change, row.p, row.verdictText],
    ]),
  );
}
