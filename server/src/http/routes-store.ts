/** The store over HTTP: what it holds and may hold, and sessions from elsewhere. */
import { createWriteStream, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  formatBytes,
  importBytesMax,
  importsAtATimeMax,
  ProblemSchema,
  RecordedSessionSchema,
  type Result,
  StoreLimitsSchema,
  type StoreLimits,
  type StorePreview,
  StorePreviewSchema,
  type StoreView,
  StoreViewSchema,
} from '@faultline/shared';
import { Type } from 'typebox';
import type { SessionQueries } from '../queries/session-queries.ts';
import { importSession } from '../sessions/import-session.ts';
import type { Library } from '../sessions/library.ts';
import type { Refusal } from '../sessions/refusal.ts';
import { accepted, RefusedError } from './errors.ts';
import type { App } from './fastify.ts';
import { exactly, readable, viewOf } from './recording-lookup.ts';

const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;

/** A store as its bounds see it. */
export type BoundedStore = {
  readonly limits: StoreLimits;
  view(): StoreView;
  preview(limits: Partial<StoreLimits>): StorePreview;
  bound(limits: Partial<StoreLimits>): Result<void, Refusal>;
};

/** Adds GET and PATCH /api/v1/store, and the look at what a PATCH would do. */
export function addStoreRoutes(app: App, store: BoundedStore): void {
  app.get(
    '/store',
    {
      schema: {
        tags: ['sessions'],
        summary: 'How much the recorded sessions take, and how much they may',
        response: { 200: StoreViewSchema, ...failures },
      },
    },
    () => store.view(),
  );
  app.get(
    '/store/preview',
    {
      schema: {
        tags: ['sessions'],
        summary: 'What setting these bounds would take away now; nothing is changed',
        querystring: Type.Partial(StoreLimitsSchema, { additionalProperties: false }),
        response: { 200: StorePreviewSchema, ...failures },
      },
    },
    ({ query }) => store.preview(query),
  );
  app.patch(
    '/store',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Set bounds, which last; sessions beyond them go at once, the oldest unpinned first',
        body: Type.Partial(StoreLimitsSchema, { additionalProperties: false }),
        response: { 200: StoreViewSchema, ...failures },
      },
    },
    ({ body }) => {
      accepted(store.bound(body));
      return store.view();
    },
  );
}

/** Adds POST /api/v1/recordings: the body is the file itself, an exported archive, JSON Lines or CSV, of at most `bytesMax`. */
export function addImportRoute(
  app: App,
  library: Library,
  queries: SessionQueries,
  bytesMax: number = importBytesMax,
): void {
  app.addContentTypeParser(
    ['application/gzip', 'application/x-ndjson', 'application/octet-stream', 'text/csv'],
    (_request, payload, done) => done(null, payload),
  );
  let importing = 0;
  app.post(
    '/recordings',
    {
      bodyLimit: bytesMax,
      schema: {
        tags: ['sessions'],
        summary:
          'Import a session: the body is what was exported as archive, jsonl or csv, at most 4 GiB; nothing is left of a bad one',
        response: { 201: RecordedSessionSchema, ...failures },
      },
    },
    async ({ body, headers }, reply) => {
      if (!(body instanceof Readable)) throw new RefusedError(noFile);
      // Said beforehand it need not be sent first.
      if (Number(headers['content-length'] ?? 0) > bytesMax) throw new RefusedError(tooLarge(bytesMax));
      if (importing >= importsAtATimeMax) throw new RefusedError(tooMany);
      importing += 1;
      try {
        const { id } = accepted(await importBody(library, body, bytesMax));
        // Made while the answer is on its way; the first question would wait for it otherwise.
        void queries.prepare(readable(library, id));
        return await reply.code(201).send(viewOf(exactly(library, id)));
      } finally {
        importing -= 1;
      }
    },
  );
}

/** Written down first: what is imported is looked at from its beginning. A killed server's file goes at the next start. */
async function importBody(
  library: Library,
  body: Readable,
  bytesMax: number,
): Promise<Result<{ readonly id: string }, Refusal>> {
  const file = join(library.folder, `.import-${randomUUID()}-${process.pid}`);
  try {
    await pipeline(body, atMost(bytesMax), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    return await importSession(library, file, bytesMax);
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    const message = `The file was not taken in: ${error instanceof Error ? error.message : String(error)}.`;
    throw new RefusedError({
      kind: 'store-problem',
      message,
      remedy: 'Look at the room on the disk, and send it again.',
    });
  } finally {
    rmSync(file, { force: true });
  }
}

function atMost(bytesMax: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= bytesMax) done(null, chunk);
      else done(new RefusedError(tooLarge(bytesMax)));
    },
  });
}

const noFile: Refusal = {
  kind: 'bad-parameter',
  message: 'The request has no file as its body.',
  remedy: "Send one: curl -H 'content-type: application/octet-stream' --data-binary @FILE or -T FILE -X POST.",
};
const tooMany: Refusal = {
  kind: 'store-in-use',
  message: `${importsAtATimeMax} sessions are being imported already.`,
  remedy: 'Wait until one is done.',
};
const tooLarge = (bytesMax: number): Refusal => ({
  kind: 'session-unreadable',
  message: `The file is larger than ${formatBytes(bytesMax)}.`,
  remedy: 'Nothing was taken in.',
});
