/** The HTTP interface: commands and what can be looked up. Every shape comes from shared, so the page knows it too. */
import {
  PlanSchema,
  PreflightSchema,
  ProbeManifestSchema,
  ProblemSchema,
  RecordSummarySchema,
  RunSummarySchema,
  RunViewSchema,
  SessionViewSchema,
  StartRunSchema,
  TargetViewSchema,
  VfioDeviceSchema,
} from '@faultline/shared';
import { Type } from 'typebox';
import type { Refusal } from '../sessions/refusal.ts';
import type { SessionSource, Tracing } from '../sessions/tracing.ts';
import { accepted, RefusedError } from './errors.ts';
import type { App } from './fastify.ts';

const strict = { additionalProperties: false } as const;

/** What a monitor asks. */
const HealthSchema = Type.Object(
  {
    status: Type.Literal('ok'),
    version: Type.String(),
    pid: Type.Integer(),
    uptimeMs: Type.Number(),
    /** Runs that are starting, running or stopping. */
    activeRunCount: Type.Integer(),
    clientCount: Type.Integer(),
  },
  strict,
);

const IdSchema = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) }, strict);
const NothingSchema = Type.Object({}, strict);
const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;

/** What the routes answer from. */
export type RouteOptions = {
  readonly tracing: Tracing;
  readonly version: string;
  readonly clientCount: () => number;
};

/** Adds all routes to an instance that already has the prefix /api/v1. */
export function addRoutes(app: App, options: RouteOptions): void {
  addTargetRoutes(app, options.tracing);
  addRunRoutes(app, options.tracing);
  addRunSummaryRoute(app, options.tracing);
  addSessionRoutes(app, options.tracing);
  app.get(
    '/health',
    {
      schema: {
        tags: ['server'],
        summary: 'Whether the server lives',
        response: { 200: HealthSchema, ...failures },
      },
    },
    () => {
      const active = options.tracing.runs().filter(({ state }) => state !== 'stopped' && state !== 'failed');
      return {
        status: 'ok' as const,
        version: options.version,
        pid: process.pid,
        uptimeMs: Math.round(process.uptime() * 1000),
        activeRunCount: active.length,
        clientCount: options.clientCount(),
      };
    },
  );
}

function addTargetRoutes(app: App, tracing: Tracing): void {
  app.get(
    '/targets',
    {
      schema: {
        tags: ['targets'],
        summary: 'Kernels that can be traced, and who they are',
        response: { 200: Type.Array(TargetViewSchema), ...failures },
      },
    },
    async () => [...(await tracing.targets())],
  );
  app.get(
    '/targets/:id/preflight',
    {
      schema: {
        tags: ['targets'],
        summary: 'Whether tracing can work there: named checks, each failed one with its remedy',
        params: IdSchema,
        response: { 200: PreflightSchema, ...failures },
      },
    },
    async ({ params }) => accepted(await tracing.preflight(params.id)),
  );
  app.get(
    '/targets/:id/devices',
    {
      schema: {
        tags: ['targets'],
        summary: 'Its PCI devices bound to vfio-pci, with their BARs',
        params: IdSchema,
        response: { 200: Type.Array(VfioDeviceSchema), ...failures },
      },
    },
    async ({ params }) => [...accepted(await tracing.devices(params.id))],
  );
  app.get(
    '/targets/:id/plans',
    {
      schema: {
        tags: ['targets'],
        summary: 'Which variant of each stream would run there, and why the others would not',
        params: IdSchema,
        response: { 200: Type.Array(PlanSchema), ...failures },
      },
    },
    async ({ params }) => [...accepted(await tracing.plans(params.id))],
  );
  app.get(
    '/probes',
    {
      schema: {
        tags: ['targets'],
        summary: 'The probes: questions, streams, parameters, columns',
        response: { 200: Type.Array(ProbeManifestSchema), ...failures },
      },
    },
    () => [...tracing.probes()],
  );
}

function addRunRoutes(app: App, tracing: Tracing): void {
  const oneRun = { 200: RunViewSchema, ...failures };
  app.get(
    '/runs',
    {
      schema: {
        tags: ['runs'],
        summary: 'All runs, ended ones too',
        response: { 200: Type.Array(RunViewSchema), ...failures },
      },
    },
    () => [...tracing.runs()],
  );
  app.get(
    '/runs/:id',
    {
      schema: {
        tags: ['runs'],
        summary: 'One run: its state, its ledger, what was found',
        params: IdSchema,
        response: oneRun,
      },
    },
    ({ params }) => {
      const run = tracing.runs().find(({ id }) => id === params.id);
      if (run === undefined) throw new RefusedError(unknownRun(params.id));
      return run;
    },
  );
  app.post(
    '/runs',
    {
      schema: {
        tags: ['runs'],
        summary: 'Start a stream of a probe on a target; answers when its process was started',
        body: StartRunSchema,
        response: { 201: RunViewSchema, ...failures },
      },
    },
    async ({ body }, reply) => {
      const run = accepted(await tracing.startRun(body));
      return reply
        .code(201)
        .header('location', `/api/v1/runs/${encodeURIComponent(run.id)}`)
        .send(run);
    },
  );
  app.post(
    '/runs/:id/stop',
    {
      schema: {
        tags: ['runs'],
        summary: 'Stop a run; answers when it has ended, with its last figures in',
        params: IdSchema,
        body: NothingSchema,
        response: oneRun,
      },
    },
    async ({ params }) => accepted(await tracing.stopRun(params.id)),
  );
}

function addRunSummaryRoute(app: App, tracing: Tracing): void {
  app.get(
    '/runs/:id/summary',
    {
      schema: {
        tags: ['runs'],
        summary: 'The cumulative figures of one run: totals, quantiles',
        params: IdSchema,
        response: { 200: RunSummarySchema, ...failures },
      },
    },
    ({ params }) => {
      for (const session of tracing.sessions()) {
        const summary = session.runSummary(params.id);
        if (summary.ok) return summary.value;
        if (summary.error.kind !== 'unknown-run') throw new RefusedError(summary.error);
      }
      throw new RefusedError(unknownRun(params.id));
    },
  );
}

function addSessionRoutes(app: App, tracing: Tracing): void {
  app.get(
    '/sessions',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Live sessions: everything traced on one target since the server began with it',
        response: { 200: Type.Array(SessionViewSchema), ...failures },
      },
    },
    () => tracing.sessions().map((session) => session.view()),
  );
  app.get(
    '/sessions/:id/summary',
    {
      schema: {
        tags: ['sessions'],
        summary: 'The cumulative figures of all runs of a session, with the ledger',
        params: IdSchema,
        response: { 200: RecordSummarySchema, ...failures },
      },
    },
    ({ params }) => findSession(tracing, params.id).summary(),
  );
}

function findSession(tracing: Tracing, sessionId: string): SessionSource {
  const session = tracing.sessions().find(({ id }) => id === sessionId);
  if (session !== undefined) return session;
  throw new RefusedError({
    kind: 'unknown-session',
    message: `There is no session ${JSON.stringify(sessionId)} here.`,
    remedy: 'GET /api/v1/sessions lists them.',
  });
}

function unknownRun(runId: string): Refusal {
  return {
    kind: 'unknown-run',
    message: `There is no run ${JSON.stringify(runId)} here.`,
    remedy: 'GET /api/v1/runs lists them.',
  };
}
