/** Tasks of the page's main thread, by their own CPU time: wall time also counts what other processes took meanwhile. */
import type { Browser } from 'playwright-core';

/** The longest task in the time watched. */
export type PageTasks = { readonly longestCpuMs: number; readonly longestWallMs: number; readonly taskCount: number };

type TraceEvent = {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
};

/** Traces Chromium's main threads of pages for `watchMs`, ms. */
export async function watchPageTasks(browser: Browser, watchMs: number): Promise<PageTasks> {
  const cdp = await browser.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await cdp.send('Tracing.start', { traceConfig: { includedCategories: ['toplevel'] } });
  await new Promise((resolve) => setTimeout(resolve, watchMs));
  const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve));
  await cdp.send('Tracing.end');
  await complete;
  const threadOf = (event: TraceEvent): string => `${event.pid} ${event.tid}`;
  const main = new Set(events.filter((one) => one.args?.name === 'CrRendererMain').map(threadOf));
  const tasks = events.filter((one) => one.ph === 'X' && one.name.includes('RunTask') && main.has(threadOf(one)));
  return {
    longestCpuMs: Math.max(0, ...tasks.map((one) => (one.tdur ?? 0) / 1000)),
    longestWallMs: Math.max(0, ...tasks.map((one) => (one.dur ?? 0) / 1000)),
    taskCount: tasks.length,
  };
}
