/** The one owner of what is traced on one target: its runs, the ticks they give, and the figures so far. */
import {
  addLedgers,
  err,
  ok,
  type RecordSummary,
  type Result,
  type RunSummary,
  runsPerSessionMax,
  type SessionView,
  summariseRun,
  type TargetIdentity,
  type TargetView,
  tickIntervalMs,
} from '@faultline/shared';
import type { Clock, ProbeRun } from '../probes/probe-run.ts';
import type { Target } from '../targets/target.ts';
import { processCpuMs } from './cpu-time.ts';
import type { Recording } from './recording.ts';
import type { Refusal } from './refusal.ts';
import type { RunTotals, Tick } from './tick.ts';
import { TickRing } from './tick-ring.ts';
import type { SessionSource } from './tracing.ts';

/** Version of Faultline, told with every summary. */
export const faultlineVersion = '0.1.0';

const cpuSampleIntervalMs = 1_000;

/** bpftrace's CPU time is read in every so many samples: over ssh each look starts a handful of processes there. */
const samplesPerRunLook = { host: 1, guest: 1, replay: 1, ssh: 10 } as const;

export class Session implements SessionSource, AsyncDisposable {
  readonly id: string;
  readonly target: Target;
  readonly runs: ProbeRun[] = [];
  /** Who writes it down, where it is recorded; told of the end before the target goes. */
  recording: Recording | undefined;
  private readonly identity: TargetIdentity | undefined;
  private problem: string | undefined;
  private hasDied = false;
  private isDisposed = false;
  private readonly clock: Clock;
  private readonly startedAtMs: number;
  private readonly ring = new TickRing();
  private readonly listeners = new Set<(tick: Tick) => void>();
  private readonly timers: readonly NodeJS.Timeout[];
  private seenChanges = 0;
  private serverCpuShare: number | undefined;
  private cpuBefore = process.cpuUsage();
  private cpuBeforeMs: number;
  private cpuSampleCount = 0;
  private readonly cpuOfRun = new Map<string, { readonly cpuMs: number; readonly atMs: number }>();

  constructor(target: Target, identity: Result<TargetIdentity, { readonly message: string }>, clock: Clock) {
    this.target = target;
    this.clock = clock;
    this.identity = identity.ok ? identity.value : undefined;
    this.problem = identity.ok ? undefined : identity.error.message;
    this.startedAtMs = clock();
    this.cpuBeforeMs = this.startedAtMs;
    this.id = `${target.id}-${Math.floor(this.startedAtMs).toString(36)}`;
    void target.died?.then((reason) => this.lose(reason));
    this.timers = [
      setInterval(() => this.tick(), tickIntervalMs),
      setInterval(() => void this.sampleCpu(), cpuSampleIntervalMs),
    ];
  }

  get seq(): number {
    return this.ring.seq;
  }

  /** Takes a run in; its index is the number of runs before it. */
  add(run: ProbeRun): void {
    this.runs.push(run);
  }

  /** Whether it may take one more run: ended ones stay, since frames name runs by index. */
  get isFull(): boolean {
    return this.runs.length >= runsPerSessionMax;
  }

  targetView(): TargetView {
    const { id, kind, title, badge } = this.target;
    return {
      id,
      kind,
      title,
      ...(badge === undefined ? {} : { badge }),
      ...(this.identity === undefined ? {} : { identity: this.identity }),
      ...(this.problem === undefined ? {} : { problem: this.problem }),
    };
  }

  view(): SessionView {
    return {
      id: this.id,
      target: this.targetView(),
      startedAtMs: this.startedAtMs,
      serverMemoryBytes: process.memoryUsage.rss(),
      ...(this.serverCpuShare === undefined ? {} : { serverCpuShare: this.serverCpuShare }),
      ...this.recordingView(),
      runs: this.runs.map((run) => run.view()),
    };
  }

  ticksFrom(fromSeq: number): readonly Tick[] | undefined {
    return this.ring.from(fromSeq);
  }

  recentTicks(ms: number): readonly Tick[] {
    return this.ring.since(this.clock() - ms);
  }

  totals(): readonly RunTotals[] {
    return this.runs.map((run) => run.intake.totals(run.spec.index));
  }

  callTypes(run: number): readonly ('timeNs' | 'u8' | 'u16' | 'u32' | 'f64' | 'text')[] {
    return this.runs[run]?.spec.stream.columns.map((column) => column.type) ?? [];
  }

  onTick(listener: (tick: Tick) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  summary(): RecordSummary {
    const runs = this.runs.map((run) => summaryOf(run));
    return {
      faultline: faultlineVersion,
      target: {
        id: this.target.id,
        kind: this.target.kind,
        ...(this.identity === undefined ? {} : { identity: this.identity }),
      },
      startedAtMs: this.startedAtMs,
      ...this.recordingId(),
      isComplete: runs.every((one) => one.run.isComplete),
      ledger: addLedgers(runs.map((one) => one.run.ledger)),
      runs,
    };
  }

  runSummary(runId: string): Result<RunSummary, Refusal> {
    const run = this.runs.find((one) => one.spec.id === runId);
    return run === undefined ? err(unknownRun(runId)) : ok(summaryOf(run));
  }

  /** Stops every run and the clockwork. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
    await Promise.all(this.runs.map((run) => run.stop()));
    for (const timer of this.timers) clearInterval(timer);
    this.tick();
    await this.recording?.close();
    this.listeners.clear();
    await this.target[Symbol.asyncDispose]();
  }

  private recordingId(): Pick<RecordSummary, 'recordingId'> {
    const id = this.recording?.view()?.id;
    return id === undefined || id === '' ? {} : { recordingId: id };
  }

  private recordingView(): Pick<SessionView, 'recording'> {
    const recording = this.recording?.view();
    return recording === undefined ? {} : { recording };
  }

  /** The target is gone: its runs end by themselves, since their processes do; what arrived stays. */
  private lose(reason: string): void {
    if (this.isDisposed) return;
    this.problem = reason;
    this.hasDied = true;
  }

  /** Closes a tick when a run has something new or changed its state. */
  private tick(): void {
    const slices = this.runs.flatMap((run) => run.intake.drain(run.spec.index) ?? []);
    const changes = this.runs.reduce((sum, run) => sum + 1 + run.changeCount, 0);
    const hasStateChange = changes !== this.seenChanges || this.hasDied;
    this.hasDied = false;
    if (slices.length === 0 && !hasStateChange) return;
    this.seenChanges = changes;
    const tick: Tick = { seq: this.ring.seq + 1, atMs: this.clock(), slices, hasStateChange };
    this.ring.push(tick);
    for (const listener of this.listeners) listener(tick);
  }

  private async sampleCpu(): Promise<void> {
    const nowMs = this.clock();
    const usage = process.cpuUsage(this.cpuBefore);
    const passedMs = Math.max(1, nowMs - this.cpuBeforeMs);
    this.serverCpuShare = (usage.user + usage.system) / 1000 / passedMs;
    this.cpuBefore = process.cpuUsage();
    this.cpuBeforeMs = nowMs;
    this.cpuSampleCount += 1;
    if (this.cpuSampleCount % samplesPerRunLook[this.target.kind] !== 0) return;
    for (const run of this.runs) await this.sampleRunCpu(run);
  }

  private async sampleRunCpu(run: ProbeRun): Promise<void> {
    const pid = run.bpftracePid;
    const cpuMs = pid === undefined || run.isEnded ? undefined : await processCpuMs(this.target, pid);
    const before = this.cpuOfRun.get(run.spec.id);
    const atMs = this.clock();
    run.bpftraceCpuShare =
      cpuMs === undefined || before === undefined
        ? undefined
        : Math.max(0, cpuMs - before.cpuMs) / Math.max(1, atMs - before.atMs);
    if (cpuMs !== undefined) this.cpuOfRun.set(run.spec.id, { cpuMs, atMs });
  }
}

/** The refusal for a run nobody knows. */
export function unknownRun(runId: string): Refusal {
  return { kind: 'unknown-run', message: `there is no run ${runId}`, remedy: 'List the runs: GET /api/v1/runs.' };
}

function summaryOf(run: ProbeRun): RunSummary {
  const { fromNs, toNs } = run.intake.span;
  return summariseRun(run.view(), run.spec.stream, run.intake.figures(), toNs - fromNs);
}
