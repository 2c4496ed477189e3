/** How long a call takes from the event in the kernel to the screen: measured always, shown to tests and benchmarks. */
import { type FrameHeader, type LiveSession, callValue } from '@faultline/shared';

/** Samples kept; a benchmark reads them before they are overwritten. */
const samplesMax = 20_000;
/** Calls sampled of one frame: at 5,000 calls a second every one of them. */
const perFrameMax = 2_000;

/** Collects wall-clock instants of calls, and turns them into latencies when they have been painted. */
export class PaintLatency {
  private readonly nowMs: () => number;
  /** Taken in but not yet drawn, drawn but not yet painted: epoch ms of the events. */
  private taken: number[] = [];
  private drawn: number[] = [];
  private samples: number[] = [];

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** A frame came in: notes when its calls happened. Only for a live target: a replay's clock is that of its recording. */
  took(session: LiveSession, header: FrameHeader): void {
    const { target } = session.view;
    const offsetMs = target.identity?.clockOffsetMs;
    if (offsetMs === undefined || target.kind === 'replay') return;
    for (const slice of header.slices) {
      const ring = session.runs.get(slice.run)?.calls;
      const column = ring?.columns.findIndex(({ type }) => type === 'timeNs') ?? -1;
      if (ring === undefined || column < 0) continue;
      const first = ring.addedCount - Math.min(slice.callCount, perFrameMax);
      for (let call = first; call < ring.addedCount; call += 1) {
        const atNs = callValue(ring, column, call);
        if (atNs !== undefined && this.taken.length < samplesMax) this.taken.push(atNs / 1e6 + offsetMs);
      }
    }
  }

  /** A round of drawing begins: what was taken in until now will be on the screen after it. */
  publishing(): void {
    if (this.taken.length === 0) return;
    this.drawn.push(...this.taken);
    this.taken = [];
  }

  /** What was drawn is on the screen. */
  painted(): void {
    const nowMs = this.nowMs();
    for (const atMs of this.drawn) this.samples.push(nowMs - atMs);
    this.drawn = [];
    if (this.samples.length > samplesMax) this.samples = this.samples.slice(-samplesMax);
  }

  /** Recent latencies in ms, the oldest first. */
  recent(): readonly number[] {
    return this.samples;
  }
}
