/** The matrix of comparisons over HTTP: what the file of this server says, and what is recorded of it. Read only; no request can name a file. */
import {
  formatExact,
  formatPlural,
  type LabMatrix,
  LabMatrixSchema,
  type MatrixVerdict,
  ProblemSchema,
} from '@faultline/shared';
import { Type } from 'typebox';
import { kernelTitles } from '../lab/kernel-words.ts';
import { readMatrixFile } from '../lab/matrix.ts';
import { type GridCell, type GridRow, matrixGrid } from '../lab/matrix-grid.ts';
import { faultPathRuns } from '../lab/open-guest.ts';
import type { Library } from '../sessions/library.ts';
import type { Tracing } from '../sessions/tracing.ts';
import { shellWord } from '../targets/ssh-command.ts';
import { RefusedError } from './errors.ts';
import type { App } from './fastify.ts';
import { MatrixVerdicts } from './matrix-verdicts.ts';

/** Adds GET /api/v1/matrix, which tells of the matrix in `file`, an absolute path; it is read at every request. */
export function addMatrixRoute(app: App, library: Library, tracing: Tracing, file: string): void {
  const book = new MatrixVerdicts();
  app.get(
    '/matrix',
    {
      schema: {
        tags: ['compare'],
        summary:
          'The matrix of comparisons that this server was given: how many runs of each cell are recorded, and their verdicts. A verdict that is pending is being made: ask again',
        querystring: Type.Object({}, { additionalProperties: false }),
        response: { 200: LabMatrixSchema, '4xx': ProblemSchema, '5xx': ProblemSchema },
      },
    },
    async (): Promise<LabMatrix> => {
      const plans = await readMatrixFile(file);
      if (!plans.ok) throw new RefusedError({ kind: 'matrix-problem', ...plans.error });
      const entries = library.list();
      const sessions = entries.flatMap(({ folder, manifest }) =>
        manifest === undefined ? [] : [{ folder, manifest }],
      );
      const unreadable = entries.filter(({ manifest }) => manifest === undefined);
      const grid = matrixGrid(plans.value, sessions, faultPathRuns(tracing.probes()));
      const verdicts = book.of(grid);
      const [first] = grid;
      return {
        file,
        command: `faultline lab compare --matrix ${shellWord(file)} --store ${shellWord(library.folder)}`,
        runCount: first?.plan.runCount ?? 1,
        kernels: [...kernelTitles(first?.plan.kernels ?? [])],
        notes: unreadable.length === 0 ? [] : [unreadableNote(unreadable.map(({ id }) => id))],
        rows: grid.map((row, at) => rowOf(row, verdicts[at] ?? [])),
      };
    },
  );
}

/** Nobody knows which cell they belong to. */
function unreadableNote(ids: readonly string[]): string {
  const some = ids.slice(0, 3).join(', ');
  const rest = ids.length > 3 ? ` and ${formatExact(ids.length - 3)} more` : '';
  return `${formatPlural(ids.length, 'session')} can’t be read and ${ids.length === 1 ? 'belongs' : 'belong'} to no cell: ${some}${rest}. The page of sessions says why`;
}

function rowOf({ plan, cells }: GridRow, verdicts: readonly (MatrixVerdict | undefined)[]): LabMatrix['rows'][number] {
  const { workload, barBytes, isMisaligned } = plan.workload;
  return { workload, barBytes, isMisaligned, cells: cells.map((cell, at) => viewOf(cell, verdicts[at])) };
}

function viewOf(
  { runCount, word, notes }: GridCell,
  verdict: MatrixVerdict | undefined,
): LabMatrix['rows'][number]['cells'][number] {
  return {
    runCount,
    notes: [...notes],
    ...(word === undefined ? {} : { word }),
    ...(verdict === undefined ? {} : { verdict }),
  };
}
