/** On a phone the page is moved up and down and never sideways; what is wider moves within its panel. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScenarioName } from './feed/scenarios.ts';
import { openBrowser, openPage, soon } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test.each<[string, ScenarioName, string, readonly string[]]>([
  ['Live, locks, under load', 'busy', 'view=locks', ['#panel-who .table-row', '.ledger-verdict']],
  ['Live, fault path of a guest', 'era-a', 'view=path', ['.path-diagram', '.ledger-verdict']],
  ['Live where nothing can be traced', 'untraceable', '', ['.offer']],
  ['Lab with a guest', 'era-a', 'page=lab', ['.lab-workloads', '.ledger-verdict']],
  ['Probes', 'idle', 'page=probes', ['.preflight table', '.stream .run-running', '.ledger-verdict']],
  ['Probes that cannot run, and why', 'lab', 'page=probes', ['.variants .quiet']],
])('%s fits 400 pixels', async (_name, scenario, query, landmarks) => {
  await using open = await openPage(browser, scenario, query);
  const { page } = open;
  await page.setViewportSize({ width: 400, height: 860 });
  for (const landmark of landmarks) await page.locator(landmark).first().waitFor();
  await expect
    .poll(() => page.evaluate(() => document.documentElement.scrollWidth), soon)
    .toBe(await page.evaluate(() => document.documentElement.clientWidth));
});

test('waits and holds stand below each other there, and neither table lies over the other', async () => {
  await using open = await openPage(browser, 'busy', 'view=locks');
  const { page } = open;
  await page.setViewportSize({ width: 400, height: 860 });
  // What is out of sight is not drawn.
  await page.locator('#panel-spread').scrollIntoViewIfNeeded();
  const tables = page.locator('#panel-spread .spread-table');
  await expect.poll(() => tables.count(), soon).toBe(2);
  const boxes = await tables.evaluateAll((all) =>
    all.map((table) => {
      const [own, panel] = [table.getBoundingClientRect(), table.closest('.panel')?.getBoundingClientRect()];
      return { top: own.top, bottom: own.bottom, isInside: own.bottom <= (panel?.bottom ?? 0) && own.right <= 400 };
    }),
  );
  expect(boxes.map(({ isInside }) => isInside)).toEqual([true, true]);
  expect(boxes[1]?.top).toBeGreaterThan(boxes[0]?.bottom ?? Infinity);
});
