/** The page of the lab with a real guest behind it: booted, used and ended by its buttons. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SessionView } from '@faultline/shared';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, waitForFigures } from './open-page.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const url = 'http://127.0.0.1:7860/';
/** A cold boot and attaching under emulation take about 40 s, 114 s beside a load of 14; from a snapshot it is 3 s. */
const boot = { timeout: 200_000 } as const;
const patient = { timeout: 20_000 } as const;

let server: ChildProcess | undefined;
let browser: Browser | undefined;

beforeAll(async () => {
  const words = ['serve', '--port', '7860', '--no-trace', '--no-store'];
  server = spawn(`${root}bin/faultline`, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  while ((await fetch(`${url}api/v1/health`).catch(() => undefined))?.ok !== true)
    await new Promise((resolve) => setTimeout(resolve, 50));
  browser = await openBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  const ended = new Promise((resolve) => server?.once('exit', resolve) ?? resolve(undefined));
  server?.kill('SIGINT');
  await ended;
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
