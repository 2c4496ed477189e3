/** Saved comparisons over HTTP: made, listed, opened by their id, renamed, annotated, removed. */
import {
  AddNoteSchema,
  ProblemSchema,
  RemovedComparisonSchema,
  RenameComparisonSchema,
  SavedComparisonEntrySchema,
  SavedComparisonIdSchema,
  type SavedComparison,
  type SavedComparisonView,
  SavedComparisonViewSchema,
  SessionNameSchema,
} from '@faultline/shared';
import { Type } from 'typebox';
import { SavedComparisons } from '../sessions/saved-comparisons.ts';
import { viewOfSaved } from '../compare/saved-sides.ts';
import type { Library } from '../sessions/library.ts';
import { chooseSides, WordsSchema } from './compare-sides.ts';
import { accepted } from './errors.ts';
import type { App } from './fastify.ts';

const strict = { additionalProperties: false } as const;
const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;
const params = Type.Object({ id: SavedComparisonIdSchema }, strict);
const one = { 200: SavedComparisonViewSchema, ...failures } as const;
const tags = ['compare'];
const SaveSchema = Type.Object({ name: SessionNameSchema, baseline: WordsSchema, candidate: WordsSchema }, strict);

/** Adds everything below /api/v1/comparisons. */
export function addSavedComparisonRoutes(app: App, library: Library): void {
  const saved = new SavedComparisons(library.folder);
  const view = (value: SavedComparison): SavedComparisonView => viewOfSaved(value, library);
  app.get(
    '/comparisons',
    {
      schema: {
        ...{ tags, summary: 'Saved comparisons, the newest first' },
        response: { 200: Type.Array(SavedComparisonEntrySchema), ...failures },
      },
    },
    () => saved.list().map((entry) => ('saved' in entry ? view(entry.saved) : entry)),
  );
  app.post(
    '/comparisons',
    {
      schema: {
        ...{ tags, summary: 'Save a comparison under a name: the sessions that its words name now', body: SaveSchema },
        response: one,
      },
    },
    ({ body }) =>
      view(accepted(saved.save({ name: body.name, sides: chooseSides(body, library) }, library.folder, Date.now()))),
  );
  app.get(
    '/comparisons/:id',
    {
      schema: {
        ...{ tags, summary: 'A saved comparison, and which of its sessions are there', params },
        response: one,
      },
    },
    ({ params: { id } }) => view(accepted(saved.read(id))),
  );
  app.patch(
    '/comparisons/:id',
    {
      schema: {
        ...{ tags, summary: 'Rename a saved comparison', params, body: RenameComparisonSchema },
        response: one,
      },
    },
    ({ params: { id }, body }) => view(accepted(saved.rename(id, body.name))),
  );
  app.post(
    '/comparisons/:id/notes',
    {
      schema: {
        ...{ tags, summary: 'Write something down about a saved comparison', params, body: AddNoteSchema },
        response: one,
      },
    },
    ({ params: { id }, body }) => view(accepted(saved.annotate(id, { atMs: Date.now(), text: body.text }))),
  );
  app.delete(
    '/comparisons/:id',
    {
      schema: {
        ...{ tags, summary: 'Remove a saved comparison; its sessions stay', params },
        response: { 200: RemovedComparisonSchema, ...failures },
      },
    },
    ({ params: { id } }) => ({ id: accepted(saved.remove(id)) }),
  );
}
