/** Recorded sessions over HTTP: list, look at, and have them in the formats of other tools. */
import { Readable } from 'node:stream';
import { exportHeadBytes, ProblemSchema, RecordedSessionSchema } from '@faultline/shared';
import { Type } from 'typebox';
import { type ExportFormat, exportFormats } from '../exports/formats.ts';
import { openExportSource } from '../sessions/export-source.ts';
import type { Library } from '../sessions/library.ts';
import type { App } from './fastify.ts';
import { exactly, IdSchema, readable, viewOf } from './recording-lookup.ts';

const strict = { additionalProperties: false } as const;
const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;

const formats = Object.keys(exportFormats);
const ExportSchema = Type.Object(
  { ...IdSchema.properties, format: Type.String({ pattern: `^(?:${formats.join('|')})$` }) },
  strict,
);

/** Adds the routes below /api/v1/recordings. */
export function addRecordingRoutes(app: App, library: Library): void {
  addReading(app, library);
  addExport(app, library);
}

function addExport(app: App, library: Library): void {
  app.get(
    '/recordings/:id/export/:format',
    {
      schema: {
        tags: ['sessions'],
        summary: `A recorded session in one of the formats ${formats.join(', ')}; streamed, begin anew where it breaks off`,
        params: ExportSchema,
        response: { 200: Type.Unknown(), ...failures },
      },
    },
    async ({ params }, reply) => {
      const entry = readable(library, params.id);
      const { contentType, extension, write } = exportFormats[formatOf(params.format)];
      // Of what is made of the totals nothing can be told before its end.
      let share = 0;
      const source = openExportSource(entry, (done) => {
        share = done;
      });
      const { head, rest } = await begin(write(source));
      const length = rest === undefined ? { 'content-length': head.length } : expectation(head.length / share);
      return reply
        .headers({ 'content-type': contentType, ...length })
        .header('content-disposition', `attachment; filename="${entry.id}.${extension}"`)
        .send(rest === undefined ? head : Readable.from(followed(head, rest), { objectMode: false }));
    },
  );
}

/** How long an export will be, bytes, where that can be told. */
function expectation(bytes: number): Readonly<Record<string, number>> {
  return Number.isFinite(bytes) ? { 'x-faultline-expected-bytes': Math.round(bytes) } : {};
}

type Piece = string | Uint8Array;

/**
 * Takes the beginning of an export: whole where it is small. Of a longer one, the share of the session that is in it tells how long
 * the whole will be.
 */
async function begin(
  pieces: AsyncGenerator<Piece>,
): Promise<{ readonly head: Buffer; readonly rest: AsyncGenerator<Piece> | undefined }> {
  const taken: Buffer[] = [];
  let size = 0;
  while (size < exportHeadBytes) {
    const next = await pieces.next();
    if (next.done === true) return { head: Buffer.concat(taken), rest: undefined };
    const piece = Buffer.from(next.value);
    taken.push(piece);
    size += piece.length;
  }
  return { head: Buffer.concat(taken), rest: pieces };
}

/** Ends the export when whoever takes the pieces goes. */
async function* followed(head: Buffer, rest: AsyncGenerator<Piece>): AsyncGenerator<Piece> {
  try {
    yield head;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

function addReading(app: App, library: Library): void {
  app.get(
    '/recordings',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Recorded sessions, newest first, live ones too',
        response: { 200: Type.Array(RecordedSessionSchema), ...failures },
      },
    },
    () => library.list().map(viewOf),
  );
  app.get(
    '/recordings/:id',
    {
      schema: {
        tags: ['sessions'],
        summary: 'One recorded session: its kernel, its runs, its notes, what it holds',
        params: IdSchema,
        response: { 200: RecordedSessionSchema, ...failures },
      },
    },
    ({ params }) => viewOf(exactly(library, params.id)),
  );
}

function formatOf(word: string): ExportFormat {
  const known = formats.find((name): name is ExportFormat => name === word);
  if (known !== undefined) return known;
  throw new Error(`broken invariant: the format ${word} passed the schema`);
}
