/** Comparisons over HTTP: what can be compared, and the comparison itself as JSON or as a text to pass on. */
import {
  ComparableSessionSchema,
  type ComparableSession,
  type Comparison,
  type ComparisonAnswer,
  ComparisonAnswerSchema,
  compareSides,
  compareSidesMax,
  compareWordsMax,
  metrics,
  ProblemSchema,
  recordingIdPattern,
  type Side,
} from '@faultline/shared';
import { type Static, Type } from 'typebox';
import { chooseRuns } from '../compare/choose-runs.ts';
import { type ComparedSide, readComparedSide } from '../compare/compared-side.ts';
import { buildOf } from '../compare/recorded-run.ts';
import { report } from '../compare/report.ts';
import { distinctTitles, titleOfSide } from '../compare/side-titles.ts';
import { compareHtml } from '../exports/compare-html.ts';
import { isLive, type Library, type LibraryEntry } from '../sessions/library.ts';
import { accepted, RefusedError } from './errors.ts';
import type { App } from './fastify.ts';

const strict = { additionalProperties: false } as const;
const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;

/** A word, or several: the name stands once for each in the query. Of the baseline all are one side, of candidates each is one. */
const words = Type.Union([
  Type.String({ minLength: 1, maxLength: 4_000 }),
  Type.Array(Type.String({ minLength: 1, maxLength: 4_000 }), { minItems: 1, maxItems: 100 }),
]);

const formats = {
  json: { contentType: 'application/json; charset=utf-8', extension: 'json' },
  text: { contentType: 'text/plain; charset=utf-8', extension: 'txt' },
  markdown: { contentType: 'text/markdown; charset=utf-8', extension: 'md' },
  csv: { contentType: 'text/csv; charset=utf-8', extension: 'csv' },
  benchstat: { contentType: 'text/plain; charset=utf-8', extension: 'bench.txt' },
  html: { contentType: 'text/html; charset=utf-8', extension: 'html' },
} as const;

const FormatSchema = Type.Union([
  Type.Literal('json'),
  Type.Literal('text'),
  Type.Literal('markdown'),
  Type.Literal('csv'),
  Type.Literal('benchstat'),
  Type.Literal('html'),
]);

const CompareQuerySchema = Type.Object(
  {
    baseline: words,
    candidate: words,
    format: Type.Optional(FormatSchema),
    /** Judge by these metrics alone. */
    metric: Type.Optional(words),
    /** Per cent within which a difference is none. */
    margin: Type.Optional(Type.String({ pattern: '^[0-9]{1,2}(?:\\.[0-9]{1,3})?$' })),
  },
  strict,
);
type CompareQuery = Static<typeof CompareQuerySchema>;

/** One or more. */
type Candidates = readonly [ComparedSide, ...ComparedSide[]];

/** Adds /api/v1/comparable and /api/v1/compare. */
export function addCompareRoutes(app: App, library: Library): void {
  app.get(
    '/comparable',
    {
      schema: {
        tags: ['compare'],
        summary: 'Closed sessions, each one run of a comparison, the newest first',
        response: { 200: Type.Array(ComparableSessionSchema), ...failures },
      },
    },
    () => library.list().flatMap(comparableOf),
  );
  app.get(
    '/compare',
    {
      schema: {
        tags: ['compare'],
        summary:
          'Recorded sessions side by side, and a verdict. A side is ids of sessions with commas between them, or a selection such as build:6.1,workload:touch; each candidate is a side',
        querystring: CompareQuerySchema,
        response: { 200: Type.Union([ComparisonAnswerSchema, Type.String()]), ...failures },
      },
    },
    async ({ query }, reply) => {
      const { format = 'json' } = query;
      const [baseline, ...candidates] = await readSides(query, library);
      const comparison = compare(baseline.side, candidates, query);
      const answer = answerOf(baseline, candidates, comparison);
      if (format === 'json') return answer;
      const { contentType, extension } = formats[format];
      const text =
        format === 'html'
          ? compareHtml(answer)
          : report({ sides: [baseline, ...candidates].map(({ side }) => side), comparison }, format);
      return reply
        .type(contentType)
        .header('content-disposition', `attachment; filename="faultline-comparison.${extension}"`)
        .send(text);
    },
  );
}

function answerOf(
  baseline: ComparedSide,
  [candidate, ...further]: Candidates,
  comparison: Comparison,
): ComparisonAnswer {
  return {
    baseline: baseline.view,
    candidate: candidate.view,
    ...(further.length === 0 ? {} : { furtherCandidates: further.map(({ view }) => view) }),
    comparison,
  };
}

function compare(baseline: Side, candidates: Candidates, { metric, margin }: CompareQuery): Comparison {
  const asked = metric === undefined ? [] : listOf(metric);
  const unknown = asked.find((id) => metrics.every((known) => known.id !== id));
  if (unknown !== undefined)
    throw refused(`${JSON.stringify(unknown)} is no metric`, `There are ${metrics.map(({ id }) => id).join(', ')}.`);
  return compareSides(
    baseline,
    candidates.map(({ side }) => side),
    { metrics: asked, ...(margin === undefined ? {} : { marginShare: Number(margin) / 100 }) },
  );
}

/** All sides, one after the other: the words of the baseline are one side, every candidate of the query is one. */
async function readSides(query: CompareQuery, library: Library): Promise<readonly [ComparedSide, ...Candidates]> {
  const [first, ...rest] = typeof query.candidate === 'string' ? [query.candidate] : query.candidate;
  if (first === undefined || rest.length + 2 > compareSidesMax)
    throw refused(
      `${String(rest.length + 1)} candidates are too many`,
      `A comparison has ${String(compareSidesMax - 1)} at most; sessions of one candidate stand in one word, with commas between them.`,
    );
  const baseline = await readSide('baseline', query.baseline, library);
  const candidate = await readSide('candidate', first, library);
  const further: ComparedSide[] = [];
  for (const one of rest) further.push(await readSide('candidate', one, library));
  const titles = distinctTitles([baseline, candidate, ...further].map(({ side }) => side.title));
  const titled = (one: ComparedSide, at: number): ComparedSide => renamed(one, titles[at] ?? one.side.title);
  return [titled(baseline, 0), titled(candidate, 1), ...further.map((one, at) => titled(one, at + 2))];
}

/** The sessions of one side. A word with a slash that is no selection would be a folder of this machine: refused. */
async function readSide(name: string, asked: CompareQuery['baseline'], library: Library): Promise<ComparedSide> {
  const chosen = listOf(asked);
  if (chosen.length > compareWordsMax)
    throw refused(`${name}: ${chosen.length} words are too many`, 'Select by build instead.');
  const wrong = chosen.find((word) => !isSelection(word) && !new RegExp(recordingIdPattern).test(word));
  if (wrong !== undefined)
    throw refused(
      `${name}: ${JSON.stringify(wrong.slice(0, 60))} is neither the id of a session nor a selection`,
      'GET /api/v1/comparable lists sessions; a selection is build:NAME,workload:NAME.',
    );
  const folders = accepted(chooseRuns(chosen, library));
  return accepted(await readComparedSide(folders, titleOfSide(folders, chosen)));
}

/** Commas part ids, and belong to a selection. */
function listOf(asked: CompareQuery['baseline']): readonly string[] {
  const all = typeof asked === 'string' ? [asked] : asked;
  return all.flatMap((word) => (isSelection(word) ? [word] : word.split(',').filter((part) => part !== '')));
}

function isSelection(word: string): boolean {
  return /^[a-z]+:/.test(word);
}

function renamed({ side, view }: ComparedSide, title: string): ComparedSide {
  return { side: { ...side, title }, view: { ...view, title } };
}

function comparableOf(entry: LibraryEntry): readonly ComparableSession[] {
  const { id, manifest } = entry;
  if (manifest === undefined || isLive(entry)) return [];
  const { setup, name, createdAtMs, lastAtMs, runs } = manifest;
  return [
    {
      id,
      build: buildOf(manifest),
      ...(setup?.workload === undefined ? {} : { workload: setup.workload.name }),
      ...(setup?.runNumber === undefined ? {} : { runNumber: setup.runNumber }),
      ...(name === undefined ? {} : { name }),
      startedAtMs: createdAtMs,
      durationMs: Math.max(0, lastAtMs - createdAtMs),
      probes: [...new Set(runs.map(({ view }) => view.probe))],
    },
  ];
}

function refused(message: string, remedy: string): RefusedError {
  return new RefusedError({ kind: 'bad-parameter', message, remedy });
}
