/** Ticks and totals as the socket's frames: a header for JSON, and columns for one binary attachment. */
import {
  encodeSlices,
  type FrameHeader,
  type FrameSlice,
  protocolVersion,
  type SessionView,
  type Snapshot,
} from '@faultline/shared';
import type { RunTotals, Tick, TickSlice } from '../sessions/tick.ts';
import type { SessionSource } from '../sessions/tracing.ts';
import { type CallTypes, mergeTicks } from './merge-ticks.ts';
import { figuresOnly, hasSpan } from './tick-history.ts';

/** One frame, the same for all clients; what concerns one client only (its losses) is 0 here. */
export type EncodedFrame = {
  readonly header: FrameHeader;
  readonly bytes: Buffer;
  /** Calls of these ticks that are not in the frame. */
  readonly droppedCalls: number;
};

/** A tick as it is, whatever it holds; the session's view goes with it when one is given. */
export function encodeTick(tick: Tick, session: SessionView | undefined): EncodedFrame {
  return frameOf({ seq: tick.seq, fromSeq: tick.seq, atMs: tick.atMs }, tick.slices, session, 0);
}

/** What encodeMerged needs besides the ticks. */
export type MergeOptions = {
  readonly session: SessionView;
  readonly callTypes: CallTypes;
  readonly callsMax: number;
};

/** Several ticks (oldest first, at least one, without gaps) as one frame. */
export function encodeMerged(ticks: readonly [Tick, ...Tick[]], options: MergeOptions): EncodedFrame {
  const { slices, droppedCalls } = mergeTicks(ticks, options.callTypes, options.callsMax);
  const [first] = ticks;
  const last = ticks.at(-1) ?? first;
  return frameOf({ seq: last.seq, fromSeq: first.seq, atMs: last.atMs }, slices, options.session, droppedCalls);
}

/** What a snapshot is made of. */
export type SnapshotSource = Pick<SessionSource, 'view' | 'seq' | 'recentTicks' | 'totals'>;

/** Everything a session holds: dictionaries, totals, kept calls, and the recent past tick by tick. */
export function encodeSnapshot(source: SnapshotSource, options: SnapshotOptions): Snapshot {
  const session = source.view();
  const { seq } = source;
  const history = source
    .recentTicks(options.historyMs)
    .filter((tick) => tick.seq <= seq)
    .map((tick) => ({ ...tick, slices: tick.slices.filter(hasSpan).map(figuresOnly) }))
    .filter((tick) => tick.slices.length > 0)
    .map((tick) => encodeTick(tick, undefined));
  const stamp = { seq, fromSeq: Math.min(1, seq), atMs: options.nowMs };
  const { header, bytes } = frameOf(stamp, source.totals().map(totalsAsSlice), undefined, 0);
  return {
    protocolVersion,
    serverVersion: options.serverVersion,
    session,
    header,
    bytes,
    history: history.map((frame) => ({ header: frame.header, byteLength: frame.bytes.byteLength })),
    historyBytes: Buffer.concat(history.map((frame) => frame.bytes)),
  };
}

/** What encodeSnapshot needs besides the session. */
export type SnapshotOptions = { readonly serverVersion: string; readonly historyMs: number; readonly nowMs: number };

type Stamp = { readonly seq: number; readonly fromSeq: number; readonly atMs: number };

function frameOf(
  stamp: Stamp,
  slices: readonly TickSlice[],
  session: SessionView | undefined,
  droppedCalls: number,
): EncodedFrame {
  const encoded = encodeSlices(slices);
  return {
    header: {
      ...stamp,
      slices: slices.map(describeSlice),
      ...(session === undefined ? {} : { session }),
      clientDroppedCalls: 0,
      clientMergedTicks: 0,
    },
    // A view of the same memory: ws hands a Buffer to the kernel as it is, for every client the same one.
    bytes: Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength),
    droppedCalls,
  };
}

function describeSlice(slice: TickSlice): FrameSlice {
  const { run, fromNs, toNs, newCells, cells, newTexts, firstText, callCount } = slice;
  return { run, fromNs, toNs, newCells, cellCount: cells.length, newTexts, firstText, callCount };
}

function totalsAsSlice(run: RunTotals): TickSlice {
  return {
    run: run.run,
    fromNs: run.fromNs,
    toNs: run.toNs,
    newCells: run.cells,
    cells: Uint32Array.from(run.cells, ({ cell }) => cell),
    deltas: run.totals,
    firstText: 0,
    newTexts: run.texts,
    calls: run.calls,
    callCount: run.callCount,
  };
}
