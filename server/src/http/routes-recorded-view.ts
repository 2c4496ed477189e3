/** A recorded session handed to the page: one answer that holds all of it, bounded. */
import { encodeRecordedView, ProblemSchema } from '@faultline/shared';
import { Type } from 'typebox';
import { readRecordedView } from '../live/recorded-view.ts';
import { openExportSource } from '../sessions/export-source.ts';
import type { Library } from '../sessions/library.ts';
import { RecordedFigures } from '../sessions/recorded-figures.ts';
import { accepted } from './errors.ts';
import type { App } from './fastify.ts';

const strict = { additionalProperties: false } as const;
const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;
const IdSchema = Type.Object({ id: Type.String({ minLength: 1, maxLength: 120 }) }, strict);

/** Adds GET /recordings/:id/view. */
export function addRecordedViewRoute(app: App, library: Library, version: string): void {
  app.get(
    '/recordings/:id/view',
    {
      schema: {
        tags: ['sessions'],
        summary: 'A recorded session as the page draws it: a snapshot whose history is the whole session (binary)',
        params: IdSchema,
        response: { 200: Type.Unknown(), ...failures },
      },
    },
    async ({ params }, reply) => {
      const { manifest, events } = openExportSource(accepted(library.findReadable(params.id)));
      const view = await readRecordedView({ manifest, events, figures: new RecordedFigures() }, version);
      return reply.type('application/octet-stream').send(Buffer.concat(encodeRecordedView(view)));
    },
  );
}
