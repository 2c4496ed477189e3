/** The page of the lab: a boot with its progress, workloads, failures, an end. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, openPage, soon, waitForFigures } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test('one click boots: stages, seconds and bytes are in sight until the guest can be watched', async () => {
  await using open = await openPage(browser, 'lab', 'page=lab');
  const { page, feed } = open;
  const lab = page.getByRole('main', { name: 'lab' });
  await lab.getByRole('button', { name: '256 MiB' }).click();
  await lab.getByRole('button', { name: 'Boot 6.12' }).click();
  const guest = lab.locator('.lab-machine');
  await expect.poll(() => guest.innerText(), soon).toMatch(/downloading linux-image-6\.12.*\d+ s.*30 MiB of 97 MiB/s);
  expect(await guest.locator('progress').evaluate((bar: HTMLProgressElement) => bar.position)).toBeCloseTo(0.309, 2);
  for (const stage of ['unpacking 6.12.107', 'booting (emulated: no KVM here)', 'attaching the probes']) {
    feed.lab.advance();
    await expect.poll(() => guest.innerText(), soon).toContain(stage);
  }
  expect(await guest.locator('progress').count()).toBe(0);
  expect(await guest.innerText()).toContain('BAR 256 MiB');
  feed.lab.advance();
  await guest.getByRole('button', { name: 'dma-map' }).waitFor();
  await expect.poll(() => new URL(page.url()).searchParams.get('target'), soon).toBe('lab-6.12-1');
  await guest.getByRole('button', { name: 'Watch it' }).click();
  await waitForFigures(page, 'vfio-faults');
  expect(await page.locator('.badge-band').innerText()).toMatch(/^LAB emulated/);
  expect(open.errors).toEqual([]);
});

test('a boot does not drag a reader along who has gone to another page meanwhile', async () => {
  await using open = await openPage(browser, 'lab', 'page=lab');
  const { page, feed } = open;
  await page.getByRole('button', { name: 'Boot 6.1', exact: true }).click();
  await page.locator('.lab-machine').waitFor();
  await page.keyboard.press('2');
  await page.getByRole('heading', { name: /Preflight/ }).waitFor();
  for (let stage = 0; stage < 4; stage += 1) feed.lab.advance();
  await page.getByRole('button', { name: /^lab-6\.1-1/ }).waitFor();
  expect(new URL(page.url()).searchParams.get('target')).toBe(null);
  expect(new URL(page.url()).searchParams.get('page')).toBe('probes');
});

test('a workload runs by its button and says what it did', async () => {
  await using open = await openPage(browser, 'era-a', 'page=lab');
  const { page, feed } = open;
  const guest = page.locator('.lab-machine');
  await guest.getByRole('button', { name: 'dma-map' }).click();
  await expect.poll(() => guest.locator('.lab-run').innerText(), soon).toContain('dma-map: running');
  feed.lab.advance();
  await expect.poll(() => guest.locator('.lab-run').innerText(), soon).toContain('dma-map: done');
  await guest.locator('.lab-run summary').click();
  expect(await guest.locator('.lab-run pre').innerText()).toContain('touched 262144');
  await guest.getByRole('button', { name: 'touch, misaligned' }).click();
  await expect
    .poll(() => feed.lab.view().workloadRuns.map(({ workload, isMisaligned }) => [workload, isMisaligned]), soon)
    .toEqual([
      ['dma-map', false],
      ['touch', true],
    ]);
});

test('a boot that fails says why and what to do, and can be put away', async () => {
  await using open = await openPage(browser, 'lab', 'page=lab');
  const { page, feed } = open;
  await page.getByRole('button', { name: 'Boot 6.1', exact: true }).click();
  const guest = page.locator('.lab-machine');
  await guest.waitFor();
  feed.lab.failBoots('the guest panicked while booting', 'Look at its console; boot another kernel.');
  await expect.poll(() => guest.innerText(), soon).toMatch(/failed[^]*panicked while booting[^]*Look at its console/);
  await guest.getByRole('button', { name: 'Remove' }).click();
  await expect.poll(() => page.getByRole('main', { name: 'lab' }).innerText(), soon).toContain('No guest runs.');
});

test('a refused boot says why, beside its button', async () => {
  await using open = await openPage(browser, 'lab', 'page=lab');
  const { page, feed } = open;
  await page.getByRole('button', { name: 'Boot 6.1', exact: true }).waitFor();
  feed.refuse({ error: 'lab-problem', message: '4 guests are there already', remedy: 'Stop one first.' });
  await page.getByRole('button', { name: 'Boot 6.1', exact: true }).click();
  await expect.poll(() => page.locator('.lab-kernels').innerText(), soon).toContain('4 guests are there already');
});
