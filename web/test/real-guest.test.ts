/** The page with real guests behind it: one booted, used and ended by its buttons, and two side by side. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  ComparisonAnswer,
  LabMachine,
  LabView,
  LabWorkloadRun,
  RecordSummary,
  SessionView,
} from '@faultline/shared';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, waitForFigures } from './open-page.ts';
import { saysWhere } from './session-store.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A cold boot and attaching under emulation take about 40 s, 114 s beside a load of 14; from a snapshot it is 3 s. */
const boot = { timeout: 200_000 } as const;
/** A guest that hangs is taken away within 15 s; beside others that is long. */
const patient = { timeout: 60_000 } as const;

const store = mkdtempSync(join(tmpdir(), 'faultline-real-guest-'));
let server: ChildProcess | undefined;
let url = '';
let browser: Browser | undefined;

beforeAll(async () => {
  const words = ['serve', '--port', '0', '--no-trace', '--store', store];
  server = spawn(`${root}bin/faultline`, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  url = `${await saysWhere(server)}/`;
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  const ended = new Promise((resolve) => server?.once('exit', resolve) ?? resolve(undefined));
  server?.kill('SIGINT');
  await ended;
  rmSync(store, { recursive: true });
});

/** QEMU processes whose parent is the server. */
function guests(): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
      return stat.includes('(qemu-system') && parent === String(server?.pid);
    } catch {
      return false;
    }
  });
}

test('a kernel is booted, run and watched, and Stop ends it and leaves nothing running', async () => {
  if (browser === undefined) throw new Error('Chromium was started before the tests');
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${url}?page=lab`);
  await page.getByRole('button', { name: 'Boot 6.1', exact: true }).click();
  const guest = page.locator('.lab-machine');
  await guest.getByRole('button', { name: 'misaligned' }).click(boot);
  await expect.poll(guests, patient).toHaveLength(1);
  await guest.getByRole('textbox', { name: 'repetitions' }).fill('3');
  await guest.getByRole('button', { name: 'dma-map', exact: true }).click();
  const run = guest.locator('.lab-run').first();
  await expect
    .poll(() => run.innerText(), patient)
    .toMatch(/dma-map, misaligned, 3 times\s+done\s+mapped 64 MiB 3 times, 3 MAP_DMA\s+4 lines\s+3\s+[\d.]+ m?s/);
  await guest.getByRole('button', { name: 'Watch it' }).click();
  await waitForFigures(page, 'vfio-faults');
  await expect.poll(() => page.locator('.figure-bad').innerText(), patient).toMatch(/violations\s+✕ 3/);
  await page.goto(`${url}?page=lab`);
  await guest.getByRole('button', { name: 'Stop' }).click();
  await expect.poll(() => page.getByRole('main', { name: 'lab' }).innerText(), patient).toContain('No guest runs.');
  expect(guests()).toEqual([]);
  const sessions = (await (await fetch(`${url}api/v1/sessions`)).json()) as readonly SessionView[];
  expect(sessions.filter(({ target }) => target.kind === 'guest')).toEqual([]);
}, 260_000);

async function api<T>(path: string, body?: object): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const post = { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await fetch(`${url}api/v1/${path}`, body === undefined ? {} : post);
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Guests of these kernels, traced; their ids, which are those of their targets. */
async function bootGuests(...kernels: readonly string[]): Promise<readonly string[]> {
  const boots = kernels.map((kernel) => api<LabMachine>('lab/machines', { kernel, barBytes: 64 * 1024 ** 2 }));
  const ids = (await Promise.all(boots)).map(({ id }) => id);
  const states = async () => {
    const { machines } = await api<LabView>('lab');
    return ids.map((id) => machines.find((one) => one.id === id)?.state);
  };
  // Cold, both share the processors.
  await expect.poll(states, { timeout: 2 * boot.timeout, interval: 200 }).toEqual(ids.map(() => 'running'));
  return ids;
}

type Asked = { readonly metric: string; readonly dims: Readonly<Record<string, string>> };

/** What one touch of the BAR is seen by; the violations are those of the lock assertion. */
const asked: readonly Asked[] = [
  { metric: 'attempts', dims: { result: 'nopage' } },
  { metric: 'attempts', dims: { result: 'nopage', order: 'pmd' } },
  { metric: 'remaps', dims: {} },
  { metric: 'inserts', dims: { insert: 'vmf_insert_pfn_pmd' } },
  { metric: 'violations', dims: {} },
];

async function overHttp(target: string): Promise<readonly number[]> {
  const session = (await api<readonly SessionView[]>('sessions')).find((one) => one.target.id === target);
  const { runs } = await api<RecordSummary>(`sessions/${session?.id}/summary`);
  const totals = runs.flatMap((run) => run.totals);
  return asked.map(({ metric, dims }) => {
    const own = totals.filter(
      (one) => one.metric === metric && Object.keys(dims).every((k) => one.dims[k] === dims[k]),
    );
    return own.reduce((sum, { value }) => sum + value, 0);
  });
}

const onPage = (page: Page, column: 'left' | 'right'): Promise<readonly (number | undefined)[]> =>
  page.evaluate(([all, where]) => all.map(({ metric, dims }) => window.faultline?.totals(metric, dims, where)), [
    asked,
    column,
  ] as const);

test('two kernels side by side have each its own exact counts, and one click says what differs', async () => {
  if (browser === undefined) throw new Error('Chromium was started before the tests');
  const [eraA = '', eraD = ''] = await bootGuests('6.1', '6.12');
  const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
  await page.goto(`${url}?target=${eraA}&beside=${eraD}`);
  await waitForFigures(page, 'path');
  await waitForFigures(page, 'path-right');
  for (const id of [eraA, eraD]) await api<LabWorkloadRun>(`lab/machines/${id}/runs`, { workload: 'touch' });
  for (const [column, id, counts, faults, violations] of [
    ['left', eraA, [1, 0, 1, 0, 1], '1', '✕ 1'],
    ['right', eraD, [32, 32, 0, 32, 0], '32', 'none'],
  ] as const) {
    await expect.poll(() => onPage(page, column), patient).toEqual(counts);
    expect(await overHttp(id)).toEqual(counts);
    const figures = page
      .locator('.live-column')
      .nth(column === 'left' ? 0 : 1)
      .locator('.figure');
    const shown = (title: string): Promise<string> =>
      figures
        .filter({ has: page.getByText(title, { exact: true }) })
        .locator('dd')
        .first()
        .innerText();
    await expect.poll(() => shown('faults'), patient).toBe(faults);
    await expect.poll(() => shown('violations'), patient).toBe(violations);
  }
  const workloads = async () => (await api<LabView>('lab')).workloadRuns.slice(-2).map(({ state }) => state);
  await expect.poll(workloads, patient).toEqual(['done', 'done']);
  // What is counted is on its way to the journals; the page compares what it finds there at the click.
  const recorded = async (target: string): Promise<string> =>
    (await api<readonly SessionView[]>('sessions')).find((one) => one.target.id === target)?.recording?.id ?? '';
  const words = `baseline=${await recorded(eraA)}&candidate=${await recorded(eraD)}`;
  const compared = async () => {
    const [found] = (await api<ComparisonAnswer>(`compare?${words}`)).comparison.candidates;
    return found?.metrics.find(({ metric }) => metric.id === 'faults');
  };
  await expect.poll(compared, patient).toMatchObject({ baseline: [1], candidate: [32] });
  await page.getByRole('button', { name: 'Compare', exact: true }).last().click();
  await expect
    .poll(() => page.locator('.verdict-sentence').innerText(), patient)
    .toMatch(/6\.12 against 6\.1: need more runs\. It never breaks the lock assertion, which 6\.1 does \(1 a run\)/);
  const row = page.getByRole('row').filter({ has: page.getByText('Faults', { exact: true }) });
  await expect.poll(() => row.innerText(), patient).toMatch(/^Faults\t1\t32\t/);
  await page.close();
}, 460_000);
