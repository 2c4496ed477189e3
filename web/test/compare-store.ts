/** A real server over runs of 6.1 and 6.12 that were really recorded: what the tests of the page of comparisons begin with. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { saysWhere } from './session-store.ts';

const run = promisify(execFile);
/** The working copy. */
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A server over a store with these sessions. */
export type CompareServer = AsyncDisposable & { readonly url: string };

/** Imports runs by their names in server/test/fixtures/compare (6.1-1, 6.12-2, …) and serves them without tracing. */
export async function openCompareServer(port: number, runs: readonly string[]): Promise<CompareServer> {
  const store = await mkdtemp(join(tmpdir(), 'faultline-compare-'));
  for (const name of runs)
    await run(`${root}bin/faultline`, [
      'import',
      `${root}server/test/fixtures/compare/${name}.tar.gz`,
      '--store',
      store,
    ]);
  const server = spawn(`${root}bin/faultline`, ['serve', '--port', String(port), '--store', store, '--no-trace'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await saysWhere(server);
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGINT');
      await ended;
      await rm(store, { recursive: true });
    },
  };
}

/** Opens the page of comparisons; what goes wrong in it is in `errors`. */
export async function openComparePage(
  browser: Browser,
  server: CompareServer,
  query: string = '',
): Promise<AsyncDisposable & { readonly page: Page; readonly errors: string[] }> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    acceptDownloads: true,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('Failed to load resource')) errors.push(message.text());
  });
  await page.goto(`${server.url}/?page=compare${query}`);
  return { page, errors, [Symbol.asyncDispose]: () => context.close() };
}
