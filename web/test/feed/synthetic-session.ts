/** A session that nobody traced: runs with states, ledgers and figures, ticked by hand or by a clock. */
import {
  type CallColumn,
  type Finding,
  type FrameHeader,
  type RunView,
  type SessionView,
  type SliceColumns,
  type Snapshot,
  type TargetView,
  emptyLedger,
  encodeSlices,
  findStream,
  makeColumn,
} from '@faultline/shared';
import { pathCells, pathVariant } from './fault-path-load.ts';
import { allManifests } from './manifests.ts';
import type { Scenario } from './scenarios.ts';
import { Growth, gaussian, growingCells, seeded } from './synthesis.ts';

const tickMs = 250;
const historyMax = 480;

type Run = {
  view: RunView;
  readonly growth: Growth;
  readonly totals: Map<number, number>;
  readonly texts: string[];
  callsDue: number;
};

type Slice = { header: FrameHeader['slices'][number]; columns: SliceColumns };

/** One target's session. */
export class SyntheticSession {
  target: TargetView;
  readonly startedAtMs: number;
  seq = 0;
  private readonly scenario: Scenario;
  private readonly runs: Run[] = [];
  private readonly history: { header: FrameHeader; bytes: Uint8Array }[] = [];
  private readonly random = seeded(7);
  private lastMs: number;
  private isChanged = true;

  constructor(target: TargetView, scenario: Scenario, nowMs: number) {
    this.target = target;
    this.scenario = scenario;
    this.startedAtMs = nowMs - scenario.pastMs;
    this.lastMs = this.startedAtMs;
    for (const name of scenario.running) this.start(name, 'running');
    for (const name of scenario.failed) this.start(name, 'failed');
    for (let atMs = this.startedAtMs + tickMs; atMs <= nowMs; atMs += tickMs) this.tick(atMs);
  }

  get id(): string {
    return `session-${this.target.id}`;
  }

  view(): SessionView {
    return {
      id: this.id,
      target: this.target,
      startedAtMs: this.startedAtMs,
      serverCpuShare: 0.021 + this.random() * 0.004,
      serverMemoryBytes: 96 * 2 ** 20,
      recording: { id: `rec-${this.target.id}`, state: 'recording', journalBytes: 4096 },
      runs: this.runs.map(({ view }) => view),
    };
  }

  /** Starts a stream, or lets it fail at once. */
  start(name: string, state: 'running' | 'failed', parameters: Readonly<Record<string, number>> = {}): RunView {
    const [probe = '', stream = ''] = name.split('/');
    const isFailed = state === 'failed';
    const { load, path } = this.scenario;
    const variants = findStream(allManifests, probe, stream)?.variants;
    const attached = path === undefined ? undefined : pathVariant(probe, path.era);
    const variant = variants?.find(({ name: one }) => one === attached) ?? variants?.[0];
    const cells = path === undefined ? growingCells(probe, stream, load) : pathCells(probe, path);
    const view: RunView = {
      id: `run-${this.runs.length + 1}`,
      index: this.runs.length,
      probe,
      stream,
      variant: variant?.name ?? stream,
      attach: variant?.attach ?? 'tracepoint',
      script: variant?.script ?? '',
      parameters: { ...parameters },
      state,
      startedAtMs: this.lastMs,
      ...(isFailed
        ? { endedAtMs: this.lastMs, failure: probe === 'vfio-fault' ? missingModule : missingTracepoint }
        : { readyAtMs: this.lastMs, readyNs: this.kernelNs(this.lastMs), bpftracePid: 4242, bpftraceCpuShare: 0.037 }),
      bpftraceVersion: '0.17.0',
      ledger: emptyLedger(),
      findings: [],
      isComplete: !isFailed,
    };
    this.runs.push({
      view,
      growth: new Growth(cells, this.runs.length + 1),
      totals: new Map(),
      texts: [],
      callsDue: 0,
    });
    this.isChanged = true;
    return view;
  }

  stop(id: string): RunView | undefined {
    const run = this.runs.find(({ view }) => view.id === id && view.state === 'running');
    if (run === undefined) return undefined;
    run.view = { ...run.view, state: 'stopped', endedAtMs: this.lastMs };
    this.isChanged = true;
    return run.view;
  }

  /** The target is gone for good, and every run with it. */
  die(problem: string): void {
    this.target = { ...this.target, problem };
    for (const { view } of this.runs) this.kill(view.id);
  }

  /** Lets a running stream fail as if somebody had killed its bpftrace. */
  kill(id: string): void {
    const run = this.runs.find(({ view }) => view.id === id);
    if (run === undefined) return;
    run.view = { ...run.view, state: 'failed', endedAtMs: this.lastMs, failure: killed, isComplete: false };
    this.isChanged = true;
  }

  /** The exact sum of a metric over cells that carry `dims`: what the page must say. */
  total(metric: string, dims: Readonly<Record<string, string | number>>): number {
    let sum = 0;
    for (const { growth, totals } of this.runs) {
      for (const entry of growth.entries) {
        if (entry.metric === metric && Object.entries(dims).every(([name, value]) => entry.dims[name] === value))
          sum += totals.get(entry.cell) ?? 0;
      }
    }
    return sum;
  }

  /** What happened until `nowMs`, as a frame. */
  tick(nowMs: number): { readonly header: FrameHeader; readonly bytes: Uint8Array } {
    const fromMs = this.lastMs;
    this.lastMs = nowMs;
    this.seq += 1;
    const slices = this.runs
      .filter(({ view }) => view.state === 'running')
      .map((run) => this.slice(run, fromMs, nowMs));
    const header: FrameHeader = {
      seq: this.seq,
      fromSeq: this.seq,
      atMs: nowMs,
      slices: slices.map((slice) => slice.header),
      clientDroppedCalls: 0,
      clientMergedTicks: 0,
      ...(this.isChanged || this.seq % 4 === 0 ? { session: this.view() } : {}),
    };
    this.isChanged = false;
    const frame = { header, bytes: encodeSlices(slices.map(({ columns }) => columns)) };
    this.remember(frame.header, slices);
    return frame;
  }

  snapshot(): Snapshot {
    const slices = this.runs.map((run): Slice => {
      const entries = [...run.totals];
      return {
        header: {
          run: run.view.index,
          fromNs: run.view.readyNs ?? 0,
          toNs: run.view.readyNs === undefined ? 0 : this.kernelNs(this.lastMs),
          newCells: run.growth.entries,
          cellCount: entries.length,
          newTexts: run.texts,
          firstText: 0,
          callCount: 0,
        },
        columns: {
          cells: Uint32Array.from(entries, ([cell]) => cell),
          deltas: Float64Array.from(entries, ([, total]) => total),
          calls: [],
        },
      };
    });
    return {
      protocolVersion: 1,
      serverVersion: 'feed',
      session: this.view(),
      header: {
        seq: this.seq,
        fromSeq: this.seq,
        atMs: this.lastMs,
        slices: slices.map(({ header }) => header),
        clientDroppedCalls: 0,
        clientMergedTicks: 0,
      },
      bytes: encodeSlices(slices.map(({ columns }) => columns)),
      history: this.history.map(({ header, bytes }) => ({ header, byteLength: bytes.byteLength })),
      historyBytes: Buffer.concat(this.history.map(({ bytes }) => bytes)),
    };
  }

  private kernelNs(ms: number): number {
    return Math.round((ms - (this.target.identity?.clockOffsetMs ?? 0)) * 1e6);
  }

  private slice(run: Run, fromMs: number, nowMs: number): Slice {
    const { newCells, pairs } = run.growth.step((nowMs - fromMs) / 1000, loadFactor(nowMs));
    for (const [cell, delta] of pairs) run.totals.set(cell, (run.totals.get(cell) ?? 0) + delta);
    const { calls, callCount, newTexts, firstText } = this.calls(run, fromMs, nowMs);
    this.account(run, pairs, callCount, nowMs);
    return {
      header: {
        run: run.view.index,
        fromNs: this.kernelNs(fromMs),
        toNs: this.kernelNs(nowMs),
        newCells,
        cellCount: pairs.length,
        newTexts,
        firstText,
        callCount,
      },
      columns: {
        cells: Uint32Array.from(pairs, ([cell]) => cell),
        deltas: Float64Array.from(pairs, ([, delta]) => delta),
        calls,
      },
    };
  }

  private calls(
    run: Run,
    fromMs: number,
    nowMs: number,
  ): { calls: CallColumn[]; callCount: number; newTexts: string[]; firstText: number } {
    const columns = findStream(allManifests, run.view.probe, run.view.stream)?.columns ?? [];
    const firstText = run.texts.length;
    if (columns.length === 0) return { calls: [], callCount: 0, newTexts: [], firstText };
    run.callsDue += (this.scenario.callsPerSec * (nowMs - fromMs)) / 1000;
    const callCount = Math.floor(run.callsDue);
    run.callsDue -= callCount;
    const calls = columns.map(({ type }) => makeColumn(type, callCount));
    const { processes } = this.scenario.load;
    for (let call = 0; call < callCount; call += 1) {
      const who = Math.floor(this.random() ** 2 * processes.length);
      const text = processes[who] ?? '';
      const waitNs = Math.round(10_000 * Math.exp(Math.abs(gaussian(this.random)) * 1.5));
      const values: Readonly<Record<string, number>> = {
        atNs: this.kernelNs(fromMs + ((nowMs - fromMs) * (call + 1)) / callCount),
        cpu: Math.floor(this.random() * 16),
        pid: 1000 + who,
        tid: 1000 + who,
        mode: this.random() < 0.3 ? 1 : 0,
        success: 1,
        waitNs,
        holdNs: Math.round(waitNs * this.random()),
        comm: textNumber(run.texts, text),
      };
      for (const [index, { name }] of columns.entries()) {
        const values_ = calls[index];
        if (values_ !== undefined) values_[call] = values[name] ?? 0;
      }
    }
    return { calls, callCount, newTexts: run.texts.slice(firstText), firstText };
  }

  private account(run: Run, pairs: readonly (readonly [number, number])[], callCount: number, nowMs: number): void {
    const eventCount =
      pairs.reduce((sum, [cell, delta]) => sum + (isEvent(run.growth.entries[cell]?.metric) ? delta : 0), 0) +
      callCount;
    const isLosing = this.scenario.isLossy && Math.floor(nowMs / 1000) % 11 < 2;
    const lost = isLosing && run.view.stream === 'detail' ? 37 : 0;
    const malformed = isLosing && malformedStreams.includes(run.view.stream) ? 1 : 0;
    const { ledger, findings } = run.view;
    run.view = {
      ...run.view,
      lastNs: this.kernelNs(nowMs),
      isComplete: run.view.isComplete && lost + malformed === 0,
      ledger: {
        ...ledger,
        seenCount: ledger.seenCount + eventCount + lost,
        recordedCount: ledger.recordedCount + eventCount,
        lostCount: ledger.lostCount + lost,
        malformedCount: ledger.malformedCount + malformed,
      },
      findings:
        findings.length > 0
          ? findings
          : [...(lost > 0 ? [lostFinding(nowMs)] : []), ...(malformed > 0 ? [malformedFinding(nowMs)] : [])],
    };
    if (lost + malformed > 0) this.isChanged = true;
  }

  private remember(header: FrameHeader, slices: readonly Slice[]): void {
    const figures = slices.map(({ header: slice, columns }) => ({
      header: { ...slice, callCount: 0, newTexts: [] },
      columns: { ...columns, calls: columns.calls.map((values) => values.slice(0, 0)) },
    }));
    const { session: _, ...bare } = header;
    this.history.push({
      header: { ...bare, slices: figures.map((slice) => slice.header) },
      bytes: encodeSlices(figures.map(({ columns }) => columns)),
    });
    if (this.history.length > historyMax) this.history.shift();
  }
}

function lostFinding(atMs: number): Finding {
  const message = "bpftrace's perf buffer overflowed: it says it lost events.";
  return { code: 'events-lost', level: 'lossy', message, atMs, count: 1 };
}

function malformedFinding(atMs: number): Finding {
  const message = 'A line could not be decoded: “{"type": "map", "da”.';
  return { code: 'lines-malformed', level: 'lossy', message, atMs, count: 1 };
}

const missingTracepoint = {
  kind: 'tracepoint-missing',
  message: "mmap-lock can't attach: this kernel has no tracepoint mmap_lock:mmap_lock_start_locking.",
  remedy: 'Use a kernel of 5.11 or newer with CONFIG_TRACING=y, or start page-fault, which needs other tracepoints.',
  stderr:
    'ERROR: tracepoint not found: mmap_lock:mmap_lock_start_locking\nlatency.bt:12:1-44: tracepoint:mmap_lock:mmap_lock_start_locking\n',
} as const;

const missingModule = {
  kind: 'function-missing',
  message: "vfio-fault can't attach: vfio_pci_mmap_fault is not in this kernel any more; was vfio_pci_core unloaded?",
  remedy: 'Load vfio-pci, bind the device again, and start vfio-fault.',
  stderr: 'ERROR: Failed to attach kprobe:vfio_pci_mmap_fault: Invalid argument\n',
} as const;

const killed = {
  kind: 'killed',
  message: 'bpftrace was killed by signal 9 (SIGKILL).',
  remedy: 'Was it the out-of-memory killer? See dmesg. Start it again when the machine has room.',
} as const;

const malformedStreams: readonly string[] = ['latency', 'checks', 'faults'];
const eventMetrics = allManifests.flatMap(({ streams }) =>
  streams.flatMap(({ maps }) => maps.filter(({ role }) => role === 'events').map(({ metric }) => metric)),
);

function isEvent(metric: string | undefined): boolean {
  return metric !== undefined && eventMetrics.includes(metric);
}

function textNumber(texts: string[], text: string): number {
  const known = texts.indexOf(text);
  return known >= 0 ? known : texts.push(text) - 1;
}

/** The load breathes, so that charts have a shape. */
function loadFactor(ms: number): number {
  return 0.75 + 0.25 * Math.sin(ms / 7000) + (Math.floor(ms / 1000) % 23 < 2 ? 0.6 : 0);
}
