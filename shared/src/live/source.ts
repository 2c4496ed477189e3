/** Where a view's figures come from: the runs of a session that have a metric, and which of their cells count. */
import type { CellEntry, Dims } from '../protocol.ts';
import type { RunView } from '../run.ts';
import type { LiveSession } from './live-session.ts';
import type { RunData } from './run-data.ts';
import { type Bin, type LiveWindow, liveWindows, timelineBins } from './timeline.ts';

/** One run's part in a view: its dictionary, its totals, and its bins of the window. */
export type Source = {
  readonly cells: readonly (CellEntry | undefined)[];
  readonly totals: Float64Array;
  readonly bins: readonly Bin[];
};

/** What a reader wants to see; undefined is everything. */
export type CellFilter = { readonly process?: string | undefined; readonly mode?: string | undefined };

/** The dimension that names a process. */
export const processDimension = 'comm';

/** The dimensions that name a lock mode, by probe. */
export const modeDimensions = ['mode', 'lockMode'] as const;

/** The runs of a session whose stream has a metric, the newest first; those that ran beside a newer one are left out. */
export function runsWithMetric(session: LiveSession, metric: string): readonly RunView[] {
  const having = session.view.runs.filter((run) => hasMetric(session.runs.get(run.index), metric));
  const newestFirst = having.toSorted((left, right) => right.index - left.index);
  const chosen: RunView[] = [];
  for (const run of newestFirst) {
    const next = chosen.at(-1);
    const isBeside =
      next !== undefined && (run.endedAtMs === undefined || run.endedAtMs > (next.readyAtMs ?? next.startedAtMs));
    if (!isBeside) chosen.push(run);
  }
  return chosen;
}

/** The sources of a metric for a window, the oldest run first: the newest run and those that ended before it began. */
export function sourcesOf(session: LiveSession, metric: string, window: LiveWindow): readonly Source[] {
  const sources: Source[] = [];
  for (const run of runsWithMetric(session, metric).toReversed()) {
    const data = session.runs.get(run.index);
    if (data !== undefined)
      sources.push({ cells: data.cells, totals: data.totals, bins: timelineBins(data.timeline, window) });
  }
  return session.section === undefined ? clipToWindow(sources, liveWindows[window].spanMs * 1e6) : sources;
}

/** Whether any cell of a metric carries a dimension: a filter by one that does not cannot narrow it. */
export function hasDimension(sources: readonly Source[], metric: string, dimension: string): boolean {
  return sources.some(({ cells }) =>
    cells.some((entry) => entry?.metric === metric && entry.dims[dimension] !== undefined),
  );
}

/** Whether a cell is of the metric and passes the filter. A dimension that the cell lacks does not keep it out. */
export function cellFits(entry: CellEntry | undefined, metric: string, filter: CellFilter): entry is CellEntry {
  if (entry?.metric !== metric) return false;
  const process = entry.dims[processDimension];
  if (filter.process !== undefined && process !== undefined && process !== filter.process) return false;
  return (
    filter.mode === undefined ||
    modeDimensions.every((name) => entry.dims[name] === undefined || entry.dims[name] === filter.mode)
  );
}

/** The group of each cell (an index into the groups, -1 outside all), for one pass over bins. */
export function groupCells(source: Source, groupOf: (entry: CellEntry) => number): Int32Array {
  const groups = new Int32Array(source.cells.length).fill(-1);
  for (const [cell, entry] of source.cells.entries()) if (entry !== undefined) groups[cell] = groupOf(entry);
  return groups;
}

/** The exact cumulative value of a metric over all runs of a session that have it, for cells with all the given dims. */
export function totalOf(session: LiveSession, metric: string, dims: Readonly<Record<string, string | number>>): number {
  let total = 0;
  for (const data of session.runs.values()) {
    for (const [cell, entry] of data.cells.entries()) {
      if (entry?.metric === metric && carries(entry.dims, dims)) total += data.totals[cell] ?? 0;
    }
  }
  return total;
}

/** Values of a dimension in a session's cells, sorted: what a filter can offer. */
export function dimensionValues(session: LiveSession, dimensions: readonly string[]): readonly string[] {
  const values = new Set<string>();
  for (const data of session.runs.values()) {
    for (const entry of data.cells) {
      for (const name of dimensions) {
        const value = entry?.dims[name];
        if (typeof value === 'string') values.add(value);
      }
    }
  }
  return [...values].toSorted();
}

function carries(dims: Dims, wanted: Readonly<Record<string, string | number>>): boolean {
  return Object.entries(wanted).every(([name, value]) => dims[name] === value);
}

function hasMetric(data: RunData | undefined, metric: string): boolean {
  return data?.stream?.maps.some((map) => map.metric === metric) ?? false;
}

/** Bins of older runs that lie outside the window, seen from the newest bin, are not shown. */
function clipToWindow(sources: readonly Source[], spanNs: number): readonly Source[] {
  const newestNs = Math.max(0, ...sources.map(({ bins }) => bins.at(-1)?.toNs ?? 0));
  return sources.map((source) => ({ ...source, bins: source.bins.filter(({ toNs }) => toNs > newestNs - spanNs) }));
}
