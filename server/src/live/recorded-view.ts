/** A recorded session for a page: its journal's events in the encoding of the live socket. */
import {
  joinLossSpans,
  type LossSpan,
  lossSpansBetween,
  makeColumn,
  type RecordedView,
  recordedCallsMax,
  type SessionManifest,
  type SessionView,
} from '@faultline/shared';
import type { JournalEvent } from '../sessions/journal-reader.ts';
import type { RecordedFigures, RecordedRunFigures } from '../sessions/recorded-figures.ts';
import type { RunTotals, TickSlice } from '../sessions/tick.ts';
import { encodeSnapshot } from './encode-frame.ts';
import { TickHistory } from './tick-history.ts';

/** A session's view as it is made: the events of its journal go in one after the other. Memory: what is answered. */
export class RecordedViewMaker {
  private readonly manifest: SessionManifest;
  private readonly figures: RecordedFigures;
  private readonly kind: RecordedView['calls'];
  private readonly history = new TickHistory();
  private readonly losses: LossWatch;
  private readonly calls: NewestCalls[] = [];
  private seq = 0;
  private damage: string | undefined;

  /** `figures` are told of each event before this is, and hold nothing yet. `calls`: whether the newest go into the view. */
  constructor(manifest: SessionManifest, figures: RecordedFigures, calls: RecordedView['calls']) {
    this.manifest = manifest;
    this.figures = figures;
    this.kind = calls;
    this.losses = new LossWatch(() => viewOf(manifest, figures));
  }

  /** Takes in the next event. */
  add(event: JournalEvent): void {
    if (event.kind === 'damaged') this.damage = event.message;
    if (event.kind === 'views') this.losses.look(event.atMs);
    if (event.kind !== 'tick') return;
    this.seq = event.tick.seq;
    this.history.add(event.tick);
    if (this.kind === 'held')
      for (const slice of event.tick.slices) (this.calls[slice.run] ??= new NewestCalls()).add(slice);
  }

  /** The view, once the figures are settled. */
  finish(serverVersion: string): RecordedView {
    const { figures, manifest, kind } = this;
    this.losses.look(figures.lastAtMs);
    const snapshot = encodeSnapshot(
      {
        seq: this.seq,
        view: () => viewOf(manifest, figures),
        recentTicks: () => this.history.ticks(),
        totals: () => figures.runs.map((run, index) => ({ ...run.totalsOf(index), ...this.callsOf(run, index) })),
      },
      { serverVersion, historyMs: Number.POSITIVE_INFINITY, nowMs: figures.lastAtMs },
    );
    return {
      snapshot,
      calls: kind,
      lossSpans: joinLossSpans(this.losses.spans),
      ticksMerged: this.history.ticksMerged,
      olderCalls: figures.runs.map((run, index) =>
        kind === 'asked' ? run.callCount : (this.calls[index]?.olderCount ?? 0),
      ),
      ...(this.damage === undefined ? {} : { damage: this.damage }),
    };
  }

  /** Texts are those of calls: cells have theirs with them. */
  private callsOf(run: RecordedRunFigures, index: number): Partial<RunTotals> {
    const types = run.run.stream.columns.map(({ type }) => type);
    const calls = (this.calls[index] ?? new NewestCalls()).joined(types);
    return this.kind === 'held' ? calls : { ...calls, texts: [] };
  }
}

/** The session as it was live; its clock is that of the machine it was recorded on. */
function viewOf({ id, target, createdAtMs }: SessionManifest, figures: RecordedFigures): SessionView {
  return { id, target, startedAtMs: createdAtMs, runs: figures.runs.map(({ run }) => run.view) };
}

/** Notes between which two looks at the ledgers losses grew. */
class LossWatch {
  readonly spans: LossSpan[] = [];
  private readonly view: () => SessionView;
  private before: SessionView;
  private beforeAtMs: number;

  constructor(view: () => SessionView) {
    this.view = view;
    this.before = view();
    this.beforeAtMs = this.before.startedAtMs;
  }

  look(atMs: number): void {
    const after = this.view();
    this.spans.push(...lossSpansBetween(this.before, after, this.beforeAtMs, atMs));
    this.before = after;
    this.beforeAtMs = atMs;
  }
}

/** The newest calls of a run, in whole batches. */
class NewestCalls {
  olderCount = 0;
  private count = 0;
  private batches: Pick<TickSlice, 'calls' | 'callCount'>[] = [];

  add({ calls, callCount }: TickSlice): void {
    if (callCount === 0) return;
    this.batches.push({ calls, callCount });
    this.count += callCount;
    let excess = 0;
    while (this.count > recordedCallsMax && excess < this.batches.length - 1) {
      const dropped = this.batches[excess]?.callCount ?? 0;
      this.count -= dropped;
      this.olderCount += dropped;
      excess += 1;
    }
    if (excess > 0) this.batches = this.batches.slice(excess);
  }

  joined(types: readonly Parameters<typeof makeColumn>[0][]): Pick<RunTotals, 'calls' | 'callCount'> {
    const columns = types.map((type, position) => {
      const whole = makeColumn(type, this.count);
      let at = 0;
      for (const { calls, callCount } of this.batches) {
        const part = calls[position];
        if (part !== undefined) whole.set(part, at);
        at += callCount;
      }
      return whole;
    });
    return { calls: columns, callCount: this.count };
  }
}
