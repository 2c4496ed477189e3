/**
 * What one run's stdout becomes: closed snapshots of its cumulative maps, batches of calls, a ledger and findings.
 * Knows no process and no clock of its own, so that a captured sample goes the same way as a live one.
 */
import {
  type CallColumn,
  CallCollector,
  type CellEntry,
  type Dialect,
  decodeLine,
  type Finding,
  type Ledger,
  lineBytesMax,
  makeColumn,
  mapKeysMax,
  runCallsMax,
  type Stream,
  TallyBook,
  type TallyDelta,
  type TallyProblem,
  tickCallsMax,
} from '@faultline/shared';
import { Findings } from './findings.ts';
import type { RunTotals, TickSlice } from './run-slice.ts';

type Snapshot = TallyDelta & { readonly fromNs: number; readonly toNs: number };
type Batch = { readonly calls: readonly CallColumn[]; readonly callCount: number };

/** What the owner of the process wants to know as it happens. */
export type IntakeEvents = {
  ready(atNs: number, pid: number | undefined): void;
  heartbeat(atNs: number): void;
};

export class RunIntake {
  readonly findings = new Findings();
  private readonly stream: Stream;
  private dialect: Dialect;
  private readonly events: IntakeEvents;
  private readonly clockMs: () => number;
  private readonly book: TallyBook;
  private readonly collector: CallCollector;
  private readonly decoder = new TextDecoder();
  private readonly closed: Snapshot[] = [];
  /** What it is drained of are figures of now, no longer those of a time when nobody listened. */
  private isLive = false;
  private readonly kept: Batch[] = [];
  private keptCallCount = 0;
  private sentTextCount = 0;
  private readonly drainedTotals: number[] = [];
  private drainedNs = 0;
  private firstNs = 0;
  private closedNs = 0;
  private counts = { lines: 0, bytes: 0, tuples: 0, taken: 0, dropped: 0, malformed: 0, lost: 0, missing: 0 };

  constructor(stream: Stream, dialect: Dialect, events: IntakeEvents, clockMs: () => number) {
    this.stream = stream;
    this.dialect = dialect;
    this.events = events;
    this.clockMs = clockMs;
    this.book = new TallyBook(stream.maps);
    this.collector = new CallCollector(stream.columns, tickCallsMax);
  }

  /** The version was learnt after the start. */
  setDialect(dialect: Dialect): void {
    this.dialect = dialect;
  }

  /** One line of stdout, without its newline. */
  line(bytes: Uint8Array, start: number, end: number): void {
    this.counts.lines += 1;
    this.counts.bytes += end - start + 1;
    const taken = this.stream.kind === 'call' ? this.collector.push(bytes, start, end) : 'other';
    if (taken === 'other') {
      this.record(this.decoder.decode(bytes.subarray(start, end)));
      return;
    }
    const excerptEnd = Math.min(end, start + 120);
    this.tuple(taken, () => this.decoder.decode(bytes.subarray(start, excerptEnd)));
  }

  /** A line too long to keep was skipped. */
  oversize(bytesCount: number): void {
    this.counts.bytes += bytesCount;
    this.malformed(`a line longer than ${lineBytesMax / 1024 / 1024} MiB`, '');
  }

  /** Bytes were thrown away undecoded. For tallies harmless (the maps are cumulative); calls in them are gone. */
  flood(bytesCount: number): void {
    this.counts.bytes += bytesCount;
    const level = this.stream.kind === 'call' ? 'lossy' : 'note';
    const message = 'bpftrace printed faster than Faultline reads; part of its output was thrown away undecoded';
    this.findings.add({ code: 'flood', level, message, atMs: this.clockMs() }, '');
  }

  /** The process has ended. `isFinal`: it printed its last maps, so that the counts are complete. */
  close(isFinal: boolean, sinceHeartbeatMs: number): void {
    for (const problem of this.book.close()) this.problem(problem);
    if (this.firstNs > 0) this.closeSnapshot(this.closedNs + Math.round(sinceHeartbeatMs * 1e6));
    const missing = this.book.roleTotal('emitted') - this.counts.tuples;
    if (this.stream.kind === 'call' && missing > 0) {
      this.counts.missing = missing;
      const message = `${missing} printed events never arrived (counted in the kernel, lost on the way to bpftrace)`;
      this.findings.add({ code: 'events-missing', level: 'lossy', message, atMs: this.clockMs() }, '', missing);
    }
    if (!isFinal && this.firstNs > 0) {
      const message = 'bpftrace ended without printing its last counts: figures are those of its last heartbeat';
      this.findings.add({ code: 'no-final-snapshot', level: 'lossy', message, atMs: this.clockMs() }, '');
    }
  }

  /** Tuples printed in the kernel that have not arrived, as of the last heartbeat. */
  get outstandingCount(): number {
    return Math.max(0, this.book.roleTotal('emitted') - this.counts.tuples);
  }

  /** Kernel clock of READY (or of when the run was taken up, if nothing was counted until then) and of the last closed snapshot, ns. */
  get span(): { readonly fromNs: number; readonly toNs: number } {
    return { fromNs: this.firstNs, toNs: this.closedNs };
  }

  ledger(): Ledger {
    const isCall = this.stream.kind === 'call';
    const events = this.book.roleTotal('events');
    return {
      seenCount: isCall ? Math.max(this.book.roleTotal('seen'), this.counts.taken) : events,
      suppressedCount: this.book.roleTotal('suppressed'),
      emittedCount: isCall ? Math.max(this.book.roleTotal('emitted'), this.counts.tuples) : 0,
      unpairedCount: this.book.roleTotal('unpaired'),
      arrivedCount: this.counts.tuples,
      lostCount: this.counts.lost,
      missingCount: this.counts.missing,
      malformedCount: this.counts.malformed,
      droppedCount: this.counts.dropped,
      recordedCount: isCall ? this.counts.taken : events,
      linesCount: this.counts.lines,
      bytesCount: this.counts.bytes,
    };
  }

  /** Everything new since the last drain, as one slice; undefined when there is nothing. */
  drain(run: number): TickSlice | undefined {
    const batch = this.collector.take();
    this.keep(batch);
    if (!this.isLive) this.leaveOutIdleStart();
    if (this.closed.length === 0 && batch.callCount === 0) return undefined;
    const firstText = this.sentTextCount;
    const newTexts = this.collector.texts.texts.slice(firstText);
    this.sentTextCount += newTexts.length;
    const merged = mergeSnapshots(this.closed.splice(0));
    if (merged !== undefined) this.addDrained(merged);
    return {
      run,
      fromNs: merged?.fromNs ?? this.closedNs,
      toNs: merged?.toNs ?? this.closedNs,
      newCells: merged?.newCells ?? [],
      cells: merged?.cells ?? new Uint32Array(0),
      deltas: merged?.deltas ?? new Float64Array(0),
      firstText,
      newTexts,
      ...batch,
    };
  }

  /** All that was drained so far, for those who come later: adding later slices to it counts nothing twice. */
  totals(run: number): RunTotals {
    return {
      run,
      fromNs: this.firstNs,
      toNs: this.drainedNs,
      cells: this.book.cells.slice(0, this.drainedTotals.length),
      totals: Float64Array.from(this.drainedTotals),
      texts: this.collector.texts.texts.slice(0, this.sentTextCount),
      calls: joinBatches(this.kept, this.stream),
      callCount: this.keptCallCount,
    };
  }

  /** The newest cumulative figures, whether drained or not; complete once the run has been closed. */
  figures(): { readonly cells: readonly CellEntry[]; readonly totals: Float64Array } {
    return { cells: this.book.cells, totals: this.book.totals() };
  }

  private record(line: string): void {
    const record = decodeLine(line, this.dialect);
    if (!record.ok) {
      this.malformed(record.error.reason, record.error.excerpt);
      return;
    }
    const value = record.value;
    switch (value?.kind) {
      case 'ready':
        this.firstNs = value.atNs;
        this.closedNs = value.atNs;
        this.events.ready(value.atNs, value.pid);
        return;
      case 'heartbeat':
        this.closeSnapshot(value.atNs);
        this.events.heartbeat(value.atNs);
        return;
      case 'map':
        for (const problem of this.book.apply(value.map, value.entries)) this.problem(problem);
        return;
      case 'names':
        for (const problem of this.book.applyNames(value.map, value.names)) this.problem(problem);
        return;
      case 'lost':
        this.lose(value.eventCount);
        return;
      case 'helper-error':
        this.helperError(value.helper, value.errno, value.message);
        return;
      case 'value':
        if (this.stream.kind === 'call') this.tuple(this.collector.pushRow(value.values), () => line.slice(0, 120));
        else this.malformed('a tuple from a script that prints none', line.slice(0, 120));
        return;
      default:
        return;
    }
  }

  private tuple(taken: 'taken' | 'full' | 'malformed', excerpt: () => string): void {
    this.counts.tuples += 1;
    if (taken === 'taken') this.counts.taken += 1;
    else if (taken === 'full') this.dropCalls(1);
    else this.malformed('a tuple that does not fit the columns', excerpt());
  }

  private closeSnapshot(toNs: number): void {
    const delta = this.book.takeDelta();
    // An empty one is kept too: nothing happened is a fact that charts show as zero.
    const none = { cells: new Uint32Array(0), deltas: new Float64Array(0), newCells: [] as readonly CellEntry[] };
    this.closed.push({ ...(delta ?? none), fromNs: this.closedNs, toNs });
    this.closedNs = toNs;
  }

  /**
   * A run that is taken up in a restored guest has been attached, and held, since before the snapshot; all its heartbeats of that time come at once.
   * As one bin from READY on they would make the mean rates of what follows low for as long. So the run begins with the last of them,
   * unless something was counted before.
   */
  private leaveOutIdleStart(): void {
    const firstBusy = this.closed.findIndex(({ cells }) => cells.length > 0);
    const last = this.closed.length - 1;
    const begin = firstBusy === -1 ? last : firstBusy;
    const first = this.closed[begin];
    // Live ones come one by one.
    this.isLive = firstBusy !== -1 || last === 0;
    if (first === undefined || begin === 0) return;
    const newCells = this.closed.slice(0, begin + 1).flatMap((snapshot) => snapshot.newCells);
    this.closed.splice(0, begin + 1, { ...first, newCells });
    this.firstNs = first.fromNs;
  }

  private addDrained(snapshot: Snapshot): void {
    for (const _ of snapshot.newCells) this.drainedTotals.push(0);
    for (const [at, cell] of snapshot.cells.entries()) {
      this.drainedTotals[cell] = (this.drainedTotals[cell] ?? 0) + (snapshot.deltas[at] ?? 0);
    }
    this.drainedNs = snapshot.toNs;
  }

  private keep(batch: Batch): void {
    if (batch.callCount === 0) return;
    this.kept.push(batch);
    this.keptCallCount += batch.callCount;
    while (this.keptCallCount > runCallsMax && this.kept.length > 1) {
      this.keptCallCount -= this.kept.shift()?.callCount ?? 0;
    }
  }

  private dropCalls(count: number): void {
    this.counts.dropped += count;
    const message = 'calls came faster than they could be sent on; the newest were dropped';
    this.findings.add({ code: 'calls-dropped', level: 'lossy', message, atMs: this.clockMs() }, '', count);
  }

  private lose(count: number): void {
    this.counts.lost += count;
    const message = 'bpftrace reports that its buffer overflowed: printed events are missing, counts in maps are not';
    this.findings.add({ code: 'events-lost', level: 'lossy', message, atMs: this.clockMs() }, '', count);
  }

  /** What a failed BPF helper means for the figures, by its errno. */
  private helperError(helper: string, errno: number, text: string): void {
    const [code, message] = helperWords(helper, errno, text);
    this.findings.add({ code, level: 'lossy', message, atMs: this.clockMs() }, `${helper} ${errno}`);
  }

  private malformed(reason: string, excerpt: string): void {
    this.counts.malformed += 1;
    const message = excerpt === '' ? `not understood: ${reason}` : `not understood: ${reason}: ${excerpt}`;
    this.findings.add({ code: 'lines-malformed', level: 'lossy', message, atMs: this.clockMs() }, reason);
  }

  private problem(problem: TallyProblem): void {
    const atMs = this.clockMs();
    switch (problem.kind) {
      case 'map-nearly-full':
      case 'map-full': {
        const isFull = problem.kind === 'map-full';
        const message = `map ${problem.map} holds ${problem.keyCount} of ${mapKeysMax} keys${isFull ? ': counts for new keys are lost' : ''}`;
        this.findings.add({ code: problem.kind, level: isFull ? 'lossy' : 'note', message, atMs }, problem.map);
        return;
      }
      case 'counter-went-back': {
        const message = `map ${problem.map}, key ${problem.key}: a cumulative counter went back; it was ignored`;
        this.findings.add({ code: 'counter-went-back', level: 'lossy', message, atMs }, problem.map);
        return;
      }
      case 'too-many-cells':
        this.findings.add(
          { code: 'too-many-cells', level: 'lossy', message: `map ${problem.map}: too many keys to follow`, atMs },
          problem.map,
        );
        return;
      case 'bad-key':
      case 'number-too-large':
        this.malformed(
          `map ${problem.map}: ${problem.kind === 'bad-key' ? 'a key that does not fit the manifest' : 'a number beyond 2^53'}`,
          problem.key,
        );
        return;
    }
  }
}

function mergeSnapshots(snapshots: readonly Snapshot[]): Snapshot | undefined {
  const [first] = snapshots;
  const last = snapshots.at(-1);
  if (first === undefined || last === undefined || snapshots.length === 1) return first;
  const sums = new Map<number, number>();
  for (const snapshot of snapshots) {
    for (const [at, cell] of snapshot.cells.entries())
      sums.set(cell, (sums.get(cell) ?? 0) + (snapshot.deltas[at] ?? 0));
  }
  return {
    fromNs: first.fromNs,
    toNs: last.toNs,
    newCells: snapshots.flatMap((snapshot) => snapshot.newCells),
    cells: Uint32Array.from(sums.keys()),
    deltas: Float64Array.from(sums.values()),
  };
}

function joinBatches(batches: readonly Batch[], stream: Stream): readonly CallColumn[] {
  const length = batches.reduce((sum, batch) => sum + batch.callCount, 0);
  return stream.columns.map((column, position) => {
    const whole = makeColumn(column.type, length);
    let at = 0;
    for (const batch of batches) {
      const part = batch.calls[position];
      if (part !== undefined) whole.set(part, at);
      at += batch.callCount;
    }
    return whole;
  });
}

const eexist = 17;
const e2big = 7;

function helperWords(helper: string, errno: number, text: string): readonly [Finding['code'], string] {
  if (helper === 'map_update_elem' && errno === e2big) {
    return ['map-full', `a map is full (limit ${mapKeysMax} keys): counts for new keys are not made (${text})`];
  }
  // bpftrace 0.23 inserts with BPF_NOEXIST: of two CPUs that bring a new key at once, one is told that it exists already.
  if (helper === 'map_update_elem' && errno === eexist) {
    return ['counts-missed', 'two CPUs brought the same new key at once, and one of the two events was not counted'];
  }
  return ['bpftrace-message', `the kernel refused ${helper}: ${text}`];
}
