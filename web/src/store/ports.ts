/** What the store needs of the world; web/api has it for a real server, main.tsx puts the two together. */
import type {
  ComparableSession,
  ComparisonAnswer,
  BootLab,
  LabMachine,
  LabView,
  LabWorkloadRun,
  Plan,
  Preflight,
  ProbeManifest,
  Problem,
  RecordedSessionView,
  Result,
  RunView,
  RecordedView,
  RecordingsOverview,
  ServerEvents,
  SessionView,
  StartRun,
  StartWorkload,
  TargetView,
  VfioDevice,
} from '@faultline/shared';
import type { FrameClock } from './cadence.ts';

type Answer<T> = Promise<Result<T, Problem>>;

/** Questions and commands. */
export type HttpPort = {
  readonly targets: () => Answer<readonly TargetView[]>;
  readonly probes: () => Answer<readonly ProbeManifest[]>;
  readonly sessions: () => Answer<readonly SessionView[]>;
  readonly preflight: (targetId: string) => Answer<Preflight>;
  readonly plans: (targetId: string) => Answer<readonly Plan[]>;
  readonly startRun: (run: StartRun) => Answer<RunView>;
  readonly stopRun: (runId: string) => Answer<RunView>;
  readonly devices: (targetId: string) => Answer<readonly VfioDevice[]>;
  readonly lab: () => Answer<LabView>;
  readonly bootKernel: (request: BootLab) => Answer<LabMachine>;
  readonly stopMachine: (machineId: string) => Answer<LabMachine>;
  readonly runWorkload: (machineId: string, request: StartWorkload) => Answer<LabWorkloadRun>;
};

type OnBytes = (doneBytes: number, allBytes: number | undefined) => void;

/** Questions and commands about recorded sessions. */
export type RecordingsPort = {
  readonly overview: () => Answer<RecordingsOverview>;
  readonly recording: (id: string) => Answer<RecordedSessionView>;
  readonly view: (id: string, onBytes: OnBytes) => Answer<RecordedView>;
  readonly pin: (id: string, isPinned: boolean) => Answer<RecordedSessionView>;
  readonly edit: (
    id: string,
    edit: { readonly name?: string | null; readonly label?: string | null },
  ) => Answer<RecordedSessionView>;
  readonly mark: (id: string, mark: { readonly text: string; readonly atMs: number }) => Answer<RecordedSessionView>;
  readonly remove: (id: string) => Answer<{ readonly restorableUntilMs: number }>;
  readonly restore: (id: string) => Answer<RecordedSessionView>;
  readonly import: (file: Blob, onBytes: OnBytes) => Answer<RecordedSessionView>;
  readonly export: (
    id: string,
    format: string,
    onBytes: OnBytes,
  ) => Answer<{ readonly blob: Blob; readonly name: string }>;
};

/** Questions about comparisons of recorded sessions; `query` names both sides. */
export type ComparisonsPort = {
  readonly comparable: () => Answer<readonly ComparableSession[]>;
  readonly compare: (query: string) => Answer<ComparisonAnswer>;
  readonly textOf: (query: string, format: string) => Answer<{ readonly text: string; readonly name: string }>;
};

/** What a feed tells. */
export type FeedEvents = ServerEvents & {
  readonly connected: () => void;
  readonly disconnected: (reason: string) => void;
};

/** An open feed. */
export type FeedPort = { readonly resync: () => void; readonly close: () => void };

/** The world. */
export type Ports = {
  readonly http: HttpPort;
  readonly recordings: RecordingsPort;
  readonly comparisons: ComparisonsPort;
  readonly openFeed: (sessionId: string, events: FeedEvents) => FeedPort;
  readonly nowMs: () => number;
  /** Calls back every so often; the answer stops it. */
  readonly every: (intervalMs: number, run: () => void) => () => void;
  readonly frames: FrameClock;
  /** Calls back once the coming frame has been painted. */
  readonly afterPaint: (run: () => void) => void;
};
