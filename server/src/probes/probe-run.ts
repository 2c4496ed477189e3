/**
 * One bpftrace process of one stream, from start to exit: it owns the process, its state and its waits. What the
 * process prints is the intake's business; the session drains it once a tick.
 */
import {
  dialectOf,
  type Failure,
  type FailureKind,
  floodSecMax,
  heartbeatSilenceMaxMs,
  mapKeysMax,
  readyWaitMaxMs,
  type RunState,
  type RunView,
  type Stream,
  stderrCharsMax,
  stopCatchUpMaxMs,
  stopKillAfterMs,
  stopRepeatAfterMs,
  type Variant,
} from '@faultline/shared';
import type { Exit, Target, TargetProcess } from '../targets/target.ts';
import { killForGood, unkillable } from '../targets/kill.ts';
import { LineSplitter } from './bpftrace-lines.ts';
import { explainExit, failure } from './failure.ts';
import { compareVersions } from './planner.ts';
import { RunIntake } from './run-intake.ts';

/** Everything a run is started with. */
export type RunSpec = {
  readonly id: string;
  readonly index: number;
  readonly probe: string;
  readonly stream: Stream;
  readonly variant: Variant;
  /** Path of the script on the target. */
  readonly script: string;
  readonly parameters: Readonly<Record<string, number>>;
  readonly bpftraceVersion: string | undefined;
};

/** Wall clock in ms; tests may bring their own. */
export type Clock = () => number;

export class ProbeRun {
  readonly spec: RunSpec;
  readonly intake: RunIntake;
  /** Resolves when the process is gone and everything it said has been taken in. */
  readonly ended: Promise<void>;
  /** bpftrace's CPU share, kept up to date by the session. */
  bpftraceCpuShare: number | undefined;
  private readonly clock: Clock;
  private readonly process: TargetProcess;
  private readonly patience: number;
  private readonly splitter: LineSplitter;
  private state: RunState = 'starting';
  private problem: Failure | undefined;
  private stderr = '';
  private pid: number | undefined;
  private readonly startedAtMs: number;
  private readyAtMs: number | undefined;
  private endedAtMs: number | undefined;
  private lastBeatMs: number;
  private floodSec = 0;
  private floodedAtMs = 0;
  private timers: NodeJS.Timeout[] = [];
  private killed: (exit: Promise<Exit>) => void = () => undefined;
  /** Counts state changes, so that the session sees them without comparing views. */
  changeCount = 0;

  constructor(target: Target, spec: RunSpec, clock: Clock) {
    this.spec = spec;
    this.clock = clock;
    this.patience = target.patience ?? 1;
    this.startedAtMs = clock();
    this.lastBeatMs = this.startedAtMs;
    const events = {
      ready: (_atNs: number, pid: number | undefined) => this.becomeReady(pid),
      heartbeat: () => {
        this.lastBeatMs = this.clock();
      },
    };
    this.intake = new RunIntake(spec.stream, dialectOf(spec.bpftraceVersion), events, clock);
    this.splitter = new LineSplitter({
      line: (bytes, start, end) => this.intake.line(bytes, start, end),
      oversize: (bytesCount) => this.intake.oversize(bytesCount),
      flood: (bytesCount) => this.flood(bytesCount),
    });
    const values = spec.stream.parameters.map((one) => String(spec.parameters[one.name] ?? one.default));
    this.process = target.start({
      program: 'bpftrace',
      args: ['-f', 'json', spec.script, ...values],
      env: mapKeysEnvironment(spec.bpftraceVersion),
    });
    this.process.stdout.on('data', (chunk: Buffer) => this.splitter.push(chunk, this.clock()));
    // An error of a pipe is the end of the process seen from the other side; `exited` reports it.
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('error', () => {});
    this.process.stderr.setEncoding('utf8');
    this.process.stderr.on('data', (text: string) => {
      if (this.stderr.length < stderrCharsMax) this.stderr = (this.stderr + text).slice(0, stderrCharsMax);
    });
    this.watch();
    const killed = new Promise<Exit>((resolve) => {
      this.killed = resolve;
    });
    this.ended = Promise.race([this.process.exited, killed]).then((exit) => this.end(exit));
  }

  get isEnded(): boolean {
    return this.state === 'stopped' || this.state === 'failed';
  }

  /** Number of the bpftrace process itself, as it said with READY. */
  get bpftracePid(): number | undefined {
    return this.pid;
  }

  view(): RunView {
    const { spec } = this;
    const { fromNs, toNs } = this.intake.span;
    return {
      id: spec.id,
      index: spec.index,
      probe: spec.probe,
      stream: spec.stream.name,
      variant: spec.variant.name,
      attach: spec.variant.attach,
      script: spec.variant.script,
      parameters: { ...spec.parameters },
      state: this.state,
      startedAtMs: this.startedAtMs,
      ledger: this.intake.ledger(),
      findings: this.intake.findings.list(),
      isComplete: !this.intake.findings.areLossy && this.problem === undefined,
      ...(this.problem === undefined ? {} : { failure: this.problem }),
      ...(this.readyAtMs === undefined ? {} : { readyAtMs: this.readyAtMs, readyNs: fromNs, lastNs: toNs }),
      ...(this.endedAtMs === undefined ? {} : { endedAtMs: this.endedAtMs }),
      ...(spec.bpftraceVersion === undefined ? {} : { bpftraceVersion: spec.bpftraceVersion }),
      ...(this.pid === undefined ? {} : { bpftracePid: this.pid }),
      ...(this.bpftraceCpuShare === undefined ? {} : { bpftraceCpuShare: this.bpftraceCpuShare }),
    };
  }

  /**
   * Stops in order: printed lines may catch up, then SIGINT (END runs, the last maps are printed), once more, then
   * SIGKILL (killForGood). Resolves when the run has ended. Calling it again waits for the same end.
   */
  async stop(): Promise<void> {
    if (this.state === 'starting' || this.state === 'running') {
      this.setState('stopping');
      await this.catchUp();
      // It may have ended meanwhile; a signal behind a prefix would then go to whoever has its number now.
      if (!this.isEnded) this.interrupt();
    }
    await this.ended;
  }

  private interrupt(): void {
    this.process.signal('SIGINT', this.pid);
    const killAfterMs = stopKillAfterMs * this.patience;
    const repeatAfterMs = this.patience === 1 ? stopRepeatAfterMs : killAfterMs / 2;
    this.later(repeatAfterMs, () => this.interruptAgain(repeatAfterMs / 2));
    this.later(killAfterMs, () => this.kill());
  }

  /**
   * bpftrace 0.17 may not heed a signal that comes right after READY; but a second one that comes while it detaches or prints
   * its last maps ends it at once, without them. Where all is slow that takes seconds, in which heartbeats still arrive: only
   * when they have gone on for long was the first one not heeded.
   */
  private interruptAgain(quietMs: number): void {
    const goesOn = this.clock() - this.lastBeatMs < quietMs;
    if (this.patience === 1 || goesOn) this.process.signal('SIGINT', this.pid);
  }

  /**
   * Waits, bounded, until the lines that the kernel says it emitted are here. What it emitted since its last heartbeat only the
   * next one tells: without it, calls made right before the stop can be missing (bpftrace 0.17 drops what it has not read).
   */
  private async catchUp(): Promise<void> {
    const askedAtMs = this.clock();
    const knowsAll = (): boolean => this.spec.stream.kind !== 'call' || this.lastBeatMs > askedAtMs;
    const stepMs = 20;
    for (let waitedMs = 0; waitedMs < stopCatchUpMaxMs && !this.isEnded; waitedMs += stepMs) {
      if (knowsAll() && this.intake.outstandingCount === 0) return;
      await new Promise((resolve) => setTimeout(resolve, stepMs));
    }
  }

  private becomeReady(pid: number | undefined): void {
    if (this.readyAtMs !== undefined) return;
    this.pid = pid;
    this.readyAtMs = this.clock();
    this.lastBeatMs = this.readyAtMs;
    if (this.state === 'starting') this.setState('running');
  }

  /** Looks once a quarter second for a READY that does not come, a heartbeat that stays away, and a flood that goes on. */
  private watch(): void {
    const timer = setInterval(() => {
      const nowMs = this.clock();
      if (this.state === 'starting' && nowMs - this.startedAtMs > readyWaitMaxMs * this.patience) {
        this.giveUp(
          'never-ready',
          `bpftrace did not attach within ${(readyWaitMaxMs * this.patience) / 1000} s`,
          'See what it printed; try the script by hand.',
        );
      } else if (this.state === 'running' && nowMs - this.lastBeatMs > heartbeatSilenceMaxMs * this.patience) {
        this.giveUp(
          'stalled',
          `bpftrace has been silent for ${(heartbeatSilenceMaxMs * this.patience) / 1000} s`,
          'The machine may be overloaded, or bpftrace hangs. Start the probe again.',
        );
      }
    }, 250);
    this.timers.push(timer);
  }

  private flood(bytesCount: number): void {
    this.intake.flood(bytesCount);
    const nowMs = this.clock();
    if (nowMs - this.floodedAtMs < 1000) return;
    this.floodSec = nowMs - this.floodedAtMs < 2500 ? this.floodSec + 1 : 1;
    this.floodedAtMs = nowMs;
    if (this.floodSec >= floodSecMax && this.state !== 'stopping') {
      this.giveUp(
        'flooded',
        `bpftrace printed more than Faultline reads for ${floodSecMax} s`,
        'Raise the threshold, or print fewer: one in N.',
      );
    }
  }

  /** Ends the process because of what the server found; the run is failed from this moment on. */
  private giveUp(kind: FailureKind, what: string, remedy: string): void {
    if (this.problem !== undefined || this.isEnded) return;
    this.problem = failure({ kind, what, remedy }, this.context());
    this.setState('stopping');
    this.kill();
  }

  private kill(): void {
    this.killed(killForGood(this.process, this.pid));
  }

  private end(exit: Exit): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    this.splitter.end();
    const nowMs = this.clock();
    const wasAsked = this.state === 'stopping' && this.problem === undefined && exit !== unkillable;
    const isFinal = exit.code === 0 && exit.problem === undefined;
    this.intake.close(isFinal, Math.max(0, nowMs - this.lastBeatMs));
    this.endedAtMs = nowMs;
    if (!wasAsked && this.problem === undefined && exit.isRecordingEnd !== true) {
      this.problem = explainExit(exit, this.context());
    }
    this.setState(this.problem === undefined ? 'stopped' : 'failed');
  }

  private context(): { probe: string; script: string; wasReady: boolean; stderr: string } {
    const { probe, stream, variant } = this.spec;
    return {
      probe: `${probe} ${stream.name}`,
      script: variant.script,
      wasReady: this.readyAtMs !== undefined,
      stderr: this.stderr,
    };
  }

  private setState(state: RunState): void {
    this.state = state;
    this.changeCount += 1;
  }

  private later(ms: number, action: () => void): void {
    this.timers.push(setTimeout(action, ms));
  }
}

/** The map-size variable has another name since 0.23, which warns about the old one; both work in between. */
function mapKeysEnvironment(version: string | undefined): Record<string, string> {
  const keys = String(mapKeysMax);
  if (version !== undefined && compareVersions(version, '0.23') >= 0) return { BPFTRACE_MAX_MAP_KEYS: keys };
  return { BPFTRACE_MAP_KEYS_MAX: keys };
}
