/** A real server over runs of 6.1 and 6.12 that were really recorded: what the tests of the page of comparisons begin with. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { SessionManifest } from '@faultline/shared';
import type { Browser, Page } from 'playwright-core';
import { type StoreServer, serveStore } from './session-store.ts';

const run = promisify(execFile);
/** The working copy. */
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A server over a store with these sessions. */
export type CompareServer = StoreServer;

/**
 * Imports runs by their names in server/test/fixtures/compare (6.1-1, 6.12-2, …) and serves them without tracing; where there is a file of a
 * matrix, they are runs of a series, as `lab compare` makes them.
 */
export async function openCompareServer(runs: readonly string[], matrixFile?: string): Promise<CompareServer> {
  const store = await mkdtemp(join(tmpdir(), 'faultline-compare-'));
  await importRuns(store, runs);
  if (matrixFile !== undefined) await joinSeries(store);
  const matrix = matrixFile === undefined ? [] : ['--matrix', matrixFile];
  // The runs were recorded once, and are as old as they are.
  return serveStore(store, ['--keep-for', '36500d', ...matrix]);
}

async function importRuns(store: string, runs: readonly string[]): Promise<void> {
  for (const name of runs)
    await run(`${root}bin/faultline`, [
      'import',
      `${root}server/test/fixtures/compare/${name}.tar.gz`,
      '--store',
      store,
    ]);
}

/** Makes the sessions of each build one series, numbered as they were recorded: imported ones are none of the store's. */
async function joinSeries(store: string): Promise<void> {
  const paths = (await readdir(store)).filter((name) => name.startsWith('lab-')).map((name) => join(store, name));
  const manifests = await Promise.all(
    paths.map(async (path) => {
      const manifest = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as SessionManifest;
      return { path, manifest };
    }),
  );
  const counted = new Map<string, number>();
  for (const { path, manifest } of manifests.toSorted((a, b) => a.manifest.createdAtMs - b.manifest.createdAtMs)) {
    const { build = '' } = manifest.setup ?? {};
    const runNumber = (counted.get(build) ?? 0) + 1;
    counted.set(build, runNumber);
    const setup = { ...manifest.setup, series: 'dma-map-0123456789ab', runNumber };
    await writeFile(join(path, 'manifest.new'), JSON.stringify({ ...manifest, setup }));
    await rename(join(path, 'manifest.new'), join(path, 'manifest.json'));
  }
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
