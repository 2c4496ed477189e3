/** A recorded session handed to the page: one answer that holds all of it, bounded. */
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { derivedFiles, encodeRecordedView, ProblemSchema, type RecordedView } from '@faultline/shared';
import { Type } from 'typebox';
import { RecordedViewMaker } from '../live/recorded-view.ts';
import type { SessionQueries } from '../queries/session-queries.ts';
import { openExportSource } from '../sessions/export-source.ts';
import { isLive, type Library, type ReadableEntry } from '../sessions/library.ts';
import { RecordedFigures } from '../sessions/recorded-figures.ts';
import type { App } from './fastify.ts';
import { IdSchema, readable } from './recording-lookup.ts';

const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;

/** Adds GET /recordings/:id/view. */
export function addRecordedViewRoute(app: App, library: Library, queries: SessionQueries, version: string): void {
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
      const entry = readable(library, params.id);
      void reply.type('application/octet-stream');
      if (queries.isPrepared(entry)) {
        const path = join(entry.folder, derivedFiles.view);
        return reply.header('content-length', statSync(path).size).send(createReadStream(path));
      }
      const isClosed = !isLive(entry) && entry.manifest.state !== 'live';
      // Its calls will be asked for at once, and the next time the view lies there.
      if (isClosed) void queries.prepare(entry);
      const view = await readView(entry, isClosed ? 'asked' : 'held', version);
      return reply.send(Buffer.concat(encodeRecordedView(view)));
    },
  );
}

/** The view out of the journal. Memory: what is answered. Throws what reading the journal throws. */
async function readView(entry: ReadableEntry, calls: RecordedView['calls'], version: string): Promise<RecordedView> {
  const { manifest, events } = openExportSource(entry);
  const figures = new RecordedFigures();
  const maker = new RecordedViewMaker(manifest, figures, calls);
  for await (const event of events()) {
    figures.add(event);
    maker.add(event);
  }
  figures.settle(manifest);
  return maker.finish(version);
}
