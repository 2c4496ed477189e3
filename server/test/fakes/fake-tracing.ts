/** Tracing without bpftrace: sessions that a test fills, refusals that a test orders. */
import {
  err,
  ok,
  type Plan,
  type Preflight,
  type ProbeManifest,
  type Result,
  type RunView,
  type StartRun,
  type Stream,
  type TargetView,
  type VfioDevice,
} from '@faultline/shared';
import type { Refusal } from '../../src/sessions/refusal.ts';
import type { SessionSource, Tracing } from '../../src/sessions/tracing.ts';
import { FakeSession, fakeRun, fakeTarget } from './fake-session.ts';

function fakeStream(name: string, differences: Partial<Stream> = {}): Stream {
  return {
    name,
    title: `Stream ${name}`,
    question: 'How often?',
    kind: 'tally',
    isDefault: true,
    insteadOf: [],
    parameters: [
      {
        name: 'pid',
        title: 'Process',
        unit: 'id',
        minimum: 0,
        maximum: 4_194_304,
        default: 0,
        description: 'Only this process; 0 for all.',
      },
    ],
    variants: [
      {
        name: 'tracepoint',
        script: `${name}.bt`,
        attach: 'tracepoint',
        requires: { tracepoints: ['mmap_lock:mmap_lock_released'], functions: [], btf: false },
        bpftraceMin: '0.17',
      },
    ],
    maps: [],
    columns: [],
    lossMeaning: 'Counts stay exact.',
    ...differences,
  };
}

/** Two probes: mmap-lock with counts (default) and slow (calls, not default); page-fault with counts. */
export const fakeProbes: readonly ProbeManifest[] = [
  {
    manifestVersion: 1,
    name: 'mmap-lock',
    title: 'mmap_lock',
    question: 'Who takes it?',
    caveats: [],
    streams: [fakeStream('counts'), fakeStream('slow', { isDefault: false })],
  },
  {
    manifestVersion: 1,
    name: 'page-fault',
    title: 'Page faults',
    question: 'Who faults?',
    caveats: [],
    streams: [fakeStream('counts')],
  },
];

/** A preflight where everything is well. */
export const goodPreflight: Preflight = {
  targetId: 'host',
  canTrace: true,
  checks: [
    { name: 'root', title: 'Permission to trace', status: 'ok', found: 'running as root' },
    { name: 'bpftrace', title: 'bpftrace', status: 'ok', found: 'bpftrace 0.17.0 at /usr/bin/bpftrace' },
  ],
};

/** Implements Tracing; each field may be replaced by a test. */
export class FakeTracing implements Tracing {
  readonly session1 = new FakeSession();
  targetList: readonly TargetView[] = [fakeTarget];
  preflightAnswer: Result<Preflight, Refusal> = ok(goodPreflight);
  plansAnswer: Result<readonly Plan[], Refusal> = ok([]);
  /** Ordered refusals of startRun and stopRun, used up first. */
  refusals: Refusal[] = [];
  started: StartRun[] = [];
  stopped: string[] = [];
  isDisposed = false;
  manifests: readonly ProbeManifest[] = fakeProbes;
  /** What becomes of a run some milliseconds after its start. */
  afterStart: (run: RunView) => Partial<RunView> = () => ({ state: 'running', readyAtMs: 1_300 });
  /** What becomes of a run when it is stopped. */
  afterStop: (run: RunView) => Partial<RunView> = () => ({ state: 'stopped', endedAtMs: 9_000 });
  sessionList: FakeSession[] = [this.session1];

  targets(): Promise<readonly TargetView[]> {
    return Promise.resolve(this.targetList);
  }

  probes(): readonly ProbeManifest[] {
    return this.manifests;
  }

  preflight(targetId: string): Promise<Result<Preflight, Refusal>> {
    return Promise.resolve(this.#onTarget(targetId, this.preflightAnswer));
  }

  plans(targetId: string): Promise<Result<readonly Plan[], Refusal>> {
    return Promise.resolve(this.#onTarget(targetId, this.plansAnswer));
  }

  startRun(request: StartRun): Promise<Result<RunView, Refusal>> {
    this.started.push(request);
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return Promise.resolve(err(refusal));
    const session = this.session1;
    const { probe, stream = 'counts', parameters = {} } = request;
    const run = fakeRun(session.runs.length, { probe, stream, parameters, state: 'starting' });
    session.runs.push(run);
    setTimeout(() => this.#change(run.id, this.afterStart), 5);
    return Promise.resolve(ok(run));
  }

  stopRun(runId: string): Promise<Result<RunView, Refusal>> {
    this.stopped.push(runId);
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return Promise.resolve(err(refusal));
    const run = this.#change(runId, this.afterStop);
    if (run !== undefined) return Promise.resolve(ok(run));
    return Promise.resolve(err({ kind: 'unknown-run', message: `There is no run ${runId}.`, remedy: 'None.' }));
  }

  runs(): readonly RunView[] {
    return this.sessionList.flatMap((session) => session.runs);
  }

  async devices(): Promise<Result<readonly VfioDevice[], Refusal>> {
    return ok([]);
  }

  addTarget(): Result<void, Refusal> {
    return ok(undefined);
  }

  async removeTarget(targetId: string): Promise<Result<void, Refusal>> {
    this.targetList = this.targetList.filter(({ id }) => id !== targetId);
    return ok(undefined);
  }

  sessions(): readonly SessionSource[] {
    return this.sessionList;
  }

  session(targetId: string): Promise<Result<SessionSource, Refusal>> {
    return Promise.resolve(this.#onTarget(targetId, ok(this.session1)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
    for (const run of this.runs()) await this.stopRun(run.id);
  }

  #onTarget<T>(targetId: string, answer: Result<T, Refusal>): Result<T, Refusal> {
    if (this.targetList.some(({ id }) => id === targetId)) return answer;
    return err({ kind: 'unknown-target', message: `There is no target ${targetId}.`, remedy: 'GET /api/v1/targets.' });
  }

  #change(runId: string, change: (run: RunView) => Partial<RunView>): RunView | undefined {
    const { runs } = this.session1;
    const position = runs.findIndex(({ id }) => id === runId);
    const run = runs[position];
    if (run === undefined) return undefined;
    const changed = { ...run, ...change(run) };
    runs[position] = changed;
    return changed;
  }
}
