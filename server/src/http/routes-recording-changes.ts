/** Recorded sessions over HTTP: what a person decides about them. */
import { PinSchema, ProblemSchema, RecordedSessionSchema } from '@faultline/shared';
import type { Library } from '../sessions/library.ts';
import { accepted } from './errors.ts';
import type { App } from './fastify.ts';
import { exactly, IdSchema, viewOf } from './recording-lookup.ts';

const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;

/** Adds the routes that change what is below /api/v1/recordings. */
export function addRecordingChanges(app: App, library: Library): void {
  app.post(
    '/recordings/:id/pin',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Keep a recorded session whatever the bounds of the store say, or no longer',
        params: IdSchema,
        body: PinSchema,
        response: { 200: RecordedSessionSchema, ...failures },
      },
    },
    ({ params, body }) => {
      const entry = exactly(library, params.id);
      accepted(library.edit(entry.id, () => ({ isPinned: body.isPinned })));
      return viewOf(exactly(library, params.id));
    },
  );
  app.delete(
    '/recordings/:id',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Remove a recorded session; one that is being recorded is refused',
        params: IdSchema,
        response: { 200: IdSchema, ...failures },
      },
    },
    ({ params }) => ({ id: accepted(library.remove(exactly(library, params.id).id)) }),
  );
}
