/** The whole way on the real kernel: the page, the API and `record` say the same number, the one that was done. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RecordSummary, RunSummary, RunView, SessionView } from '@faultline/shared';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from './open-page.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const patient = { timeout: 30_000 } as const;

let program = '';
let server: ChildProcess | undefined;
let url = '';
let browser: Browser | undefined;

beforeAll(async () => {
  program = join(await mkdtemp(join(tmpdir(), 'faultline-truth-')), 'mmap-load');
  await run('gcc', ['-O2', '-o', program, `${root}tools/load/mmap-load.c`, '-lpthread']);
  const started = spawn(`${root}bin/faultline`, ['serve', '--port', '7793'], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.stdout.resume();
  server = started;
  url = 'http://127.0.0.1:7793/';
  while ((await statesOfRuns()).join() !== 'running,running') await new Promise((resolve) => setTimeout(resolve, 50));
  browser = await openBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  const ended = new Promise((resolve) => server?.once('exit', resolve) ?? resolve(undefined));
  server?.kill('SIGINT');
  await ended;
});

async function openLive(): Promise<Page> {
  if (browser === undefined) throw new Error('Chromium was started before the tests');
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(url);
  return page;
}

async function statesOfRuns(): Promise<readonly string[]> {
  const response = await fetch(`${url}api/v1/runs`).catch(() => undefined);
  const runs = ((await response?.json()) ?? []) as readonly RunView[];
  return runs.map((one) => one.state);
}

const onPage = (page: Page, metric: string, dims: Record<string, string>): Promise<number> =>
  page.evaluate(([name, which]) => window.faultline?.totals(name, which) ?? -1, [metric, dims] as const);

async function overHttp(dims: Record<string, string>): Promise<number> {
  const sessions = (await (await fetch(`${url}api/v1/sessions`)).json()) as readonly SessionView[];
  const id = sessions.find((one) => one.target.id === 'host')?.id;
  const session = (await (await fetch(`${url}api/v1/sessions/${id}/summary`)).json()) as RecordSummary;
  return sumOf(session.runs, dims);
}

function sumOf(runs: readonly RunSummary[], dims: Record<string, string>): number {
  return runs
    .flatMap((one) => one.totals)
    .filter(
      (one) => one.metric === 'acquisitions' && Object.entries(dims).every(([name, word]) => one.dims[name] === word),
    )
    .reduce((sum, one) => sum + one.value, 0);
}

/** `record` with mmap-lock, once it says that it records. */
async function startRecording(length: string): Promise<{ readonly finished: Promise<RecordSummary> }> {
  const words = ['record', '--probes', 'mmap-lock', '--for', length, '--json'];
  const child = spawn(`${root}bin/faultline`, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let json = '';
  child.stdout.on('data', (chunk: Buffer) => {
    json += chunk.toString();
  });
  const finished = new Promise<RecordSummary>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(JSON.parse(json) as RecordSummary));
  });
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      if (chunk.includes('recording')) resolve();
    });
  });
  return { finished };
}

describe('the truth', () => {
  test('N mincore calls at full speed are N read acquisitions on the page, over HTTP and in record', async () => {
    const page = await openLive();
    const recording = await startRecording('8s');
    await run(program, ['mincore', '--count', '500000', '--name', 'truth-reader']);
    await run(program, ['mmap-munmap', '--count', '5000', '--name', 'truth-mapper']);
    const reads = { comm: 'truth-reader', mode: 'mmap-read', success: 'yes' };
    const writes = { comm: 'truth-mapper', mode: 'mmap-write' };
    const downgrades = { comm: 'truth-mapper', mode: 'mmap-read', downgrade: 'yes' };
    await expect.poll(() => onPage(page, 'acquisitions', downgrades), patient).toBe(5000);
    expect(await onPage(page, 'acquisitions', reads)).toBe(500_000);
    expect(await onPage(page, 'acquisitions', { comm: 'truth-reader' })).toBe(500_000);
    expect(await onPage(page, 'acquisitions', writes)).toBe(10_000);
    expect([await overHttp(reads), await overHttp(writes), await overHttp(downgrades)]).toEqual([
      500_000, 10_000, 5000,
    ]);
    const { runs } = await recording.finished;
    expect([sumOf(runs, reads), sumOf(runs, writes), sumOf(runs, downgrades)]).toEqual([500_000, 10_000, 5000]);
    const row = page.locator('#panel-who').getByText('truth-reader');
    await expect.poll(() => row.count(), patient).toBeGreaterThan(0);
    await page.close();
  }, 60_000);

  test('bpftrace killed with SIGKILL is on the page within 2 s, with its reason; the rest of the page lives', async () => {
    const page = await openLive();
    await expect.poll(() => page.locator('.state-word').innerText(), patient).toBe('live');
    const runs = (await (await fetch(`${url}api/v1/runs`)).json()) as readonly {
      probe: string;
      bpftracePid?: number;
    }[];
    const pid = runs.find((one) => one.probe === 'mmap-lock')?.bpftracePid ?? Number.NaN;
    process.kill(pid, 'SIGKILL');
    const killedAtMs = Date.now();
    await expect.poll(() => page.locator('body').innerText(), patient).toContain('killed by SIGKILL');
    expect(Date.now() - killedAtMs).toBeLessThan(2000);
    const before = await page.evaluate(() => window.faultline?.totals('faults', {}) ?? 0);
    await expect
      .poll(() => page.evaluate(() => window.faultline?.totals('faults', {}) ?? 0), patient)
      .toBeGreaterThan(before);
    await page.close();
  }, 60_000);
});
