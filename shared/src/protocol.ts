/**
 * Borders 4 and 5: what goes over HTTP and over the socket. Commands go by HTTP; the socket carries only what the
 * server has to say, and the client's acknowledgement of frames.
 */
import { type Static, Type } from 'typebox';
import { LedgerSchema, RunViewSchema } from './run.ts';
import { TargetIdentitySchema, TargetViewSchema } from './target.ts';

const strict = { additionalProperties: false } as const;

/** Version of the socket's frames; a page of another version is told to reload. */
export const protocolVersion = 1;

/** What becomes of a live session on disk; absent where it is not recorded. */
export const RecordingViewSchema = Type.Object(
  {
    id: Type.String(),
    /** stopped: tracing goes on, nothing more is written, and `problem` says why. */
    state: Type.Union([Type.Literal('recording'), Type.Literal('stopped')]),
    journalBytes: Type.Integer({ minimum: 0 }),
    problem: Type.Optional(Type.String()),
  },
  strict,
);
export type RecordingView = Static<typeof RecordingViewSchema>;

/** One live session: everything traced on one target since the server began with it. */
export const SessionViewSchema = Type.Object(
  {
    id: Type.String(),
    target: TargetViewSchema,
    startedAtMs: Type.Number(),
    /** CPU the server process uses, share of one CPU over the last second. */
    serverCpuShare: Type.Optional(Type.Number()),
    serverMemoryBytes: Type.Optional(Type.Number()),
    recording: Type.Optional(RecordingViewSchema),
    runs: Type.Array(RunViewSchema),
  },
  strict,
);
export type SessionView = Static<typeof SessionViewSchema>;

/** POST /api/v1/runs */
export const StartRunSchema = Type.Object(
  {
    targetId: Type.String({ minLength: 1, maxLength: 100 }),
    probe: Type.String({ pattern: '^[a-z][a-z0-9-]{0,39}$' }),
    stream: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9-]{0,39}$' })),
    parameters: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-zA-Z0-9]{0,39}$' }),
        Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
        // A record's pattern alone lets every other name through, unchecked.
        strict,
      ),
    ),
  },
  strict,
);
export type StartRun = Static<typeof StartRunSchema>;

/** What every HTTP error says. */
export const ProblemSchema = Type.Object(
  { error: Type.String(), message: Type.String(), remedy: Type.Optional(Type.String()) },
  strict,
);
export type Problem = Static<typeof ProblemSchema>;

/** A key of a map, decoded: dimension name → word or number. A bucket is the number under `bucket`. */
export const DimsSchema = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]));
export type Dims = Static<typeof DimsSchema>;

/** Distribution of a bucketed metric; every quantile within 3.125 %. Times in ns. */
export const DistributionSchema = Type.Object(
  {
    metric: Type.String(),
    dims: DimsSchema,
    count: Type.Integer(),
    p50: Type.Optional(Type.Number()),
    p90: Type.Optional(Type.Number()),
    p99: Type.Optional(Type.Number()),
    p999: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
  },
  strict,
);
export type Distribution = Static<typeof DistributionSchema>;

/** The cumulative figures of one run: what `record` prints, what GET /runs/:id/summary says, what the page's tables show. */
export const RunSummarySchema = Type.Object(
  {
    run: RunViewSchema,
    /** Kernel time covered, ns. */
    durationNs: Type.Number(),
    totals: Type.Array(
      Type.Object(
        { metric: Type.String(), unit: Type.String(), kind: Type.String(), dims: DimsSchema, value: Type.Number() },
        strict,
      ),
    ),
    distributions: Type.Array(DistributionSchema),
  },
  strict,
);
export type RunSummary = Static<typeof RunSummarySchema>;

/** The whole answer of `faultline record --json`. */
export const RecordSummarySchema = Type.Object(
  {
    faultline: Type.String(),
    target: Type.Object(
      { id: Type.String(), kind: Type.String(), identity: Type.Optional(TargetIdentitySchema) },
      strict,
    ),
    startedAtMs: Type.Number(),
    /** Under which id it is in the store; absent where it is not recorded. */
    recordingId: Type.Optional(Type.String()),
    isComplete: Type.Boolean(),
    ledger: LedgerSchema,
    runs: Type.Array(RunSummarySchema),
  },
  strict,
);
export type RecordSummary = Static<typeof RecordSummarySchema>;

/** A newly seen cell: its number in the run, the metric and the decoded key. */
export const CellEntrySchema = Type.Object(
  { cell: Type.Integer({ minimum: 0 }), metric: Type.String(), dims: DimsSchema },
  strict,
);
export type CellEntry = { readonly cell: number; readonly metric: string; readonly dims: Dims };

/** The part of a frame that belongs to one run. The binary part holds, in this order of slices, the columns. */
export type FrameSlice = {
  readonly run: number;
  /** Kernel clock: the deltas happened after fromNs, up to toNs. Equal where only calls came. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly newCells: readonly CellEntry[];
  /** Number of (cell u32, delta f64) pairs. */
  readonly cellCount: number;
  /** Texts first used in this frame; their numbers follow on from the run's earlier ones. */
  readonly newTexts: readonly string[];
  readonly firstText: number;
  /** Number of calls; columns as the manifest says (text columns as u16 numbers of texts). */
  readonly callCount: number;
};

/** What goes with each frame's bytes. */
export type FrameHeader = {
  readonly seq: number;
  /** The first tick this frame holds: less than seq when the client was slow and ticks were merged for it. */
  readonly fromSeq: number;
  readonly atMs: number;
  readonly slices: readonly FrameSlice[];
  /** Present when anything but figures changed, and in every tenth frame. */
  readonly session?: SessionView;
  /** What this client missed so far: calls not sent to it, ticks merged for it. */
  readonly clientDroppedCalls: number;
  readonly clientMergedTicks: number;
};

/** First message to a client: the whole dictionary with cumulative values, the runs, and recent history. */
export type Snapshot = {
  readonly protocolVersion: number;
  readonly serverVersion: string;
  readonly session: SessionView;
  /** Encoded like a frame: cumulative values at tick `header.seq` and the calls kept. */
  readonly header: FrameHeader;
  readonly bytes: ArrayBuffer | Uint8Array;
  /**
   * Ticks before and up to header.seq, oldest first; deltas for the charts, not to be added to the totals. Figures only:
   * calls and dictionaries are in the snapshot itself. Their bytes lie one after the other in historyBytes, because
   * socket.io-parser 4.2.7 refuses a message of more than 10 attachments.
   */
  readonly history: readonly { readonly header: FrameHeader; readonly byteLength: number }[];
  readonly historyBytes: ArrayBuffer | Uint8Array;
};

/** Server to browser. The callback is the acknowledgement that gives the next frame its credit. */
export type ServerEvents = {
  snapshot: (snapshot: Snapshot, received: () => void) => void;
  frame: (header: FrameHeader, bytes: ArrayBuffer | Uint8Array, received: () => void) => void;
  /** The session is gone or the client must not go on. */
  refused: (problem: Problem) => void;
};

/** Browser to server: a resync request is the only thing it may say. */
export type ClientEvents = { resync: () => void };

/** socket.io handshake `auth`. */
export const HandshakeSchema = Type.Object(
  {
    sessionId: Type.Optional(Type.String({ maxLength: 100 })),
    token: Type.Optional(Type.String({ maxLength: 200 })),
    protocolVersion: Type.Optional(Type.Integer()),
  },
  strict,
);
export type Handshake = Static<typeof HandshakeSchema>;
