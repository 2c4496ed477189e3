/** The live page over a busy session: figures, filters, keys, tables. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, openPage, panelOf, soon, waitForFigures } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const totals = (page: Page, metric: string, dims: Record<string, string>): Promise<number> =>
  page.evaluate(([name, wanted]) => window.faultline?.totals(name, wanted) ?? -1, [metric, dims] as const);

describe('the live page', () => {
  test('says at one glance that it runs, on what, and that nothing is lost', async () => {
    await using open = await openPage(browser, 'busy');
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    const frame = page.locator('header.frame');
    await expect.poll(() => frame.innerText(), soon).toMatch(/live\s+00:0\d:\d\d/);
    const words = await frame.innerText();
    for (const word of ['testbed', '6.1.0-56-amd64', 'bpftrace 0.17.0', '2 probes', 'Stop'])
      expect(words).toContain(word);
    expect(words).toMatch(
      /seen\s+[\d,]{9,}\s+recorded\s+[\d,]{9,}\s+lost\s+0\s+dropped\s+0\s+malformed\s+0\s+complete/,
    );
    expect(words).toMatch(/bpftrace \d+ % CPU/);
    expect(open.errors).toEqual([]);
  });

  test('holds exactly what the server counted, at the same tick', async () => {
    await using open = await openPage(browser, 'busy');
    const { page, feed } = open;
    await waitForFigures(page, 'acquisitions');
    const session = feed.sessions.get('host');
    feed.pause();
    await expect.poll(() => page.evaluate(() => window.faultline?.seq), soon).toBe(session?.seq);
    for (const [metric, dims] of [
      ['acquisitions', { mode: 'mmap-read', success: 'yes', comm: 'mmap-load' }],
      ['acquisitions', { mode: 'mmap-write' }],
      ['waitTotal', { comm: 'postgres' }],
      ['faults', {}],
    ] as const) {
      const counted = session?.total(metric, dims) ?? 0;
      expect(counted).toBeGreaterThan(1000);
      expect(await totals(page, metric, dims)).toBe(counted);
    }
    expect(await page.evaluate(() => window.faultline?.frames)).toBeGreaterThan(0);
  });

  test('draws every panel, with nothing cut off and no sideways scrolling', async () => {
    await using open = await openPage(browser, 'busy');
    const { page } = open;
    for (const id of ['acquisitions', 'wait', 'hold', 'faults', 'who', 'spread', 'handled', 'calls']) {
      await panelOf(page, id).scrollIntoViewIfNeeded();
      await waitForFigures(page, id);
    }
    expect(await panelOf(page, 'acquisitions').locator('path.recharts-area-area').count()).toBeGreaterThanOrEqual(2);
    const painted = await panelOf(page, 'wait')
      .locator('canvas')
      .evaluate((canvas: HTMLCanvasElement) => {
        const image = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height);
        const pixels = new Uint32Array(image?.data.buffer ?? new ArrayBuffer(0)).filter((pixel) => pixel !== 0);
        return { pixelCount: pixels.length, colorCount: new Set(pixels).size };
      });
    expect(painted.pixelCount).toBeGreaterThan(10_000);
    expect(painted.colorCount).toBeGreaterThan(30);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    const legend = panelOf(page, 'faults').locator('.panel-legend');
    expect(await legend.evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
    expect(open.errors).toEqual([]);
  });

  test('does not jump when figures come', async () => {
    await using open = await openPage(browser, 'busy', 'theme=dark');
    const { page } = open;
    const boxes = () =>
      page
        .locator('.panel')
        .evaluateAll((panels) => panels.map((panel) => JSON.stringify(panel.getBoundingClientRect())));
    await page.locator('.panel').first().waitFor();
    const before = await boxes();
    await waitForFigures(page, 'acquisitions');
    await waitForFigures(page, 'who');
    expect(await boxes()).toEqual(before);
  });
});

describe('filters', () => {
  test('come from a click on a process, go into the address, and survive a reload', async () => {
    await using open = await openPage(browser, 'busy');
    const { page } = open;
    await waitForFigures(page, 'who');
    await panelOf(page, 'who')
      .getByRole('row', { name: /^postgres/ })
      .click();
    await page.getByRole('combobox', { name: 'mode' }).selectOption('mmap-read');
    await page.getByRole('button', { name: '2 min' }).click();
    await expect.poll(() => new URL(page.url()).search, soon).toBe('?process=postgres&mode=mmap-read&window=2min');
    await page.reload();
    await waitForFigures(page, 'acquisitions');
    expect(await page.locator('#process-filter').inputValue()).toBe('postgres');
    expect(await page.getByRole('button', { name: '2 min' }).getAttribute('aria-pressed')).toBe('true');
    await expect.poll(() => panelOf(page, 'acquisitions').innerText(), soon).toMatch(/write\s+0\/s/);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(() => new URL(page.url()).search, soon).toBe('?window=2min');
  });

  test('say where they cannot narrow a panel, and offer to trace the process alone where its pid is known', async () => {
    await using open = await openPage(browser, 'busy', 'process=postgres');
    const { page, feed } = open;
    await waitForFigures(page, 'wait');
    await expect.poll(() => panelOf(page, 'wait').innerText(), soon).toContain('all processes: not counted by process');
    await panelOf(page, 'wait')
      .getByRole('button', { name: /trace only pid 1001/ })
      .click();
    await expect
      .poll(
        () =>
          feed.sessions
            .get('host')
            ?.view()
            .runs.findLast(({ stream }) => stream === 'latency')?.parameters,
        soon,
      )
      .toEqual({ pid: 1001 });
  });

  test('that leave nothing say so and can be taken back', async () => {
    await using open = await openPage(browser, 'busy', 'process=nobody');
    const { page } = open;
    await expect
      .poll(() => panelOf(page, 'acquisitions').innerText(), soon)
      .toContain('no event of a process named “nobody”');
    await panelOf(page, 'acquisitions').getByRole('button', { name: 'Show all processes' }).click();
    await waitForFigures(page, 'acquisitions');
  });

  test('a pause stands still in all windows while counting goes on, and is in the address', async () => {
    await using open = await openPage(browser, 'busy');
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    await page.keyboard.press('Space');
    await expect.poll(() => page.url(), soon).toContain('paused=1');
    for (const id of ['acquisitions', 'who'])
      await expect.poll(() => panelOf(page, id).innerText(), soon).toContain('paused');
    const read = () => panelOf(page, 'who').getByRole('row').nth(1).innerText();
    const [before, seq] = [await read(), await page.evaluate(() => window.faultline?.seq ?? 0)];
    await expect.poll(() => page.evaluate(() => window.faultline?.seq ?? 0), soon).toBeGreaterThan(seq + 4);
    expect(await read()).toBe(before);
    await page.keyboard.press('Space');
    await expect.poll(read, soon).not.toBe(before);
  });
});

describe('keys', () => {
  test('? lists them, f goes to the filter, numbers change the page', async () => {
    await using open = await openPage(browser, 'busy');
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'keys' }).waitFor({ state: 'hidden' });
    await page.keyboard.press('f');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('process-filter');
    await page.keyboard.press('Escape');
    await page.keyboard.press('4');
    await page.getByRole('heading', { name: /Preflight/ }).waitFor();
    await page.goBack();
    await page.locator('#panel-acquisitions').waitFor();
  });

  test('arrows move a cursor over a chart and read it out', async () => {
    await using open = await openPage(browser, 'busy', 'paused=1');
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    const panel = panelOf(page, 'acquisitions');
    await panel.focus();
    await page.keyboard.press('ArrowLeft');
    const spoken = panel.locator('[aria-live=polite]');
    await expect
      .poll(() => spoken.textContent(), soon)
      .toMatch(/^\d+\.\d\d s · \d\d:\d\d:\d\d\.\d{3}: read [\d.]+[kM]?\/s, write/);
    const first = await spoken.textContent();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => spoken.textContent(), soon).not.toBe(first);
    expect(await page.locator('.plot-cursor').count()).toBeGreaterThanOrEqual(3);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.plot-cursor').count(), soon).toBe(0);
  });

  test('t shows the table behind a chart, c copies it, and both are reachable without a mouse', async () => {
    await using open = await openPage(browser, 'busy', 'paused=1');
    const { page } = open;
    for (const [id, head] of [
      ['acquisitions', /read \/s/],
      ['wait', /p99/],
      ['spread', /latency from/],
    ] as const) {
      await waitForFigures(page, id);
      await panelOf(page, id).focus();
      await page.keyboard.press('t');
      await expect.poll(() => page.url(), soon).toContain(`table=${id}`);
      await expect
        .poll(() => panelOf(page, id).getByRole('columnheader').allInnerTexts(), soon)
        .toEqual(expect.arrayContaining([expect.stringMatching(head)]));
      expect(await panelOf(page, id).getByRole('row').count()).toBeGreaterThan(4);
    }
    await panelOf(page, 'who').focus();
    await page.keyboard.press('c');
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()), soon)
      .toMatch(/^who\n\nprocess +reads +writes.*\nmmap-load +[\d,]{7,}/);
  });

  test('reach everything: tab goes through nav, filters and panels with the focus in sight', async () => {
    await using open = await openPage(browser, 'idle');
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    const seen = new Set<string>();
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press('Tab');
      seen.add(
        await page.evaluate(() => {
          const element = document.activeElement === document.body ? null : document.activeElement;
          if (element === null) return '';
          const name = element.id || element.getAttribute('aria-label') || element.textContent?.trim() || '';
          return getComputedStyle(element).outlineStyle === 'none' ? `no focus ring: ${name}` : name;
        }),
      );
    }
    expect([...seen].filter((name) => name.startsWith('no focus ring'))).toEqual([]);
    for (const name of [
      'Live',
      'Probes',
      'Stop',
      'process-filter',
      'Pause',
      'panel-acquisitions',
      'panel-who',
      'panel-calls',
    ])
      expect(seen).toContain(name);
  });
});

describe('slow calls', () => {
  test('show the columns of the manifest, newest first, and only the rows in sight', async () => {
    await using open = await openPage(browser, 'busy');
    const { page } = open;
    const panel = panelOf(page, 'calls');
    await panel.scrollIntoViewIfNeeded();
    await waitForFigures(page, 'calls');
    expect(await panel.getByRole('columnheader').allInnerTexts()).toEqual([
      'time',
      'CPU',
      'pid',
      'tid',
      'mode',
      'acquired',
      'wait',
      'hold',
      'process',
    ]);
    await expect
      .poll(async () => Number(await panel.getByRole('table').getAttribute('aria-rowcount')), soon)
      .toBeGreaterThan(2000);
    expect(await panel.getByRole('row').count()).toBeLessThan(60);
    const times = (await panel.getByRole('row').allInnerTexts()).slice(1, 6).map((row) => Number.parseFloat(row));
    expect(times).toEqual(times.toSorted((left, right) => right - left));
  });

  test('hold still while one scrolls in them, even when the page has to ask for all anew, and go on at the top', async () => {
    await using open = await openPage(browser, 'busy');
    const { page, feed } = open;
    const panel = panelOf(page, 'calls');
    await panel.scrollIntoViewIfNeeded();
    await waitForFigures(page, 'calls');
    await panel.getByRole('table').evaluate((table) => table.scrollTo({ top: 400 }));
    const goOn = panel.getByRole('button', { name: /Go on, [\d,]+ newer/ });
    await goOn.waitFor();
    const rows = await panel.getByRole('row').allInnerTexts();
    const asked = feed.resyncCount();
    feed.skipFrame();
    await expect.poll(() => feed.resyncCount(), soon).toBeGreaterThan(asked);
    const seq = await page.evaluate(() => window.faultline?.seq ?? 0);
    await expect.poll(() => page.evaluate(() => window.faultline?.seq ?? 0), soon).toBeGreaterThan(seq + 3);
    // Which rows out of sight are kept ready is the table's own affair, and changes when it comes to rest.
    const held = await panel.getByRole('row').allInnerTexts();
    expect(held.length).toBeGreaterThan(10);
    expect(rows).toEqual(expect.arrayContaining(held));
    await goOn.click();
    await expect.poll(() => panel.getByRole('row').allInnerTexts(), soon).not.toEqual(rows);
  });
});
