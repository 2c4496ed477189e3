/**
 * Border 3: a recorded session on disk, a folder with manifest.json (what it is) and journal.jsonl (what happened, one
 * line a tick). A change here is a change of the format: a new version, and an upgrader from the old one.
 */
import { type Static, Type } from 'typebox';
import { StreamSchema } from './probe-manifest.ts';
import { CellEntrySchema } from './protocol.ts';
import { LedgerSchema, RunViewSchema } from './run.ts';
import { TargetViewSchema } from './target.ts';

const strict = { additionalProperties: false } as const;
const count = Type.Integer({ minimum: 0 });
const atMs = Type.Number({ minimum: 0 });

/**
 * The version of the format that this Faultline writes; it reads this one and older ones.
 * 2: the manifest may say how the run was set up (`setup`), and what follows from the journal lies beside it.
 */
export const sessionFormatVersion = 2;

/** Names of the two files of a session's folder. */
export const sessionFiles = { manifest: 'manifest.json', journal: 'journal.jsonl' } as const;

/** Names of the files that are made of a journal when a session has been closed, and made again where they lack or are torn. */
export const derivedFiles = {
  totals: 'totals.json',
  calls: 'calls.parquet',
  counters: 'counters.parquet',
  view: 'view.bin',
} as const;

/** An id is a folder's name: no separators, no leading dot. */
export const recordingIdPattern = '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,119}$';
export const RecordingIdSchema = Type.String({ pattern: recordingIdPattern });

/** What a person may write on a session; control characters (but tabs and line feeds) are refused. */
const line = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]*$' });
export const SessionNameSchema = line(120);
export const SessionNoteSchema = Type.Object({ atMs, text: line(4_000) }, strict);
export type SessionNote = Static<typeof SessionNoteSchema>;

/** What a workload may be told and may say of itself; bounded, since it is kept in every list of sessions. */
const word = (maxLength: number) => Type.String({ maxLength, pattern: '^[^\\u0000-\\u001f\\u007f]*$' });
export const SetupWorkloadSchema = Type.Object(
  {
    name: word(120),
    /** As it was started, without the program's own name. */
    arguments: Type.Array(word(1_000), { maxItems: 64 }),
    /** How much of the device's BAR it used. */
    barBytes: Type.Optional(count),
    isMisaligned: Type.Optional(Type.Boolean()),
    threads: Type.Optional(count),
    repetitions: Type.Optional(count),
  },
  strict,
);
export type SetupWorkload = Static<typeof SetupWorkloadSchema>;

/** What was run on what, for those who put runs side by side; only what is known is there. */
export const SessionSetupSchema = Type.Object(
  {
    /** The kernel by its name in the lab's list, or its folder; elsewhere its release. */
    build: Type.Optional(word(1_000)),
    /** Where the build has a module of its own: which, of what base, with which patch, and its digest. */
    module: Type.Optional(word(300)),
    /** How a guest was run; absent on real hardware, and where it is not known. */
    accelerator: Type.Optional(Type.Union([Type.Literal('kvm'), Type.Literal('tcg')])),
    /** Absent too where several different ones ran: then the session is no run of any of them. */
    workload: Type.Optional(SetupWorkloadSchema),
    /** Runs that belong together have one series, and are numbered in it from 1. */
    series: Type.Optional(word(120)),
    runNumber: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    /** The PCI address of the device that was worked on. */
    device: Type.Optional(word(40)),
    /** The last thing the workload said it did, field by field. */
    printed: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9_]{0,59}$' }),
        Type.Union([Type.Number(), Type.Boolean(), word(200)]),
        { ...strict, maxProperties: 64 },
      ),
    ),
  },
  strict,
);
export type SessionSetup = Static<typeof SessionSetupSchema>;

/** The process that records a live session: a pid alone may be somebody else's by now. */
export const ProcessOwnerSchema = Type.Object(
  {
    pid: Type.Integer({ minimum: 1 }),
    /** Field 22 of /proc/PID/stat. */
    startTicks: count,
    bootId: Type.String({ maxLength: 64 }),
  },
  strict,
);
export type ProcessOwner = Static<typeof ProcessOwnerSchema>;

/** One run with all that is needed to read its figures without the probe's folder. */
export const RecordedRunSchema = Type.Object(
  {
    view: RunViewSchema,
    stream: StreamSchema,
    /** SHA-256 of the .bt file, hex. */
    scriptDigest: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  },
  strict,
);
export type RecordedRun = Static<typeof RecordedRunSchema>;

/** Why recording ended before tracing did. */
export const RecordingStopSchema = Type.Object(
  {
    kind: Type.Union([
      Type.Literal('disk-full'),
      Type.Literal('disk-error'),
      Type.Literal('disk-slow'),
      Type.Literal('session-bytes'),
      Type.Literal('session-age'),
      Type.Literal('store-bytes'),
    ]),
    message: Type.String({ maxLength: 1_000 }),
    atMs,
  },
  strict,
);
export type RecordingStop = Static<typeof RecordingStopSchema>;

/** What the journal holds, counted. */
export const HeldSchema = Type.Object(
  {
    tickCount: count,
    /** Printed events. */
    callCount: count,
    /** Events of tallies: what their ledger calls recorded. */
    eventCount: count,
    journalBytes: count,
  },
  strict,
);
export type Held = Static<typeof HeldSchema>;

export const SessionManifestSchema = Type.Object(
  {
    formatVersion: Type.Literal(sessionFormatVersion),
    id: RecordingIdSchema,
    /** Version of the Faultline that recorded. */
    faultline: Type.String({ maxLength: 40 }),
    /** live: being recorded by `owner`. interrupted: its owner died; the journal says how far it came. */
    state: Type.Union([Type.Literal('live'), Type.Literal('closed'), Type.Literal('interrupted')]),
    owner: Type.Optional(ProcessOwnerSchema),
    createdAtMs: atMs,
    /** Of the last tick that is held. */
    lastAtMs: atMs,
    target: TargetViewSchema,
    name: Type.Optional(SessionNameSchema),
    label: Type.Optional(SessionNameSchema),
    workload: Type.Optional(SessionNameSchema),
    setup: Type.Optional(SessionSetupSchema),
    notes: Type.Array(SessionNoteSchema, { maxItems: 1_000 }),
    /** Moments on the time line, by the server's wall clock. */
    marks: Type.Array(SessionNoteSchema, { maxItems: 1_000 }),
    isPinned: Type.Boolean(),
    runs: Type.Array(RecordedRunSchema, { maxItems: 64 }),
    /** Of all runs together. */
    ledger: LedgerSchema,
    held: HeldSchema,
    stop: Type.Optional(RecordingStopSchema),
    /** What was done to a session whose owner had died. */
    interruption: Type.Optional(
      Type.Object({ message: Type.String({ maxLength: 1_000 }), discardedBytes: count }, strict),
    ),
  },
  strict,
);
export type SessionManifest = Static<typeof SessionManifestSchema>;

const uint32 = Type.Integer({ minimum: 0, maximum: 0xff_ff_ff_ff });
const ns = Type.Number({ minimum: 0 });

/** First line of a journal. */
export const JournalHeadSchema = Type.Object(
  {
    kind: Type.Literal('faultline-journal'),
    formatVersion: Type.Literal(sessionFormatVersion),
    session: RecordingIdSchema,
    faultline: Type.String({ maxLength: 40 }),
    createdAtMs: atMs,
    target: TargetViewSchema,
  },
  strict,
);
export type JournalHead = Static<typeof JournalHeadSchema>;

/** One run's part of a tick; what is empty is left out. Columns of calls are in the order of the stream's manifest. */
export const JournalSliceSchema = Type.Object(
  {
    run: Type.Integer({ minimum: 0, maximum: 63 }),
    fromNs: ns,
    toNs: ns,
    newCells: Type.Optional(Type.Array(CellEntrySchema)),
    cells: Type.Optional(Type.Array(uint32)),
    deltas: Type.Optional(Type.Array(Type.Number())),
    /** Texts of the run are numbered from 0 in order of appearance; these follow on from the earlier ones. */
    newTexts: Type.Optional(Type.Array(Type.String())),
    calls: Type.Optional(Type.Array(Type.Array(Type.Number()))),
  },
  strict,
);
export type JournalSlice = Static<typeof JournalSliceSchema>;

/** Every line after the first. */
export const JournalLineSchema = Type.Union([
  /** A run that was started; its index is the number of run lines before it. */
  Type.Object({ kind: Type.Literal('run'), run: RecordedRunSchema }, strict),
  Type.Object(
    {
      kind: Type.Literal('tick'),
      seq: count,
      atMs,
      hasStateChange: Type.Optional(Type.Literal(true)),
      slices: Type.Array(JournalSliceSchema, { maxItems: 64 }),
    },
    strict,
  ),
  /** State, ledger and findings of runs that changed; at once with a state, within a second with mere counts. */
  Type.Object({ kind: Type.Literal('views'), atMs, runs: Type.Array(RunViewSchema, { maxItems: 64 }) }, strict),
  /** The session was closed in order, or its recording stopped. */
  Type.Object({ kind: Type.Literal('end'), atMs, stop: Type.Optional(RecordingStopSchema) }, strict),
]);
export type JournalLine = Static<typeof JournalLineSchema>;

/** totals.json: what a journal adds up to. It holds for the journal of this very size, and for files beside it of these sizes. */
export const SessionTotalsSchema = Type.Object(
  {
    kind: Type.Literal('faultline-totals'),
    formatVersion: Type.Literal(sessionFormatVersion),
    journalBytes: count,
    tables: Type.Object({ callsBytes: count, countersBytes: count }, strict),
    /** The answer to GET …/view, and the protocol it speaks: a page of another one gets it made anew. */
    view: Type.Object({ bytes: count, protocolVersion: count }, strict),
    /** Of the last tick. */
    lastAtMs: atMs,
    tickCount: count,
    /** Why the journal can't be read to its end, where it can't. */
    damage: Type.Optional(Type.String()),
    /** In the order of the manifest's runs. */
    runs: Type.Array(
      Type.Object(
        {
          /** Kernel time that is covered: from READY to the last whole snapshot. */
          fromNs: ns,
          toNs: ns,
          callCount: count,
          /** By cell, as the journal numbers them; latency buckets are cells too. */
          cells: Type.Array(CellEntrySchema),
          totals: Type.Array(Type.Number()),
        },
        strict,
      ),
      { maxItems: 64 },
    ),
  },
  strict,
);
export type SessionTotals = Static<typeof SessionTotalsSchema>;

/** One session of a store, as a list shows it; what can't be read has a `problem` and nothing else. */
export const RecordedSessionSchema = Type.Object(
  {
    id: Type.String(),
    bytes: count,
    /** Being recorded by a living process. */
    isLive: Type.Boolean(),
    problem: Type.Optional(Type.String()),
    manifest: Type.Optional(SessionManifestSchema),
  },
  strict,
);
export type RecordedSessionView = Static<typeof RecordedSessionSchema>;

/** PATCH /api/v1/recordings/:id: what is null is taken away. */
export const RenameSchema = Type.Object(
  {
    name: Type.Optional(Type.Union([SessionNameSchema, Type.Null()])),
    label: Type.Optional(Type.Union([SessionNameSchema, Type.Null()])),
  },
  strict,
);

/** POST /api/v1/recordings/:id/notes */
export const AddNoteSchema = Type.Object({ text: SessionNoteSchema.properties.text }, strict);

/** PATCH /api/v1/recordings/:id/notes: the note of that time says something else, or is taken away where it says null. */
export const EditNoteSchema = Type.Object(
  { atMs, text: Type.Union([SessionNoteSchema.properties.text, Type.Null()]) },
  strict,
);

/** POST /api/v1/recordings/:id/marks: now, or at a time of the server's wall clock, epoch ms. */
export const AddMarkSchema = Type.Object(
  { text: SessionNoteSchema.properties.text, atMs: Type.Optional(atMs) },
  strict,
);

/** DELETE /api/v1/recordings/:id */
export const RemovedSessionSchema = Type.Object({ id: RecordingIdSchema, restorableUntilMs: atMs }, strict);

/** How much a store may hold; PATCH /api/v1/store takes any of them. */
const bound = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const StoreLimitsSchema = Type.Object(
  {
    /** All sessions together. */
    bytesMax: bound,
    /** Since a session's last tick. */
    ageMaxMs: bound,
    /** One session, after which its recording stops; holds for those that begin from then on. */
    sessionBytesMax: bound,
    sessionAgeMaxMs: bound,
  },
  strict,
);
export type StoreLimits = Static<typeof StoreLimitsSchema>;

/** GET /api/v1/store */
export const StoreViewSchema = Type.Object(
  {
    bytes: count,
    /** Of these: removed sessions that can still be restored. */
    removedBytes: count,
    sessionCount: count,
    pinnedBytes: count,
    limits: StoreLimitsSchema,
    /** Those of the limits that were given when the server was started; they can't be set until it is started without them. */
    fixed: Type.Array(
      Type.Union([
        Type.Literal('bytesMax'),
        Type.Literal('ageMaxMs'),
        Type.Literal('sessionBytesMax'),
        Type.Literal('sessionAgeMaxMs'),
      ]),
    ),
  },
  strict,
);
export type StoreView = Static<typeof StoreViewSchema>;

/** GET /api/v1/store/preview: what setting bounds would take away at this moment, the oldest session first. */
export const StorePreviewSchema = Type.Object(
  {
    /** Ids, and what they take. */
    sessions: Type.Array(Type.String()),
    bytes: count,
    /** Of removed sessions that could then no longer be restored. */
    forgottenBytes: count,
    /** What is still too much then, all of it pinned or being recorded: recording stops. */
    excessBytes: count,
  },
  strict,
);
export type StorePreview = Static<typeof StorePreviewSchema>;

/** POST /api/v1/recordings/:id/pin */
export const PinSchema = Type.Object({ isPinned: Type.Boolean() }, strict);
