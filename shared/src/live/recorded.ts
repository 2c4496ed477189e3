/**
 * A recorded session as a page holds it: every change of every run, and out of it any part as a LiveSession, so that what
 * shows a live session shows a part of a recorded one. Counts of a part are exact to the snapshots of the kernel's maps.
 */
import { type CallColumn, type SliceShape, decodeSlices, makeColumn } from '../frame.ts';
import type { ProbeManifest } from '../probe-manifest.ts';
import type { CellEntry, FrameHeader, SessionView } from '../protocol.ts';
import type { RecordedView } from '../recorded-view.ts';
import type { CallRing } from './call-ring.ts';
import { type LiveSession, findStream } from './live-session.ts';
import type { LossSpan } from './losses.ts';
import type { RunData } from './run-data.ts';
import { runShiftNs, sessionClock } from './session-clock.ts';
import { type Bin, fixedTimeline } from './timeline.ts';

/** One run: what changed, in order of time, on the page's shared clock. */
export type RecordedRunData = {
  readonly run: number;
  readonly stream: RunData['stream'];
  readonly cells: readonly (CellEntry | undefined)[];
  readonly texts: readonly string[];
  readonly shiftNs: number;
  readonly changes: readonly Bin[];
  /** The newest calls where they are held, columns as the stream's manifest says, and how many others there are. */
  readonly calls: readonly CallColumn[];
  readonly callCount: number;
  readonly olderCallCount: number;
};

/** All of it. Never changed. */
export type RecordedData = {
  readonly view: SessionView;
  readonly runs: readonly RecordedRunData[];
  readonly lossSpans: readonly LossSpan[];
  /** The first and the last instant that anything is known of, shared clock. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly seq: number;
  readonly ticksMerged: number;
  readonly damage: string | undefined;
  /** Whether the newest calls are here, or all of them have to be asked for. */
  readonly calls: RecordedView['calls'];
};

/** A part has about so many bins, as a live window has. */
const sectionBins = 120;

/** Widths of bins, ms: the heartbeat of the scripts, and what one reads well on an axis. */
const binWidthsMs = [250, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];

type Streams = readonly Pick<ProbeManifest, 'name' | 'streams'>[];

/** The session of an answer; streams are those that were recorded with it. Throws where columns and header do not fit. */
export function openRecorded(answer: RecordedView, streams: Streams): RecordedData {
  const { header, session: view, bytes } = answer.snapshot;
  const streamOf = (run: number): RunData['stream'] => {
    const found = view.runs.find(({ index }) => index === run);
    return found === undefined ? undefined : findStream(streams, found.probe, found.stream);
  };
  const changes = readChanges(answer, (run) => streamOf(run));
  const totals = decodeSlices(bytes, shapesOf(header, streamOf));
  const runs = header.slices.map((slice, index): RecordedRunData => {
    const cells: (CellEntry | undefined)[] = [];
    for (const entry of slice.newCells) cells[entry.cell] = entry;
    const raw = changes.get(slice.run) ?? [];
    const shiftNs = runShiftNs(view, slice.run, raw[0]?.toNs ?? slice.toNs);
    return {
      run: slice.run,
      stream: streamOf(slice.run),
      cells,
      texts: slice.newTexts,
      shiftNs,
      changes: raw.map((one) => ({ ...one, fromNs: one.fromNs - shiftNs, toNs: one.toNs - shiftNs })),
      calls: totals[index]?.calls ?? [],
      callCount: slice.callCount,
      olderCallCount: answer.olderCalls[slice.run] ?? 0,
    };
  });
  return { view, runs, lossSpans: answer.lossSpans, ...extentOf(view, runs), ...restOf(answer) };
}

/** A part of a session as a session of its own: totals, rates, latencies and calls of (fromNs, toNs] alone. */
export function cutSection(data: RecordedData, fromNs: number, toNs: number): LiveSession {
  const binNs = sectionBinNs(toNs - fromNs);
  const runs = data.runs.map((run): [number, RunData] => [run.run, cutRun(run, { fromNs, toNs, binNs })]);
  return {
    view: data.view,
    runs: new Map(runs),
    seq: data.seq,
    atMs: data.view.startedAtMs,
    frameCount: 0,
    clientDroppedCalls: 0,
    clientMergedTicks: 0,
    lossSpans: data.lossSpans,
    section: { fromNs, toNs, binNs },
  };
}

/** Changes that ended within (fromNs, toNs]. */
export function changesWithin(changes: readonly Bin[], fromNs: number, toNs: number): readonly Bin[] {
  return changes.slice(firstAfter(changes, fromNs), firstAfter(changes, toNs));
}

/** How wide the bins of a part are, ns. */
function sectionBinNs(spanNs: number): number {
  const widthMs = binWidthsMs.find((ms) => spanNs / (ms * 1e6) <= sectionBins) ?? spanNs / 1e6 / sectionBins;
  return widthMs * 1e6;
}

function cutRun(
  run: RecordedRunData,
  { fromNs, toNs, binNs }: { readonly fromNs: number; readonly toNs: number; readonly binNs: number },
): RunData {
  const changes = changesWithin(run.changes, fromNs, toNs);
  const totals = new Float64Array(run.cells.length);
  for (const { cells, deltas } of changes) {
    for (let index = 0; index < cells.length; index += 1) {
      const cell = cells[index] ?? 0;
      totals[cell] = (totals[cell] ?? 0) + (deltas[index] ?? 0);
    }
  }
  return {
    run: run.run,
    stream: run.stream,
    cells: [...run.cells],
    totals,
    texts: [...run.texts],
    timeline: fixedTimeline(changes, binNs),
    calls: cutCalls(run, fromNs + run.shiftNs, toNs + run.shiftNs),
    shiftNs: run.shiftNs,
    lastNs: changes.at(-1)?.toNs,
    lastAtMs: undefined,
  };
}

/** Calls by their own time; those of a stream that tells none are all of them. */
function cutCalls({ stream, calls, callCount }: RecordedRunData, fromNs: number, toNs: number): CallRing {
  const columns = stream?.columns ?? [];
  const times = calls[columns.findIndex(({ type }) => type === 'timeNs')];
  const kept: number[] = [];
  for (let call = 0; call < callCount; call += 1) {
    const atNs = times?.[call];
    if (atNs === undefined || (atNs > fromNs && atNs <= toNs)) kept.push(call);
  }
  const values = columns.map(({ type }, position) => {
    const column = makeColumn(type, kept.length);
    const from = calls[position];
    if (from !== undefined) for (const [row, call] of kept.entries()) column[row] = from[call] ?? 0;
    return column;
  });
  return { columns, values, capacity: Math.max(1, kept.length), addedCount: kept.length };
}

function readChanges(
  { snapshot }: RecordedView,
  streamOf: (run: number) => RunData['stream'],
): ReadonlyMap<number, Bin[]> {
  const all = new Map<number, Bin[]>();
  const { historyBytes } = snapshot;
  const bytes = historyBytes instanceof Uint8Array ? historyBytes : new Uint8Array(historyBytes);
  let offset = 0;
  for (const { header, byteLength } of snapshot.history) {
    const columns = decodeSlices(bytes.subarray(offset, offset + byteLength), shapesOf(header, streamOf));
    for (const [index, { run, fromNs, toNs }] of header.slices.entries()) {
      const { cells, deltas } = columns[index] ?? { cells: new Uint32Array(0), deltas: new Float64Array(0) };
      const changes = all.get(run) ?? [];
      changes.push({ fromNs, toNs, cells, deltas });
      all.set(run, changes);
    }
    offset += byteLength;
  }
  return all;
}

function shapesOf(header: FrameHeader, streamOf: (run: number) => RunData['stream']): readonly SliceShape[] {
  return header.slices.map(({ run, cellCount, callCount }) => ({
    cellCount,
    callCount,
    types: (streamOf(run)?.columns ?? []).map(({ type }) => type),
  }));
}

/** From the beginning of the session to the last figure, or to where its runs ended; at least a second. */
function extentOf(
  view: SessionView,
  runs: readonly RecordedRunData[],
): { readonly fromNs: number; readonly toNs: number } {
  const startNs = sessionClock(view).nsAt(0);
  let fromNs = startNs;
  let toNs = startNs + 1e9;
  for (const { changes } of runs) {
    fromNs = Math.min(fromNs, changes[0]?.fromNs ?? fromNs);
    toNs = Math.max(toNs, changes.at(-1)?.toNs ?? 0);
  }
  for (const { endedAtMs } of view.runs)
    if (endedAtMs !== undefined) toNs = Math.max(toNs, startNs + (endedAtMs - view.startedAtMs) * 1e6);
  return { fromNs, toNs };
}

function restOf({
  snapshot,
  ticksMerged,
  damage,
  calls,
}: RecordedView): Pick<RecordedData, 'seq' | 'ticksMerged' | 'damage' | 'calls'> {
  return { seq: snapshot.header.seq, ticksMerged, damage, calls };
}

/** Index of the first change that ended after an instant: they are in order of time. */
function firstAfter(changes: readonly Bin[], ns: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.toNs ?? 0) > ns) high = middle;
    else low = middle + 1;
  }
  return low;
}
