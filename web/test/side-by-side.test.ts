/** Two targets at once: each column with its own exact figures, on one axis of time and on one scale. */
import { formatExact } from '@faultline/shared';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenPage, openBrowser, openPage, panelOf, soon, waitForFigures } from './open-page.ts';

const [eraA, eraD, guest] = ['lab-6.1-5c1e', 'lab-6.12-07af', 'lab-6.12-10c5'];

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** Both columns, and nothing of them is out of sight: what is not seen is not drawn. */
async function openBoth(scenario: 'targets' | 'beside', query: string): Promise<OpenPage> {
  const open = await openPage(browser, scenario, query);
  await open.page.setViewportSize({ width: 1280, height: 3000 });
  return open;
}

const columnOf = (page: Page, column: 'left' | 'right'): Locator =>
  page.locator('.live-column').nth(column === 'left' ? 0 : 1);
const headOf = (page: Page, column: 'left' | 'right'): Locator =>
  page.getByRole('region', { name: `${column} target` });
const figureOf = (column: Locator, title: string): Locator =>
  column.locator('.figure', { has: column.page().getByText(title, { exact: true }) }).locator('dd');
const target = (page: Page, column: 'left' | 'right'): Promise<string> =>
  headOf(page, column).getByRole('combobox').inputValue();
const address = (page: Page, name: string): string | null => new URL(page.url()).searchParams.get(name);

/** Nothing more happens, and both columns have all of it. */
async function standStill({ page, feed }: OpenPage, left: string, right: string, metric: string): Promise<void> {
  feed.pause();
  feed.cut();
  for (const [column, id] of [
    ['left', left],
    ['right', right],
  ] as const)
    await expect
      .poll(
        () => page.evaluate(([name, where]) => window.faultline?.totals(name, {}, where), [metric, column] as const),
        soon,
      )
      .toBe(feed.sessions.get(id)?.total(metric, {}));
}

describe('two kernels side by side', () => {
  test('begin with one click, and each column says the figures of its own session, to the last one', async () => {
    await using open = await openBoth('targets', `target=${eraA}`);
    const { page, feed } = open;
    await waitForFigures(page, 'path');
    await page.getByRole('button', { name: 'Side by side' }).click();
    await page.getByRole('button', { name: eraD, exact: true }).click();
    await waitForFigures(page, 'path-right');
    await expect.poll(() => [address(page, 'target'), address(page, 'beside')], soon).toEqual([eraA, eraD]);
    expect(await columnOf(page, 'left').locator('.path-diagram').innerHTML()).toContain('remap_pfn_range');
    expect(await columnOf(page, 'right').locator('.path-diagram').innerHTML()).toContain('vfio_pci_mmap_huge_fault');
    await standStill(open, eraA, eraD, 'checks');
    for (const [column, id] of [
      ['left', eraA],
      ['right', eraD],
    ] as const) {
      const faults = ['nopage', 'sigbus', 'oom', 'other'].reduce(
        (sum, result) => sum + (feed.sessions.get(id)?.total('attempts', { result }) ?? 0),
        0,
      );
      expect(faults).toBeGreaterThan(50);
      const shown = figureOf(columnOf(page, column), 'faults');
      await expect.poll(() => shown.getAttribute('title'), soon).toBe(formatExact(faults));
      const seen = feed.sessions
        .get(id)
        ?.view()
        .runs.reduce((sum, { ledger }) => sum + ledger.seenCount, 0);
      await expect
        .poll(() => headOf(page, column).locator('.ledger-line').innerText(), soon)
        .toContain(`seen ${formatExact(seen)}`);
    }
    expect(await figureOf(columnOf(page, 'left'), 'violations').innerText()).toContain('✕');
    expect(await figureOf(columnOf(page, 'right'), 'violations').innerText()).toBe('none');
    expect(open.errors).toEqual([]);
  });

  test('reload as they were; swap, and one target again, are in the address and have keys', async () => {
    await using open = await openBoth('targets', `target=${eraA}&beside=${eraD}&window=2min`);
    const { page } = open;
    await waitForFigures(page, 'path-right');
    expect(await target(page, 'left')).toBe(eraA);
    await page.getByRole('button', { name: 'Swap' }).click();
    await expect
      .poll(() => columnOf(page, 'left').locator('.path-diagram').innerHTML(), soon)
      .toContain('vfio_pci_mmap_huge_fault');
    await expect.poll(() => [address(page, 'target'), address(page, 'beside')], soon).toEqual([eraD, eraA]);
    // Columns that only change places have all they had: nothing is asked for anew.
    expect(await columnOf(page, 'left').locator('.skeleton').count()).toBe(0);
    await page.reload();
    await waitForFigures(page, 'path-right');
    expect([await target(page, 'left'), await target(page, 'right')]).toEqual([eraD, eraA]);
    expect(await page.getByRole('button', { name: '2 min' }).getAttribute('aria-pressed')).toBe('true');
    await page.keyboard.press('x');
    await expect.poll(() => target(page, 'left'), soon).toBe(eraA);
    await page.keyboard.press('b');
    await expect.poll(() => page.locator('.live-column').count(), soon).toBe(0);
    await expect.poll(() => [address(page, 'target'), address(page, 'beside')], soon).toEqual([eraA, null]);
    await waitForFigures(page, 'path');
    await page.goBack();
    await waitForFigures(page, 'path-right');
    expect(open.errors).toEqual([]);
  });

  test('a target chosen in a column changes places with the one that is there already', async () => {
    await using open = await openBoth('targets', `target=${eraA}&beside=${eraD}`);
    const { page } = open;
    await waitForFigures(page, 'path-right');
    await headOf(page, 'right').getByRole('combobox').selectOption(eraA);
    await expect.poll(() => [address(page, 'target'), address(page, 'beside')], soon).toEqual([eraD, eraA]);
    await headOf(page, 'left').getByRole('combobox').selectOption('host');
    await expect.poll(() => [address(page, 'target'), address(page, 'beside')], soon).toEqual(['host', eraA]);
    // The host has no vfio: its column says so, the other goes on.
    await expect
      .poll(() => columnOf(page, 'left').innerText(), soon)
      .toContain('this kernel has no vfio_pci_core module');
    expect(await columnOf(page, 'right').locator('.path-broken').count()).toBe(1);
  });

  test('one click makes a comparison of what is recorded of both, left as the baseline', async () => {
    await using open = await openBoth('targets', `target=${eraA}&beside=${eraD}`);
    const { page } = open;
    await waitForFigures(page, 'path-right');
    await page.getByRole('button', { name: 'Compare', exact: true }).last().click();
    await expect
      .poll(() => [address(page, 'page'), address(page, 'baseline'), address(page, 'candidate')], soon)
      .toEqual(['compare', `rec-${eraA}`, `rec-${eraD}`]);
    await page.goBack();
    await waitForFigures(page, 'path-right');
  });
});

describe('a target that ends', () => {
  test('keeps its column, its figures and says why; the other goes on', async () => {
    await using open = await openBoth('targets', `target=${eraA}&beside=${eraD}`);
    const { page, feed } = open;
    await waitForFigures(page, 'path-right');
    feed.sessions.get(eraD)?.die('QEMU has ended (signal SIGKILL).');
    await expect.poll(() => headOf(page, 'right').locator('.state-word').innerText(), soon).toBe('gone');
    expect(await headOf(page, 'right').innerText()).toContain('QEMU has ended (signal SIGKILL).');
    expect(await headOf(page, 'left').locator('.state-word').innerText()).toBe('live');
    expect(await columnOf(page, 'right').locator('.path-diagram').count()).toBe(1);
    const before = await figureOf(columnOf(page, 'left'), 'faults').innerText();
    await expect.poll(() => figureOf(columnOf(page, 'left'), 'faults').innerText(), soon).not.toBe(before);
    expect(open.errors).toEqual([]);
  });

  test('and is taken away stays as it was; an address with one that never was says so', async () => {
    await using open = await openBoth('targets', `target=${eraA}&beside=${eraD}`);
    const { page, feed } = open;
    await waitForFigures(page, 'path-right');
    feed.lab.stop(eraD);
    feed.lab.advance();
    await expect.poll(() => headOf(page, 'right').locator('.state-word').innerText(), soon).toBe('gone');
    expect(await headOf(page, 'right').innerText()).toContain(`There is no target “${eraD}” here`);
    expect(await columnOf(page, 'right').locator('.path-diagram').count()).toBe(1);
    await page.reload();
    await expect
      .poll(() => columnOf(page, 'right').innerText(), soon)
      .toContain(`There is no target “${eraD}” here, or not any more.`);
    await waitForFigures(page, 'path');
    expect(await target(page, 'right')).toBe(eraD);
  });

  test('a window after its end says how long ago it was', async () => {
    await using open = await openBoth('targets', `target=lab-6.1-dead&beside=${eraD}`);
    const { page, feed } = open;
    await waitForFigures(page, 'path-right');
    await waitForFigures(page, 'vfio-faults');
    // The dead one died as the feed began; its past of 40 s is older than the window once the other is 30 s further.
    const dead = feed.sessions.get('lab-6.1-dead');
    expect(dead?.view().runs.every(({ state }) => state === 'failed')).toBe(true);
    await expect
      .poll(() => panelOf(page, 'vfio-faults').innerText(), { timeout: 70_000 })
      .toContain('Nothing in this window of 30 s: the newest figures are 3');
    await page.getByRole('button', { name: '2 min' }).click();
    await waitForFigures(page, 'vfio-faults');
  });
});

const query = `target=host&beside=${guest}&view=locks`;
const scaleOf = (page: Page, id: string): Promise<readonly string[]> =>
  panelOf(page, id)
    .locator('.recharts-cartesian-axis-tick-value, .plot-latency span, .heat-scale, .spread .plot-time span')
    .allTextContents();

describe('one axis and one scale', () => {
  test('ticks of time stand at the same places, though the kernels were booted and traced at other times', async () => {
    await using open = await openBoth('beside', query);
    const { page } = open;
    await waitForFigures(page, 'acquisitions-right');
    await waitForFigures(page, 'acquisitions');
    await page.keyboard.press('Space');
    const ticksOf = (id: string) =>
      panelOf(page, id)
        .locator('.plot-time span')
        .evaluateAll((all) => all.map((tick) => `${tick.textContent} ${(tick as HTMLElement).style.left}`));
    await expect
      .poll(
        async () =>
          JSON.stringify(await ticksOf('acquisitions')) === JSON.stringify(await ticksOf('acquisitions-right')),
        soon,
      )
      .toBe(true);
    expect((await ticksOf('acquisitions')).length).toBeGreaterThan(3);
    // The guest began 15 s after the host: its first 15 s on the axis are empty, and the seconds are those of the host.
    const [first] = await ticksOf('acquisitions-right');
    expect(Number(/^\d+/.exec(first ?? '')?.[0])).toBeGreaterThan(5);
    expect(open.errors).toEqual([]);
  });

  test.each(['acquisitions', 'faults', 'wait', 'hold', 'spread'])(
    '%s has the same scale in both columns, and another one alone or where each has its own',
    async (id) => {
      await using open = await openBoth('beside', query);
      const { page } = open;
      await waitForFigures(page, id);
      await waitForFigures(page, `${id}-right`);
      await page.keyboard.press('Space');
      // Both are looked at each time: they may change once more until the page stands still.
      const haveSame = async (): Promise<boolean> =>
        JSON.stringify(await scaleOf(page, id)) === JSON.stringify(await scaleOf(page, `${id}-right`));
      await expect.poll(haveSame, soon).toBe(true);
      const both = await scaleOf(page, id);
      expect(both.length).toBeGreaterThan(2);
      await page.keyboard.press('b');
      await expect.poll(() => page.locator('.live-column').count(), soon).toBe(0);
      await expect.poll(() => scaleOf(page, id), soon).not.toEqual(both);
      await page.goBack();
      await page.getByRole('button', { name: 'Own', exact: true }).click();
      await expect.poll(() => address(page, 'scales'), soon).toBe('own');
      await waitForFigures(page, `${id}-right`);
      await expect.poll(haveSame, soon).toBe(false);
    },
  );

  test('bars of processes are as long for the same value', async () => {
    await using open = await openBoth('beside', query);
    const { page } = open;
    await waitForFigures(page, 'who-right');
    await waitForFigures(page, 'who');
    const longest = (id: string): Promise<number> =>
      panelOf(page, id)
        .locator('.table-bar')
        .evaluateAll((bars) => Math.max(...bars.map((bar) => bar.getBoundingClientRect().width)));
    await expect.poll(async () => (await longest('who')) / (await longest('who-right')), soon).toBeLessThan(1 / 20);
  });

  test('one cursor stands over both columns, and is read out for both', async () => {
    await using open = await openBoth('beside', query);
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    await waitForFigures(page, 'acquisitions-right');
    await page.keyboard.press('Space');
    const area = panelOf(page, 'acquisitions-right').locator('.plot-area');
    const box = await area.boundingBox();
    if (box === null) throw new Error('the chart is in sight');
    await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2);
    const places = (): Promise<readonly number[]> =>
      page
        .locator('.plot-cursor')
        .evaluateAll((all) => all.map((line) => Math.round(Number.parseFloat((line as HTMLElement).style.left))));
    // Four charts over time in each column.
    await expect.poll(async () => (await places()).length, soon).toBeGreaterThanOrEqual(8);
    // It keeps its time, not its place: the axis may have moved once more before it stood still.
    await expect.poll(async () => new Set(await places()).size, soon).toBe(1);
    const [place = 0] = await places();
    expect(place).toBeLessThanOrEqual(75);
    expect(place).toBeGreaterThan(50);
    await page.mouse.move(0, 0);
    await panelOf(page, 'acquisitions').focus();
    // Some seconds back: what came last of one need not have come of the other.
    for (let step = 0; step < 12; step += 1) await page.keyboard.press('ArrowLeft');
    const spoken = (id: string): Promise<string> => panelOf(page, id).locator('[aria-live]').innerText();
    await expect.poll(() => spoken('acquisitions'), soon).toContain('host: ');
    await expect.poll(() => spoken('acquisitions-right'), soon).toContain(`${guest}: `);
    const [left, right] = [await spoken('acquisitions'), await spoken('acquisitions-right')];
    expect(/: ([\d.]+) s/.exec(right)?.[1]).toBeDefined();
    const seconds = (text: string): number => Number(/: ([\d.]+) s/.exec(text)?.[1]);
    expect(Math.abs(seconds(left) - seconds(right))).toBeLessThan(0.3);
  });

  test('what one of them lost is said of that one alone', async () => {
    await using open = await openBoth('beside', query);
    const { page } = open;
    await waitForFigures(page, 'acquisitions-right');
    await expect
      .poll(() => headOf(page, 'right').locator('.ledger-verdict').innerText(), soon)
      .toBe('figures are incomplete');
    expect(await headOf(page, 'left').locator('.ledger-verdict').innerText()).toBe('complete');
    await page.keyboard.press('l');
    await expect.poll(() => page.locator('.ledger-panel').count(), soon).toBe(2);
    // The host has no badge and a shorter table: its lines stand where those of the guest do.
    const topsOf = (line: string): Promise<readonly number[]> =>
      page.locator(line).evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().top)));
    for (const line of ['.column-head .state-line', '.column-head .ledger-line', '.column-head .ledger-panel'])
      await expect.poll(async () => new Set(await topsOf(line)).size, soon).toBe(1);
  });

  test('a filter is one for both, and offers the processes of both', async () => {
    await using open = await openBoth('beside', query);
    const { page } = open;
    await waitForFigures(page, 'acquisitions-right');
    const offered = await page
      .locator('#processes option')
      .evaluateAll((all) => all.map((one) => one.getAttribute('value')));
    expect(offered).toContain('vfio-load');
    expect(offered).toContain('systemd');
    await page.locator('#process-filter').fill('vfio-load');
    await expect
      .poll(() => panelOf(page, 'acquisitions').innerText(), soon)
      .toContain('no event of a process named “vfio-load”');
    await waitForFigures(page, 'acquisitions-right');
  });

  test('on a phone the columns stand under each other, each with its name', async () => {
    await using open = await openBoth('beside', query);
    const { page } = open;
    await page.setViewportSize({ width: 400, height: 860 });
    await waitForFigures(page, 'acquisitions');
    const [left, right] = await Promise.all(
      ['left', 'right'].map((name) => columnOf(page, name as 'left').boundingBox()),
    );
    expect((left?.y ?? 0) + (left?.height ?? 0)).toBeLessThanOrEqual((right?.y ?? 0) + 1);
    expect(await columnOf(page, 'right').locator('.column-title').innerText()).toContain(guest ?? '?');
    expect(await columnOf(page, 'right').locator('.column-title').isVisible()).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(400);
  });
});
