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
])('%s fits 400 pixels', async (_name, scenario, query, landmarks) => {
  await using open = await openPage(browser, scenario, query);
  const { page } = open;
  await page.setViewportSize({ width: 400, height: 860 });
  for (const landmark of landmarks) await page.locator(landmark).first().waitFor();
  await expect
    .poll(() => page.evaluate(() => document.documentElement.scrollWidth), soon)
    .toBe(await page.evaluate(() => document.documentElement.clientWidth));
});
