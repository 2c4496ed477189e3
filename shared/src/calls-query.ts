/** GET /api/v1/recordings/:id/calls: what is asked of the calls of a recorded session, and the answer. */
import { type Static, Type } from 'typebox';
import { callsFiltersMax } from './limits.ts';
import { UnitSchema } from './probe-manifest.ts';

const strict = { additionalProperties: false } as const;
/** Digits of a whole number in a query. */
export const wholeNumber = (digits: number) => Type.String({ pattern: `^[0-9]{1,${digits}}$` });
const instant = Type.String({ pattern: '^[0-9]{1,15}(?:\\.[0-9]{1,6})?$' });

/** `column:operator:value`; the operators are those of callsOperators. */
const filter = Type.String({ pattern: '^[a-zA-Z_]{1,41}[a-zA-Z0-9_]*:[a-z]{2,3}:', maxLength: 400 });

/** How a column is compared. Texts: eq, ne, has (holds it, in whatever case). Numbers: eq, ne, lt, le, gt, ge. */
export const callsOperators = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'has'] as const;
export type CallsOperator = (typeof callsOperators)[number];

/** What calls and counters are selected by. */
export const selection = {
  /** Index of a run. */
  run: Type.Optional(wholeNumber(2)),
  /** Server's wall clock, epoch ms: fromMs <= atMs < toMs. */
  fromMs: Type.Optional(instant),
  toMs: Type.Optional(instant),
  /** Some text column holds it, in whatever case. */
  text: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  /** All of them must hold. */
  filter: Type.Optional(Type.Union([filter, Type.Array(filter, { maxItems: callsFiltersMax })])),
};

export const CallsQuerySchema = Type.Object(
  {
    ...selection,
    /** A column, with - in front from the largest down. Without: as they came. */
    order: Type.Optional(Type.String({ pattern: '^-?[a-zA-Z][a-zA-Z0-9_]{0,41}$' })),
    limit: Type.Optional(wholeNumber(4)),
    offset: Type.Optional(wholeNumber(9)),
  },
  strict,
);
export type CallsQuery = Static<typeof CallsQuerySchema>;

export const CallsCountsQuerySchema = Type.Object(
  { ...selection, by: Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9_]{0,41}$' }), limit: Type.Optional(wholeNumber(4)) },
  strict,
);
export type CallsCountsQuery = Static<typeof CallsCountsQuerySchema>;

/** What is absent in a row (another stream has that column) is null. */
export const CallsValueSchema = Type.Union([Type.String(), Type.Number(), Type.Null()]);

export const CallsAnswerSchema = Type.Object(
  {
    /** Calls that are selected, not only those of this answer. */
    total: Type.Integer(),
    columns: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          type: Type.Union([Type.Literal('text'), Type.Literal('number')]),
          title: Type.Optional(Type.String()),
          unit: Type.Optional(UnitSchema),
        },
        strict,
      ),
    ),
    rows: Type.Array(Type.Array(CallsValueSchema)),
  },
  strict,
);
export type CallsAnswer = Static<typeof CallsAnswerSchema>;

export const CallsCountsSchema = Type.Object(
  {
    total: Type.Integer(),
    /** How many different values there are; `groups` has the most frequent. */
    groupCount: Type.Integer(),
    groups: Type.Array(Type.Object({ value: CallsValueSchema, count: Type.Integer() }, strict)),
  },
  strict,
);
export type CallsCounts = Static<typeof CallsCountsSchema>;
