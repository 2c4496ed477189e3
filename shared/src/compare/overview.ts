/** A baseline and many candidates on one table: a row a metric, a column a build. */
import { formatExact, formatPlural } from '../format.ts';
import type { MetricComparison } from './compare-metric.ts';
import type { Comparison } from './comparison.ts';
import { metrics } from './metrics.ts';
import { type Verdict, verdictsWorstFirst } from './verdict.ts';
import { formatMetric, meanOf, verdictWords } from './words.ts';

/** One metric of all builds. */
export type OverviewRow = {
  readonly metric: MetricComparison['metric'];
  /** The baseline's mean, in words. */
  readonly baseline: string;
  /** In the order of the candidates; undefined where a candidate has no such row. */
  readonly cells: readonly (MetricComparison | undefined)[];
};

/** All metrics that any candidate has, in their order. */
export function overviewOf({ candidates }: Comparison): readonly OverviewRow[] {
  const byId = candidates.map((one) => new Map(one.metrics.map((row) => [row.metric.id, row])));
  return metrics.flatMap(({ id }) => {
    const cells = byId.map((rows) => rows.get(id));
    const first = cells.find((row) => row !== undefined);
    if (first === undefined) return [];
    return [{ metric: first.metric, baseline: formatMetric(meanOf(first, 'baseline'), first.metric.unit), cells }];
  });
}

/** What became of the candidates in one sentence: "5 candidates against 6.1-v0: 2 regressed (v1, v4), 3 improved (v2, v3, v1d)." */
export function overviewSentence({ baseline, candidates }: Comparison): string {
  const groups = verdictsWorstFirst.flatMap((verdict) => {
    const own = candidates.filter((one) => one.verdict === verdict);
    return own.length === 0 ? [] : [groupWords(verdict, own)];
  });
  return `${formatPlural(candidates.length, 'candidate')} against ${baseline.title}: ${groups.join(', ')}.`;
}

function groupWords(verdict: Verdict, own: readonly { readonly title: string }[]): string {
  return `${formatExact(own.length)} ${verdictWords[verdict]} (${own.map(({ title }) => title).join(', ')})`;
}
