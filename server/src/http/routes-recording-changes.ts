/** Recorded sessions over HTTP: what a person decides about them. */
import {
  AddMarkSchema,
  AddNoteSchema,
  EditNoteSchema,
  PinSchema,
  ProblemSchema,
  RecordedSessionSchema,
  type RecordedSessionView,
  RemovedSessionSchema,
  RenameSchema,
  type SessionManifest,
} from '@faultline/shared';
import type { Library } from '../sessions/library.ts';
import type { SessionEdits } from '../sessions/session-folder.ts';
import type { Refusal } from '../sessions/refusal.ts';
import { accepted, RefusedError } from './errors.ts';
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
        summary:
          'Remove a recorded session; it can be restored for some minutes. One that is being recorded is refused',
        params: IdSchema,
        response: { 200: RemovedSessionSchema, ...failures },
      },
    },
    ({ params }) => accepted(library.discard(exactly(library, params.id).id, Date.now())),
  );
  app.post(
    '/recordings/:id/restore',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Bring back a session that was removed',
        params: IdSchema,
        response: { 200: RecordedSessionSchema, ...failures },
      },
    },
    ({ params }) => viewOf(exactly(library, accepted(library.restore(params.id)))),
  );
  addWriting(app, library);
}

/** What a person writes on a session, live or closed. */
function addWriting(app: App, library: Library): void {
  app.patch(
    '/recordings/:id',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Name or label a recorded session, live or closed; null takes it away',
        params: IdSchema,
        body: RenameSchema,
        response: { 200: RecordedSessionSchema, ...failures },
      },
    },
    ({ params, body: { name, label } }) => {
      const given = {
        ...(typeof name === 'string' ? { name } : {}),
        ...(typeof label === 'string' ? { label } : {}),
      };
      const without = [...(name === null ? (['name'] as const) : []), ...(label === null ? (['label'] as const) : [])];
      return edited(library, params.id, () => given, without);
    },
  );
  addNotes(app, library);
  app.post(
    '/recordings/:id/marks',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Mark a moment on the time line of a recorded session, live or closed: now, or at a time',
        params: IdSchema,
        body: AddMarkSchema,
        response: { 200: RecordedSessionSchema, ...failures },
      },
    },
    ({ params, body: { text, atMs } }) =>
      edited(library, params.id, ({ marks }) => {
        const all = [...marks, { atMs: atMs ?? Date.now(), text }];
        return { marks: all.toSorted((left, right) => left.atMs - right.atMs) };
      }),
  );
}

function addNotes(app: App, library: Library): void {
  app.post(
    '/recordings/:id/notes',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Write something down about a recorded session, live or closed',
        params: IdSchema,
        body: AddNoteSchema,
        response: { 200: RecordedSessionSchema, ...failures },
      },
    },
    ({ params, body: { text } }) =>
      edited(library, params.id, ({ notes }) => ({ notes: [...notes, { atMs: Date.now(), text }] })),
  );
  app.patch(
    '/recordings/:id/notes',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Change what the note of a time says; null takes it away',
        params: IdSchema,
        body: EditNoteSchema,
        response: { 200: RecordedSessionSchema, ...failures },
      },
    },
    ({ params, body }) =>
      edited(library, params.id, ({ notes }) => {
        const at = notes.findIndex(({ atMs }) => atMs === body.atMs);
        if (at < 0) throw new RefusedError(noNote);
        const { text } = body;
        return { notes: notes.toSpliced(at, 1, ...(text === null ? [] : [{ atMs: body.atMs, text }])) };
      }),
  );
}

const noNote: Refusal = {
  kind: 'unknown-note',
  message: 'There is no note of that time on this session.',
  remedy: 'It may have been taken away meanwhile; read the session again.',
};

function edited(
  library: Library,
  wanted: string,
  change: (before: SessionManifest) => Partial<SessionEdits>,
  without: readonly ('name' | 'label')[] = [],
): RecordedSessionView {
  const entry = exactly(library, wanted);
  accepted(library.edit(entry.id, change, without));
  return viewOf(exactly(library, wanted));
}
