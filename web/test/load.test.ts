/** The page under a million acquisitions a second. Figures are reported, not asserted: a machine may be busy. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScenarioName } from './feed/scenarios.ts';
import { openBrowser, openPage, waitForFigures } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const framesWatched = 24;

test.each<[string, ScenarioName, string, readonly string[]]>([
  ['one target', 'busy', '', ['acquisitions']],
  [
    'two targets side by side',
    'beside-busy',
    'target=host&beside=lab-6.12-10c5&view=locks',
    ['acquisitions', 'acquisitions-right'],
  ],
])('draws %s at 4 Hz under full load and keeps its memory bounded', async (name, scenario, query, panels) => {
  await using open = await openPage(browser, scenario, query);
  const { page } = open;
  for (const panel of panels) await waitForFigures(page, panel);
  await page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(window, { longTasksMs: tasks });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
    });
  });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const metrics = async (): Promise<Map<string, number>> => {
    const { metrics: all } = await devtools.send('Performance.getMetrics');
    return new Map(all.map(({ name, value }) => [name, value]));
  };
  const began = await metrics();
  const first = await page.evaluate(() => window.faultline?.frames ?? 0);
  await expect
    .poll(() => page.evaluate(() => window.faultline?.frames ?? 0), { timeout: 30_000 })
    .toBeGreaterThan(first + framesWatched);
  const ended = await metrics();
  const grew = (name: string): number => (ended.get(name) ?? 0) - (began.get(name) ?? 0);
  const longTasksMs = await page.evaluate(() => ('longTasksMs' in window ? window.longTasksMs : []));
  const latencyMs = (await page.evaluate(() => [...(window.faultline?.latencyMs ?? [])])).toSorted(
    (left, right) => left - right,
  );
  const report = {
    mainThreadShare: grew('TaskDuration') / grew('Timestamp'),
    scriptShare: grew('ScriptDuration') / grew('Timestamp'),
    longTasksMs,
    heapMiB: (ended.get('JSHeapUsedSize') ?? 0) / 2 ** 20,
    eventToPaintMsP95: latencyMs[Math.floor(latencyMs.length * 0.95)],
  };
  process.stderr.write(`browser under load, ${name}: ${JSON.stringify(report)}\n`);
  expect(latencyMs.length).toBeGreaterThan(1000);
  // A leak of the ticks or calls themselves would show as hundreds of MiB within these seconds.
  expect(report.heapMiB).toBeLessThan(300);
  expect(open.errors).toEqual([]);
});
