/** Bucketed latencies: a heatmap over time with quantiles, and the distribution. Buckets add up exactly. */
import { bucketHigh, bucketIndexMax, bucketLow, bucketMiddle } from '../buckets.ts';
import type { CellEntry } from '../protocol.ts';
import { type BinMemo, createBinMemo } from './bin-memo.ts';
import { type CellFilter, type Source, cellFits, groupCells } from './source.ts';
import type { Bin } from './timeline.ts';

/** Quantiles every latency view shows. */
export const shownQuantiles = [0.5, 0.9, 0.99, 0.999] as const;

/** A heatmap's row is this many buckets: four rows an octave, each about 19 % wide. */
export const bucketsPerRow = 4;

/** The lowest and highest value of a heatmap's row, ns; the top one exclusive. */
export function rowBounds(row: number): { readonly lowNs: number; readonly highNs: number } {
  return { lowNs: bucketLow(row * bucketsPerRow), highNs: bucketHigh(row * bucketsPerRow + bucketsPerRow - 1) };
}

/** One bin of time of a heatmap. */
export type LatencyColumn = {
  readonly fromNs: number;
  readonly toNs: number;
  readonly count: number;
  /** Count of each row from `rowLow` on, of the rows in use in this column. */
  readonly rowLow: number;
  readonly rows: Float64Array;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  /** The upper end of the highest bucket in use. */
  readonly max: number | undefined;
};

/** A heatmap's data: columns over time, and what all of them need in common. */
export type LatencyColumns = {
  readonly columns: readonly LatencyColumn[];
  /** Rows in use in any column; undefined when there is no value. */
  readonly rowRange: { readonly low: number; readonly high: number } | undefined;
  /** The largest count a second of any cell: the top of the colour scale. */
  readonly peakPerSec: number;
};

/** Heatmap columns of a bucketed metric, the oldest first. With a memo of its own each bin is counted once. */
export function latencyColumns(
  sources: readonly Source[],
  metric: string,
  filter: CellFilter,
  memo: BinMemo<LatencyColumn> = createBinMemo(),
): LatencyColumns {
  const columns: LatencyColumn[] = [];
  const counts = new Float64Array(bucketIndexMax + 1);
  const question = JSON.stringify([metric, filter]);
  for (const source of sources) {
    const buckets = bucketsOfCells(source, (entry) => cellFits(entry, metric, filter));
    const count = (bin: Bin): LatencyColumn => {
      counts.fill(0);
      for (let index = 0; index < bin.cells.length; index += 1) {
        const bucket = buckets[bin.cells[index] ?? 0] ?? -1;
        if (bucket >= 0) counts[bucket] = (counts[bucket] ?? 0) + (bin.deltas[index] ?? 0);
      }
      return { fromNs: bin.fromNs, toNs: bin.toNs, ...columnOf(counts) };
    };
    for (const bin of source.bins) columns.push(memo(question, bin, () => count(bin)));
  }
  return { columns, ...rangeOf(columns) };
}

/** The distribution of one group of cells. */
export type LatencyDistribution = {
  readonly group: string;
  readonly count: number;
  /** By bucket index, dense. */
  readonly counts: Float64Array;
  /** In the order of shownQuantiles; undefined where there is no value. */
  readonly quantiles: readonly (number | undefined)[];
  readonly max: number | undefined;
};

/** What a distribution is taken over: the bins of the window, or everything since the runs began. */
export type LatencySpan = 'window' | 'all';

/** The distribution of a bucketed metric for each group, in the order given. `groupOf` names a cell's group. */
export function latencyDistributions(
  sources: readonly Source[],
  question: {
    readonly metric: string;
    readonly filter: CellFilter;
    readonly span: LatencySpan;
    readonly groups: readonly string[];
    readonly groupOf: (entry: CellEntry) => string;
  },
): readonly LatencyDistribution[] {
  const all = question.groups.map((group) => ({ group, counts: new Float64Array(bucketIndexMax + 1) }));
  for (const source of sources) {
    const buckets = bucketsOfCells(source, (entry) => cellFits(entry, question.metric, question.filter));
    const groups = groupCells(source, (entry) => question.groups.indexOf(question.groupOf(entry)));
    const sums = spanSums(source, question.span);
    for (const [cell, bucket] of buckets.entries()) {
      const counts = bucket < 0 ? undefined : all[groups[cell] ?? -1]?.counts;
      if (counts !== undefined) counts[bucket] = (counts[bucket] ?? 0) + (sums[cell] ?? 0);
    }
  }
  return all.map(({ group, counts }) => ({
    group,
    counts,
    count: sumOf(counts),
    quantiles: denseQuantiles(counts, shownQuantiles),
    max: denseMax(counts),
  }));
}

/** What each cell adds up to over a span, by cell number. */
export function spanSums(source: Source, span: LatencySpan): Float64Array {
  if (span === 'all') return source.totals;
  const sums = new Float64Array(source.cells.length);
  for (const { cells, deltas } of source.bins) {
    for (let index = 0; index < cells.length; index += 1) {
      const cell = cells[index] ?? 0;
      sums[cell] = (sums[cell] ?? 0) + (deltas[index] ?? 0);
    }
  }
  return sums;
}

/** Quantiles (0..1, ascending) of counts by bucket index: nearest rank, the bucket's middle. */
export function denseQuantiles(counts: Float64Array, quantiles: readonly number[]): readonly (number | undefined)[] {
  const total = sumOf(counts);
  if (total === 0) return quantiles.map(() => undefined);
  let bucket = 0;
  let seen = counts[0] ?? 0;
  return quantiles.map((quantile) => {
    const rank = Math.max(1, Math.ceil(quantile * total));
    while (seen < rank && bucket < bucketIndexMax) {
      bucket += 1;
      seen += counts[bucket] ?? 0;
    }
    return bucketMiddle(bucket);
  });
}

/** The upper end of the highest bucket in use; undefined when there is none. */
export function denseMax(counts: Float64Array): number | undefined {
  for (let bucket = bucketIndexMax; bucket >= 0; bucket -= 1) {
    if ((counts[bucket] ?? 0) > 0) return bucket === 0 ? 0 : bucketHigh(bucket) - 1;
  }
  return undefined;
}

function bucketsOfCells(source: Source, fits: (entry: CellEntry) => boolean): Int32Array {
  const buckets = new Int32Array(source.cells.length).fill(-1);
  for (const [cell, entry] of source.cells.entries()) {
    const bucket = entry?.dims['bucket'];
    if (entry !== undefined && typeof bucket === 'number' && bucket <= bucketIndexMax && fits(entry))
      buckets[cell] = bucket;
  }
  return buckets;
}

function columnOf(counts: Float64Array): Omit<LatencyColumn, 'fromNs' | 'toNs'> {
  let low = -1;
  let high = -1;
  let count = 0;
  for (let bucket = 0; bucket <= bucketIndexMax; bucket += 1) {
    const value = counts[bucket] ?? 0;
    if (value === 0) continue;
    if (low < 0) low = bucket;
    high = bucket;
    count += value;
  }
  if (high < 0)
    return { count: 0, rowLow: 0, rows: new Float64Array(0), p50: undefined, p99: undefined, max: undefined };
  const rowLow = Math.floor(low / bucketsPerRow);
  const rows = new Float64Array(Math.floor(high / bucketsPerRow) - rowLow + 1);
  for (let bucket = low; bucket <= high; bucket += 1) {
    const row = Math.floor(bucket / bucketsPerRow) - rowLow;
    rows[row] = (rows[row] ?? 0) + (counts[bucket] ?? 0);
  }
  const [p50, p99] = denseQuantiles(counts, [0.5, 0.99]);
  return { count, rowLow, rows, p50, p99, max: denseMax(counts) };
}

function rangeOf(columns: readonly LatencyColumn[]): Pick<LatencyColumns, 'rowRange' | 'peakPerSec'> {
  let low = Number.POSITIVE_INFINITY;
  let high = -1;
  let peakPerSec = 0;
  for (const column of columns) {
    if (column.rows.length === 0) continue;
    low = Math.min(low, column.rowLow);
    high = Math.max(high, column.rowLow + column.rows.length - 1);
    const sec = (column.toNs - column.fromNs) / 1e9;
    for (const value of column.rows) peakPerSec = Math.max(peakPerSec, value / sec);
  }
  return { rowRange: high < 0 ? undefined : { low, high }, peakPerSec };
}

function sumOf(counts: Float64Array): number {
  let sum = 0;
  for (const value of counts) sum += value;
  return sum;
}
