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
  // However many kernels the list has: guests stand above it.
  const topOf = async (place: typeof guest): Promise<number> => (await place.boundingBox())?.y ?? -1;
  expect(await topOf(guest)).toBeLessThan(await topOf(lab.locator('.lab-kernels')));
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
  await page.keyboard.press('4');
  await page.getByRole('heading', { name: /Preflight/ }).waitFor();
  for (let stage = 0; stage < 4; stage += 1) feed.lab.advance();
  await page.getByRole('button', { name: /^lab-6\.1-1/ }).waitFor();
  expect(new URL(page.url()).searchParams.get('target')).toBe(null);
  expect(new URL(page.url()).searchParams.get('page')).toBe('probes');
});

test('a workload runs by its button and says in words what it did, the lines behind a disclosure', async () => {
  await using open = await openPage(browser, 'era-a', 'page=lab');
  const { page, feed } = open;
  const guest = page.locator('.lab-machine');
  await guest.getByRole('button', { name: 'dma-map' }).click();
  const run = guest.locator('.lab-run').first();
  await expect.poll(() => run.innerText(), soon).toMatch(/dma-map\s+running\s+begun/);
  // Its device can be used by one program at a time.
  expect(await guest.getByRole('button', { name: 'touch' }).isDisabled()).toBe(true);
  feed.lab.advance();
  await expect
    .poll(() => run.innerText(), soon)
    .toMatch(/done\s+mapped 1 GiB once, 1 MAP_DMA\s+2 lines\s+1\s+36\.4 ms/);
  expect(await run.locator('pre').isVisible()).toBe(false);
  await run.locator('summary').click();
  expect(await run.locator('pre').innerText()).toContain('"isDone":true');
  expect(open.errors).toEqual([]);
});

test('a workload that kills its kernel says of what, with the stack behind a disclosure', async () => {
  await using open = await openPage(browser, 'era-a', 'page=lab');
  const { page, feed } = open;
  const guest = page.locator('.lab-machine');
  await guest.getByRole('button', { name: 'touch' }).click();
  const run = guest.locator('.lab-run').first();
  await expect.poll(() => run.innerText(), soon).toContain('running');
  feed.lab.killKernels('BUG: kernel NULL pointer dereference, address: 0000000000000000', [
    'fixup_user_fault',
    'do_futex',
  ]);
  await expect.poll(() => run.innerText(), soon).toMatch(/failed\s+it killed the kernel: BUG: kernel NULL pointer/);
  expect(await guest.locator('.lab-problem').innerText()).toMatch(/NULL pointer[^]*Boot another/);
  const said = run.locator('details', { hasText: 'what the kernel said' });
  expect(await said.locator('pre').isVisible()).toBe(false);
  await said.locator('summary').click();
  expect(await said.locator('pre').innerText()).toMatch(/^BUG: [^\n]*\n {2}fixup_user_fault\n {2}do_futex$/);
  expect(open.errors).toEqual([]);
});

test('size, alignment, repetitions and threads go to the workloads that heed them', async () => {
  await using open = await openPage(browser, 'era-a', 'page=lab');
  const { page, feed } = open;
  const guest = page.locator('.lab-machine');
  const runs = (): unknown =>
    feed.lab
      .view()
      .workloadRuns.map(({ workload, isMisaligned, sizeBytes, repetitions, threads }) => [
        workload,
        isMisaligned,
        sizeBytes,
        repetitions,
        threads,
      ]);
  await guest.getByRole('button', { name: '2 MiB' }).click();
  await guest.getByRole('button', { name: 'misaligned' }).click();
  const repetitions = guest.getByRole('textbox', { name: 'repetitions' });
  await repetitions.fill('10001');
  await expect.poll(() => guest.locator('.lab-options').innerText(), soon).toContain('1 to 10,000');
  expect(await guest.getByRole('button', { name: 'touch' }).isDisabled()).toBe(true);
  await repetitions.fill('23');
  await guest.getByRole('textbox', { name: 'threads of contention' }).fill('4');
  const mib = 1024 ** 2;
  const expected: unknown[] = [];
  for (const row of [
    ['touch', true, 2 * mib, 23, undefined],
    ['sysfs', false, 2 * mib, 23, undefined],
    ['contention', true, 2 * mib, 23, 4],
  ] as const) {
    const button = guest.getByRole('button', { name: row[0], exact: true });
    await expect.poll(() => button.isEnabled(), soon).toBe(true);
    await button.click();
    expected.push(row);
    await expect.poll(runs, soon).toEqual(expected);
    feed.lab.advance();
  }
  await expect
    .poll(() => guest.locator('.lab-run').last().innerText(), soon)
    .toMatch(/touch, 2 MiB, misaligned, 23 times\s+done\s+mapped 2 MiB 23 times, read 11,776 pages[^]*23\s+837 ms/);
  await expect
    .poll(() => guest.locator('.lab-run').first().innerText(), soon)
    .toContain('contention, 2 MiB, misaligned, 23 times, 4 threads');
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
