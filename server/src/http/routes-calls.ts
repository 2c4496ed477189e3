/** Calls and counters of recorded sessions over HTTP: filtered, ordered, counted, over time. */
import {
  CallsAnswerSchema,
  CallsCountsQuerySchema,
  CallsCountsSchema,
  CallsQuerySchema,
  CountersAnswerSchema,
  CountersQuerySchema,
  ProblemSchema,
} from '@faultline/shared';
import type { SessionQueries } from '../queries/session-queries.ts';
import type { Library } from '../sessions/library.ts';
import { accepted } from './errors.ts';
import type { App } from './fastify.ts';
import { IdSchema, readable } from './recording-lookup.ts';

const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;

/** Adds the routes below /api/v1/recordings/:id/calls, and /api/v1/recordings/:id/counters. */
export function addCallsRoutes(app: App, library: Library, queries: SessionQueries): void {
  app.get(
    '/recordings/:id/calls',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Calls of a recorded session: by run, time, text and columns; in the order of a column; page by page',
        params: IdSchema,
        querystring: CallsQuerySchema,
        response: { 200: CallsAnswerSchema, ...failures },
      },
    },
    async ({ params, query }) => accepted(await queries.calls(readable(library, params.id), query)),
  );
  app.get(
    '/recordings/:id/calls/counts',
    {
      schema: {
        tags: ['sessions'],
        summary: 'How often each value of a column occurs among the calls of a recorded session',
        params: IdSchema,
        querystring: CallsCountsQuerySchema,
        response: { 200: CallsCountsSchema, ...failures },
      },
    },
    async ({ params, query }) => accepted(await queries.counts(readable(library, params.id), query)),
  );
  app.get(
    '/recordings/:id/counters',
    {
      schema: {
        tags: ['sessions'],
        summary: 'A metric of a recorded session over time: in bins, by the values of a dimension',
        params: IdSchema,
        querystring: CountersQuerySchema,
        response: { 200: CountersAnswerSchema, ...failures },
      },
    },
    async ({ params, query }) => accepted(await queries.counters(readable(library, params.id), query)),
  );
}
