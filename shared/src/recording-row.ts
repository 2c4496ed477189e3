/** Recorded sessions as a list shows them: what one looks for, without what one needs only to read one. */
import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false } as const;
const count = Type.Integer({ minimum: 0 });
const text = Type.String();

/** What a journal says that its manifest does not; counted once, after the session has ended. */
export const RecordingFactsSchema = Type.Object(
  {
    /** Of vfio where it was traced, page faults otherwise. */
    faultCount: Type.Optional(count),
    faultKind: Type.Optional(Type.Union([Type.Literal('vfio'), Type.Literal('page')])),
    /** Absent where nobody checked. */
    violationCount: Type.Optional(count),
  },
  strict,
);
export type RecordingFacts = Static<typeof RecordingFactsSchema>;

/** One session; of what cannot be read there is `problem`, `id` and `bytes` alone. */
export const RecordingRowSchema = Type.Object(
  {
    id: text,
    bytes: count,
    isLive: Type.Boolean(),
    problem: Type.Optional(text),
    session: Type.Optional(
      Type.Object(
        {
          state: Type.Union([Type.Literal('live'), Type.Literal('closed'), Type.Literal('interrupted')]),
          createdAtMs: Type.Number(),
          lastAtMs: Type.Number(),
          name: Type.Optional(text),
          label: Type.Optional(text),
          workload: Type.Optional(text),
          /** As comparisons name it, and what its module is where it has one of its own. */
          build: text,
          module: Type.Optional(text),
          isPinned: Type.Boolean(),
          targetKind: text,
          targetTitle: text,
          hostname: Type.Optional(text),
          release: Type.Optional(text),
          isEmulated: Type.Boolean(),
          probes: Type.Array(text),
          recordedCount: count,
          lostCount: count,
          isComplete: Type.Boolean(),
          noteCount: count,
          markCount: count,
          stop: Type.Optional(text),
        },
        strict,
      ),
    ),
    /** Absent while it is still to be counted, or where it would take too long. */
    facts: Type.Optional(RecordingFactsSchema),
  },
  strict,
);
export type RecordingRow = Static<typeof RecordingRowSchema>;

/** GET /api/v1/recordings-overview */
export const RecordingsOverviewSchema = Type.Object(
  {
    rows: Type.Array(RecordingRowSchema),
    /** What all of them take, and what they may; absent where the server sets no bound. */
    usedBytes: count,
    bytesMax: Type.Optional(count),
    ageMaxMs: Type.Optional(count),
    /** What one session may take, and how long it may last; absent where the server sets no bound. */
    sessionBytesMax: Type.Optional(count),
    sessionAgeMaxMs: Type.Optional(count),
    /** Names of the formats that sessions can be exported in. */
    formats: Type.Array(text),
  },
  strict,
);
export type RecordingsOverview = Static<typeof RecordingsOverviewSchema>;
