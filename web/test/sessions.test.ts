/** Recorded sessions on the page, over a real server and a store of really recorded ones. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, panelOf, soon, waitForFigures } from './open-page.ts';
import { type SessionServer, openSessionPage, openSessionServer } from './session-store.ts';

/** Ends whatever came about, also where something later failed. */
const opened = new AsyncDisposableStack();
let browser: Browser;
let server: SessionServer;
let id = '';
let sampleId = '';

beforeAll(async () => {
  server = opened.use(await openSessionServer(6));
  id = server.recorded.recordingId;
  const sample = await server.faultline('record', '--target', 'replay', '--for', '3s', '--label', 'sample', '--json');
  sampleId = (JSON.parse(sample) as { recordingId: string }).recordingId;
  browser = opened.use(await openBrowser());
}, 90_000);

afterAll(() => opened.disposeAsync());

const rowsOf = (page: Page) => page.getByRole('table', { name: 'recorded sessions' }).locator('.table-body [role=row]');
const rowOf = (page: Page, text: string) => rowsOf(page).filter({ hasText: text });
const pick = async (page: Page, text: string, item: string): Promise<void> => {
  await rowOf(page, text).getByRole('button', { name: 'More' }).click();
  await page.locator('.menu:popover-open').getByRole('button', { name: item, exact: true }).click();
};

describe('the list', () => {
  test('shows what one searches by, is searched and sorted, and all of it is in the address', async () => {
    await using open = await openSessionPage(browser, server, '');
    const { page } = open;
    await expect.poll(() => rowsOf(page).count(), soon).toBe(2);
    const identity = server.recorded.target.identity;
    const words = await rowOf(page, 'unbind the device').innerText();
    for (const word of [identity?.release ?? '?', identity?.hostname ?? '?', 'base']) expect(words).toContain(word);
    // How long it took: in seconds, or by the clock on a machine that needed more than a minute.
    expect(words).toMatch(/\n(?:\d+\.\d s|\d\d:\d\d:\d\d)\n/);
    // Events, page faults, violations nobody looked for, and lost ones: as the recording itself says.
    const { isComplete, ledger } = server.recorded;
    const lost = Math.max(ledger.lostCount, ledger.missingCount) > 0 ? String.raw`[1-9][\d.]*[kM]?` : '0';
    const whole = isComplete || lost !== '0' ? '' : ', incomplete';
    const figures = new RegExp(String.raw`\d[\d.]*[kM]?\s+\d[\d.]*[kM]?\s+–\s+${lost}${whole}\s`);
    await expect.poll(() => rowOf(page, 'unbind').innerText(), soon).toMatch(figures);
    await page.keyboard.press('f');
    await page.keyboard.type('sample');
    await expect.poll(() => rowsOf(page).count(), soon).toBe(1);
    await expect.poll(() => new URL(page.url()).searchParams.get('find'), soon).toBe('sample');
    await page.reload();
    await expect.poll(() => rowsOf(page).allInnerTexts(), soon).toEqual([expect.stringContaining('sample')]);
    await page.locator('#session-search').fill('no such thing');
    await page.getByRole('button', { name: 'Show all sessions' }).click();
    await page.getByRole('button', { name: 'events' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('order'), soon).toBe('-events');
    expect(open.errors).toEqual([]);
  });

  test('pins a session, which the command line then knows', async () => {
    await using open = await openSessionPage(browser, server, '');
    const { page } = open;
    await pick(page, 'unbind', 'Pin');
    await expect.poll(() => rowOf(page, 'unbind').locator('.session-pin').count(), soon).toBe(1);
    const shown = JSON.parse(await server.faultline('sessions', 'show', id, '--json')) as object;
    expect(JSON.stringify(shown)).toContain('"isPinned":true');
  });

  test('deletes with undo: gone at once, and had back whole', async () => {
    const before = await server.faultline(
      'record',
      '--target',
      'replay',
      '--for',
      '500ms',
      '--label',
      'gone',
      '--json',
    );
    const { recordingId } = JSON.parse(before) as { recordingId: string };
    await using open = await openSessionPage(browser, server, '');
    const { page } = open;
    const status = async (): Promise<number> => (await fetch(`${server.url}/api/v1/recordings/${recordingId}`)).status;
    await pick(page, 'gone', 'Delete');
    await expect.poll(status, soon).toBe(404);
    await expect.poll(() => rowOf(page, 'gone').count(), soon).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => rowOf(page, 'gone').count(), soon).toBe(1);
    expect(await status()).toBe(200);
    await expect.poll(() => page.getByRole('button', { name: 'Undo' }).count(), soon).toBe(0);
  });

  test('renames and labels a session, and takes a label away again', async () => {
    await using open = await openSessionPage(browser, server, '&find=sample');
    const { page } = open;
    const manifest = async (): Promise<unknown> => {
      const answer = await fetch(`${server.url}/api/v1/recordings/${sampleId}`);
      return ((await answer.json()) as { manifest?: unknown }).manifest;
    };
    const write = async (item: string, text: string): Promise<void> => {
      await pick(page, 'recorded', item);
      await page.getByRole('dialog').getByRole('textbox').fill(text);
      await page.keyboard.press('Enter');
    };
    await write('Rename', 'a sample, named');
    await expect.poll(() => rowOf(page, 'a sample, named').count(), soon).toBe(1);
    await write('Label', 'sample two');
    await expect.poll(manifest, soon).toMatchObject({ name: 'a sample, named', label: 'sample two' });
    await write('Label', '');
    await expect.poll(async () => 'label' in ((await manifest()) as object), soon).toBe(false);
    await expect.poll(() => new URL(page.url()).searchParams.get('session'), soon).toBe(null);
  });

  test('imports a file that is dropped on it, and says why another is refused', async () => {
    const lines = await (await fetch(`${server.url}/api/v1/recordings/${id}/export/jsonl`)).text();
    const file = lines.replaceAll(id, 'dropped-1').replaceAll('unbind the device', 'another name');
    await using open = await openSessionPage(browser, server, '&find=dropped');
    const { page } = open;
    const drop = async (name: string, text: string): Promise<void> => {
      const files = await page.evaluateHandle(
        ([fileName, content]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([content], fileName));
          return transfer;
        },
        [name, text] as const,
      );
      await page.getByRole('main').dispatchEvent('drop', { dataTransfer: files });
    };
    await drop('dropped.jsonl', file);
    await expect.poll(() => rowOf(page, 'another name').count(), soon).toBe(1);
    // The journal, that is all but the manifest in the first line, is the one that was sent.
    const back = await (await fetch(`${server.url}/api/v1/recordings/dropped-1/export/jsonl`)).text();
    const journalOf = (text: string): string => text.slice(text.indexOf('\n'));
    expect(journalOf(back)).toBe(journalOf(file));
    await drop('nonsense.jsonl', 'this is no session');
    await page.locator('.session-news .trouble').waitFor();
    expect(open.errors).toEqual([]);
  });

  test('downloads an export, whole and under its name', async () => {
    await using open = await openSessionPage(browser, server, '');
    const { page } = open;
    await rowOf(page, 'unbind').getByRole('button', { name: 'More' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page
        .locator('.menu:popover-open')
        .getByRole('button', { name: /^jsonl/ })
        .click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${id}.jsonl`);
    const file = await readFile(await download.path(), 'utf8');
    expect(file).toBe(await (await fetch(`${server.url}/api/v1/recordings/${id}/export/jsonl`)).text());
  });
});

describe('what others made', () => {
  test('HTML in every string of an imported session is text and nothing else', async () => {
    const text = await (await fetch(`${server.url}/api/v1/recordings/${id}/export/jsonl`)).text();
    const file = join(server.store, '..', `hostile-${process.pid}.jsonl`);
    await writeFile(file, hostile(text));
    await server.faultline('import', file);
    await using open = await openSessionPage(browser, server, '&find=hostile');
    const { page } = open;
    await expect.poll(() => rowsOf(page).count(), soon).toBe(1);
    expect(await rowsOf(page).innerText()).toContain('<img');
    await rowsOf(page).click();
    await waitForFigures(page, 'who');
    await expect.poll(() => panelOf(page, 'who').innerText(), soon).toContain('<img');
    await page.locator('.ledger-line').click();
    await panelOf(page, 'calls').scrollIntoViewIfNeeded();
    await waitForFigures(page, 'calls');
    expect(
      await page.evaluate(() => [document.querySelectorAll('img').length, 'hacked' in window, document.scripts.length]),
    ).toEqual([0, false, 1]);
    expect(open.errors).toEqual([]);
  });

  test('a session that cannot be read says why, and the others stay', async () => {
    const { cp } = await import('node:fs/promises');
    await cp(join(server.store, id), join(server.store, 'torn-1'), { recursive: true });
    await writeFile(join(server.store, 'torn-1', 'manifest.json'), '{ "formatVersion": 99 }');
    await using open = await openSessionPage(browser, server, '');
    const broken = open.page.getByRole('region', { name: 'sessions that cannot be read' });
    await expect.poll(() => broken.innerText(), soon).toMatch(/torn-1\s+it has format version 99/);
    expect(await rowOf(open.page, 'unbind').count()).toBe(1);
  });
});

const evil = '<img src=x onerror="window.hacked=1;alert(1)">';

/** The same session under another id, with HTML wherever a string may hold any: names, processes, kernels, notes. */
function hostile(text: string): string {
  const free = [
    'title',
    'hostname',
    'release',
    'version',
    'cpuModel',
    'badge',
    'label',
    'name',
    'workload',
    'text',
    'comm',
  ];
  const spoil = (value: unknown, key: string, isStream: boolean): unknown => {
    if (typeof value === 'string') return !isStream && free.includes(key) ? `${evil}hostile`.slice(0, 110) : value;
    if (Array.isArray(value))
      return value.map((one) => (key === 'newTexts' ? `${evil}${String(one)}` : spoil(one, key, isStream)));
    if (typeof value !== 'object' || value === null) return value;
    const inner = isStream || key === 'stream';
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, spoil(part, name, inner)]));
  };
  const lines = text.replaceAll(id, 'hostile-1').trimEnd().split('\n');
  return `${lines.map((line) => JSON.stringify(spoil(JSON.parse(line), '', false))).join('\n')}\n`;
}
