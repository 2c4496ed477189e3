/** A recorded session that is open on the page, over a real server and a store of really recorded ones. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, panelOf, soon, waitForFigures } from './open-page.ts';
import { type SessionServer, openSessionPage, openSessionServer } from './session-store.ts';

/** Ends whatever came about, also where something later failed. */
const opened = new AsyncDisposableStack();
let browser: Browser;
let server: SessionServer;
let id = '';

beforeAll(async () => {
  server = opened.use(await openSessionServer(6));
  id = server.recorded.recordingId;
  browser = opened.use(await openBrowser());
}, 90_000);

afterAll(() => opened.disposeAsync());

const rowsOf = (page: Page) => page.getByRole('table', { name: 'recorded sessions' }).locator('.table-body [role=row]');
const rowOf = (page: Page, text: string) => rowsOf(page).filter({ hasText: text });
const totalOnPage = (page: Page, metric: string, dims: Record<string, string> = {}): Promise<number> =>
  page.evaluate(([name, which]) => window.faultline?.totals(name, which) ?? -1, [metric, dims] as const);

/** The journal as the API exports it: lines of JSON. */
type Line = {
  readonly kind: string;
  readonly slices?: readonly {
    readonly run: number;
    readonly fromNs: number;
    readonly toNs: number;
    readonly newCells?: readonly { readonly cell: number; readonly metric: string; readonly dims: { comm?: string } }[];
    readonly cells?: readonly number[];
    readonly deltas?: readonly number[];
    readonly calls?: readonly (readonly number[])[];
  }[];
};

/** What the API says that a metric adds up to in (fromMs, toMs] of the session, and how many calls there were. */
async function exported(metric: string, fromMs: number, toMs: number): Promise<{ total: number; calls: number }> {
  const text = await (await fetch(`${server.url}/api/v1/recordings/${id}/export/jsonl`)).text();
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const { target, startedAtMs } = server.recorded;
  const within = (ns: number): boolean => {
    const ms = ns / 1e6 + (target.identity?.clockOffsetMs ?? 0) - startedAtMs;
    return ms > fromMs && ms <= toMs;
  };
  const counted = new Set<string>();
  let total = 0;
  let calls = 0;
  for (const slice of lines.flatMap(({ slices = [] }) => slices)) {
    for (const { cell, metric: name } of slice.newCells ?? []) if (name === metric) counted.add(`${slice.run} ${cell}`);
    calls += (slice.calls?.[0] ?? []).filter(within).length;
    if (!within(slice.toNs)) continue;
    for (const [at, cell] of (slice.cells ?? []).entries())
      if (counted.has(`${slice.run} ${cell}`)) total += slice.deltas?.[at] ?? 0;
  }
  return { total, calls };
}

/** How long the session is, as its last tick says. */
async function lengthMs(): Promise<number> {
  const answer = await fetch(`${server.url}/api/v1/recordings/${id}`);
  const { manifest } = (await answer.json()) as { manifest: { createdAtMs: number; lastAtMs: number } };
  return manifest.lastAtMs - manifest.createdAtMs;
}

describe('a session that is open', () => {
  test('is opened by a press, says that it is recorded, and holds what was recorded', async () => {
    await using open = await openSessionPage(browser, server, '');
    const { page } = open;
    await rowOf(page, 'unbind').click();
    await waitForFigures(page, 'acquisitions');
    await expect.poll(() => new URL(page.url()).searchParams.get('session'), soon).toBe(id);
    const frame = await page.locator('header.frame').innerText();
    expect(frame).toMatch(/RECORDED\s+unbind the device/);
    expect(await page.title()).toBe('recorded · unbind the device – Faultline');
    const sum = (metric: string): number =>
      server.recorded.runs
        .flatMap(({ totals }) => totals)
        .filter((total) => total.metric === metric)
        .reduce((all, { value }) => all + value, 0);
    for (const metric of ['acquisitions', 'faults', 'waitTotal']) {
      expect(sum(metric)).toBeGreaterThan(1_000);
      expect(await totalOnPage(page, metric)).toBe(sum(metric));
    }
    await page.getByRole('button', { name: 'Back to live' }).click();
    await expect.poll(() => page.locator('.recorded-band').count(), soon).toBe(0);
    expect(open.errors).toEqual([]);
  });

  test('shows of a part what the API says of it: figures, and calls one by one', async () => {
    // Counted from the end: a busy machine takes seconds to attach, and nothing has happened until then.
    const [from, to] = [Math.round(await lengthMs()) - 4_500, Math.round(await lengthMs()) - 1_500];
    await using open = await openSessionPage(browser, server, `&session=${id}&from=${from}&to=${to}`);
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    const acquisitions = await exported('acquisitions', from, to);
    expect(acquisitions.total).toBeGreaterThan(500);
    expect(await totalOnPage(page, 'acquisitions')).toBe(acquisitions.total);
    expect(await totalOnPage(page, 'faults')).toBe((await exported('faults', from, to)).total);
    await panelOf(page, 'calls').scrollIntoViewIfNeeded();
    await waitForFigures(page, 'calls');
    const calls = acquisitions.calls.toLocaleString('en');
    await expect.poll(() => panelOf(page, 'calls').innerText(), soon).toMatch(new RegExp(`\\b${calls} calls?\\b`));
  });

  test('has every call in its table, asked for as it comes into sight, in the order of any column', async () => {
    type Calls = {
      readonly total: number;
      readonly columns: readonly { readonly name: string }[];
      readonly rows: readonly (readonly (string | number | null)[])[];
    };
    const ask = async (query: string): Promise<Calls> =>
      (await (await fetch(`${server.url}/api/v1/recordings/${id}/calls?${query}`)).json()) as Calls;
    const detail = server.recorded.runs.findIndex(({ run }) => run.stream === 'detail');
    const { total } = await ask(`run=${detail}&limit=1`);
    expect(total).toBeGreaterThan(250);
    await using open = await openSessionPage(browser, server, `&session=${id}`);
    const { page } = open;
    const panel = panelOf(page, 'calls');
    await panel.scrollIntoViewIfNeeded();
    await expect.poll(() => panel.locator('.calls-kept').innerText(), soon).toContain(total.toLocaleString('en'));
    /** Durations as the table says them exactly, in the tooltips of its cells. */
    const waits = async (place: 'first' | 'last'): Promise<string> => {
      const rows = panel.locator('.table-body [role=row]');
      const index = place === 'first' ? '2' : String(total + 1);
      const row = rows.and(page.locator(`[aria-rowindex="${index}"]`));
      const head = await panel.locator('[role=columnheader]').allInnerTexts();
      const at = head.findIndex((words) => words.startsWith('Wait'));
      return (await row.locator('[role=cell]').nth(at).getAttribute('title')) ?? '';
    };
    await panel.getByRole('button', { name: 'Wait', exact: true }).click();
    const place = (calls: Calls): number => calls.columns.findIndex(({ name }) => name === 'waitNs');
    const asked = await ask(`run=${detail}&order=-waitNs&limit=1`);
    const longest = Number(asked.rows[0]?.[place(asked)]);
    const last = await ask(`run=${detail}&order=-waitNs&limit=1&offset=${total - 1}`);
    const shortest = Number(last.rows[0]?.[place(last)]);
    expect(longest).toBeGreaterThan(shortest);
    await expect.poll(() => waits('first'), soon).toContain(longest.toLocaleString('en'));
    await expect.poll(() => new URL(page.url()).searchParams.get('callsOrder'), soon).toBe('-waitNs');
    await panel.locator('.table').evaluate((table) => table.scrollTo({ top: table.scrollHeight }));
    await expect.poll(() => waits('last'), soon).toContain(shortest.toLocaleString('en'));
    await page.reload();
    await panel.scrollIntoViewIfNeeded();
    await expect.poll(() => waits('first'), soon).toContain(longest.toLocaleString('en'));
    expect(open.errors).toEqual([]);
  });

  test('is brushed by pulling and by keys; figures and address follow, and a reload shows the same', async () => {
    await using open = await openSessionPage(browser, server, `&session=${id}`);
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    const whole = await totalOnPage(page, 'acquisitions');
    const box = await page.locator('.brush-area').boundingBox();
    if (box === null) throw new Error('the time line is in sight');
    const at = (share: number): readonly [number, number] => [box.x + box.width * share, box.y + box.height / 2];
    await page.mouse.move(...at(0.3));
    await page.mouse.down();
    await page.mouse.move(...at(0.5), { steps: 4 });
    await page.mouse.move(...at(0.7), { steps: 4 });
    await page.mouse.up();
    // The address follows the brush a little later.
    const brush = (): readonly number[] =>
      ['from', 'to'].map((name) => Number(new URL(page.url()).searchParams.get(name)));
    const width = (): number => (brush()[1] ?? 0) - (brush()[0] ?? 0);
    const pulledMs = 0.4 * (await lengthMs());
    await expect.poll(width, soon).toBeGreaterThan(pulledMs * 0.98);
    expect(width()).toBeLessThan(pulledMs * 1.02);
    const [fromMs = 0, toMs = 0] = brush();
    const part = await exported('acquisitions', fromMs, toMs);
    await expect.poll(() => totalOnPage(page, 'acquisitions'), soon).toBe(part.total);
    expect(part.total).toBeLessThan(whole);
    await page.getByRole('slider', { name: 'end of the part' }).press('ArrowRight');
    await expect.poll(() => Number(new URL(page.url()).searchParams.get('to')), soon).toBeGreaterThan(toMs);
    const read = async (): Promise<readonly string[]> => [
      await page.locator('.brush-words').innerText(),
      await panelOf(page, 'who').innerText(),
      await panelOf(page, 'acquisitions').innerText(),
    ];
    const [, longerMs = 0] = brush();
    const longer = await exported('acquisitions', fromMs, longerMs);
    await expect.poll(() => totalOnPage(page, 'acquisitions'), soon).toBe(longer.total);
    await waitForFigures(page, 'who');
    await expect.poll(() => panelOf(page, 'who').innerText(), soon).toContain('mapper');
    // What is drawn follows a moment later: what is read twice alike, half a second apart, stands.
    let before = await read();
    const stands = async (): Promise<boolean> => {
      const last = before;
      before = await read();
      return before.join() === last.join();
    };
    await expect.poll(stands, { ...soon, interval: 500 }).toBe(true);
    await page.reload();
    await waitForFigures(page, 'acquisitions');
    await expect.poll(read, soon).toEqual(before);
    await page.keyboard.press('a');
    await expect.poll(() => totalOnPage(page, 'acquisitions'), soon).toBe(whole);
  });

  test('plays: the end of the part moves on at the speed chosen, and stops at the end', async () => {
    await using open = await openSessionPage(browser, server, `&session=${id}&from=0&to=1000&speed=4`);
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    const first = await totalOnPage(page, 'acquisitions');
    await page.keyboard.press('Space');
    await expect.poll(() => totalOnPage(page, 'acquisitions'), soon).toBeGreaterThan(first);
    await page.getByRole('button', { name: 'Stand still' }).waitFor();
    const whole = (await exported('acquisitions', 0, 1e9)).total;
    await expect.poll(() => totalOnPage(page, 'acquisitions'), soon).toBe(whole);
    await page.getByRole('button', { name: 'Play' }).waitFor();
  });

  test('draws marks where they were made, and a press goes there', async () => {
    await using open = await openSessionPage(browser, server, `&session=${id}`);
    const { page } = open;
    await page.getByRole('button', { name: /^mark: 2\.0 s · here I unbound it/ }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('to'), soon).toBe('2000');
    await page.getByRole('button', { name: 'Mark', exact: true }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('and here I bound it');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: /^mark: 2\.0 s · and here I bound it/ }).waitFor();
    const { manifest } = (await (await fetch(`${server.url}/api/v1/recordings/${id}`)).json()) as {
      manifest: { createdAtMs: number; marks: readonly { atMs: number; text: string }[] };
    };
    expect(manifest.marks).toContainEqual({ atMs: manifest.createdAtMs + 2000, text: 'and here I bound it' });
  });

  test('has notes that are written, changed and taken away, and a mark by a key, at the end of the part', async () => {
    type Written = { readonly atMs: number; readonly text: string };
    const manifest = async (): Promise<{ createdAtMs: number; notes: Written[]; marks: Written[] }> =>
      ((await (await fetch(`${server.url}/api/v1/recordings/${id}`)).json()) as { manifest: never }).manifest;
    const notes = async (): Promise<readonly string[]> => (await manifest()).notes.map(({ text }) => text);
    await using open = await openSessionPage(browser, server, `&session=${id}&to=3000`);
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    await page.getByRole('button', { name: 'Notes', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('<b>first</b>\nand a second line');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await expect.poll(notes, soon).toEqual(['<b>first</b>\nand a second line']);
    await dialog.getByText('and a second line').waitFor();
    await dialog.getByRole('button', { name: 'Change' }).click();
    await dialog.getByRole('textbox').first().fill('changed');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect.poll(notes, soon).toEqual(['changed']);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Notes (1)' }).click();
    await dialog.getByRole('button', { name: 'Take away' }).click();
    await expect.poll(notes, soon).toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('m');
    await page.getByRole('dialog', { name: 'Mark 3.00 s' }).getByRole('textbox').fill('by a key');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^mark: 3\.0 s · by a key/ }).waitFor();
    const { createdAtMs, marks } = await manifest();
    expect(marks).toContainEqual({ atMs: createdAtMs + 3000, text: 'by a key' });
    await page.keyboard.press('?');
    await page.getByText('mark a moment of what is recorded').waitFor();
    expect(open.errors).toEqual([]);
  });

  test('that is not there says so, with a way back', async () => {
    await using open = await openSessionPage(browser, server, '&session=nothing-1');
    await open.page.getByText(/there is no recorded session/).waitFor();
    await open.page.getByRole('button', { name: 'All sessions' }).first().click();
    await expect.poll(() => rowsOf(open.page).count(), soon).toBeGreaterThan(0);
  });
});
