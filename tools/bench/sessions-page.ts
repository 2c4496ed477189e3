/** What a reader of a recorded session waits for: a real server, the built page, a Chromium. */
import type { Page } from 'playwright-core';
import { median } from './bench-line.ts';
import { openBrowser, serveStore } from './page-of-store.ts';
import { watchPageTasks } from './page-tasks.ts';

const port = 7782;
/** How long the wide session is played, ms. */
const playedMs = 8_000;

/** Medians, ms: from the press on a link to the figures, to the first rows of calls, and from a change of the part to its rows. */
export type PageTimes = {
  readonly figuresMs: number;
  readonly callsMs: number;
  readonly partMs: number;
  /** Of the session with as many figures as a page takes. */
  readonly wideFiguresMs: number;
  /** The longest task of the page while that one is played, of its own CPU time. */
  readonly playingTaskMs: number;
};

/** Opens the session of many calls `repetitions` times in a page of its own, looks at as many parts of it; and the wide one, which is played. */
export async function timePage(
  store: string,
  { calls, wide }: { readonly calls: string; readonly wide: string },
  repetitions: number,
): Promise<PageTimes> {
  await using _server = await serveStore(store, port);
  const browser = await openBrowser();
  try {
    const opened: OpenTimes[] = [];
    const wideFigures: number[] = [];
    const parts: number[] = [];
    for (let at = 0; at < repetitions; at += 1) {
      // What is waited for is told to the page as text, which its own policy forbids. High enough for the table of calls to be in sight: out of sight it asks for nothing.
      const page = await browser.newPage({ bypassCSP: true, viewport: { width: 1280, height: 1600 } });
      opened.push(await open(page, calls));
      parts.push(await timePart(page, 20_000 + at * 1_000));
      await page.close();
      const other = await browser.newPage({ bypassCSP: true, viewport: { width: 1280, height: 900 } });
      wideFigures.push(await openFigures(other, `session=${wide}`));
      await other.close();
    }
    const page = await browser.newPage({ bypassCSP: true, viewport: { width: 1280, height: 900 } });
    await openFigures(page, `session=${wide}&from=0&to=1000000&speed=16`);
    await page.keyboard.press('Space');
    const { longestCpuMs } = await watchPageTasks(browser, playedMs);
    return {
      figuresMs: median(opened.map(({ figuresMs }) => figuresMs)),
      callsMs: median(opened.map(({ callsMs }) => callsMs)),
      partMs: median(parts),
      wideFiguresMs: median(wideFigures),
      playingTaskMs: longestCpuMs,
    };
  } finally {
    await browser.close();
  }
}

type OpenTimes = { readonly figuresMs: number; readonly callsMs: number };

async function open(page: Page, id: string): Promise<OpenTimes> {
  const beganMs = performance.now();
  const figuresMs = await openFigures(page, `session=${id}`);
  await page.waitForFunction(`(document.querySelector('#panel-calls .calls-kept')?.textContent ?? '') !== ''`);
  return { figuresMs, callsMs: performance.now() - beganMs };
}

/** Until a panel of figures is drawn, ms. */
async function openFigures(page: Page, query: string): Promise<number> {
  const beganMs = performance.now();
  await page.goto(`http://127.0.0.1:${port}/?page=sessions&${query}`);
  await page.waitForFunction(`(() => {
    const body = document.querySelector('#panel-acquisitions .panel-body');
    return body !== null && body.querySelector('.skeleton, .state') === null && body.childElementCount > 0;
  })()`);
  return performance.now() - beganMs;
}

/** From a change of the brush to the calls of that part, as the page itself sees it. */
function timePart(page: Page, toMs: number): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve) => {
    const kept = () => document.querySelector('#panel-calls .calls-kept');
    const before = kept()?.textContent;
    const beganMs = performance.now();
    const watch = new MutationObserver(() => {
      const now = kept();
      if (now?.getAttribute('aria-busy') !== 'false' || now.textContent === before) return;
      watch.disconnect();
      resolve(performance.now() - beganMs);
    });
    watch.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    history.pushState(undefined, '', location.href + '&from=10000&to=${toMs}');
    dispatchEvent(new PopStateEvent('popstate'));
  })`);
}
