/** A session that keeps nothing of its ticks: for so many of them that what a fake kept would be what is measured. */
import type { RunView, SessionView } from '@faultline/shared';
import type { Tick, TickSlice } from '../../src/sessions/tick.ts';
import type { SessionSource } from '../../src/sessions/tracing.ts';
import { fakeRun, fakeSlice, FakeSession } from './fake-session.ts';

/** Names of the processes that call. */
export const passingComms: readonly string[] = Array.from({ length: 200 }, (_, at) => `worker-${at}`);

export class PassingSession extends FakeSession implements SessionSource {
  private readonly startedAtMs: number;
  private readonly takers = new Set<(tick: Tick) => void>();
  private number = 0;
  private views: RunView[];

  constructor(id: string, startedAtMs: number) {
    super({ id });
    this.startedAtMs = startedAtMs;
    this.views = ['counts', 'detail'].map((stream, index) =>
      fakeRun(index, {
        probe: 'busy',
        stream,
        script: `${stream}.bt`,
        startedAtMs,
        readyAtMs: startedAtMs,
        readyNs: 0,
      }),
    );
  }

  override view(): SessionView {
    return { id: this.id, target: this.target, startedAtMs: this.startedAtMs, runs: this.views };
  }

  override onTick(listener: (tick: Tick) => void): () => void {
    this.takers.add(listener);
    return () => this.takers.delete(listener);
  }

  /** One tick at `atMs` after the start: so many events of one process, so many calls. The ledger follows. */
  pass(afterMs: number, events: number, calls: number): void {
    const isFirst = this.number === 0;
    this.number += 1;
    const toNs = afterMs * 1e6;
    const slices: TickSlice[] = [
      fakeSlice(0, {
        fromNs: Math.max(0, toNs - 1e8),
        toNs,
        newCells: isFirst
          ? [{ cell: 0, metric: 'acquisitions', dims: { mode: 'mmap-read', success: 'yes', comm: 'app' } }]
          : [],
        cells: Uint32Array.of(0),
        deltas: Float64Array.of(events),
      }),
    ];
    if (isFirst || calls > 0) {
      const at = (step: number): Float64Array => Float64Array.from({ length: calls }, (_, call) => call * step);
      slices.push(
        fakeSlice(1, {
          fromNs: toNs,
          toNs,
          newTexts: isFirst ? passingComms : [],
          firstText: isFirst ? 0 : passingComms.length,
          calls: [
            at(1_000).map((ns) => toNs + ns),
            Uint16Array.from(at(7), (value) => value % 64),
            Uint16Array.from(at(13), (value) => (value + this.number) % passingComms.length),
          ],
          callCount: calls,
        }),
      );
    }
    this.views = this.views.map((view) => {
      const recordedCount = view.ledger.recordedCount + (view.index === 0 ? events : calls);
      return { ...view, ledger: { ...view.ledger, recordedCount } };
    });
    const tick: Tick = { seq: this.number, atMs: this.startedAtMs + afterMs, slices, hasStateChange: isFirst };
    for (const listener of this.takers) listener(tick);
  }
}
