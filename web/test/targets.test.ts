/** Several kernels at once: tabs with their states, one that died. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, openPage, panelOf, soon, waitForFigures } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test('each target is a tab with its state; a click follows it and is in the address', async () => {
  await using open = await openPage(browser, 'targets', 'target=host');
  const { page } = open;
  await waitForFigures(page, 'acquisitions');
  const tabs = page.getByRole('group', { name: 'targets' }).getByRole('button');
  await expect.poll(() => tabs.count(), soon).toBe(5);
  const names = await tabs.evaluateAll((all) => all.map((tab) => tab.getAttribute('aria-label')));
  expect(names).toEqual([
    'host, live',
    'replay, not tracing',
    'lab-6.1-5c1e, live, emulated',
    'lab-6.12-07af, live, emulated',
    'lab-6.1-dead, gone, emulated',
  ]);
  await page.getByRole('button', { name: 'lab-6.12-07af' }).click();
  await waitForFigures(page, 'path');
  await expect.poll(() => new URL(page.url()).searchParams.get('target'), soon).toBe('lab-6.12-07af');
  expect(await panelOf(page, 'path').locator('.path-diagram').innerHTML()).toContain('vfio_pci_mmap_huge_fault');
  expect(await page.locator('.state-facts').innerText()).toContain('6.12.107+deb12-amd64');
  await page.getByRole('button', { name: 'host' }).click();
  await waitForFigures(page, 'acquisitions');
  expect(await page.locator('.badge-band').count()).toBe(0);
  expect(open.errors).toEqual([]);
});

test('a dead target says why it is gone, and its figures stay readable', async () => {
  await using open = await openPage(browser, 'targets', 'target=lab-6.1-dead');
  const { page } = open;
  await waitForFigures(page, 'path');
  await expect.poll(() => page.locator('.state-word').innerText(), soon).toBe('gone');
  expect(await page.locator('.state-line').innerText()).toContain('QEMU has ended (signal SIGKILL).');
  expect(await panelOf(page, 'path').locator('.path-broken').count()).toBe(1);
  expect(await page.getByRole('button', { name: 'Start', exact: true }).isDisabled()).toBe(true);
});
