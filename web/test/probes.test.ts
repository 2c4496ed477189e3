/** The page of probes: checks, variants, parameters, start and stop. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, openPage, soon } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test('checks are a table with remedies', async () => {
  await using open = await openPage(browser, 'untraceable', 'page=probes');
  const { page } = open;
  const row = page.getByRole('row', { name: /bpftrace is there/ });
  await row.waitFor();
  expect(await row.innerText()).toMatch(
    /✕ failed\s+no bpftrace in PATH\s+Install the package bpftrace\.\s+apt-get install bpftrace/,
  );
  expect(await page.getByRole('row', { name: /kernel lockdown/ }).innerText()).toContain('? unknown');
});

test('says which variant was chosen and why not the others', async () => {
  await using open = await openPage(browser, 'idle', 'page=probes');
  const { page } = open;
  const handled = page.getByRole('region', { name: 'page-fault handled' });
  await expect
    .poll(() => handled.innerText(), soon)
    .toMatch(/handled-fentry\s+fentry\s+handled-fentry\.bt\s+✕ needs BTF, which this kernel does not have/);
  expect(await handled.innerText()).toMatch(/handled-kprobe\s+kprobe\s+handled-kprobe\.bt\s+✓ chosen/);
});

test('parameters are bounded before they are sent, and arrive as numbers', async () => {
  await using open = await openPage(browser, 'empty', 'page=probes');
  const { page, feed } = open;
  const detail = page.getByRole('region', { name: 'mmap-lock detail' });
  const threshold = detail.getByLabel(/slower than/);
  const start = detail.getByRole('button', { name: 'Start' });
  await threshold.fill('99999999999999');
  await detail.getByText('0 to 10,000,000,000').waitFor();
  expect(await start.isDisabled()).toBe(true);
  await threshold.fill('1; rm -rf');
  await detail.getByText('a whole number, please').waitFor();
  await threshold.fill('25_000');
  await detail.getByText('25 µs').waitFor();
  await start.click();
  await expect
    .poll(
      () =>
        feed.sessions
          .get('host')
          ?.view()
          .runs.map(({ stream, parameters }) => [stream, parameters]),
      soon,
    )
    .toEqual([['detail', { pid: 0, thresholdNs: 25_000 }]]);
  await detail.getByRole('button', { name: 'Stop' }).click();
  await expect.poll(() => detail.innerText(), soon).toContain('stopped');
  expect(open.errors).toEqual([]);
});

test('a stream is not started beside one that counts the same events', async () => {
  await using open = await openPage(browser, 'idle', 'page=probes');
  const { page } = open;
  const counts = page.getByRole('region', { name: 'mmap-lock counts' });
  await expect
    .poll(() => counts.innerText(), soon)
    .toContain("Can't start while latency runs: both count the same events.");
  expect(await counts.getByRole('button', { name: 'Start' }).isDisabled()).toBe(true);
});

test('a refused command says why and can be put aside', async () => {
  await using open = await openPage(browser, 'idle', 'page=probes');
  const { page, feed } = open;
  feed.refuse({ error: 'too-many-runs', message: 'Eight runs are the most.', remedy: 'Stop one first.' });
  const handled = page.getByRole('region', { name: 'page-fault handled' });
  await handled.getByRole('button', { name: 'Start' }).click();
  await expect.poll(() => handled.innerText(), soon).toContain('Eight runs are the most.');
  await handled.getByRole('button', { name: 'Dismiss' }).click();
  await expect.poll(() => handled.innerText(), soon).not.toContain('Eight runs are the most.');
});
