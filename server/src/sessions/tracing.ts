/** What the faces of the server (HTTP, socket, command line) may ask of tracing. Implemented by Tracer and Session. */
import type {
  Plan,
  Preflight,
  ProbeManifest,
  RecordSummary,
  Result,
  RunSummary,
  RunView,
  SessionView,
  StartRun,
  TargetView,
  VfioDevice,
} from '@faultline/shared';
import type { Target } from '../targets/target.ts';
import type { Refusal } from './refusal.ts';
import type { RunTotals, Tick } from './tick.ts';

/** One live session. Listeners are called once a tick, synchronously; they must not throw. */
export interface SessionSource {
  readonly id: string;
  view(): SessionView;
  /** Number of the newest closed tick; 0 before the first. */
  readonly seq: number;
  /** Ticks with fromSeq <= seq, oldest first; undefined when the first is no longer kept. */
  ticksFrom(fromSeq: number): readonly Tick[] | undefined;
  /** Ticks of the last `ms` milliseconds that are kept, oldest first. */
  recentTicks(ms: number): readonly Tick[];
  totals(): readonly RunTotals[];
  /** The types of a run's call columns, in order; empty for tallies. */
  callTypes(run: number): readonly ('timeNs' | 'u8' | 'u16' | 'u32' | 'f64' | 'text')[];
  onTick(listener: (tick: Tick) => void): () => void;
  summary(): RecordSummary;
  runSummary(runId: string): Result<RunSummary, Refusal>;
}

/** All targets, probes and sessions of this server. */
export interface Tracing extends AsyncDisposable {
  targets(): Promise<readonly TargetView[]>;
  /** Takes one more target in (a guest, a machine over ssh); it is then disposed of by the tracer. */
  addTarget(target: Target): Result<void, Refusal>;
  /** Ends what is traced on a target, and the target; its session is gone then. */
  removeTarget(targetId: string): Promise<Result<void, Refusal>>;
  probes(): readonly ProbeManifest[];
  preflight(targetId: string): Promise<Result<Preflight, Refusal>>;
  /** Devices of a target that are bound to vfio-pci. */
  devices(targetId: string): Promise<Result<readonly VfioDevice[], Refusal>>;
  plans(targetId: string): Promise<Result<readonly Plan[], Refusal>>;
  /** Starts one run; resolves as soon as the process was started (state `starting`), not when it is READY. */
  startRun(request: StartRun): Promise<Result<RunView, Refusal>>;
  /** Resolves when the run has ended (stopped or failed). Stopping an ended run answers `not-running`. */
  stopRun(runId: string): Promise<Result<RunView, Refusal>>;
  runs(): readonly RunView[];
  /** Sessions, the oldest first: one a target, made with the target's first run or first look at it. */
  sessions(): readonly SessionSource[];
  /** The session of a target; made when there is none yet. */
  session(targetId: string): Promise<Result<SessionSource, Refusal>>;
}
