/** A Chromium with the built page over a feed: what every browser test begins with. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type Page, chromium } from 'playwright-core';
import type { ScenarioName } from './feed/scenarios.ts';
import { type FeedServer, startFeed } from './feed/server.ts';

const executables = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Starts the machine's own Chromium. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = executables.find((path) => existsSync(path));
  if (executablePath === undefined)
    throw new Error('no Chromium on this machine; npm test installs it (package chromium)');
  if (!existsSync(fileURLToPath(new URL('../dist/index.html', import.meta.url)))) {
    throw new Error('the page is not built; type: pnpm build');
  }
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet] });
}

/** An open page, its feed, and what went wrong in it. */
export type OpenPage = AsyncDisposable & {
  readonly page: Page;
  readonly feed: FeedServer;
  /** Exceptions and console errors; must stay empty. */
  readonly errors: string[];
};

/** Opens the page over a scenario. `query` is what follows the `?`. */
export async function openPage(browser: Browser, scenario: ScenarioName, query: string = ''): Promise<OpenPage> {
  const feed = await startFeed(scenario);
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // A refused or cut connection is what some tests are about; the browser reports it as an error of its own.
    if (message.type() === 'error' && !/ERR_|WebSocket|Failed to load resource/.test(message.text()))
      errors.push(message.text());
  });
  page.on('dialog', (dialog) => {
    errors.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`${feed.url}/${query === '' ? '' : `?${query}`}`);
  return {
    page,
    feed,
    errors,
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await feed[Symbol.asyncDispose]();
    },
  };
}

/** How long a condition may take to come true; a second as a rule, many on a busy machine. */
export const soon = { timeout: 30_000 } as const;

/** The panel with this id. */
export function panelOf(page: Page, id: string): ReturnType<Page['locator']> {
  return page.locator(`#panel-${id}`);
}

/** Waits until a panel shows figures: it has neither a skeleton nor a sentence instead of them. */
export async function waitForFigures(page: Page, id: string): Promise<void> {
  await page.waitForFunction((selector) => {
    const body = document.querySelector(`${selector} .panel-body`);
    return body !== null && body.querySelector('.skeleton, .state') === null && body.childElementCount > 0;
  }, `#panel-${id}`);
}
