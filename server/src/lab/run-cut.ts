/**
 * One run cut out of a session that goes on: probes stay attached, and what happened between two settled moments is a
 * session of its own. Exact, because counts are cumulative: it begins when nothing is under way, and ends with the first
 * snapshots that the kernel began after the work was done.
 */
import {
  err,
  type Finding,
  type Ledger,
  ok,
  type RecordSummary,
  type Result,
  type RunSummary,
  type RunView,
  type SessionView,
  type TargetView,
} from '@faultline/shared';
import type { Refusal } from '../sessions/refusal.ts';
import type { RunTotals, Tick } from '../sessions/tick.ts';
import type { SessionSource } from '../sessions/tracing.ts';

type Slice = Tick['slices'][number];

/** Cells of one run as the cut numbers them: those that changed in it, in the order in which they did. */
type CutCells = { readonly own: Map<number, number>; readonly known: Map<number, RunTotals['cells'][number]> };

/** A stretch of a live session, to be recorded as if it were a whole one. Of tallies only: texts of calls are numbered by the session. */
export class RunCut implements SessionSource {
  readonly id: string;
  seq = 0;
  private readonly whole: SessionSource;
  private readonly startedAtMs: number;
  private readonly thpMode: string | undefined;
  private readonly before: readonly RunView[];
  private readonly cells: readonly CutCells[];
  /** By run: kernel clock of the last snapshot that is in it, ns. */
  private readonly toNs: number[];
  private readonly listeners = new Set<(tick: Tick) => void>();
  private readonly unsubscribe: () => void;
  private endedAtMs: number | undefined;

  /** `thpMode`: how the kernel is set now, where that can have changed since the session began. */
  constructor(whole: SessionSource, id: string, startedAtMs: number, thpMode?: string) {
    this.whole = whole;
    this.id = id;
    this.startedAtMs = startedAtMs;
    this.thpMode = thpMode;
    this.before = whole.view().runs;
    const totals = whole.totals();
    this.cells = totals.map((run) => ({ own: new Map(), known: new Map(run.cells.map((one) => [one.cell, one])) }));
    this.toNs = totals.map((run) => run.toNs);
    this.unsubscribe = whole.onTick((tick) => this.take(tick));
  }

  /** Whether every run that is alive has told all that happened up to this moment of the kernel's clock, ns. */
  hasSettled(atNs: number): boolean {
    return this.whole.view().runs.every((run, index) => isEnded(run) || (this.toNs[index] ?? 0) > atNs);
  }

  /** Nothing more belongs to it. */
  end(atMs: number): void {
    if (this.endedAtMs !== undefined) return;
    this.endedAtMs = atMs;
    this.unsubscribe();
    // Its runs have ended: whoever writes it down is told so, and of the ledger as it is now.
    this.pass({ seq: this.seq + 1, atMs, slices: [], hasStateChange: true });
    this.listeners.clear();
  }

  view(): SessionView {
    const { recording: _, ...view } = this.whole.view();
    const runs = view.runs.slice(0, this.before.length).map((run, index) => this.cutView(run, index));
    return { ...view, target: this.cutTarget(view.target), id: this.id, startedAtMs: this.startedAtMs, runs };
  }

  onTick(listener: (tick: Tick) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  ticksFrom(): undefined {
    return undefined;
  }

  recentTicks(): readonly Tick[] {
    return [];
  }

  totals(): readonly RunTotals[] {
    return [];
  }

  callTypes(): readonly [] {
    return [];
  }

  summary(): RecordSummary {
    return this.whole.summary();
  }

  runSummary(runId: string): Result<RunSummary, Refusal> {
    const found = this.whole.runSummary(runId);
    return found.ok ? ok(found.value) : err(found.error);
  }

  private take(tick: Tick): void {
    const slices = tick.slices.filter(({ run }) => run < this.before.length).map((slice) => this.cutSlice(slice));
    this.pass({ ...tick, seq: this.seq + 1, slices });
  }

  private pass(tick: Tick): void {
    this.seq = tick.seq;
    for (const listener of this.listeners) listener(tick);
  }

  /** The kernel as it was set when the cut began: the session knows how it was found at first. */
  private cutTarget(target: TargetView): TargetView {
    const { identity } = target;
    if (identity === undefined || this.thpMode === undefined) return target;
    return { ...target, identity: { ...identity, thpMode: this.thpMode } };
  }

  /** Numbers cells anew: whoever reads the cut has not seen those of the time before. */
  private cutSlice(slice: Slice): Slice {
    const { own, known } = this.cells[slice.run] ?? noCells();
    for (const entry of slice.newCells) known.set(entry.cell, entry);
    const newCells: Slice['newCells'][number][] = [];
    const cells = slice.cells.map((cell) => {
      const number = own.get(cell) ?? own.size;
      const entry = known.get(cell);
      if (!own.has(cell) && entry !== undefined) {
        own.set(cell, number);
        newCells.push({ ...entry, cell: number });
      }
      return number;
    });
    if (slice.toNs > slice.fromNs) this.toNs[slice.run] = slice.toNs;
    return { ...slice, newCells, cells };
  }

  /** A run as it was in the cut: its ledger and findings are those that came in it. */
  private cutView(run: RunView, index: number): RunView {
    const before = this.before[index];
    if (before === undefined) return run;
    const ledger = ledgerBetween(before.ledger, run.ledger);
    const findings = findingsBetween(before.findings, run.findings);
    const isLossy = findings.some(({ level }) => level === 'lossy') || run.failure !== undefined;
    const lost = ledger.lostCount + ledger.missingCount + ledger.malformedCount + ledger.droppedCount;
    const { endedAtMs } = this;
    return {
      ...run,
      startedAtMs: this.startedAtMs,
      readyAtMs: this.startedAtMs,
      ...(before.lastNs === undefined ? {} : { readyNs: before.lastNs }),
      lastNs: this.toNs[index] ?? 0,
      ledger,
      findings,
      isComplete: !isLossy && lost === 0,
      ...(endedAtMs === undefined || isEnded(run) ? {} : { state: 'stopped', endedAtMs }),
    };
  }
}

function noCells(): CutCells {
  return { own: new Map(), known: new Map() };
}

function isEnded({ state }: RunView): boolean {
  return state === 'stopped' || state === 'failed';
}

function ledgerBetween(before: Ledger, after: Ledger): Ledger {
  const between = { ...after };
  for (const field of ledgerFieldsOf(after)) between[field] = Math.max(0, after[field] - before[field]);
  return between;
}

function ledgerFieldsOf(ledger: Ledger): readonly (keyof Ledger)[] {
  return Object.keys(ledger).filter((name): name is keyof Ledger => Object.hasOwn(ledger, name));
}

/** Findings that are new, or were found more often. */
function findingsBetween(before: readonly Finding[], after: readonly Finding[]): Finding[] {
  return after.flatMap((one) => {
    const known = before.find(({ code, message }) => code === one.code && message === one.message);
    const count = one.count - (known?.count ?? 0);
    return count > 0 ? [{ ...one, count }] : [];
  });
}
