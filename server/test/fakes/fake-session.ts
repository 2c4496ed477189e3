/** A session whose ticks a test makes itself: exact bookkeeping, no bpftrace, no clock. */
import {
  addLedgers,
  type CallColumn,
  type CellEntry,
  emptyLedger,
  ensure,
  err,
  type Ledger,
  makeColumn,
  ok,
  type RecordSummary,
  type Result,
  type RunSummary,
  type RunView,
  type SessionView,
  type TargetView,
} from '@faultline/shared';
import type { Refusal } from '../../src/sessions/refusal.ts';
import type { RunTotals, Tick, TickSlice } from '../../src/sessions/tick.ts';
import type { SessionSource } from '../../src/sessions/tracing.ts';

type CallTypes = ReturnType<SessionSource['callTypes']>;

/** A target as tests see it. */
export const fakeTarget: TargetView = {
  id: 'host',
  kind: 'host',
  title: 'this machine',
  identity: {
    hostname: 'testbox',
    release: '6.18.0-test',
    machine: 'x86_64',
    cpuCount: 2,
    isEmulated: false,
    config: { CONFIG_LOCKDEP: 'n' },
  },
};

/** A run as tests see it; say what differs. */
export function fakeRun(index: number, differences: Partial<RunView> = {}): RunView {
  return {
    id: `run-${index}`,
    index,
    probe: 'mmap-lock',
    stream: 'counts',
    variant: 'tracepoint',
    attach: 'tracepoint',
    script: 'counts.bt',
    parameters: {},
    state: 'running',
    startedAtMs: 1_000,
    readyAtMs: 1_300,
    ledger: emptyLedger(),
    findings: [],
    isComplete: true,
    ...differences,
  };
}

/** A ledger where everything that was seen arrived; say what differs. */
export function fakeLedger(differences: Partial<Ledger>): Ledger {
  return { ...emptyLedger(), ...differences };
}

/** A slice with nothing in it; say what differs. The columns of `calls` are the caller's. */
export function fakeSlice(run: number, differences: Partial<TickSlice> = {}): TickSlice {
  return {
    run,
    fromNs: 0,
    toNs: 0,
    newCells: [],
    cells: new Uint32Array(),
    deltas: new Float64Array(),
    firstText: 0,
    newTexts: [],
    calls: [],
    callCount: 0,
    ...differences,
  };
}

type RunState = { cells: CellEntry[]; totals: number[]; texts: string[]; toNs: number; calls: number[][] };

/** Implements SessionSource over what `push` was given. */
export class FakeSession implements SessionSource {
  readonly id: string;
  readonly target: TargetView;
  runs: RunView[];
  summaries: RunSummary[] = [];
  seq = 0;
  listenerCount = 0;
  viewCount = 0;
  readonly #ticksMax: number;
  readonly #callTypes: ReadonlyMap<number, CallTypes>;
  #ticks: Tick[] = [];
  readonly #states = new Map<number, RunState>();
  readonly #listeners = new Set<(tick: Tick) => void>();

  constructor(
    options: {
      readonly id?: string;
      readonly target?: TargetView;
      readonly runs?: readonly RunView[];
      readonly ticksMax?: number;
      readonly callTypes?: ReadonlyMap<number, CallTypes>;
    } = {},
  ) {
    this.id = options.id ?? 'session-1';
    this.target = options.target ?? fakeTarget;
    this.runs = [...(options.runs ?? [])];
    this.#ticksMax = options.ticksMax ?? 1_000;
    this.#callTypes = options.callTypes ?? new Map();
  }

  /** Closes one tick and tells the listeners. */
  push(slices: readonly TickSlice[], differences: { hasStateChange?: boolean; atMs?: number } = {}): Tick {
    this.seq += 1;
    const atMs = differences.atMs ?? this.seq * 100;
    const tick: Tick = { seq: this.seq, atMs, slices, hasStateChange: differences.hasStateChange ?? false };
    for (const slice of slices) this.#add(slice);
    this.#ticks.push(tick);
    if (this.#ticks.length > this.#ticksMax) this.#ticks.shift();
    for (const listener of this.#listeners) listener(tick);
    return tick;
  }

  view(): SessionView {
    this.viewCount += 1;
    return { id: this.id, target: this.target, startedAtMs: 1_000, runs: [...this.runs] };
  }

  ticksFrom(fromSeq: number): readonly Tick[] | undefined {
    const oldest = this.#ticks[0];
    if (oldest !== undefined && fromSeq < oldest.seq) return undefined;
    return this.#ticks.filter(({ seq }) => seq >= fromSeq);
  }

  recentTicks(ms: number): readonly Tick[] {
    const newest = this.#ticks.at(-1);
    return newest === undefined ? [] : this.#ticks.filter(({ atMs }) => atMs > newest.atMs - ms);
  }

  totals(): readonly RunTotals[] {
    return [...this.#states].map(([run, state]) => {
      const types = this.callTypes(run);
      const callCount = state.calls[0]?.length ?? 0;
      return {
        run,
        fromNs: 0,
        toNs: state.toNs,
        cells: state.cells,
        totals: Float64Array.from(state.totals),
        texts: state.texts,
        calls: types.map((type, position) => filled(makeColumn(type, callCount), state.calls[position] ?? [])),
        callCount,
      };
    });
  }

  callTypes(run: number): CallTypes {
    return this.#callTypes.get(run) ?? [];
  }

  onTick(listener: (tick: Tick) => void): () => void {
    this.#listeners.add(listener);
    this.listenerCount = this.#listeners.size;
    return () => {
      this.#listeners.delete(listener);
      this.listenerCount = this.#listeners.size;
    };
  }

  summary(): RecordSummary {
    const { id, kind, identity } = this.target;
    return {
      faultline: '0.0.0-test',
      target: { id, kind, ...(identity === undefined ? {} : { identity }) },
      startedAtMs: 1_000,
      isComplete: this.runs.every((run) => run.isComplete),
      ledger: addLedgers(this.runs.map((run) => run.ledger)),
      runs: this.runs.map(
        (run) =>
          this.summaries.find((summary) => summary.run.id === run.id) ??
          ({ run, durationNs: 0, totals: [], distributions: [] } satisfies RunSummary),
      ),
    };
  }

  runSummary(runId: string): Result<RunSummary, Refusal> {
    const found = this.summary().runs.find(({ run }) => run.id === runId);
    return found === undefined ? err({ kind: 'unknown-run', message: `no run ${runId}`, remedy: 'none' }) : ok(found);
  }

  #add(slice: TickSlice): void {
    const empty: RunState = {
      cells: [],
      totals: [],
      texts: [],
      toNs: 0,
      calls: this.callTypes(slice.run).map(() => []),
    };
    const state = this.#states.get(slice.run) ?? empty;
    this.#states.set(slice.run, state);
    state.toNs = slice.toNs;
    state.cells.push(...slice.newCells);
    state.texts.push(...slice.newTexts);
    while (state.totals.length < state.cells.length) state.totals.push(0);
    for (const [position, cell] of slice.cells.entries()) {
      state.totals[cell] = ensure(state.totals[cell], `cell ${cell} was announced`) + (slice.deltas[position] ?? 0);
    }
    for (const [position, column] of slice.calls.entries()) state.calls[position]?.push(...column);
  }
}

function filled(column: CallColumn, values: readonly number[]): CallColumn {
  column.set(values);
  return column;
}
