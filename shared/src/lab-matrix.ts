/** Border 4: the matrix of comparisons that a server was given, and what of it has been recorded. */
import { type Static, Type } from 'typebox';
import { VerdictSchema } from './comparison-answer.ts';
import { matrixNotesMax } from './limits.ts';

const strict = { additionalProperties: false } as const;
const text = Type.String();

/** What is known of a cell's verdict: it is being made, here it is, or the runs could not be read. */
export const MatrixVerdictSchema = Type.Union([
  Type.Object({ kind: Type.Literal('pending') }, strict),
  Type.Object(
    {
      kind: Type.Literal('judged'),
      verdict: VerdictSchema,
      /** The verdict in words; behind a shut gate with its first reason. */
      sentence: text,
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('failed'), message: text, remedy: text }, strict),
]);
export type MatrixVerdict = Static<typeof MatrixVerdictSchema>;

/** A workload in a kernel: its runs, and how they stand to those of the baseline. */
export const MatrixCellSchema = Type.Object(
  {
    /** Different run numbers of the series that are recorded, of as many as are wanted. */
    runCount: Type.Integer({ minimum: 0 }),
    /** Selects these runs in a comparison: a selection, or ids with commas between them. Absent where there is none. */
    word: Type.Optional(text),
    /** Runs that spoil the verdict or are not counted, and why. */
    notes: Type.Array(text, { maxItems: matrixNotesMax }),
    /** Of a candidate, once it and its baseline have all their runs. */
    verdict: Type.Optional(MatrixVerdictSchema),
  },
  strict,
);
export type MatrixCell = Static<typeof MatrixCellSchema>;

/** GET /api/v1/matrix */
export const LabMatrixSchema = Type.Object(
  {
    /** The file that says it. */
    file: text,
    /** Makes the runs that are missing. */
    command: text,
    /** Runs that each cell shall have. */
    runCount: Type.Integer({ minimum: 1 }),
    /** What the columns are called; the first is the baseline. */
    kernels: Type.Array(text),
    /** Sentences about the store that no cell has room for: sessions that can't be read, and might be runs of any. */
    notes: Type.Array(text, { maxItems: matrixNotesMax }),
    rows: Type.Array(
      Type.Object(
        {
          workload: text,
          barBytes: Type.Integer(),
          isMisaligned: Type.Boolean(),
          /** In the order of the kernels. */
          cells: Type.Array(MatrixCellSchema),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type LabMatrix = Static<typeof LabMatrixSchema>;
