/** The figures of one run in words and numbers: the same for the command line, the API and the page's tables. */
import { addBuckets, bucketQuantiles, bucketsCount, bucketsMax } from './buckets.ts';
import { metricSpecs, type Stream } from './probe-manifest.ts';
import type { CellEntry, Dims, Distribution, RunSummary } from './protocol.ts';
import type { RunView } from './run.ts';

/** Cells with their cumulative values, by cell number. */
export type CellTotals = { readonly cells: readonly CellEntry[]; readonly totals: ArrayLike<number> };

/** Every total by its key (bucketed maps become distributions), largest first within a metric. */
export function summariseRun(run: RunView, stream: Stream, figures: CellTotals, durationNs: number): RunSummary {
  const metrics = metricSpecs(stream);
  const specOf = new Map(metrics.map((spec) => [spec.metric, spec]));
  const totals: RunSummary['totals'] = [];
  const bucketsOf = new Map<string, { metric: string; dims: Dims; buckets: Map<number, number> }>();
  for (const entry of figures.cells) {
    const value = figures.totals[entry.cell] ?? 0;
    const spec = specOf.get(entry.metric);
    if (spec === undefined) continue;
    if (spec.kind !== 'buckets') {
      totals.push({ metric: entry.metric, unit: spec.unit, kind: spec.kind, dims: entry.dims, value });
      continue;
    }
    const { bucket, ...dims } = entry.dims;
    const key = JSON.stringify([entry.metric, dims]);
    const known = bucketsOf.get(key) ?? { metric: entry.metric, dims, buckets: new Map<number, number>() };
    addBuckets(known.buckets, new Map([[Number(bucket), value]]));
    bucketsOf.set(key, known);
  }
  const order = new Map(metrics.map((spec, position) => [spec.metric, position]));
  const rank = (metric: string): number => order.get(metric) ?? metrics.length;
  totals.sort((left, right) => rank(left.metric) - rank(right.metric) || right.value - left.value);
  return { run, durationNs, totals, distributions: [...bucketsOf.values()].map(distribution) };
}

function distribution(entry: { metric: string; dims: Dims; buckets: ReadonlyMap<number, number> }): Distribution {
  const [p50, p90, p99, p999] = bucketQuantiles(entry.buckets, [0.5, 0.9, 0.99, 0.999]);
  const max = bucketsMax(entry.buckets);
  return {
    metric: entry.metric,
    dims: entry.dims,
    count: bucketsCount(entry.buckets),
    ...(p50 === undefined ? {} : { p50 }),
    ...(p90 === undefined ? {} : { p90 }),
    ...(p99 === undefined ? {} : { p99 }),
    ...(p999 === undefined ? {} : { p999 }),
    ...(max === undefined ? {} : { max }),
  };
}
