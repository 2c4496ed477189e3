/** What one client gets when: frames while it keeps up, one merged frame when it did not, a snapshot when all else fails. */
import {
  clientFramesInFlightMax,
  clientSnapshotIntervalMinMs,
  type FrameHeader,
  joinHistoryMs,
  type Snapshot,
  tickIntervalMs,
} from '@faultline/shared';
import type { Feed } from './feed.ts';

/** The way to one client. `received` is called when the client has acknowledged. */
export type ClientPort = {
  readonly sendSnapshot: (snapshot: Snapshot, received: () => void) => void;
  readonly sendFrame: (header: FrameHeader, bytes: Buffer, received: () => void) => void;
};

/**
 * Beyond this many ticks a snapshot serves better than a merged frame: its history shows them one by one, and adding up ten
 * minutes of ticks would keep everybody else waiting.
 */
const mergedTicksMax = joinHistoryMs / tickIntervalMs;

/** The credit account of one client. Nothing is queued here: what is not sent now is merged from the ring later. */
export class ClientFlow {
  readonly #feed: Feed;
  readonly #port: ClientPort;
  readonly #clockMs: () => number;
  #sentSeq = 0;
  #inFlightCount = 0;
  #droppedCalls = 0;
  #mergedTicks = 0;
  #wantsSnapshot = true;
  #snapshotAtMs = Number.NEGATIVE_INFINITY;

  /** `clockMs` is a monotonic clock. */
  constructor(feed: Feed, port: ClientPort, clockMs: () => number) {
    this.#feed = feed;
    this.#port = port;
    this.#clockMs = clockMs;
  }

  /** The client lost its place and asks for everything again; it comes with the next push that has room for it. */
  resync(): void {
    this.#wantsSnapshot = true;
    this.push();
  }

  /** Sends what this client has not got, if it has credit. Called at the start, with each tick and each acknowledgement. */
  push(): void {
    if (this.#inFlightCount >= clientFramesInFlightMax) return;
    if (this.#wantsSnapshot) {
      this.#sendSnapshot();
      return;
    }
    if (this.#sentSeq >= this.#feed.seq) return;
    const behind = this.#feed.seq - this.#sentSeq;
    const frame = behind > mergedTicksMax ? undefined : this.#feed.frameFrom(this.#sentSeq + 1);
    if (frame === undefined) {
      this.#mergedTicks += behind;
      this.#sendSnapshot();
      return;
    }
    const { header, bytes, droppedCalls } = frame;
    this.#sentSeq = header.seq;
    this.#droppedCalls += droppedCalls;
    if (header.fromSeq < header.seq) this.#mergedTicks += header.seq - header.fromSeq + 1;
    this.#port.sendFrame(this.#withLosses(header), bytes, this.#credit());
  }

  #sendSnapshot(): void {
    this.#wantsSnapshot = true;
    const nowMs = this.#clockMs();
    if (nowMs - this.#snapshotAtMs < clientSnapshotIntervalMinMs) return;
    this.#snapshotAtMs = nowMs;
    this.#wantsSnapshot = false;
    const snapshot = this.#feed.snapshot();
    this.#sentSeq = snapshot.header.seq;
    this.#port.sendSnapshot({ ...snapshot, header: this.#withLosses(snapshot.header) }, this.#credit());
  }

  #withLosses(header: FrameHeader): FrameHeader {
    if (this.#droppedCalls === 0 && this.#mergedTicks === 0) return header;
    return { ...header, clientDroppedCalls: this.#droppedCalls, clientMergedTicks: this.#mergedTicks };
  }

  /** Takes one credit; the function gives it back, once. */
  #credit(): () => void {
    this.#inFlightCount += 1;
    let isGivenBack = false;
    return () => {
      if (isGivenBack) return;
      isGivenBack = true;
      this.#inFlightCount -= 1;
      this.push();
    };
  }
}
