/** Where in time and latency two sides differ: candidate minus baseline, from the buckets of all runs. Shown, not tested. */
import { bucketsCount, type Buckets } from '../buckets.ts';
import { compareHeatColumnsMax } from './limits.ts';
import { bucketsPerRow } from '../live/latency.ts';

/** What one snapshot of a run counted. Times since the run began, ns; the counts are of (fromNs, toNs]. */
export type TimedBuckets = { readonly fromNs: number; readonly toNs: number; readonly buckets: Buckets };

/** The snapshots of one run. */
export type HeatRun = readonly TimedBuckets[];

/** Counts of a mean run of either side in one cell; cells in which neither side has any are left out. */
export type HeatCell = {
  /** From 0; begins at column * columnNs. */
  readonly column: number;
  /** As rowBounds takes it. */
  readonly row: number;
  readonly baseline: number;
  readonly candidate: number;
};

/** The whole picture. */
export type DifferenceHeat = {
  readonly columnNs: number;
  readonly columnCount: number;
  /** By column, then by row. */
  readonly cells: readonly HeatCell[];
  /** The largest distance of a cell's two counts: the ends of the colour scale. */
  readonly peak: number;
};

/**
 * Lays the runs of each side over each other, all from their own beginning, and takes the mean of a side. A snapshot belongs to the column
 * that its middle lies in, so that counts stay whole; a column is never narrower than half of the runs' snapshots are. Undefined without any count.
 */
export function differenceHeat(
  baseline: readonly HeatRun[],
  candidate: readonly HeatRun[],
): DifferenceHeat | undefined {
  const snapshots = [...baseline, ...candidate].flat();
  if (snapshots.every(({ buckets }) => bucketsCount(buckets) === 0)) return undefined;
  const endNs = Math.max(...snapshots.map(({ toNs }) => toNs));
  const columnNs = niceUp(Math.max(endNs / compareHeatColumnsMax, medianWidthNs(snapshots)));
  const cells = new Map<string, { column: number; row: number; baseline: number; candidate: number }>();
  for (const [side, runs] of [['baseline', baseline] as const, ['candidate', candidate] as const]) {
    for (const { fromNs, toNs, buckets } of runs.flat()) {
      const column = Math.floor((fromNs + toNs) / 2 / columnNs);
      for (const [bucket, count] of buckets) {
        const row = Math.floor(bucket / bucketsPerRow);
        const key = `${String(column)} ${String(row)}`;
        const cell = cells.get(key) ?? { column, row, baseline: 0, candidate: 0 };
        cell[side] += count / runs.length;
        cells.set(key, cell);
      }
    }
  }
  const found = [...cells.values()]
    .filter((cell) => cell.baseline !== 0 || cell.candidate !== 0)
    .toSorted((left, right) => left.column - right.column || left.row - right.row);
  return {
    columnNs,
    columnCount: Math.max(...found.map(({ column }) => column)) + 1,
    cells: found,
    peak: Math.max(...found.map((cell) => Math.abs(cell.candidate - cell.baseline))),
  };
}

function medianWidthNs(snapshots: readonly TimedBuckets[]): number {
  const widths = snapshots.map(({ fromNs, toNs }) => toNs - fromNs).toSorted((left, right) => left - right);
  return widths[Math.floor(widths.length / 2)] ?? 0;
}

/** The next of 1, 2 or 5 times a power of ten. */
function niceUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return ([1, 2, 5, 10].find((digit) => digit * power >= value) ?? 10) * power;
}
