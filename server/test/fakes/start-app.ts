/** The whole server on a free loopback port, over fake tracing. */
import { pino } from 'pino';
import { buildApp } from '../../src/http/app.ts';
import type { Access } from '../../src/http/auth.ts';
import type { Library } from '../../src/sessions/library.ts';
import type { StoreBounds } from '../../src/sessions/pruning.ts';
import type { Store } from '../../src/sessions/store.ts';
import { FakeTracing } from './fake-tracing.ts';

/** A server that listens, and how to end it. */
export type StartedApp = AsyncDisposable & {
  readonly tracing: FakeTracing;
  readonly port: number;
  readonly url: string;
  readonly app: Awaited<ReturnType<typeof buildApp>>['app'];
  readonly stopping: AbortController;
  readonly logged: string[];
};

/** Starts it; without options on loopback, without a token, without a page. */
export async function startApp(
  options: {
    readonly access?: Partial<Access>;
    readonly pageFolder?: string;
    readonly tracing?: FakeTracing;
    readonly library?: Library;
    readonly storeLimits?: StoreBounds;
    readonly store?: Store;
    readonly importBytesMax?: number;
    readonly matrixFile?: string;
  } = {},
): Promise<StartedApp> {
  const tracing = options.tracing ?? new FakeTracing();
  const stopping = new AbortController();
  const logged: string[] = [];
  const { app } = await buildApp({
    tracing,
    access: { host: '127.0.0.1', allowedHosts: [], token: undefined, ...options.access },
    version: '0.0.0-test',
    pageFolder: options.pageFolder ?? '/nonexistent',
    logger: pino({ level: 'warn' }, { write: (line: string) => logged.push(line) }),
    stopping: stopping.signal,
    library: options.store?.library ?? options.library,
    importBytesMax: options.importBytesMax,
    matrixFile: options.matrixFile,
    store: options.store,
    storeLimits: options.storeLimits,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const port = Number(new URL(url).port);
  return { tracing, port, url, app, stopping, logged, [Symbol.asyncDispose]: () => app.close() };
}
