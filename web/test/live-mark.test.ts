/** Moments that are marked while something is traced, over a real server that records: by the key and by the button. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionManifest, SessionNote } from '@faultline/shared';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, soon, waitForFigures } from './open-page.ts';
import { type StoreServer, openSessionPage, serveStore } from './session-store.ts';

/** Ends whatever came about, also where something later failed. */
const opened = new AsyncDisposableStack();
let browser: Browser;
let server: StoreServer;

beforeAll(async () => {
  server = opened.use(await serveStore(await mkdtemp(join(tmpdir(), 'faultline-mark-'))));
  browser = opened.use(await openBrowser());
}, 60_000);

afterAll(() => opened.disposeAsync());

/** The only session of the store, once there is one. */
async function recorded(): Promise<SessionManifest | undefined> {
  const all = (await (await fetch(`${server.url}/api/v1/recordings`)).json()) as { manifest?: SessionManifest }[];
  return all[0]?.manifest;
}

/** Marks by what is pressed, and gives the mark that is recorded, which lies between this call and its end. */
async function markBy(page: Page, text: string, press: () => Promise<void>): Promise<SessionNote> {
  const fromMs = Date.now();
  await press();
  const dialog = page.getByRole('dialog', { name: /^Mark \d+\.\d\d s$/ });
  await dialog.getByRole('textbox').fill(text);
  const toMs = Date.now();
  await page.keyboard.press('Enter');
  // It closes when the mark has been written down.
  await dialog.waitFor({ state: 'hidden' });
  await page.getByText(/^marked \d+\.\d\d s$/).waitFor();
  const found = (await recorded())?.marks.find((mark) => mark.text === text);
  // The moment of the press, not that of the last word.
  expect(found?.atMs).toBeGreaterThanOrEqual(fromMs);
  expect(found?.atMs).toBeLessThanOrEqual(toMs);
  return found ?? { atMs: 0, text: '' };
}

test('a moment of what is traced is marked by key and by button, recorded with its time, and seen in the session afterwards', async () => {
  await using open = await openSessionPage(browser, server, '');
  const { page } = open;
  await page.goto(`${server.url}/?page=live&target=replay`);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await waitForFigures(page, 'acquisitions');
  const button = page.getByRole('button', { name: 'Mark', exact: true });
  await button.waitFor();
  // Off the charts, so that no cursor says another moment.
  await page.mouse.move(0, 0);
  const first = await markBy(page, 'here I <b>unbind</b> it', () => page.keyboard.press('m'));
  const second = await markBy(page, 'and here I bind it', () => button.click());
  expect(second.atMs).toBeGreaterThan(first.atMs);
  const session = await recorded();
  expect(session?.marks).toEqual([first, second]);
  await page.goto(`${server.url}/?page=sessions&session=${session?.id ?? '?'}`);
  // It is still recorded: opened at once it may end before its last mark, whose snapshots are not written down yet.
  const reopened = async (): Promise<number> => {
    await page.reload();
    await waitForFigures(page, 'time-line');
    return page.getByRole('button', { name: /^mark: / }).count();
  };
  await expect.poll(reopened, soon).toBe(2);
  for (const { text, atMs } of [first, second]) {
    await page.getByRole('button', { name: new RegExp(`^mark: .* · ${text}`) }).click();
    // Where a press on it leads is its time since the session began; a part of a session has a second at least.
    const place = Math.max(1_000, atMs - (session?.createdAtMs ?? 0));
    await expect.poll(() => Number(new URL(page.url()).searchParams.get('to')), soon).toBe(place);
  }
  expect(open.errors).toEqual([]);
});
