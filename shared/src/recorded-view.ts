/**
 * A recorded session as a page gets it: one HTTP answer with a snapshot as of its end, whose history is the whole session,
 * and what was lost when. Written and read by this file on both sides; JSON for what is small, columns for the rest.
 */
import { assert } from './assert.ts';
import type { LossSpan } from './live/losses.ts';
import { protocolVersion, type Snapshot } from './protocol.ts';

/** What a page draws a recorded session from. A change of it raises protocolVersion: copies of it lie beside closed sessions. */
export type RecordedView = {
  /** As of the last tick that is held; `history` reaches back to the first. */
  readonly snapshot: Snapshot;
  /** held: the newest calls of each run are in the snapshot. asked: none is, GET …/calls has all of them. */
  readonly calls: 'held' | 'asked';
  /** The stretches in which events were lost, the oldest first. */
  readonly lossSpans: readonly LossSpan[];
  /** So many ticks were added up for each of the history. */
  readonly ticksMerged: number;
  /** Calls of the session that are not in the snapshot, by run. */
  readonly olderCalls: readonly number[];
  /** Why it could not be read to its end; absent where it was. */
  readonly damage?: string;
};

type Head = Omit<RecordedView, 'snapshot'> & {
  readonly snapshot: Omit<Snapshot, 'bytes' | 'historyBytes'>;
  readonly byteLength: number;
};

const lengthBytes = 4;

/** The parts of the answer's body, in order: the length of the head (u32, little-endian), the head, the columns. */
export function encodeRecordedView(view: RecordedView): readonly Uint8Array[] {
  const { bytes, historyBytes, ...rest } = view.snapshot;
  const columns = asBytes(bytes);
  const head: Head = { ...view, snapshot: rest, byteLength: columns.byteLength };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const length = new Uint8Array(lengthBytes);
  new DataView(length.buffer).setUint32(0, text.byteLength, true);
  return [length, text, columns, asBytes(historyBytes)];
}

/** Reads what encodeRecordedView wrote. Throws where it is cut off, or of another version of the protocol. */
export function decodeRecordedView(body: ArrayBuffer): RecordedView {
  assert(body.byteLength >= lengthBytes, 'a recorded session has at least its length');
  const textLength = new DataView(body).getUint32(0, true);
  assert(body.byteLength >= lengthBytes + textLength, 'a recorded session is cut off in its head');
  const text = new TextDecoder().decode(new Uint8Array(body, lengthBytes, textLength));
  const head: unknown = JSON.parse(text);
  assert(isHead(head), 'the server speaks another version than this page');
  const { byteLength, snapshot, ...rest } = head;
  const columns = new Uint8Array(body, lengthBytes + textLength);
  const past = snapshot.history.reduce((sum, one) => sum + one.byteLength, 0);
  assert(columns.byteLength === byteLength + past, 'a recorded session is cut off in its columns');
  return {
    ...rest,
    snapshot: { ...snapshot, bytes: columns.subarray(0, byteLength), historyBytes: columns.subarray(byteLength) },
  };
}

/** Of this version it is what encodeRecordedView makes; the rest is checked where it is used, as with frames. */
function isHead(head: unknown): head is Head {
  if (typeof head !== 'object' || head === null || !('snapshot' in head)) return false;
  const { snapshot } = head;
  if (typeof snapshot !== 'object' || snapshot === null || !('protocolVersion' in snapshot)) return false;
  return snapshot.protocolVersion === protocolVersion;
}

function asBytes(bytes: ArrayBuffer | Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
}
