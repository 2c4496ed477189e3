/** What the page says when not all is well: nothing to trace, failures, losses, replays, a lost server, hostile names. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostileNames } from './feed/scenarios.ts';
import { openBrowser, openPage, panelOf, soon, waitForFigures } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

describe('a panel without figures', () => {
  test('says that its probe is not running, and starts it', async () => {
    await using open = await openPage(browser, 'empty');
    const { page } = open;
    const panel = panelOf(page, 'acquisitions');
    await expect
      .poll(() => panel.innerText(), soon)
      .toContain('Nothing traces this: neither mmap-lock latency nor mmap-lock counts is running.');
    await expect.poll(() => page.locator('.state-word').innerText(), soon).toBe('not tracing');
    await panel.getByRole('button', { name: 'Start mmap-lock latency' }).click();
    await waitForFigures(page, 'acquisitions');
    await expect.poll(() => page.locator('.state-word').innerText(), soon).toBe('live');
    expect(open.errors).toEqual([]);
  });

  test('says that nothing has happened yet', async () => {
    await using open = await openPage(browser, 'quiet');
    const { page } = open;
    await expect
      .poll(() => panelOf(page, 'acquisitions').innerText(), soon)
      .toContain('mmap-lock latency is running; no event has come yet.');
    await panelOf(page, 'calls').scrollIntoViewIfNeeded();
    await expect
      .poll(() => panelOf(page, 'calls').innerText(), soon)
      .toContain('mmap-lock detail is running; no event has come yet.');
  });

  test('says why its probe failed, what to do, and what bpftrace said; the rest lives', async () => {
    await using open = await openPage(browser, 'failed');
    const { page, feed } = open;
    const panel = panelOf(page, 'acquisitions');
    await expect
      .poll(() => panel.innerText(), soon)
      .toContain('this kernel has no tracepoint mmap_lock:mmap_lock_start_locking');
    expect(await panel.innerText()).toContain('Use a kernel of 5.11 or newer');
    await panel.getByText('what bpftrace said').click();
    await panel.getByText('ERROR: tracepoint not found').waitFor();
    expect(await page.locator('.state-word').innerText()).toBe('live, a probe failed');
    await waitForFigures(page, 'faults');
    await panel.getByRole('button', { name: 'Try again: mmap-lock latency' }).click();
    await expect
      .poll(
        () =>
          feed.sessions
            .get('host')
            ?.view()
            .runs.filter(({ stream }) => stream === 'latency').length,
        soon,
      )
      .toBe(2);
    await waitForFigures(page, 'acquisitions');
  });

  test('keeps its figures when its bpftrace is killed, and says so within two seconds', async () => {
    await using open = await openPage(browser, 'busy');
    const { page, feed } = open;
    await waitForFigures(page, 'acquisitions');
    feed.sessions.get('host')?.kill('run-1');
    await expect
      .poll(() => panelOf(page, 'acquisitions').innerText(), soon)
      .toContain('failed: bpftrace was killed by signal 9');
    expect(await panelOf(page, 'acquisitions').locator('path.recharts-area-area').count()).toBeGreaterThan(0);
  });
});

describe('losses', () => {
  test('turn the ledger amber; a click tells which probe, which stage, when, and what it means', async () => {
    await using open = await openPage(browser, 'lossy');
    const { page } = open;
    const ledger = page.locator('.ledger-line');
    await expect.poll(() => ledger.innerText(), soon).toMatch(/lost\s+[1-9][\d,]*/);
    expect(await ledger.innerText()).toContain('figures are incomplete');
    expect(await ledger.getAttribute('class')).toContain('is-amber');
    await ledger.click();
    const panel = page.getByRole('region', { name: 'where every event went' });
    await panel.waitFor();
    const words = await panel.innerText();
    expect(words).toMatch(/mmap-lock detail/);
    expect(words).toMatch(/\d\d:\d\d:\d\d\.\d{3}\s+bpftrace's perf buffer overflowed/);
    expect(words).toContain('of the printed calls some are not in the table');
    // What a stage means is there to be read, and not only for those who point at its column.
    expect(words).toMatch(/[1-9][\d,]* lost: bpftrace's buffer overflowed/);
    await expect.poll(() => page.url(), soon).toContain('ledger=1');
    await expect.poll(() => panelOf(page, 'acquisitions').locator('.plot-loss').count(), soon).toBeGreaterThan(0);
    await panelOf(page, 'calls').scrollIntoViewIfNeeded();
    await expect.poll(() => panelOf(page, 'calls').innerText(), soon).toContain('events lost');
  });
});

describe('a replay', () => {
  test('is never mistaken for the machine', async () => {
    await using open = await openPage(browser, 'replay');
    const { page } = open;
    await waitForFigures(page, 'acquisitions');
    expect(await page.locator('.badge-band').innerText()).toBe(
      'REPLAY recorded 2026-11-20 on a 6.1.0-56-amd64 guest, not this machine now',
    );
    expect(await page.locator('.state-word').innerText()).toBe('replaying');
  });

  test('is offered where the machine cannot be traced, and plays', async () => {
    await using open = await openPage(browser, 'untraceable');
    const { page } = open;
    const offer = page.getByRole('note').filter({ hasText: "can't be traced" });
    await offer.waitFor();
    expect(await offer.innerText()).toContain('no bpftrace in PATH');
    await offer.getByRole('button', { name: 'Try the recorded sample' }).click();
    await page.locator('.badge-band').waitFor();
    await waitForFigures(page, 'acquisitions');
    await expect.poll(() => page.url(), soon).toContain('target=replay');
  });
});

describe('the server', () => {
  test('silent for more than two seconds: every panel says how old it is', async () => {
    await using open = await openPage(browser, 'busy');
    const { page, feed } = open;
    await waitForFigures(page, 'acquisitions');
    feed.pause();
    await expect.poll(() => panelOf(page, 'acquisitions').innerText(), soon).toMatch(/no data for [3-9] s/);
    await expect.poll(() => panelOf(page, 'wait').innerText(), soon).toMatch(/no data for \d+ s/);
  });

  test('gone for a moment: the page says so and goes on by itself, with exact figures', async () => {
    await using open = await openPage(browser, 'busy');
    const { page, feed } = open;
    await waitForFigures(page, 'acquisitions');
    feed.drop();
    await expect
      .poll(() => page.locator('header.frame').innerText(), soon)
      .toContain('The connection to the server is lost');
    feed.comeBack();
    await expect.poll(() => page.locator('.state-word').innerText(), soon).toBe('live');
    feed.pause();
    const session = feed.sessions.get('host');
    await expect.poll(() => page.evaluate(() => window.faultline?.seq), soon).toBe(session?.seq);
    expect(await page.evaluate(() => window.faultline?.totals('acquisitions'))).toBe(
      session?.total('acquisitions', {}),
    );
  });

  test('of another version: the page says to reload', async () => {
    await using open = await openPage(browser, 'busy');
    const { page, feed } = open;
    await waitForFigures(page, 'acquisitions');
    feed.speak(99);
    feed.cut();
    await expect
      .poll(() => page.locator('header.frame').innerText(), soon)
      .toMatch(/speaks another version than this page\. Reload the page/);
  });

  test('misses a frame: the page asks for a new snapshot and is exact again', async () => {
    await using open = await openPage(browser, 'busy');
    const { page, feed } = open;
    await waitForFigures(page, 'acquisitions');
    const asked = feed.resyncCount();
    feed.skipFrame();
    await expect.poll(() => feed.resyncCount(), soon).toBeGreaterThan(asked);
    const session = feed.sessions.get('host');
    feed.pause();
    await expect.poll(() => page.evaluate(() => window.faultline?.seq), soon).toBe(session?.seq);
    expect(await page.evaluate(() => window.faultline?.totals('faults'))).toBe(session?.total('faults', {}));
  });
});

test('names from the traced machine are text and nothing else', async () => {
  await using open = await openPage(browser, 'hostile');
  const { page } = open;
  await waitForFigures(page, 'who');
  const cells = await panelOf(page, 'who')
    .getByRole('row')
    .evaluateAll((rows) => rows.map((row) => row.querySelector('.table-text')?.textContent ?? ''));
  expect(cells).toEqual(expect.arrayContaining(hostileNames));
  await panelOf(page, 'who').getByRole('row').nth(1).click();
  await expect.poll(() => new URL(page.url()).searchParams.get('process'), soon).toBe(hostileNames[0]);
  await page.reload();
  await waitForFigures(page, 'acquisitions');
  await panelOf(page, 'calls').scrollIntoViewIfNeeded();
  await waitForFigures(page, 'calls');
  expect(
    await page.evaluate(() => [document.querySelectorAll('img').length, 'hacked' in window, document.scripts.length]),
  ).toEqual([0, false, 1]);
  expect(open.errors).toEqual([]);
});
