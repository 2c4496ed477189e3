/** What a journal adds up to: the same totals, kept calls and summaries that the live session had at the same tick. */
import { stat } from 'node:fs/promises';
import {
  addLedgers,
  type CallColumn,
  type CellEntry,
  ensure,
  type Held,
  type JournalHead,
  makeColumn,
  type MapSpec,
  type RecordedRun,
  type RecordSummary,
  type RunSummary,
  type RunView,
  runCallsMax,
  type SessionManifest,
  type SessionTotals,
  summariseRun,
} from '@faultline/shared';
import { type JournalEvent, readJournal } from './journal-reader.ts';
import type { RunTotals, TickSlice } from './tick.ts';

type Batch = { readonly calls: readonly CallColumn[]; readonly callCount: number };

/** One run as far as the journal has been read. */
export class RecordedRunFigures {
  run: RecordedRun;
  readonly cells: CellEntry[] = [];
  readonly texts: string[] = [];
  callCount = 0;
  private readonly totals: number[] = [];
  private kept: Batch[] = [];
  private keptCallCount = 0;
  private firstNs: number | undefined;
  private lastNs = 0;

  constructor(run: RecordedRun) {
    this.run = run;
  }

  /** Takes over what a journal added up to, without its texts and calls. */
  restore({ fromNs, toNs, callCount, cells, totals }: SessionTotals['runs'][number]): void {
    this.firstNs = fromNs;
    this.lastNs = toNs;
    this.callCount = callCount;
    for (const entry of cells) this.cells.push(entry);
    for (const value of totals) this.totals.push(value);
  }

  /** What can be taken over so. */
  settled(): SessionTotals['runs'][number] {
    return { ...this.span, callCount: this.callCount, cells: [...this.cells], totals: [...this.totals] };
  }

  add(slice: TickSlice): void {
    this.firstNs ??= slice.fromNs;
    if (slice.toNs > slice.fromNs) this.lastNs = slice.toNs;
    for (const entry of slice.newCells) {
      this.cells.push(entry);
      this.totals.push(0);
    }
    for (const text of slice.newTexts) this.texts.push(text);
    for (const [at, cell] of slice.cells.entries()) {
      this.totals[cell] = ensure(this.totals[cell], 'a cell that has appeared') + (slice.deltas[at] ?? 0);
    }
    this.callCount += slice.callCount;
    this.keep(slice);
  }

  /** Sum over all cells of the maps with this role. */
  roleTotal(role: MapSpec['role']): number {
    const metrics = new Set(this.run.stream.maps.filter((spec) => spec.role === role).map(({ metric }) => metric));
    return this.cells.reduce((sum, { cell, metric }) => sum + (metrics.has(metric) ? (this.totals[cell] ?? 0) : 0), 0);
  }

  /** Kernel clock of READY and of the last closed snapshot, ns. */
  get span(): { readonly fromNs: number; readonly toNs: number } {
    return { fromNs: this.run.view.readyNs ?? this.firstNs ?? 0, toNs: this.lastNs };
  }

  totalsOf(index: number): RunTotals {
    return {
      run: index,
      ...this.span,
      cells: this.cells,
      totals: Float64Array.from(this.totals),
      texts: this.texts,
      calls: this.joinKept(),
      callCount: this.keptCallCount,
    };
  }

  summary(): RunSummary {
    const { fromNs, toNs } = this.span;
    const figures = { cells: this.cells, totals: this.totals };
    return summariseRun(this.run.view, this.run.stream, figures, Math.max(0, toNs - fromNs));
  }

  /** As the live intake keeps them: whole batches, so that both hold the same calls. */
  private keep({ calls, callCount }: TickSlice): void {
    if (callCount === 0) return;
    this.kept.push({ calls, callCount });
    this.keptCallCount += callCount;
    while (this.keptCallCount > runCallsMax && this.kept.length > 1) {
      this.keptCallCount -= this.kept.shift()?.callCount ?? 0;
    }
  }

  private joinKept(): readonly CallColumn[] {
    return this.run.stream.columns.map((column, position) => {
      const whole = makeColumn(column.type, this.keptCallCount);
      let at = 0;
      for (const batch of this.kept) {
        const part = batch.calls[position];
        if (part !== undefined) whole.set(part, at);
        at += batch.callCount;
      }
      return whole;
    });
  }
}

/** All runs of a journal. */
export class RecordedFigures {
  head: JournalHead | undefined;
  readonly runs: RecordedRunFigures[] = [];
  lastAtMs = 0;
  private tickCount = 0;

  /** The figures that a journal added up to, without its texts and calls. */
  static restored(manifest: SessionManifest, totals: SessionTotals): RecordedFigures {
    const figures = new RecordedFigures();
    figures.take(manifest.runs, totals);
    return figures;
  }

  /** What can be restored so. */
  settled(): Pick<SessionTotals, 'lastAtMs' | 'tickCount' | 'runs'> {
    return { lastAtMs: this.lastAtMs, tickCount: this.tickCount, runs: this.runs.map((run) => run.settled()) };
  }

  /** The same at this moment, without texts and calls: what is added later does not change it. */
  snapshot(): RecordedFigures {
    const copy = new RecordedFigures();
    copy.head = this.head;
    copy.take(
      this.runs.map(({ run }) => run),
      this.settled(),
    );
    return copy;
  }

  add(event: JournalEvent): void {
    switch (event.kind) {
      case 'head':
        this.head = event.head;
        this.lastAtMs = event.head.createdAtMs;
        return;
      case 'run':
        this.runs.push(new RecordedRunFigures(event.run));
        return;
      case 'tick':
        this.tickCount += 1;
        this.lastAtMs = event.tick.atMs;
        for (const slice of event.tick.slices) ensure(this.runs[slice.run], 'a run that was started').add(slice);
        return;
      case 'views':
        for (const view of event.runs) {
          const figures = ensure(this.runs[view.index], 'a run that was started');
          figures.run = { ...figures.run, view };
        }
        return;
      case 'end':
      case 'torn':
      case 'damaged':
        return;
    }
  }

  private take(
    runs: readonly RecordedRun[],
    { lastAtMs, tickCount, runs: totals }: Pick<SessionTotals, 'lastAtMs' | 'tickCount' | 'runs'>,
  ): void {
    this.lastAtMs = lastAtMs;
    this.tickCount = tickCount;
    for (const [index, run] of runs.entries()) {
      const one = new RecordedRunFigures(run);
      one.restore(ensure(totals[index], 'totals of as many runs'));
      this.runs.push(one);
    }
  }

  held(journalBytes: number): Held {
    return {
      tickCount: this.tickCount,
      callCount: this.runs.reduce((sum, run) => sum + run.callCount, 0),
      eventCount: this.runs.reduce((sum, run) => sum + run.roleTotal('events'), 0),
      journalBytes,
    };
  }

  /** At the end of the journal: what the manifest says of the runs. Of one that was interrupted it knows more. */
  settle(manifest: SessionManifest): void {
    if (manifest.state === 'live') return;
    for (const [index, run] of manifest.runs.entries()) {
      const known = this.runs[index];
      if (known !== undefined) known.run = run;
    }
  }

  /** What `faultline record` printed, from what was written down. */
  summary({ id, target, faultline, createdAtMs }: SessionManifest): RecordSummary {
    const runs = this.runs.map((run) => run.summary());
    const { identity } = target;
    return {
      faultline,
      target: { id: target.id, kind: target.kind, ...(identity === undefined ? {} : { identity }) },
      startedAtMs: createdAtMs,
      recordingId: id,
      isComplete: runs.every(({ run }) => run.isComplete),
      ledger: addLedgers(runs.map(({ run }) => run.ledger)),
      runs,
    };
  }
}

/** How a journal ended. */
export type JournalEnd = {
  readonly isEnded: boolean;
  /** Bytes of lines that could be read. */
  readonly wholeBytes: number;
  readonly tornBytes: number;
  /** Where a line is not as it should be. */
  readonly damage: string | undefined;
};

/** Reads a journal to its end, or as far as it can be believed. A missing one holds nothing. */
export async function readFigures(
  path: string,
): Promise<{ readonly figures: RecordedFigures; readonly end: JournalEnd }> {
  const figures = new RecordedFigures();
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  let end: JournalEnd = { isEnded: false, wholeBytes: size, tornBytes: 0, damage: undefined };
  if (size === 0) return { figures, end };
  for await (const event of readJournal(path)) {
    figures.add(event);
    if (event.kind === 'end') end = { ...end, isEnded: true };
    if (event.kind === 'torn') end = { ...end, wholeBytes: event.wholeBytes, tornBytes: event.tornBytes };
    if (event.kind === 'damaged') end = { ...end, wholeBytes: event.wholeBytes, damage: event.message };
  }
  return { figures, end };
}

/**
 * The last view of a run whose recording broke off, and why it did: ended, with a ledger of exactly what the journal holds. What the maps say
 * (seen, emitted, suppressed, unpaired) is counted from it; losses are those of the last view, at most a second older.
 */
export function interruptedView(figures: RecordedRunFigures, atMs: number, why: string): RunView {
  const { view, stream } = figures.run;
  if (view.state === 'stopped' || view.state === 'failed') return view;
  const isCall = stream.kind === 'call';
  const events = figures.roleTotal('events');
  const { ledger } = view;
  const emitted = Math.max(figures.roleTotal('emitted'), figures.callCount);
  return {
    ...view,
    state: 'failed',
    failure: {
      kind: 'killed',
      message: `${view.probe} ${view.stream}: ${why}`,
      remedy: 'What was written until then is whole; what came later is not in it.',
    },
    endedAtMs: atMs,
    ...(view.readyAtMs === undefined ? {} : { readyNs: figures.span.fromNs, lastNs: figures.span.toNs }),
    isComplete: false,
    ledger: {
      ...ledger,
      seenCount: isCall ? Math.max(figures.roleTotal('seen'), figures.callCount) : events,
      suppressedCount: figures.roleTotal('suppressed'),
      unpairedCount: figures.roleTotal('unpaired'),
      emittedCount: isCall ? emitted : 0,
      arrivedCount: isCall ? figures.callCount + ledger.droppedCount + ledger.malformedCount : 0,
      missingCount: isCall
        ? Math.max(0, emitted - figures.callCount - ledger.droppedCount - ledger.malformedCount)
        : ledger.missingCount,
      recordedCount: isCall ? figures.callCount : events,
    },
  };
}
