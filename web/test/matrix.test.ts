/** The matrix of comparisons on the page, over a real server and really recorded runs of 6.1 and 6.12. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ComparableSession, LabMatrix } from '@faultline/shared';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CompareServer, openComparePage, openCompareServer } from './compare-store.ts';
import { openBrowser, panelOf, soon } from './open-page.ts';

const text =
  'kernels = ["6.1", "6.12"]\nworkloads = ["dma-map"]\nbars = ["64M"]\nmisaligned = [false, true]\nruns = 2\n';

let browser: Browser;
let folder = '';
let file = '';
let server: CompareServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'faultline-matrix-'));
  file = join(folder, 'matrix.toml');
  await writeFile(file, text);
  server = await openCompareServer(['6.1-1', '6.1-2', '6.12-1', '6.12-2'], file);
  browser = await openBrowser();
}, 90_000);

beforeEach(() => writeFile(file, text));

afterAll(async () => {
  await browser.close();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function matrixOf({ url }: CompareServer): Promise<LabMatrix> {
  return (await (await fetch(`${url}/api/v1/matrix`)).json()) as LabMatrix;
}

/** The lines of a cell: what came of it, and its runs. */
function cellOn(page: Page, row: number, column: number): ReturnType<Page['locator']> {
  return panelOf(page, 'matrix').locator('tbody tr').nth(row).locator('td').nth(column);
}

const verdictOf = (page: Page) => page.getByRole('region', { name: 'verdict' });

describe('the matrix of comparisons', () => {
  test('shows how many runs each cell has and what came of them, and opens the comparison behind one', async () => {
    await using open = await openComparePage(browser, server);
    const { page } = open;
    await expect.poll(() => cellOn(page, 0, 1).innerText(), soon).toMatch(/^[▲▼=?≠✕] \w[\w ]+\n2 of 2 runs$/);
    expect(await cellOn(page, 0, 0).innerText()).toBe('baseline\n2 of 2 runs');
    const rows = await panelOf(page, 'matrix').locator('tbody th').allInnerTexts();
    expect(rows).toEqual(['dma-map · 64 MiB', 'dma-map · 64 MiB · misaligned']);
    const [, candidate] = (await matrixOf(server)).rows[0]?.cells ?? [];
    const sentence = candidate?.verdict?.kind === 'judged' ? candidate.verdict.sentence : 'none';
    await cellOn(page, 0, 1).getByRole('button', { name: sentence }).click();
    // The same verdict, to the word.
    await expect.poll(() => verdictOf(page).innerText(), soon).toContain(sentence);
    await expect.poll(() => new URL(page.url()).searchParams.getAll('candidate'), soon).toEqual([candidate?.word]);
    expect(await panelOf(page, 'matrix').count()).toBe(0);
    await page.goBack();
    await expect.poll(() => cellOn(page, 0, 1).count(), soon).toBe(1);
    expect(open.errors).toEqual([]);
  });

  test('is reached by keys, and again from any comparison', async () => {
    await using open = await openComparePage(browser, server);
    const { page } = open;
    await cellOn(page, 0, 1).getByRole('button').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => verdictOf(page).count(), soon).toBe(1);
    await page.getByRole('button', { name: 'All comparisons' }).click();
    await expect.poll(() => cellOn(page, 0, 1).innerText(), soon).toContain('2 of 2 runs');
    await expect.poll(() => new URL(page.url()).searchParams.has('candidate'), soon).toBe(false);
    // The panel's own key copies it as text.
    await panelOf(page, 'matrix').focus();
    await page.keyboard.press('c');
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()), soon)
      .toMatch(/^matrix\n\nworkload +6\.1/);
  });

  test('has missing cells that say so, press on nothing, and come with the command that fills them', async () => {
    await using open = await openComparePage(browser, server);
    const { page } = open;
    await expect.poll(() => cellOn(page, 1, 0).innerText(), soon).toBe('— missing\n0 of 2 runs');
    expect(await panelOf(page, 'matrix').locator('tbody tr').nth(1).getByRole('button').count()).toBe(0);
    expect(await panelOf(page, 'matrix').getByRole('status').first().innerText()).toContain(
      '4 of 8 runs are recorded, 4 missing.',
    );
    await panelOf(page, 'matrix').getByRole('button', { name: 'Copy the command' }).click();
    const { command } = await matrixOf(server);
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), soon).toBe(command);
    expect(command).toBe(`faultline lab compare --matrix ${file} --store ${server.store}`);
  });

  test('says which file is broken, where, and what to do, and is well again once it is', async () => {
    await writeFile(file, 'kernels = ["6.1", "6.12"]\nworkloads = ["dance"]\nbars = ["64M"]\n');
    await using open = await openComparePage(browser, server);
    const { page } = open;
    const alert = panelOf(page, 'matrix').getByRole('alert');
    await expect.poll(() => alert.innerText(), soon).toContain(`${file}: this is no matrix: /workloads`);
    expect(await alert.innerText()).toContain('--matrix FILE');
    // What is recorded can be chosen all the same.
    await expect.poll(() => page.getByRole('button', { name: /6\.12 · dma-map · 2 runs$/ }).count(), soon).toBe(1);
    await writeFile(file, text);
    await alert.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => cellOn(page, 0, 1).innerText(), soon).toContain('2 of 2 runs');
    expect(open.errors).toEqual([]);
  });

  test('fits 400 pixels: a wide table moves within its panel', async () => {
    await writeFile(file, text.replace('"6.12"', '"6.12", "6.1-v0", "6.1-v1", "6.1-v2", "6.1-v3"'));
    await using open = await openComparePage(browser, server);
    const { page } = open;
    await page.setViewportSize({ width: 400, height: 860 });
    await expect.poll(() => cellOn(page, 0, 5).innerText(), soon).toContain('missing');
    const overflow = (element: Element): number => element.scrollWidth - element.clientWidth;
    expect(await panelOf(page, 'matrix').locator('.scroll-x').evaluate(overflow)).toBeGreaterThan(100);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(
      await page.evaluate(() => document.documentElement.clientWidth),
    );
  });

  test('fills while it is looked at, as soon as a missing run is there', async () => {
    const sessions = (await (await fetch(`${server.url}/api/v1/comparable`)).json()) as readonly ComparableSession[];
    const one = sessions.find(({ build }) => build === '6.12')?.id ?? '';
    const command = { headers: { 'content-type': 'application/json' }, body: '{}' };
    const removed = await fetch(`${server.url}/api/v1/recordings/${one}`, { method: 'DELETE', ...command });
    expect(removed.status).toBe(200);
    await using open = await openComparePage(browser, server);
    const { page } = open;
    await expect.poll(() => cellOn(page, 0, 1).innerText(), soon).toBe('incomplete\n1 of 2 runs');
    expect(await cellOn(page, 0, 1).locator('progress').getAttribute('value')).toBe('0.5');
    await fetch(`${server.url}/api/v1/recordings/${one}/restore`, { method: 'POST', ...command });
    await expect
      .poll(() => cellOn(page, 0, 1).innerText(), { timeout: 30_000 })
      .toMatch(/^[▲▼=?≠✕] \w[\w ]+\n2 of 2 runs$/);
    expect(open.errors).toEqual([]);
  });
});
