/** The whole way on the real kernel: the page, the API and `record` say the same number, the one that was done. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RecordSummary, RunSummary } from '@faultline/shared';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from './open-page.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const patient = { timeout: 30_000 } as const;

let program = '';
let server: ChildProcess;
let url = '';
let browser: Browser;

beforeAll(async () => {
  program = join(await mkdtemp(join(tmpdir(), 'faultline-truth-')), 'mmap-load');
  await run('gcc', ['-O2', '-o', program, `${root}tools/load/mmap-load.c`, '-lpthread']);
  server = spawn(`${root}bin/faultline`, ['serve', '--port', '7793'], { stdio: ['ignore', 'pipe', 'inherit'] });
  url = await new Promise<string>((resolve, reject) => {
    let said = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const address = /http:\S+/.exec(said)?.[0];
      if (address !== undefined && said.includes('mmap-lock:latency running')) resolve(address);
    });
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  browser = await openBrowser();
}, 60_000);

afterAll(async () => {
  await browser.close();
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  await ended;
});

const onPage = (page: Page, metric: string, dims: Record<string, string>): Promise<number> =>
  page.evaluate(([name, which]) => window.faultline?.totals(name, which) ?? -1, [metric, dims] as const);

async function overHttp(dims: Record<string, string>): Promise<number> {
  const summary = (await (await fetch(`${url}api/v1/sessions`)).json()) as readonly { readonly id: string }[];
  const session = (await (await fetch(`${url}api/v1/sessions/${summary[0]?.id}/summary`)).json()) as RecordSummary;
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

describe('the truth', () => {
  test('N mincore calls at full speed are N read acquisitions on the page, over HTTP and in record', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(url);
    const recording = run(`${root}bin/faultline`, ['record', '--probes', 'mmap-lock', '--for', '8s', '--json'], {
      maxBuffer: 64 * 1024 * 1024,
    });
    // The recording has attached when it acquires what this process does; then the load begins.
    await new Promise((resolve) => setTimeout(resolve, 2500));
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
    const { runs } = JSON.parse((await recording).stdout) as RecordSummary;
    expect([sumOf(runs, reads), sumOf(runs, writes), sumOf(runs, downgrades)]).toEqual([500_000, 10_000, 5000]);
    const row = page.locator('#panel-who').getByText('truth-reader');
    await expect.poll(() => row.count(), patient).toBeGreaterThan(0);
    await page.close();
  }, 60_000);

  test('bpftrace killed with SIGKILL is on the page within 2 s, with its reason; the rest of the page lives', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(url);
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
