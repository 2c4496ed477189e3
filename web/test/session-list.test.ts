/** The list of sessions over series that were really recorded: long names, builds, and how much is kept. */
import type { RecordedSessionView, StoreView } from '@faultline/shared';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CompareServer, openCompareServer } from './compare-store.ts';
import { openBrowser, soon } from './open-page.ts';
import { openSessionPage } from './session-store.ts';

/** Ends whatever came about, also where something later failed. */
const opened = new AsyncDisposableStack();
let browser: Browser;
let server: CompareServer;

beforeAll(async () => {
  server = opened.use(await openCompareServer(['6.1-1', '6.1-2', '6.12-1']));
  browser = opened.use(await openBrowser());
}, 90_000);

afterAll(() => opened.disposeAsync());

const rowsOf = (page: Page) => page.getByRole('table', { name: 'recorded sessions' }).locator('.table-body [role=row]');
const findOf = (page: Page): string | null => new URL(page.url()).searchParams.get('find');

test('says of which build a session is, and finds those of one build', async () => {
  const named = (await idsOf(server)).find((id) => id.startsWith('lab-6.1-')) ?? '?';
  await rename(server, named, 'host-mwx05znr');
  await using open = await openSessionPage(browser, server, '');
  const { page } = open;
  await expect.poll(() => rowsOf(page).count(), soon).toBe(3);
  const builds = rowsOf(page).locator('[role=cell]:nth-child(3)');
  expect((await builds.allInnerTexts()).toSorted()).toEqual(['6.1', '6.1', '6.12']);
  // Both pieces of a short name are there whole where there is room, and side by side: there is no hole in it.
  const short = rowsOf(page).filter({ hasText: 'host-mwx05znr' });
  expect(await short.count()).toBe(1);
  const pieces = await short.locator('.end-text').first().locator('[data-text]').evaluateAll(piecesOf);
  expect(pieces.map(({ text }) => text)).toEqual(['host-mw', 'x05znr']);
  expect(pieces.every(({ isCut }) => !isCut)).toBe(true);
  expect(pieces[1]?.left).toBeCloseTo(pieces[0]?.right ?? 0, 0);
  await rowsOf(page).filter({ hasText: 'lab-6.12-' }).getByRole('button', { name: 'More' }).click();
  await page.locator('.menu:popover-open').getByRole('button', { name: 'Only this build' }).click();
  await expect.poll(() => rowsOf(page).count(), soon).toBe(1);
  expect(findOf(page)).toBe('build:6.12');
  // Every build of the list begins so; just two sessions are of this one.
  await page.locator('#session-search').fill('build:6.1');
  await expect.poll(() => rowsOf(page).count(), soon).toBe(2);
  await page.getByRole('button', { name: 'build', exact: true }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get('order'), soon).toBe('build');
  expect(open.errors).toEqual([]);
});

test('a name that does not fit shows its end, and all of it to readers and in the row that has the focus', async () => {
  const series = `a-series-of-runs-${'with-a-long-name-'.repeat(5)}6.1-v1d-`;
  const ids = await idsOf(server);
  for (const [at, id] of ids.entries()) await rename(server, id, `${series}${at + 1}`);
  await using open = await openSessionPage(browser, server, '&order=title');
  const { page } = open;
  const first = rowsOf(page).first();
  const name = first.getByRole('cell').first();
  await expect.poll(() => name.innerText(), soon).toBe(`${series}1`);
  expect(await seenEnd(first)).toBe('6.1-v1d-1');
  const height = (await first.boundingBox())?.height ?? 0;
  await page.getByRole('button', { name: /^size/ }).focus();
  await page.keyboard.press('Tab');
  await expect.poll(() => first.evaluate((row) => row === document.activeElement), soon).toBe(true);
  await expect.poll(async () => (await first.boundingBox())?.height ?? 0, soon).toBeGreaterThan(height);
  // Nothing of it is cut: every character of the name lies within its cell.
  expect(
    await name.evaluate((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell.querySelector('.end-text-whole') ?? cell);
      const [text, box] = [range.getBoundingClientRect(), cell.getBoundingClientRect()];
      return text.right <= box.right + 1 && text.bottom <= box.bottom + 1 && text.height > 0;
    }),
  ).toBe(true);
  expect(open.errors).toEqual([]);
});

test('the bounds of the store are set from the page, which says first what that deletes', async () => {
  await using open = await openSessionPage(browser, server, '');
  const { page } = open;
  await expect.poll(() => rowsOf(page).count(), soon).toBe(3);
  const before = await storeOf(server);
  const oldest = (await idsOf(server)).at(-1) ?? '?';
  await page.getByRole('button', { name: 'Bounds' }).click();
  const form = page.getByRole('dialog', { name: 'How much is kept' });
  const field = form.getByLabel('All sessions');
  await expect.poll(() => field.inputValue(), soon).toBe('10G');
  // What was said when the server was started is not to be changed here.
  expect(await form.getByLabel('Kept for').isDisabled()).toBe(true);
  expect(await form.innerText()).toContain('start it without --keep-for');
  const set = form.getByRole('button', { name: 'Set', exact: true });
  for (const word of ['much', '0G', '10G']) {
    await field.fill(word);
    await expect.poll(() => field.getAttribute('aria-invalid'), soon).toBe(String(word !== '10G'));
    expect(await set.isDisabled()).toBe(true);
  }
  await field.fill('20G');
  await expect.poll(() => form.innerText(), soon).toContain('No session is deleted by this.');
  await field.fill(`${before.bytes - 1}B`);
  const deleting = form.getByRole('button', { name: 'Set, and delete 1 session' });
  await deleting.waitFor();
  expect(await form.getByRole('status').innerText()).toContain(await nameOf(server, oldest));
  // Seen and not yet done.
  expect(await idsOf(server)).toContain(oldest);
  await deleting.click();
  await expect.poll(() => rowsOf(page).count(), soon).toBe(2);
  expect(await idsOf(server)).not.toContain(oldest);
  expect((await storeOf(server)).limits.bytesMax).toBe(before.bytes - 1);
  await form.getByRole('button', { name: 'Set back …' }).click();
  await expect.poll(() => field.inputValue(), soon).toBe('10G');
  await set.click();
  await expect.poll(async () => (await storeOf(server)).limits, soon).toEqual(before.limits);
  await page.keyboard.press('Escape');
  await expect.poll(() => form.count(), soon).toBe(0);
  expect(open.errors).toEqual([]);
});

test('a short name beside a mark gives way in its middle, with the sign of it, and keeps its end', async () => {
  const id = (await idsOf(server))[0] ?? '?';
  await rename(server, id, 'host-mwx05znr');
  const marked = await fetch(`${server.url}/api/v1/recordings/${id}/marks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'here' }),
  });
  expect(marked.status).toBe(200);
  await using open = await openSessionPage(browser, server, '');
  const { page } = open;
  await page.setViewportSize({ width: 900, height: 800 });
  const row = rowsOf(page).filter({ hasText: 'host-mwx05znr' });
  await row.getByText('1 mark').waitFor();
  const name = row.locator('.end-text').first();
  // As little room as there is beside “recording” and a pin.
  await name.evaluate((element: HTMLElement) => (element.style.width = '80px'));
  const [start, end] = await name.locator('[data-text]').evaluateAll(piecesOf);
  expect([start?.isCut, start?.overflow, end?.isCut, end?.text]).toEqual([true, 'ellipsis', false, 'x05znr']);
  expect(open.errors).toEqual([]);
});

/** Pieces of a text: whether some of one is cut off, and where it lies. Runs in the page. */
function piecesOf(all: readonly Element[]): readonly {
  readonly text: string | null;
  readonly isCut: boolean;
  readonly overflow: string;
  readonly left: number;
  readonly right: number;
}[] {
  return all.map((piece) => {
    const { left, right } = piece.getBoundingClientRect();
    return {
      ...{ left, right, text: piece.getAttribute('data-text') },
      isCut: piece.scrollWidth > piece.clientWidth + 1,
      overflow: getComputedStyle(piece).textOverflow,
    };
  });
}

/** What is drawn at the end of a row's name, and lies within the cell; undefined where some of it is cut. */
function seenEnd(row: ReturnType<Page['locator']>): Promise<string | undefined> {
  const end = row.locator('.end-text-end').first();
  return end.evaluate((element: HTMLElement) => {
    const free = element.cloneNode(true);
    if (!(free instanceof HTMLElement)) return undefined;
    free.style.cssText = 'position: absolute; overflow: visible';
    element.after(free);
    const neededPx = free.getBoundingClientRect().width;
    free.remove();
    const { right, width } = element.getBoundingClientRect();
    const isInside = right <= (element.closest('[role=cell]')?.getBoundingClientRect().right ?? 0);
    return isInside && width >= neededPx - 2 ? element.dataset['text']?.slice(-9) : undefined;
  });
}

async function idsOf({ url }: CompareServer): Promise<readonly string[]> {
  const answer = (await (await fetch(`${url}/api/v1/recordings-overview`)).json()) as { rows: { id: string }[] };
  return answer.rows.map(({ id }) => id);
}

async function storeOf({ url }: CompareServer): Promise<StoreView> {
  return (await (await fetch(`${url}/api/v1/store`)).json()) as StoreView;
}

/** What the list calls a session. */
async function nameOf({ url }: CompareServer, id: string): Promise<string> {
  const { manifest } = (await (await fetch(`${url}/api/v1/recordings/${id}`)).json()) as RecordedSessionView;
  return manifest?.name ?? id;
}

async function rename({ url }: CompareServer, id: string, name: string): Promise<void> {
  const answer = await fetch(`${url}/api/v1/recordings/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ name }),
  });
  expect(answer.status).toBe(200);
}
