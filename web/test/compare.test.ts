/** Comparisons on the page, over a real server and really recorded runs of 6.1 and 6.12. */
import { readFile } from 'node:fs/promises';
import {
  type ComparisonAnswer,
  formatBrief,
  formatMetric,
  formatRunsNeeded,
  formatTest,
  meanOf,
  noValue,
  overviewOf,
  overviewSentence,
  verdictSigns,
  verdictWords,
} from '@faultline/shared';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CompareServer, openComparePage, openCompareServer } from './compare-store.ts';
import { openBrowser, panelOf, soon } from './open-page.ts';

const old = 'build:6.1,workload:dma-map';
const young = 'build:6.12,workload:dma-map';
const both = `&baseline=${encodeURIComponent(old)}&candidate=${encodeURIComponent(young)}`;

let browser: Browser;
let server: CompareServer;

beforeAll(async () => {
  server = await openCompareServer(['6.1-1', '6.1-2', '6.12-1', '6.12-2']);
  browser = await openBrowser();
}, 90_000);

afterAll(async () => {
  await browser.close();
  await server[Symbol.asyncDispose]();
});

const verdictOf = (page: Page) => page.getByRole('region', { name: 'verdict' });
const rowOf = (page: Page, metric: string) =>
  page.locator('.compare-metrics tbody tr').filter({ has: page.getByRole('button', { name: metric, exact: true }) });
const chosenOn = (page: Page, side: string) => page.getByRole('group', { name: side, exact: true }).locator('.chosen');

async function asked(query: string): Promise<ComparisonAnswer> {
  return (await (await fetch(`${server.url}/api/v1/compare?${query}`)).json()) as ComparisonAnswer;
}

describe('the page of comparisons', () => {
  test('offers two builds under one workload, and compares what is chosen', async () => {
    await using open = await openComparePage(browser, server);
    const { page } = open;
    await page.getByRole('button', { name: '6.1 · dma-map · 2 runs against 6.12 · dma-map · 2 runs' }).click();
    await expect.poll(() => verdictOf(page).innerText(), soon).toContain('6.12 against 6.1: ');
    await expect.poll(() => new URL(page.url()).searchParams.getAll('baseline'), soon).toEqual([old]);
    await expect.poll(() => new URL(page.url()).searchParams.getAll('candidate'), soon).toEqual([young]);
    expect(open.errors).toEqual([]);
  });

  test('every figure of the table is that of the interface', async () => {
    await using open = await openComparePage(browser, server, both);
    const { page } = open;
    const answer = await asked(both.slice(1));
    const [candidate] = answer.comparison.candidates;
    await expect.poll(() => verdictOf(page).innerText(), soon).toContain(candidate?.sentence ?? '?');
    for (const message of candidate?.gate.map((one) => one.message) ?? [])
      expect(await verdictOf(page).textContent()).toContain(message.slice(message.indexOf(': ') + 2));
    const rows = candidate?.metrics ?? [];
    expect(rows.length).toBeGreaterThan(15);
    expect(await page.locator('.compare-metrics tbody tr').count()).toBe(rows.length);
    for (const row of rows) {
      const { metric, runsNeeded } = row;
      const name = `${metric.title}${metric.decides ? ' *' : ''}`;
      const cells = await rowOf(page, name).locator('td').allInnerTexts();
      const shown = [meanOf(row, 'baseline'), meanOf(row, 'candidate')].map((value) =>
        formatMetric(value, metric.unit),
      );
      expect([name, ...cells.slice(0, 3)]).toEqual([name, ...shown, formatTest(row)]);
      const verdict =
        runsNeeded === undefined ? verdictWords[row.verdict] : `need ${formatRunsNeeded(runsNeeded)} runs`;
      expect([name, cells.at(-1)]).toEqual([name, verdict]);
    }
    expect(await rowOf(page, 'Faults').innerText()).toContain('1 → 32');
  });

  test('a link shows the same screen after a reload and to somebody else', async () => {
    await using open = await openComparePage(browser, server, both);
    const { page } = open;
    await rowOf(page, 'Time in MAP_DMA *').getByRole('button').click();
    await page.getByRole('group', { name: 'layout' }).getByRole('button', { name: 'overlaid' }).click();
    await page.locator('#panel-shift').focus();
    await expect.poll(() => panelOf(page, 'order').innerText(), soon).toContain('Time in MAP_DMA');
    const screen = await page.locator('main').innerText();
    const link = page.url();
    await page.reload();
    await expect.poll(() => page.locator('main').innerText(), soon).toBe(screen);
    await using other = await openComparePage(browser, server);
    await other.page.goto(link);
    await expect.poll(() => other.page.locator('main').innerText(), soon).toBe(screen);
    expect(open.errors).toEqual([]);
  });

  test('swapping the sides mirrors it, and the back button undoes that', async () => {
    await using open = await openComparePage(browser, server, both);
    const { page } = open;
    await expect.poll(() => rowOf(page, 'Faults').innerText(), soon).toContain('1 → 32');
    await page.getByRole('button', { name: 'Swap' }).click();
    await expect.poll(() => rowOf(page, 'Faults').innerText(), soon).toContain('32 → 1');
    expect(await verdictOf(page).innerText()).toContain('6.1 against 6.12: regressed');
    expect(await verdictOf(page).innerText()).toContain('none in the baseline, some in 2 of 2 runs');
    await page.goBack();
    await expect.poll(() => rowOf(page, 'Faults').innerText(), soon).toContain('1 → 32');
  });

  test('marks where the two paths differ, and shows violations first', async () => {
    await using open = await openComparePage(browser, server, both);
    const { page } = open;
    const [from, to] = [panelOf(page, 'path-baseline'), panelOf(page, 'path-candidate')];
    await expect.poll(() => from.innerText(), soon).toContain('needs the write lock');
    expect(await from.locator('.path-differs').filter({ hasText: 'remap_pfn_range' }).count()).toBeGreaterThan(0);
    expect(await to.locator('.path-differs').filter({ hasText: 'vfio_pci_mmap_huge_fault' }).textContent()).toContain(
      'there 1',
    );
    // What both do alike is not marked.
    expect(await to.locator('.path-differs').filter({ hasText: 'vfio_pin_pages_remote' }).count()).toBe(0);
    expect(await panelOf(page, 'assertion-baseline').innerText()).toContain('2 × violated');
    expect(await panelOf(page, 'assertion-candidate').innerText()).toContain('none in 0 checks');
  });

  test('has a table behind every picture', async () => {
    await using open = await openComparePage(browser, server, both);
    const { page } = open;
    await expect.poll(() => verdictOf(page).count(), soon).toBe(1);
    for (const [id, words] of [
      ['latency', 'candidate up to'],
      ['heat', 'difference'],
      ['order', 'run'],
      ['path-baseline', 'vfio_pci_mmap_fault'],
      ['locks', 'mmap-read'],
    ] as const) {
      await panelOf(page, id)
        .getByRole('button', { name: /Show the table/ })
        .click();
      await expect.poll(() => panelOf(page, id).getByRole('table').innerText(), soon).toContain(words);
    }
    expect(open.errors).toEqual([]);
  });

  test('draws where the sides differ: more on the one, fewer on the other, and of the candidate that is picked', async () => {
    await using open = await openComparePage(browser, server, both);
    const { page } = open;
    const heat = panelOf(page, 'heat');
    await expect.poll(() => heat.locator('rect').count(), soon).toBeGreaterThan(1);
    const cells = await heat.locator('svg g:has(rect)').evaluateAll((found) =>
      found.map((one) => ({
        words: one.querySelector('title')?.textContent ?? '',
        fill: one.querySelector('rect')?.getAttribute('fill'),
      })),
    );
    const colorOf = (words: RegExp): (string | null | undefined)[] => [
      ...new Set(cells.filter((cell) => words.test(cell.words)).map(({ fill }) => fill)),
    ];
    expect(colorOf(/baseline 0, candidate [0-9.]+ a run$/)).toEqual(['var(--candidate)']);
    expect(colorOf(/baseline [0-9.]+, candidate 0 a run$/)).toEqual(['var(--baseline)']);
    // The same build on both sides differs nowhere.
    await page.goto(`${server.url}/?page=compare${both}&candidate=${encodeURIComponent(old)}&pick=2`);
    await expect.poll(() => heat.locator('rect').count(), soon).toBeGreaterThan(0);
    expect(await heat.locator('rect:not(.difference-none)').count()).toBe(0);
    expect(open.errors).toEqual([]);
  });

  test('draws what the baseline shows against itself where it has four runs, and says so; else why not', async () => {
    await using open = await openComparePage(browser, server, both);
    await expect.poll(() => panelOf(open.page, 'metrics').innerText(), soon).toContain('too few runs');
    expect(await open.page.locator('.interval-noise').count()).toBe(0);
    await using mixed = await openComparePage(
      browser,
      server,
      `&baseline=build:6.1&baseline=build:6.12&candidate=build:6.12`,
    );
    // Four runs, though of two builds: the gate is shut, and how far runs of this side lie apart is known all the same.
    await expect.poll(() => panelOf(mixed.page, 'metrics').innerText(), soon).toContain('The grey band is noise');
  });

  test('chooses sessions one by one, of one build too', async () => {
    await using open = await openComparePage(browser, server);
    const { page } = open;
    const choose = async (side: string, at: number): Promise<void> => {
      const select = page.getByLabel(`choose the ${side}`);
      await expect.poll(() => select.locator('optgroup').nth(1).locator('option').count(), soon).toBeGreaterThan(1);
      const value = await select.locator('optgroup').nth(1).locator('option').nth(at).getAttribute('value');
      await select.selectOption(value);
    };
    await choose('baseline', 0);
    await choose('candidate', 1);
    await expect.poll(() => verdictOf(page).count(), soon).toBe(1);
    await choose('candidate', 1);
    await expect.poll(() => chosenOn(page, 'candidate').count(), soon).toBe(2);
    await chosenOn(page, 'candidate').first().getByRole('button').click();
    await expect.poll(() => chosenOn(page, 'candidate').count(), soon).toBe(1);
    await page.getByLabel('choose the candidate').selectOption(young);
    await expect
      .poll(() => chosenOn(page, 'candidate').allInnerTexts(), soon)
      .toEqual([expect.stringMatching(/^6\.1 · dma-map · 20/), '6.12 · dma-map · 2 runs']);
    await chosenOn(page, 'candidate').first().getByRole('button').click();
    await expect.poll(() => chosenOn(page, 'candidate').allInnerTexts(), soon).toEqual(['6.12 · dma-map · 2 runs']);
  });

  test('is copied for a kernel list and downloaded as the interface gives it', async () => {
    await using open = await openComparePage(browser, server, both);
    const { page } = open;
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'For a kernel list' }).click();
    await expect.poll(() => page.locator('.compare-tools [role=status]').innerText(), soon).toContain('copied');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe(await (await fetch(`${server.url}/api/v1/compare?${both.slice(1)}&format=text`)).text());
    await page.getByRole('button', { name: 'Download', exact: true }).click();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Report, one HTML file' }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe('faultline-comparison.html');
    const report = await readFile(await download.path(), 'utf8');
    expect(report).toBe(await (await fetch(`${server.url}/api/v1/compare?${both.slice(1)}&format=html`)).text());
  });

  test('lays many candidates on one table with the figures of the interface, and draws the one that is picked', async () => {
    const many = `&baseline=${encodeURIComponent(old)}&candidate=${encodeURIComponent(young)}&candidate=${encodeURIComponent(old)}`;
    await using open = await openComparePage(browser, server, many);
    const { page } = open;
    const answer = await asked(many.slice(1));
    const builds = panelOf(page, 'builds');
    await expect.poll(() => page.locator('main').innerText(), soon).toContain(overviewSentence(answer.comparison));
    const rows = overviewOf(answer.comparison);
    expect(await builds.locator('tbody tr').count()).toBe(rows.length);
    for (const [at, { metric, baseline, cells }] of rows.entries()) {
      const shown = cells.map((cell) =>
        cell === undefined ? noValue : `${formatBrief(cell)} ${verdictSigns[cell.verdict]}`,
      );
      const own = await builds.locator('tbody tr').nth(at).locator('td').allInnerTexts();
      expect([metric.id, ...own.map((words) => words.trim())]).toEqual([metric.id, baseline, ...shown]);
    }
    // The first is drawn, then the other: its verdict, its path; in the address, and back.
    expect(await verdictOf(page).innerText()).toContain('6.12 against');
    await builds.getByRole('button', { name: /6\.1 \(candidate 2\)/ }).click();
    await expect.poll(() => verdictOf(page).innerText(), soon).toContain('6.1 (candidate 2) against 6.1 (baseline)');
    expect(await panelOf(page, 'path-candidate').innerText()).toContain('vfio_pci_mmap_fault');
    await expect.poll(() => new URL(page.url()).searchParams.get('pick'), soon).toBe('2');
    // Its heatmap comes last: these are the runs of the baseline once more, and nothing differs.
    await expect.poll(() => page.locator('main').innerText(), soon).toContain('−0 fewer');
    const screen = await page.locator('main').innerText();
    await page.reload();
    await expect.poll(() => page.locator('main').innerText(), soon).toBe(screen);
    await builds.getByRole('button', { name: '6.12', exact: false }).first().click();
    await expect.poll(() => verdictOf(page).innerText(), soon).toContain('6.12 against');
    expect(open.errors).toEqual([]);
  });

  test('is saved under a name, has a link that stays, and is annotated, renamed and removed', async () => {
    await using open = await openComparePage(browser, server, both);
    const { page } = open;
    const write = async (text: string): Promise<void> => {
      await page.getByRole('dialog').getByRole('textbox').fill(text);
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    };
    const bar = page.getByRole('region', { name: 'saved comparison' });
    await page.getByRole('button', { name: 'Save …' }).click();
    await write('old and new');
    await expect.poll(() => bar.innerText(), soon).toContain('6.12 against 6.1');
    await expect.poll(() => new URL(page.url()).searchParams.get('saved'), soon).toMatch(/^[0-9a-f]{12}$/);
    await expect.poll(() => new URL(page.url()).searchParams.has('baseline'), soon).toBe(false);
    await bar.getByRole('button', { name: 'Add a note' }).click();
    await write('<b>era A</b> against D');
    await expect.poll(() => bar.innerText(), soon).toContain('<b>era A</b> against D');
    await bar.getByRole('button', { name: 'Rename' }).click();
    await write('the thread');
    await expect.poll(() => bar.innerText(), soon).toContain('the thread');
    await using other = await openComparePage(browser, server);
    await other.page.getByRole('button', { name: 'Saved', exact: true }).click();
    await other.page.getByRole('button', { name: /the thread · 6\.12 against 6\.1/ }).click();
    await expect.poll(() => verdictOf(other.page).innerText(), soon).toContain('6.12 against 6.1');
    expect(other.page.url()).toBe(page.url());
    expect(await rowOf(other.page, 'Faults').innerText()).toContain('1 → 32');
    await bar.getByRole('button', { name: 'Remove' }).click();
    await bar.getByRole('button', { name: /sure/ }).click();
    // Its sides are there to go on with.
    await expect.poll(() => chosenOn(page, 'candidate').count(), soon).toBe(2);
    await expect.poll(() => new URL(page.url()).searchParams.has('saved'), soon).toBe(false);
    await other.page.reload();
    await expect.poll(() => other.page.getByRole('alert').innerText(), soon).toContain('no saved comparison');
    expect(open.errors).toEqual([]);
  });

  test.each([
    ['one candidate', ''],
    ['many candidates', `&candidate=${encodeURIComponent(old)}`],
  ])('fits 400 pixels with %s: what is wider moves within its panel', async (_, more) => {
    await using open = await openComparePage(browser, server, `${both}${more}`);
    const { page } = open;
    await page.setViewportSize({ width: 400, height: 860 });
    await expect.poll(() => page.locator('.path-diagram').count(), soon).toBe(2);
    await expect.poll(() => panelOf(page, 'heat').locator('rect').count(), soon).toBeGreaterThan(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(
      await page.evaluate(() => document.documentElement.clientWidth),
    );
  });

  test('says why a comparison cannot be had', async () => {
    await using open = await openComparePage(browser, server, '&baseline=build:9.9&candidate=build:6.1');
    await expect.poll(() => open.page.getByRole('alert').innerText(), soon).toContain('build:9.9');
    await using blocked = await openComparePage(
      browser,
      server,
      `&baseline=build:6.1&baseline=build:6.12&candidate=build:6.12`,
    );
    await expect.poll(() => verdictOf(blocked.page).innerText(), soon).toContain('not comparable');
    expect(await blocked.page.getByRole('group', { name: 'gate' }).innerText()).toContain('may not be compared');
  });
});

test('without two sessions it says what is missing and where to get it', async () => {
  await using few = await openCompareServer(['6.1-1']);
  await using open = await openComparePage(browser, few);
  await expect.poll(() => open.page.locator('main').innerText(), soon).toContain('only one closed session');
  await open.page.getByRole('button', { name: 'Go to the lab' }).click();
  expect(new URL(open.page.url()).searchParams.get('page')).toBe('lab');
});
