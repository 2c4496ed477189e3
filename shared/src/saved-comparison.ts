/** A comparison that was saved: which sessions its sides were made of, and what a person wrote on it. A file of the store, and border 4. */
import { type Static, Type } from 'typebox';
import { compareRunsMax, compareSidesMax, savedComparisonNotesMax } from './compare/limits.ts';
import { formatPlural } from './format.ts';
import { RecordingIdSchema, SessionNameSchema, SessionNoteSchema } from './session-file.ts';

const strict = { additionalProperties: false } as const;
const atMs = Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** The version of the file's format. */
export const savedComparisonVersion = 1;

/** An id is a part of a file's name and of an address. */
export const savedComparisonIdPattern = '^[0-9a-f]{12}$';
export const SavedComparisonIdSchema = Type.String({ pattern: savedComparisonIdPattern });

const title = Type.String({ minLength: 1, maxLength: 400 });

/** A metric that judges it, and the share within which a difference is none. */
const judging = {
  metrics: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 60 }), { maxItems: 100 })),
  marginShare: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
};

const told = {
  id: SavedComparisonIdSchema,
  name: SessionNameSchema,
  createdAtMs: atMs,
  notes: Type.Array(SessionNoteSchema, { maxItems: savedComparisonNotesMax }),
};

/** The file. The first side is the baseline. */
export const SavedComparisonSchema = Type.Object(
  {
    formatVersion: Type.Literal(savedComparisonVersion),
    ...told,
    ...judging,
    sides: Type.Array(
      Type.Object(
        {
          title,
          sessions: Type.Array(
            Type.Object(
              {
                id: RecordingIdSchema,
                /** SHA-256 of the length of its journal and of its first and last journalEndBytes. */
                digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
              },
              strict,
            ),
            { minItems: 1, maxItems: compareRunsMax },
          ),
        },
        strict,
      ),
      { minItems: 2, maxItems: compareSidesMax },
    ),
  },
  strict,
);
export type SavedComparison = Static<typeof SavedComparisonSchema>;

/** What is told of it: each session is here as it was, missing, or another one under the same id. */
export const SavedComparisonViewSchema = Type.Object(
  {
    ...told,
    sides: Type.Array(
      Type.Object(
        {
          title,
          sessions: Type.Array(
            Type.Object(
              {
                id: Type.String(),
                state: Type.Union([Type.Literal('here'), Type.Literal('missing'), Type.Literal('changed')]),
              },
              strict,
            ),
          ),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type SavedComparisonView = Static<typeof SavedComparisonViewSchema>;

/** Who its sides are, and how many of their sessions are gone: "6.12 against 6.1; 2 sessions missing". */
export function savedSidesWords({ sides }: Pick<SavedComparisonView, 'sides'>): string {
  const [baseline, ...candidates] = sides;
  const titles = candidates.map(({ title }) => title).join(', ');
  const gone = sides.flatMap(({ sessions }) => sessions).filter(({ state }) => state === 'missing').length;
  const missing = gone === 0 ? '' : `; ${formatPlural(gone, 'session')} missing`;
  return `${titles} against ${baseline?.title ?? ''}${missing}`;
}

/** One line of the list, or a file that can't be read, and why. */
export const SavedComparisonEntrySchema = Type.Union([
  SavedComparisonViewSchema,
  Type.Object({ id: Type.String(), problem: Type.String() }, strict),
]);
export type SavedComparisonEntry = Static<typeof SavedComparisonEntrySchema>;

/** PATCH /api/v1/comparisons/:id */
export const RenameComparisonSchema = Type.Object({ name: SessionNameSchema }, strict);

/** DELETE /api/v1/comparisons/:id */
export const RemovedComparisonSchema = Type.Object({ id: SavedComparisonIdSchema }, strict);
