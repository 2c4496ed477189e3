/** What a reader of a comparison waits for: a real server, the built page, a Chromium. */
import { median } from './bench-line.ts';
import { openBrowser, serveStore } from './page-of-store.ts';

const port = 7783;

/** From the press on a link until the verdict, all panels, and the heatmap are drawn, ms: the middle of `repetitions`. */
export async function timeComparePage(store: string, query: string, repetitions: number): Promise<number> {
  await using _server = await serveStore(store, port);
  const browser = await openBrowser();
  try {
    const took: number[] = [];
    for (let at = 0; at < repetitions; at += 1) {
      // What is waited for is told to the page as text, which its own policy forbids.
      const page = await browser.newPage({ bypassCSP: true, viewport: { width: 1280, height: 900 } });
      const beganMs = performance.now();
      await page.goto(`http://127.0.0.1:${port}/?page=compare&${query}`);
      await page.waitForFunction(`(() => {
        const drawn = (panel) => document.querySelector(panel + ' svg rect') !== null;
        return document.querySelector('.verdict-box') !== null && document.querySelector('.compare-metrics') !== null
          && drawn('#panel-latency') && drawn('#panel-heat') && document.querySelector('.compare .skeleton') === null;
      })()`);
      took.push(performance.now() - beganMs);
      await page.close();
    }
    return median(took);
  } finally {
    await browser.close();
  }
}
