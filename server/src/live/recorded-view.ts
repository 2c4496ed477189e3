/** A recorded session for a page: its journal read once, in the encoding of the live socket. */
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
import type { RecordedFigures } from '../sessions/recorded-figures.ts';
import type { RunTotals, TickSlice } from '../sessions/tick.ts';
import { encodeSnapshot } from './encode-frame.ts';
import { TickHistory } from './tick-history.ts';

/** What is read: the journal's events in order, and figures that hold nothing yet. */
export type RecordedSource = {
  readonly manifest: SessionManifest;
  readonly events: () => AsyncIterable<JournalEvent>;
  readonly figures: RecordedFigures;
};

/** Reads a session from its first tick to its last. Memory: what is answered. Throws what reading the journal throws. */
export async function readRecordedView(
  { manifest, events, figures }: RecordedSource,
  serverVersion: string,
): Promise<RecordedView> {
  const history = new TickHistory();
  const losses = new LossWatch(() => viewOf(manifest, figures));
  const calls: NewestCalls[] = [];
  let seq = 0;
  let damage: string | undefined;
  for await (const event of events()) {
    figures.add(event);
    if (event.kind === 'damaged') damage = event.message;
    if (event.kind === 'views') losses.look(event.atMs);
    if (event.kind !== 'tick') continue;
    seq = event.tick.seq;
    history.add(event.tick);
    for (const slice of event.tick.slices) (calls[slice.run] ??= new NewestCalls()).add(slice);
  }
  figures.settle(manifest);
  losses.look(figures.lastAtMs);
  const snapshot = encodeSnapshot(
    {
      seq,
      view: () => viewOf(manifest, figures),
      recentTicks: () => history.ticks(),
      totals: () =>
        figures.runs.map((run, index) => {
          const types = run.run.stream.columns.map(({ type }) => type);
          return { ...run.totalsOf(index), ...(calls[index] ?? new NewestCalls()).joined(types) };
        }),
    },
    { serverVersion, historyMs: Number.POSITIVE_INFINITY, nowMs: figures.lastAtMs },
  );
  return {
    snapshot,
    lossSpans: joinLossSpans(losses.spans),
    ticksMerged: history.ticksMerged,
    olderCalls: figures.runs.map((_, index) => calls[index]?.olderCount ?? 0),
    ...(damage === undefined ? {} : { damage }),
  };
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
