/** One session as frames: every frame is encoded once, however many clients take it. */
import { clientCallsPerFrameMax, joinHistoryMs, type SessionView, type Snapshot } from '@faultline/shared';
import type { Tick } from '../sessions/tick.ts';
import type { SessionSource } from '../sessions/tracing.ts';
import { type EncodedFrame, encodeMerged, encodeSnapshot, encodeTick } from './encode-frame.ts';

/** The session's view goes along each so many ticks or ms, changed or not: CPU and memory figures are in it. */
const viewEveryTicks = 10;
const viewEveryMs = 1_000;

/** Time of day for snapshots, and the version that they carry. */
export type FeedOptions = { readonly serverVersion: string; readonly nowMs: () => number };

/** Frames of one session. Owned by the hub; `take` is called with each tick before clients ask for frames. */
export class Feed {
  readonly #source: SessionSource;
  readonly #options: FeedOptions;
  /** Frames that end at the newest tick, by the tick they begin with. */
  readonly #frames = new Map<number, EncodedFrame>();
  #newest: Tick | undefined;
  #snapshot: Snapshot | undefined;
  #sentSignature = '';
  #sentViewAtMs = Number.NEGATIVE_INFINITY;

  constructor(source: SessionSource, options: FeedOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** Number of the newest tick. */
  get seq(): number {
    return this.#source.seq;
  }

  /** Makes room for a new tick: what was encoded for the last one is forgotten. */
  take(tick: Tick): void {
    this.#frames.clear();
    this.#snapshot = undefined;
    this.#newest = tick;
  }

  /** The frame from a tick up to the newest one; undefined when the ring no longer holds the first. */
  frameFrom(fromSeq: number): EncodedFrame | undefined {
    const known = this.#frames.get(fromSeq);
    if (known !== undefined) return known;
    const frame = fromSeq === this.#newest?.seq ? this.#encodeNewest(this.#newest) : this.#merge(fromSeq);
    if (frame !== undefined) this.#frames.set(fromSeq, frame);
    return frame;
  }

  /** Everything, for who comes now; joiners within one tick share it. */
  snapshot(): Snapshot {
    const { serverVersion, nowMs } = this.#options;
    this.#snapshot ??= encodeSnapshot(this.#source, { serverVersion, historyMs: joinHistoryMs, nowMs: nowMs() });
    return this.#snapshot;
  }

  #encodeNewest(tick: Tick): EncodedFrame {
    return encodeTick(tick, this.#viewFor(tick));
  }

  #merge(fromSeq: number): EncodedFrame | undefined {
    const [first, ...rest] = this.#source.ticksFrom(fromSeq) ?? [];
    if (first === undefined) return undefined;
    return encodeMerged([first, ...rest], {
      session: this.#source.view(),
      callTypes: (run) => this.#source.callTypes(run),
      callsMax: clientCallsPerFrameMax,
    });
  }

  #viewFor(tick: Tick): SessionView | undefined {
    const isDue = tick.seq % viewEveryTicks === 0 || tick.atMs - this.#sentViewAtMs >= viewEveryMs;
    if (!isDue && !tick.hasStateChange) return undefined;
    const view = this.#source.view();
    const signature = viewSignature(view);
    if (!isDue && signature === this.#sentSignature) return undefined;
    this.#sentSignature = signature;
    this.#sentViewAtMs = tick.atMs;
    return view;
  }
}

/** What of a view must be told at once, as a text that is cheap to compare; mere counts wait for the next due view. */
function viewSignature(view: SessionView): string {
  const runs = view.runs.map(({ id, state, failure, findings, isComplete, ledger, readyAtMs }) => [
    id,
    state,
    failure?.kind,
    readyAtMs,
    isComplete,
    findings.length,
    ledger.lostCount,
    ledger.missingCount,
    ledger.malformedCount,
    ledger.droppedCount,
  ]);
  return JSON.stringify([view.target.problem, runs]);
}
