/** A recorded session as a live one: the same ticks in the same order, fed from its journal at a pace of one's own. */
import { setImmediate as breathe, setTimeout as wait } from 'node:timers/promises';
import {
  err,
  ok,
  type RecordSummary,
  type Result,
  type RunSummary,
  type RunView,
  type SessionManifest,
  type SessionView,
  type TargetView,
} from '@faultline/shared';
import type { JournalEvent } from './journal-reader.ts';
import { RecordedFigures } from './recorded-figures.ts';
import type { Refusal } from './refusal.ts';
import type { RunTotals, Tick } from './tick.ts';
import { TickRing } from './tick-ring.ts';
import type { SessionSource } from './tracing.ts';

export class RecordedSession implements SessionSource {
  readonly id: string;
  private readonly manifest: SessionManifest;
  private readonly shiftMs: number;
  private readonly figures = new RecordedFigures();
  private readonly ring = new TickRing();
  private readonly listeners = new Set<(tick: Tick) => void>();

  /** `shiftMs` is added to every wall-clock time: what is played now happens now on the page. */
  constructor(manifest: SessionManifest, shiftMs: number) {
    this.id = manifest.id;
    this.manifest = manifest;
    this.shiftMs = shiftMs;
  }

  get seq(): number {
    return this.ring.seq;
  }

  targetView(): TargetView {
    const { target, id, name } = this.manifest;
    const at = new Date(this.manifest.createdAtMs).toISOString().slice(0, 16).replace('T', ' ');
    return {
      ...target,
      kind: 'replay',
      badge: `the recorded session ${name ?? id} of ${at} UTC; not now${target.badge === undefined ? '' : ` (${target.badge})`}`,
    };
  }

  view(): SessionView {
    return {
      id: this.id,
      target: this.targetView(),
      startedAtMs: this.manifest.createdAtMs + this.shiftMs,
      runs: this.figures.runs.map(({ run }) => this.shifted(run.view)),
    };
  }

  ticksFrom(fromSeq: number): readonly Tick[] | undefined {
    return this.ring.from(fromSeq);
  }

  recentTicks(ms: number): readonly Tick[] {
    return this.ring.since(this.figures.lastAtMs + this.shiftMs - ms);
  }

  totals(): readonly RunTotals[] {
    return this.figures.runs.map((run, index) => run.totalsOf(index));
  }

  callTypes(run: number): ReturnType<SessionSource['callTypes']> {
    return this.figures.runs[run]?.run.stream.columns.map((column) => column.type) ?? [];
  }

  onTick(listener: (tick: Tick) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  summary(): RecordSummary {
    return this.figures.summary(this.manifest);
  }

  runSummary(runId: string): Result<RunSummary, Refusal> {
    const found = this.figures.runs.find(({ run }) => run.view.id === runId);
    if (found !== undefined) return ok(found.summary());
    return err({
      kind: 'unknown-run',
      message: `there is no run ${runId}`,
      remedy: 'List the runs: GET /api/v1/runs.',
    });
  }

  /** Takes in what the journal tells; a tick is passed on to those who listen. */
  take(event: JournalEvent): void {
    this.figures.add(event);
    if (event.kind !== 'tick') return;
    const tick = { ...event.tick, atMs: event.tick.atMs + this.shiftMs };
    this.ring.push(tick);
    for (const listener of this.listeners) listener(tick);
  }

  private shifted(view: RunView): RunView {
    const { readyAtMs, endedAtMs } = view;
    const { shiftMs } = this;
    return {
      ...view,
      startedAtMs: view.startedAtMs + shiftMs,
      ...(readyAtMs === undefined ? {} : { readyAtMs: readyAtMs + shiftMs }),
      ...(endedAtMs === undefined ? {} : { endedAtMs: endedAtMs + shiftMs }),
    };
  }
}

/** How a session is played. */
export type Playing = {
  /** So many times as fast as it was; 0: at once. */
  readonly speed: number;
  readonly stopped: AbortSignal;
};

/**
 * Plays a journal into a session, each tick when it is due. The state of the runs at a tick stands behind it in the
 * journal, and is taken in before it. Resolves at the end, or when stopped; the answer is why it could not be read on.
 */
export async function playJournal(
  events: AsyncIterable<JournalEvent>,
  session: RecordedSession,
  { speed, stopped }: Playing,
): Promise<string | undefined> {
  const beganMs = performance.now();
  let firstAtMs: number | undefined;
  let held: Extract<JournalEvent, { kind: 'tick' }> | undefined;
  for await (const event of events) {
    if (stopped.aborted) return undefined;
    if (event.kind === 'damaged') {
      if (held !== undefined) session.take(held);
      return event.message;
    }
    if (event.kind === 'tick') {
      if (held !== undefined) session.take(held);
      held = event;
      firstAtMs ??= event.tick.atMs;
      const dueMs = speed === 0 ? 0 : (event.tick.atMs - firstAtMs) / speed - (performance.now() - beganMs);
      if (dueMs > 1) await wait(dueMs, undefined, { signal: stopped }).catch(() => {});
      else if (event.tick.seq % 50 === 0) await breathe();
      continue;
    }
    session.take(event);
  }
  if (held !== undefined) session.take(held);
  return undefined;
}
