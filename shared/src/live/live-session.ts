/**
 * A session as a page holds it: built from the snapshot, kept up to date by frames, exact at every sequence number.
 * The functions take frames in; what a view shows is computed from it by the other files of this folder.
 */
import { type SliceColumns, type SliceShape, decodeSlices } from '../frame.ts';
import type { ProbeManifest, Stream } from '../probe-manifest.ts';
import type { FrameHeader, SessionView, Snapshot } from '../protocol.ts';
import { freezeCalls } from './call-ring.ts';
import { type LossSpan, findingSpans, lossSpansBetween, lossSpansMax } from './losses.ts';
import { type RunData, addHistory, addSlice, addTotals, createRunData } from './run-data.ts';
import { runShiftNs } from './session-clock.ts';
import { freezeTimeline, prependTimeline } from './timeline.ts';

/** The page's state of one session. */
export type LiveSession = {
  view: SessionView;
  /** By the run's index in the session. */
  readonly runs: Map<number, RunData>;
  /** The last tick taken in. */
  seq: number;
  atMs: number;
  frameCount: number;
  clientDroppedCalls: number;
  clientMergedTicks: number;
  lossSpans: readonly LossSpan[];
  /** Of a recorded session: the part that the figures are of. Absent for a live one, which is seen through a window. */
  section?: Section;
};

/** A part of a recorded session: (fromNs, toNs] of the page's shared clock, in bins of binNs. */
export type Section = { readonly fromNs: number; readonly toNs: number; readonly binNs: number };

/** What came of a frame: taken in, already known, or one before it is missing and a new snapshot must be asked for. */
export type FrameOutcome = 'taken' | 'known' | 'gap';

type Manifests = readonly Pick<ProbeManifest, 'name' | 'streams'>[];

/**
 * The session of a snapshot. `older` is what the page knew of the same session before: its charts go
 * further back, and its calls are kept.
 */
export function openLiveSession(snapshot: Snapshot, manifests: Manifests, older?: LiveSession): LiveSession {
  const { header, session: view } = snapshot;
  const session: LiveSession = {
    view,
    runs: new Map(),
    seq: header.seq,
    atMs: header.atMs,
    frameCount: older?.frameCount ?? 0,
    clientDroppedCalls: header.clientDroppedCalls,
    clientMergedTicks: header.clientMergedTicks,
    lossSpans: findingSpans(view),
  };
  eachSlice(session, manifests, header, snapshot.bytes, addTotals);
  const bytes =
    snapshot.historyBytes instanceof Uint8Array ? snapshot.historyBytes : new Uint8Array(snapshot.historyBytes);
  let offset = 0;
  for (const { header: past, byteLength } of snapshot.history) {
    eachSlice(session, manifests, past, bytes.subarray(offset, offset + byteLength), addHistory);
    offset += byteLength;
  }
  if (older?.view.id === view.id) {
    for (const data of session.runs.values()) {
      const before = older.runs.get(data.run);
      if (before === undefined) continue;
      prependTimeline(data.timeline, before.timeline);
      // A snapshot carries no calls; those that came before it are still true.
      if (data.calls.addedCount === 0) session.runs.set(data.run, { ...data, calls: before.calls });
    }
    session.lossSpans = mergeSpans(older.lossSpans, session.lossSpans);
  }
  return session;
}

/** Takes in one frame. After `gap` nothing has changed. Throws where the bytes do not fit the header. */
export function takeFrame(
  session: LiveSession,
  manifests: Manifests,
  header: FrameHeader,
  bytes: ArrayBuffer | Uint8Array,
): FrameOutcome {
  if (header.seq <= session.seq) return 'known';
  if (header.fromSeq !== session.seq + 1) return 'gap';
  if (header.session !== undefined) {
    session.lossSpans = mergeSpans(
      session.lossSpans,
      lossSpansBetween(session.view, header.session, session.atMs, header.atMs),
    );
    session.view = header.session;
  }
  eachSlice(session, manifests, header, bytes, addSlice);
  session.seq = header.seq;
  session.atMs = header.atMs;
  session.frameCount += 1;
  session.clientDroppedCalls = header.clientDroppedCalls;
  session.clientMergedTicks = header.clientMergedTicks;
  return 'taken';
}

/** A copy that later frames do not change: what a paused page looks at. */
export function freezeLiveSession(session: LiveSession): LiveSession {
  const runs = [...session.runs.values()].map((data): [number, RunData] => [
    data.run,
    {
      ...data,
      cells: [...data.cells],
      totals: data.totals.slice(),
      timeline: freezeTimeline(data.timeline),
      calls: freezeCalls(data.calls),
    },
  ]);
  return { ...session, runs: new Map(runs) };
}

/** The manifest's entry for a stream of a probe. */
export function findStream(manifests: Manifests, probe: string, stream: string): Stream | undefined {
  return manifests.find((manifest) => manifest.name === probe)?.streams.find(({ name }) => name === stream);
}

function eachSlice(
  session: LiveSession,
  manifests: Manifests,
  header: FrameHeader,
  bytes: ArrayBuffer | Uint8Array,
  take: (data: RunData, slice: FrameHeader['slices'][number], columns: SliceColumns) => void,
): void {
  const runs = header.slices.map(({ run }) => runOf(session, manifests, run));
  const shapes: SliceShape[] = header.slices.map((slice, index) => ({
    cellCount: slice.cellCount,
    callCount: slice.callCount,
    types: (runs[index]?.stream?.columns ?? []).map(({ type }) => type),
  }));
  const columns = decodeSlices(bytes, shapes);
  for (const [index, slice] of header.slices.entries()) {
    const data = runs[index];
    const slices = columns[index];
    if (data === undefined || slices === undefined) continue;
    if (data.lastNs === undefined) data.shiftNs = runShiftNs(session.view, data.run, slice.toNs);
    take(data, slice, slices);
    data.lastAtMs = header.atMs;
  }
}

function runOf(session: LiveSession, manifests: Manifests, run: number): RunData {
  const known = session.runs.get(run);
  if (known !== undefined) return known;
  const view = session.view.runs.find(({ index }) => index === run);
  const data = createRunData(run, view === undefined ? undefined : findStream(manifests, view.probe, view.stream));
  session.runs.set(run, data);
  return data;
}

function mergeSpans(older: readonly LossSpan[], newer: readonly LossSpan[]): readonly LossSpan[] {
  return newer.length === 0 ? older : [...older, ...newer].slice(-lossSpansMax);
}
