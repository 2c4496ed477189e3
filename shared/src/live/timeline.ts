/**
 * What one run changed over time, in bins of three widths: one for each window a page offers. A bin's length is what
 * the kernel clock says, so a rate (delta / length) is exact however late a snapshot came.
 */
import { browserHistoryMs } from '../limits.ts';

/** Changes of cells in (fromNs, toNs], each cell once. */
export type Bin = {
  readonly fromNs: number;
  readonly toNs: number;
  readonly cells: Uint32Array;
  readonly deltas: Float64Array;
};

/** The windows a page offers, by the words of its URL; every one has about 120 bins. */
export const liveWindows = {
  '30s': { spanMs: 30_000, binMs: 250, title: '30 s' },
  '2min': { spanMs: 120_000, binMs: 1000, title: '2 min' },
  '10min': { spanMs: browserHistoryMs, binMs: 5000, title: '10 min' },
} as const;

/** A window's word. */
export type LiveWindow = keyof typeof liveWindows;

/** The windows' words, the shortest first. */
export const liveWindowNames: readonly LiveWindow[] = ['30s', '2min', '10min'];

type Level = {
  readonly widthNs: number;
  readonly spanNs: number;
  closed: Bin[];
  /** What has come for the bin not yet full; `open` is undefined before the first change. */
  sums: Map<number, number>;
  open: { readonly fromNs: number; readonly toNs: number } | undefined;
};

/** Bins of one run at every width, the oldest first. Grown by addToTimeline, bounded by the windows' spans. */
export type Timeline = { readonly levels: Readonly<Record<LiveWindow, Level>> };

/** A timeline where nothing has happened yet. */
export function createTimeline(): Timeline {
  const level = (name: LiveWindow): Level => ({
    widthNs: liveWindows[name].binMs * 1e6,
    spanNs: liveWindows[name].spanMs * 1e6,
    closed: [],
    sums: new Map(),
    open: undefined,
  });
  return { levels: { '30s': level('30s'), '2min': level('2min'), '10min': level('10min') } };
}

/** Adds what changed in (fromNs, toNs]. A slice of no length (calls only) says nothing about rates and is skipped. */
export function addToTimeline(timeline: Timeline, change: Bin): void {
  if (!(change.toNs > change.fromNs)) return;
  for (const name of liveWindowNames) addToLevel(timeline.levels[name], change);
}

/** The bins of a window, the oldest first; the last may be shorter than the others. */
export function timelineBins(timeline: Timeline, window: LiveWindow): readonly Bin[] {
  const level = timeline.levels[window];
  return level.open === undefined ? level.closed : [...level.closed, openBin(level, level.open)];
}

/** Puts what an older timeline knew before this one begins in front of it: for a page that had to start anew. */
export function prependTimeline(timeline: Timeline, older: Timeline): void {
  for (const name of liveWindowNames) {
    const level = timeline.levels[name];
    const firstNs = level.closed[0]?.fromNs ?? level.open?.fromNs;
    const before = timelineBins(older, name).filter((bin) => firstNs === undefined || bin.toNs <= firstNs);
    level.closed = [...before, ...level.closed];
    forgetOld(level);
  }
}

/** A copy that later changes do not reach: what a paused page looks at. */
export function freezeTimeline(timeline: Timeline): Timeline {
  const freeze = (name: LiveWindow): Level => {
    const level = timeline.levels[name];
    return { ...level, closed: [...timelineBins(timeline, name)], sums: new Map(), open: undefined };
  };
  return { levels: { '30s': freeze('30s'), '2min': freeze('2min'), '10min': freeze('10min') } };
}

function addToLevel(level: Level, change: Bin): void {
  // A hole (the run stood still, frames were missed) must not be spread over a bin: close what is open first.
  if (level.open !== undefined && change.fromNs > level.open.toNs + level.widthNs) close(level);
  level.open = { fromNs: level.open?.fromNs ?? change.fromNs, toNs: change.toNs };
  for (let index = 0; index < change.cells.length; index += 1) {
    const cell = change.cells[index] ?? 0;
    level.sums.set(cell, (level.sums.get(cell) ?? 0) + (change.deltas[index] ?? 0));
  }
  // Snapshots come a little early or late: close at the one nearest to the full width.
  const halfStepNs = (change.toNs - change.fromNs) / 2;
  if (level.open.toNs - level.open.fromNs + halfStepNs >= level.widthNs) close(level);
}

function close(level: Level): void {
  if (level.open === undefined) return;
  level.closed.push(openBin(level, level.open));
  level.sums = new Map();
  level.open = undefined;
  forgetOld(level);
}

function openBin(level: Level, open: { readonly fromNs: number; readonly toNs: number }): Bin {
  return { ...open, cells: Uint32Array.from(level.sums.keys()), deltas: Float64Array.from(level.sums.values()) };
}

function forgetOld(level: Level): void {
  const last = level.closed.at(-1);
  if (last === undefined) return;
  const oldestNs = last.toNs - level.spanNs - 2 * level.widthNs;
  let forgotten = 0;
  while ((level.closed[forgotten]?.toNs ?? Number.POSITIVE_INFINITY) < oldestNs) forgotten += 1;
  if (forgotten > 0) level.closed.splice(0, forgotten);
}
