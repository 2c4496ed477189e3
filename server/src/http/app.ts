/** The HTTP face of the server: who may come in, the interface under /api/v1, its documentation, and the page. */
import type { IncomingMessage } from 'node:http';
import type { Problem } from '@faultline/shared';
import { fastifySwagger } from '@fastify/swagger';
import { fastifySwaggerUi } from '@fastify/swagger-ui';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Lab } from '../lab/lab-desk.ts';
import { Hub } from '../live/hub.ts';
import { SessionQueries } from '../queries/session-queries.ts';
import type { Library } from '../sessions/library.ts';
import type { StoreBounds } from '../sessions/pruning.ts';
import type { Tracing } from '../sessions/tracing.ts';
import { type Access, bearerToken, type Denial, denyRequest, denyToken } from './auth.ts';
import { sendError } from './errors.ts';
import { type App, makeFastify } from './fastify.ts';
import { openApiOptions } from './openapi.ts';
import { addPage } from './page.ts';
import { addRoutes } from './routes.ts';
import { addCallsRoutes } from './routes-calls.ts';
import { addCompareRoutes } from './routes-compare.ts';
import { addSavedComparisonRoutes } from './routes-saved-comparisons.ts';
import { addLabRoutes } from './routes-lab.ts';
import { addMatrixRoute } from './routes-matrix.ts';
import { addMetricsRoute } from './routes-metrics.ts';
import { addRecordedViewRoute } from './routes-recorded-view.ts';
import { addRecordingChanges } from './routes-recording-changes.ts';
import { addRecordingRoutes } from './routes-recordings.ts';
import { addOverviewRoute } from './routes-recordings-overview.ts';
import { addImportRoute, addStoreRoutes, type BoundedStore } from './routes-store.ts';

/** What the application is made of. */
export type AppOptions = {
  readonly tracing: Tracing;
  readonly access: Access;
  readonly version: string;
  /** The built page: web/dist. */
  readonly pageFolder: string;
  readonly logger: FastifyBaseLogger;
  /** Once aborted, commands are refused: the server is on its way out. */
  readonly stopping: AbortSignal;
  /** Absent where there is no lab (tests of everything else). */
  readonly lab?: Lab | undefined;
  /** Absent where nothing is recorded. */
  readonly library?: Library | undefined;
  /** What the sessions of the library may take, where that can't be set. */
  readonly storeLimits?: StoreBounds | undefined;
  /** How large an imported file may be, bytes, where it is not importBytesMax. */
  readonly importBytesMax?: number | undefined;
  /** The file of the matrix of comparisons; absent where none is shown. */
  readonly matrixFile?: string | undefined;
  /** Its bounds; absent where they can't be set. */
  readonly store?: BoundedStore | undefined;
};

/** The application, not listening yet; closing it closes the hub's connections too. */
export async function buildApp(options: AppOptions): Promise<{ readonly app: App; readonly isPageBuilt: boolean }> {
  const { access, tracing, version } = options;
  const app = makeFastify(options.logger);
  const hub = new Hub({
    server: app.server,
    tracing,
    serverVersion: version,
    refuseRequest: (request) => denyRequest(askedBy(request, true), access)?.problem,
    refuseToken: (token) => denyToken(token, access)?.problem,
    reportError: (error) => options.logger.error({ err: error }, 'a live connection failed'),
  });
  app.addHook('preClose', () => hub[Symbol.asyncDispose]());
  const queries = options.library === undefined ? undefined : new SessionQueries(options.library.folder);
  app.addHook('onClose', () => queries?.[Symbol.asyncDispose]());

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(safetyHeaders);
    const denial = denyRequest(askedBy(request.raw, false), access);
    if (denial !== undefined) return deny(reply, denial);
    if (options.stopping.aborted && request.method === 'POST') return reply.code(503).send(isStopping);
  });
  app.setErrorHandler(sendError);
  app.setNotFoundHandler(sendNotFound);

  await app.register(fastifySwagger, openApiOptions(version, access.token !== undefined));
  await app.register(fastifySwaggerUi, { routePrefix: '/api/docs', uiConfig: { docExpansion: 'list' } });
  app.get(
    '/api/v1/openapi.json',
    {
      schema: {
        tags: ['server'],
        summary: 'This document',
        security: [],
        response: { 200: Type.Object({}, { additionalProperties: true }) },
      },
    },
    () => app.swagger(),
  );
  const demandAccess = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    reply.header('cache-control', 'no-store');
    const asked = askedBy(request.raw, true);
    const denial = denyRequest(asked, access) ?? denyToken(bearerToken(request.headers.authorization), access);
    return denial === undefined ? undefined : deny(reply, denial);
  };
  await app.register(
    async (api) => {
      // A hook of this scope, not a look at the URL: a path has more than one spelling.
      api.addHook('onRequest', demandAccess);
      addRoutes(api, { tracing, version, clientCount: () => hub.clientCount });
      if (options.lab !== undefined) addLabRoutes(api, options.lab);
      if (queries !== undefined) await addStoredRoutes(api, options, queries);
    },
    { prefix: '/api/v1' },
  );
  await app.register(async (monitored) => {
    monitored.addHook('onRequest', demandAccess);
    addMetricsRoute(monitored, tracing, version);
  });
  const { isBuilt } = await addPage(app, options.pageFolder);
  await app.ready();
  return { app, isPageBuilt: isBuilt };
}

/** Everything about recorded sessions. */
async function addStoredRoutes(
  api: App,
  { library, store, storeLimits, version, importBytesMax, matrixFile, tracing }: AppOptions,
  queries: SessionQueries,
): Promise<void> {
  if (store !== undefined) addStoreRoutes(api, store);
  if (library === undefined) return;
  addRecordingRoutes(api, library);
  addRecordingChanges(api, library);
  addCallsRoutes(api, library, queries);
  addCompareRoutes(api, library);
  addSavedComparisonRoutes(api, library);
  if (matrixFile !== undefined) addMatrixRoute(api, library, tracing, matrixFile);
  addRecordedViewRoute(api, library, queries, version);
  addOverviewRoute(api, library, () => store?.limits ?? storeLimits);
  // Its parsers are for this route alone.
  await api.register(async (importing) => addImportRoute(importing, library, queries, importBytesMax));
}

/** Nothing but our own files; styles may be inline, because charts and Swagger UI set them so. */
const safetyHeaders = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

const isStopping: Problem = {
  error: 'stopping',
  message: 'The server is stopping and takes no more commands.',
  remedy: 'Start it again.',
};

function askedBy(request: IncomingMessage, isApi: boolean): Parameters<typeof denyRequest>[0] {
  return { method: request.method ?? 'GET', headers: request.headers, port: request.socket.localPort, isApi };
}

function deny(reply: FastifyReply, { status, problem }: Denial): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send(problem);
}

/** Views of the page have URLs of their own, which the page itself understands; everything else is not there. */
function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const isView =
    request.method === 'GET' && /^\/[a-z0-9/-]*(?:\?|$)/i.test(request.url) && !/^\/api\b/i.test(request.url);
  const wantsPage = isView && request.headers.accept?.includes('text/html') === true && 'sendFile' in reply;
  if (wantsPage) return reply.sendFile('index.html');
  return reply.code(404).send({
    error: 'not-found',
    message: `There is nothing at ${request.method} ${request.url.slice(0, 200)}.`,
    remedy: 'See /api/docs for what there is.',
  } satisfies Problem);
}
