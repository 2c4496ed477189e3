/** Comparisons over HTTP: what can be compared, and the comparison itself as JSON or as a text to pass on. */
import { Readable } from 'node:stream';
import {
  ComparableSessionSchema,
  type ComparableSession,
  type Comparison,
  type ComparisonAnswer,
  ComparisonAnswerSchema,
  compareSides,
  compareSidesMax,
  DifferenceHeatAnswerSchema,
  metrics,
  ProblemSchema,
  SavedComparisonIdSchema,
} from '@faultline/shared';
import { type Static, Type } from 'typebox';
import { type ComparedSide, readComparedSide } from '../compare/compared-side.ts';
import { perfettoOfSides } from '../compare/perfetto-sides.ts';
import { HeatBook } from '../compare/heat-runs.ts';
import { buildOf } from '../compare/recorded-run.ts';
import { report } from '../compare/report.ts';
import { withRemarks } from '../compare/saved-sides.ts';
import { compareHtml } from '../exports/compare-html.ts';
import { isLive, type Library, type LibraryEntry } from '../sessions/library.ts';
import { LiveFigures } from '../sessions/live-figures.ts';
import {
  type ChosenSide,
  namedSides,
  type NamedSides,
  type PerSide,
  refused,
  WordsSchema,
  wordsOf,
} from './compare-sides.ts';
import { accepted } from './errors.ts';
import type { App } from './fastify.ts';

const strict = { additionalProperties: false } as const;
const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;

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
  /** The runs themselves: no verdict, and streamed. */
  Type.Literal('perfetto'),
]);

/** Which sides: their words, or the id of a saved comparison. */
const sidesOfQuery = {
  baseline: Type.Optional(WordsSchema),
  candidate: Type.Optional(WordsSchema),
  saved: Type.Optional(SavedComparisonIdSchema),
};

const CompareQuerySchema = Type.Object(
  {
    ...sidesOfQuery,
    format: Type.Optional(FormatSchema),
    /** Judge by these metrics alone. */
    metric: Type.Optional(WordsSchema),
    /** Per cent within which a difference is none. */
    margin: Type.Optional(Type.String({ pattern: '^[0-9]{1,2}(?:\\.[0-9]{1,3})?$' })),
  },
  strict,
);
type CompareQuery = Static<typeof CompareQuerySchema>;

const HeatQuerySchema = Type.Object(
  {
    ...sidesOfQuery,
    /** Which candidate, from 1; the first where it is not given. */
    pick: Type.Optional(Type.Integer({ minimum: 1, maximum: compareSidesMax - 1 })),
  },
  strict,
);

/** Adds /api/v1/comparable, /api/v1/compare and what is drawn beside it. */
export function addCompareRoutes(app: App, library: Library): void {
  const live = new LiveFigures();
  const heats = new HeatBook();
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
        response: {
          200: Type.Union([ComparisonAnswerSchema, Type.Unsafe<string | Readable>(Type.String())]),
          ...failures,
        },
      },
    },
    async ({ query }, reply) => {
      const { format = 'json' } = query;
      const named = namedSides(query, library);
      if (format === 'perfetto')
        return reply
          .type('application/vnd.google.protobuf')
          .header('content-disposition', 'attachment; filename="faultline-comparison.pftrace"')
          .send(Readable.from(perfettoOfSides(named.sides), { objectMode: false }));
      const sides = await readSides(named.sides, live);
      const comparison = withRemarks(compare(sides, named.judge, query), named.remarks);
      const answer = answerOf(sides, comparison);
      if (format === 'json') return answer;
      const { contentType, extension } = formats[format];
      const text =
        format === 'html' ? compareHtml(answer) : report({ sides: sides.map(({ side }) => side), comparison }, format);
      return reply
        .type(contentType)
        .header('content-disposition', `attachment; filename="faultline-comparison.${extension}"`)
        .send(text);
    },
  );
  app.get(
    '/compare/heat',
    {
      schema: {
        tags: ['compare'],
        summary: 'Where in time and latency a candidate took more or fewer faults a run than the baseline',
        querystring: HeatQuerySchema,
        response: { 200: DifferenceHeatAnswerSchema, ...failures },
      },
    },
    ({ query }) => {
      const [baseline, ...candidates] = namedSides(query, library).sides;
      const candidate = candidates[(query.pick ?? 1) - 1];
      if (candidate === undefined)
        throw refused(`there is no candidate ${String(query.pick)}`, `There are ${String(candidates.length)}.`);
      return heats.difference(baseline.folders, candidate.folders);
    },
  );
}

function answerOf([baseline, candidate, ...further]: PerSide<ComparedSide>, comparison: Comparison): ComparisonAnswer {
  return {
    baseline: baseline.view,
    candidate: candidate.view,
    ...(further.length === 0 ? {} : { furtherCandidates: further.map(({ view }) => view) }),
    comparison,
  };
}

/** What the query says goes before what was saved. */
function compare(
  [baseline, ...candidates]: PerSide<ComparedSide>,
  judge: NamedSides['judge'],
  { metric, margin }: Pick<CompareQuery, 'metric' | 'margin'>,
): Comparison {
  const asked = metric === undefined ? (judge.metrics ?? []) : wordsOf(metric);
  const unknown = asked.find((id) => metrics.every((known) => known.id !== id));
  if (unknown !== undefined)
    throw refused(`${JSON.stringify(unknown)} is no metric`, `There are ${metrics.map(({ id }) => id).join(', ')}.`);
  const marginShare = margin === undefined ? judge.marginShare : Number(margin) / 100;
  return compareSides(
    baseline.side,
    candidates.map(({ side }) => side),
    { metrics: asked, ...(marginShare === undefined ? {} : { marginShare }) },
  );
}

/** All sides, one after the other: each is read whole. */
async function readSides(
  [baseline, candidate, ...further]: PerSide<ChosenSide>,
  live: LiveFigures,
): Promise<PerSide<ComparedSide>> {
  const read = async ({ folders, title }: ChosenSide): Promise<ComparedSide> =>
    accepted(await readComparedSide(folders, title, live));
  const sides: PerSide<ComparedSide> = [await read(baseline), await read(candidate)];
  const rest: ComparedSide[] = [];
  for (const one of further) rest.push(await read(one));
  return [...sides, ...rest];
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
