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
  /** What has come for the bin not yet full, by cell number, and which cells that are; twice as fast as a Map. */
  sums: Float64Array;
  isTouched: Uint8Array;
  touched: number[];
  /** Undefined before the first change of the bin. */
  open: { readonly fromNs: number; readonly toNs: number } | undefined;
};

/** Bins of one run at every width, the oldest first. Grown by addToTimeline, bounded by the windows' spans. */
export type Timeline = { readonly levels: Readonly<Record<LiveWindow, Level>> };

/** A timeline where nothing has happened yet. */
export function createTimeline(): Timeline {
  const level = (name: LiveWindow): Level => createLevel(liveWindows[name].binMs * 1e6, liveWindows[name].spanMs * 1e6);
  return { levels: { '30s': level('30s'), '2min': level('2min'), '10min': level('10min') } };
}

/** A timeline of given changes (the oldest first) in bins of one width, the same in every window: a part of a recorded session. */
export function fixedTimeline(changes: Iterable<Bin>, widthNs: number): Timeline {
  const level = createLevel(widthNs, Number.POSITIVE_INFINITY);
  for (const change of changes) if (change.toNs > change.fromNs) addToLevel(level, change);
  close(level);
  return { levels: { '30s': level, '2min': level, '10min': level } };
}

/**
 * Adds what changed in (fromNs, toNs]. A slice of no length (calls only) says nothing about rates and is skipped. Where
 * it is known that newer changes will follow, `newestNs` spares counting what would be forgotten at once.
 */
export function addToTimeline(timeline: Timeline, change: Bin, newestNs: number = change.toNs): void {
  if (!(change.toNs > change.fromNs)) return;
  for (const name of liveWindowNames) {
    const level = timeline.levels[name];
    if (change.toNs >= oldestNs(level, newestNs)) addToLevel(level, change);
  }
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
    return {
      ...level,
      closed: [...timelineBins(timeline, name)],
      sums: new Float64Array(0),
      isTouched: new Uint8Array(0),
      touched: [],
      open: undefined,
    };
  };
  return { levels: { '30s': freeze('30s'), '2min': freeze('2min'), '10min': freeze('10min') } };
}

function createLevel(widthNs: number, spanNs: number): Level {
  return {
    widthNs,
    spanNs,
    closed: [],
    sums: new Float64Array(0),
    isTouched: new Uint8Array(0),
    touched: [],
    open: undefined,
  };
}

function addToLevel(level: Level, change: Bin): void {
  // A hole (the run stood still, frames were missed) must not be spread over a bin: close what is open first.
  if (level.open !== undefined && change.fromNs > level.open.toNs + level.widthNs) close(level);
  level.open = { fromNs: level.open?.fromNs ?? change.fromNs, toNs: change.toNs };
  for (let index = 0; index < change.cells.length; index += 1) {
    const cell = change.cells[index] ?? 0;
    if (cell >= level.sums.length) grow(level, cell + 1);
    if (level.isTouched[cell] === 0) {
      level.isTouched[cell] = 1;
      level.touched.push(cell);
    }
    level.sums[cell] = (level.sums[cell] ?? 0) + (change.deltas[index] ?? 0);
  }
  // Snapshots come a little early or late: close at the one nearest to the full width.
  const halfStepNs = (change.toNs - change.fromNs) / 2;
  if (level.open.toNs - level.open.fromNs + halfStepNs >= level.widthNs) close(level);
}

function close(level: Level): void {
  if (level.open === undefined) return;
  level.closed.push(openBin(level, level.open));
  for (const cell of level.touched) {
    level.sums[cell] = 0;
    level.isTouched[cell] = 0;
  }
  level.touched = [];
  level.open = undefined;
  forgetOld(level);
}

function openBin(level: Level, open: { readonly fromNs: number; readonly toNs: number }): Bin {
  const cells = new Uint32Array(level.touched.length);
  const deltas = new Float64Array(level.touched.length);
  for (const [index, cell] of level.touched.entries()) {
    cells[index] = cell;
    deltas[index] = level.sums[cell] ?? 0;
  }
  return { ...open, cells, deltas };
}

function grow(level: Level, length: number): void {
  const larger = Math.max(64, length, level.sums.length * 2);
  const [sums, isTouched] = [new Float64Array(larger), new Uint8Array(larger)];
  sums.set(level.sums);
  isTouched.set(level.isTouched);
  Object.assign(level, { sums, isTouched });
}

function forgetOld(level: Level): void {
  const last = level.closed.at(-1);
  if (last === undefined) return;
  const oldest = oldestNs(level, last.toNs);
  let forgotten = 0;
  while ((level.closed[forgotten]?.toNs ?? Number.POSITIVE_INFINITY) < oldest) forgotten += 1;
  if (forgotten > 0) level.closed.splice(0, forgotten);
}

/** Bins that end before this lie outside the window, also when the newest is not full yet. */
function oldestNs(level: Level, newestNs: number): number {
  return newestNs - level.spanNs - 2 * level.widthNs;
}
