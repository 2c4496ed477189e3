/** GET /api/v1/recordings/:id/counters: one metric of a recorded session over time, by a dimension. */
import { type Static, Type } from 'typebox';
import { CallsValueSchema, selection, wholeNumber } from './calls-query.ts';

const strict = { additionalProperties: false } as const;
const column = Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9_]{0,41}$' });
const { text: _, ...withoutText } = selection;

export const CountersQuerySchema = Type.Object(
  {
    ...withoutText,
    metric: column,
    /** A dimension: a series for each of its values, those with the largest sums. */
    by: Type.Optional(column),
    /** How wide a bin is; whole ms. About 300 bins where it is not said. */
    binMs: Type.Optional(wholeNumber(9)),
    limit: Type.Optional(wholeNumber(3)),
  },
  strict,
);
export type CountersQuery = Static<typeof CountersQuerySchema>;

export const CountersAnswerSchema = Type.Object(
  {
    /** What all that is selected adds up to, not only the groups of this answer. */
    total: Type.Number(),
    /** Where the first bin begins, epoch ms of the server's wall clock, and how wide each is. */
    fromMs: Type.Number(),
    binMs: Type.Integer(),
    binCount: Type.Integer(),
    /** How many different values there are; `groups` has those with the largest sums. */
    groupCount: Type.Integer(),
    groups: Type.Array(
      Type.Object(
        {
          /** Null where nothing was asked for by, or cells lack that dimension. */
          value: CallsValueSchema,
          total: Type.Number(),
          /** What was counted in each bin; by the second when divided by binMs / 1000. */
          deltas: Type.Array(Type.Number()),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type CountersAnswer = Static<typeof CountersAnswerSchema>;
