/** The fault path of a guest: the functions of its era, where the read lock meets what needs the write lock, and states. */
import { formatExact } from '@faultline/shared';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SyntheticSession } from './feed/synthetic-session.ts';
import { type OpenPage, openBrowser, openPage, panelOf, soon, waitForFigures } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const panelIds = ['path', 'vfio-faults', 'fault-locks', 'fault-heat', 'devices', 'assertion', 'links'];

/** Nothing more happens, and the page has all of it: a page that is slow was left out of some frames and asks anew. */
async function standStill({ page, feed }: OpenPage, id: string): Promise<SyntheticSession | undefined> {
  const session = feed.sessions.get(id);
  feed.pause();
  feed.cut();
  await expect.poll(() => page.evaluate(() => window.faultline?.seq), soon).toBe(session?.seq);
  return session;
}

describe('the fault path of era A', () => {
  test('is what opens where vfio faults are traced, and ends at remap_pfn_range with a cross and words', async () => {
    await using open = await openPage(browser, 'era-a');
    const { page } = open;
    await waitForFigures(page, 'path');
    expect(await page.getByRole('button', { name: 'Fault path' }).getAttribute('aria-pressed')).toBe('true');
    const names = await panelOf(page, 'path').locator('.path-name').allTextContents();
    for (const name of [
      'vfio_pin_pages_remote',
      'vaddr_get_pfns',
      'fixup_user_fault',
      'handle_mm_fault',
      '__do_fault',
      'vfio_pci_mmap_fault',
      'io_remap_pfn_range',
      'remap_pfn_range',
    ])
      expect(names).toContain(name);
    expect(names).not.toContain('vfio_pci_mmap_huge_fault');
    const broken = panelOf(page, 'path').locator('.path-broken');
    expect(await broken.count()).toBe(1);
    expect(await broken.locator('.path-name').textContent()).toBe('remap_pfn_range');
    expect(await broken.textContent()).toContain('✕ needs the write lockheld: read');
    const inlined = panelOf(page, 'path').locator('.path-inlined', { hasText: 'io_remap_pfn_range' });
    expect(await inlined.textContent()).toContain('inlined here');
    const unmeasured = panelOf(page, 'path').locator('.path-node', { hasText: 'handle_mm_fault' });
    expect(await unmeasured.textContent()).toContain('not measured');
    // A slow guest may fail a check for want of time; what is traced can be traced.
    expect(await page.getByRole('note').filter({ hasText: "can't be traced" }).count()).toBe(0);
    expect(open.errors).toEqual([]);
  });

  test('has the colour of the lock at the handler and at remap_pfn_range: the same as everywhere', async () => {
    await using open = await openPage(browser, 'era-a');
    const { page } = open;
    await waitForFigures(page, 'path');
    const expected = await panelOf(page, 'fault-locks')
      .locator('.mark path')
      .evaluateAll((marks) => marks.map((mark) => getComputedStyle(mark).fill));
    for (const name of ['vfio_pci_mmap_fault', 'remap_pfn_range']) {
      const rail = panelOf(page, 'path')
        .locator('.path-node')
        .filter({ has: page.locator('.path-name', { hasText: new RegExp(`^${name}$`) }) })
        .locator('.path-rail');
      expect(expected).toContain(await rail.evaluate((element) => getComputedStyle(element).fill));
    }
  });

  test('says the figures that the session has, to the last one', async () => {
    await using open = await openPage(browser, 'era-a');
    const { page } = open;
    await waitForFigures(page, 'path');
    const session = await standStill(open, 'lab-6.1-5c1e');
    const faults = session?.total('attempts', {}) ?? 0;
    const violations = session?.total('violations', {}) ?? 0;
    const checks = session?.total('checks', {}) ?? 0;
    expect(Math.min(faults, violations, checks)).toBeGreaterThan(50);
    const figure = (title: string) => page.locator('.figure', { has: page.getByText(title, { exact: true }) });
    await expect.poll(() => figure('faults').locator('dd').getAttribute('title'), soon).toBe(formatExact(faults));
    await expect.poll(() => figure('violations').innerText(), soon).toContain(`✕ ${formatExact(violations)}`);
    expect(await figure('violations').innerText()).toContain(`in ${formatExact(checks)} checks`);
    const handler = panelOf(page, 'path').locator('.path-node', { hasText: 'vfio_pci_mmap_fault' });
    await expect.poll(() => handler.locator('title').textContent(), soon).toContain(`${formatExact(faults)} calls`);
  });

  test('shows each violation with both lock modes, the verdicts, its process and its stack, the most frequent first', async () => {
    await using open = await openPage(browser, 'era-a');
    const { page } = open;
    await waitForFigures(page, 'assertion');
    const broken = panelOf(page, 'assertion').locator('.verdict-broken');
    expect(await broken.count()).toBe(2);
    const [first = '', second = ''] = await broken.allTextContents();
    expect(first).toMatch(/✕ [\d,]+ × violated at remap_pfn_range in vfio-load: expected mmap-write, found mmap-read/);
    expect(first).toContain('do_user_addr_fault');
    const verdicts = await broken.first().locator('dd').allInnerTexts();
    expect(verdicts).toEqual(['✕ violated', '✕ violated', 'yes, flags changed']);
    expect(second).toContain('vfio_iommu_type1_ioctl');
    const count = (text: string): number => Number(/✕ ([\d,]+)/.exec(text)?.[1]?.replaceAll(',', ''));
    expect(count(first)).toBeGreaterThan(count(second));
    expect(await panelOf(page, 'assertion').innerText()).toMatch(
      /The kernel itself has WARNed [\d,]+ times, [\d,]+ WARNs of its assertion due:/,
    );
  });

  test('finds the BAR by the physical page that era A has for a place', async () => {
    await using open = await openPage(browser, 'era-a');
    const { page } = open;
    await waitForFigures(page, 'devices');
    await expect
      .poll(() => panelOf(page, 'devices').getByRole('row').nth(1).innerText(), soon)
      .toMatch(/0000:01:00\.0\s+BAR 2\s+1 GiB\s+[\d.]+ [GT]iB/);
  });
});

describe('the fault path of era D', () => {
  test('ends at the three inserts, has no remap, and is clean: none in so many checks', async () => {
    await using open = await openPage(browser, 'era-d');
    const { page } = open;
    await waitForFigures(page, 'path');
    const names = await panelOf(page, 'path').locator('.path-name').allTextContents();
    for (const name of [
      'create_huge_pmd / _pud',
      'vfio_pci_mmap_huge_fault',
      'vmf_insert_pfn',
      'vmf_insert_pfn_pmd',
      'vmf_insert_pfn_pud',
    ])
      expect(names).toContain(name);
    expect(names.filter((name) => name.includes('remap_pfn_range'))).toEqual([]);
    expect(await panelOf(page, 'path').locator('.path-broken').count()).toBe(0);
    await waitForFigures(page, 'assertion');
    expect(await panelOf(page, 'assertion').locator('.verdict-clean').innerText()).toMatch(/^none in [\d,]+ checks$/);
    expect(open.errors).toEqual([]);
  });

  test('counts no fault where the handler only fell back', async () => {
    await using open = await openPage(browser, 'era-d');
    const { page } = open;
    await waitForFigures(page, 'path');
    const session = await standStill(open, 'lab-6.12-07af');
    const fallbacks = session?.total('attempts', { result: 'fallback' }) ?? 0;
    const attempts = session?.total('attempts', {}) ?? 0;
    expect(fallbacks).toBeGreaterThan(100);
    const faults = page.locator('.figure').first();
    await expect.poll(() => faults.locator('dd').getAttribute('title'), soon).toBe(formatExact(attempts - fallbacks));
    expect(await faults.innerText()).toContain(`${formatExact(attempts)} attempts`);
  });
});

describe('the view', () => {
  test('is in the address, changes by v, and is listed in the help', async () => {
    await using open = await openPage(browser, 'era-a');
    const { page } = open;
    await waitForFigures(page, 'path');
    await page.keyboard.press('v');
    await panelOf(page, 'acquisitions').waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get('view'), soon).toBe('locks');
    await page.keyboard.press('v');
    await panelOf(page, 'path').waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get('view'), soon).toBe('path');
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog', { name: 'keys' }).innerText()).toMatch(/v\s+.*fault path/i);
  });

  test('fits 1280 and 1920 with nothing cut off, and no text of the diagram leaves its picture', async () => {
    await using open = await openPage(browser, 'era-d');
    const { page } = open;
    for (const width of [1280, 1920]) {
      await page.setViewportSize({ width, height: 1080 });
      for (const id of panelIds) {
        await panelOf(page, id).scrollIntoViewIfNeeded();
        await waitForFigures(page, id);
      }
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      const cut = await panelOf(page, 'links')
        .locator('.table-text')
        .evaluateAll((texts) =>
          texts.filter((text) => text.scrollWidth > text.clientWidth + 1).map((text) => text.textContent),
        );
      expect(cut).toEqual([]);
      const outside = await panelOf(page, 'path')
        .locator('.path-node')
        .evaluateAll((nodes) =>
          nodes
            .filter((node) => {
              const box = node.querySelector('rect')?.getBoundingClientRect();
              const name = node.querySelector('.path-name')?.getBoundingClientRect();
              return box === undefined || name === undefined || name.right > box.right;
            })
            .map((node) => node.textContent),
        );
      expect(outside).toEqual([]);
    }
  });

  test('says where a chosen process cannot narrow what is added up, and offers no lock mode to choose', async () => {
    await using open = await openPage(browser, 'era-a', 'process=vfio-load');
    const { page } = open;
    for (const id of ['path', 'assertion', 'links', 'devices']) {
      await waitForFigures(page, id);
      expect(await panelOf(page, id).locator('.scope').innerText()).toMatch(/^all processes/);
    }
    expect(await page.getByRole('combobox', { name: 'mode' }).count()).toBe(0);
  });

  test('has a table behind the diagram, and c copies it', async () => {
    await using open = await openPage(browser, 'era-a', 'paused=1');
    const { page } = open;
    await waitForFigures(page, 'path');
    await panelOf(page, 'path').focus();
    await page.keyboard.press('t');
    await expect
      .poll(() => panelOf(page, 'path').getByRole('row').allInnerTexts(), soon)
      .toEqual(expect.arrayContaining([expect.stringMatching(/^remap_pfn_range\s+[\d,]+\s/)]));
    await page.keyboard.press('c');
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()), soon)
      .toMatch(/remap_pfn_range +[\d,]+ .*mmap-read/);
  });
});

describe('a panel of the fault path without figures', () => {
  test('says that it runs and nothing came; no check is no clean bill, and the path is there already', async () => {
    await using open = await openPage(browser, 'path-quiet', 'target=lab-6.1-5c1e');
    const { page } = open;
    await expect
      .poll(() => panelOf(page, 'vfio-faults').innerText(), soon)
      .toContain('vfio-fault faults is running; no event has come yet.');
    expect(await panelOf(page, 'path').locator('.path-name').allTextContents()).toContain('vfio_pci_mmap_fault');
    expect(await panelOf(page, 'path').locator('.path-broken').count()).toBe(0);
    await panelOf(page, 'assertion').locator('.verdicts').waitFor();
    expect(await panelOf(page, 'assertion').innerText()).toContain(
      'none in 0 checks: remap_pfn_range has not been called yet',
    );
    expect(await page.locator('.figure-good').count()).toBe(0);
  });

  test('says why it failed, what to do, and what bpftrace said; the table of MAP_DMA lives', async () => {
    await using open = await openPage(browser, 'path-failed', 'target=lab-6.1-5c1e');
    const { page } = open;
    await expect.poll(() => panelOf(page, 'path').innerText(), soon).toContain("vfio-fault can't attach");
    expect(await panelOf(page, 'path').innerText()).toContain('Load vfio-pci');
    await waitForFigures(page, 'links');
    expect(await panelOf(page, 'links').innerText()).toContain('vaddr_get_pfns');
  });

  test('says that events were lost', async () => {
    await using open = await openPage(browser, 'path-lossy', 'target=lab-6.1-5c1e');
    const { page } = open;
    await waitForFigures(page, 'path');
    await expect.poll(() => panelOf(page, 'path').innerText(), soon).toContain('incomplete');
    await waitForFigures(page, 'assertion');
    expect(await panelOf(page, 'assertion').innerText()).toContain('incomplete');
  });

  test('says on a host without vfio why, and the lab is one click away', async () => {
    await using open = await openPage(browser, 'lab', 'view=path');
    const { page, feed } = open;
    await expect
      .poll(() => panelOf(page, 'path').innerText(), soon)
      .toContain("can't run on this target: this kernel has no vfio_pci_core module");
    await page.getByRole('button', { name: /^Boot 6\.1 in the lab/ }).click();
    await expect
      .poll(() => feed.lab.view().machines.map(({ kernel, state }) => [kernel, state]), soon)
      .toEqual([['6.1', 'preparing']]);
    await expect.poll(() => new URL(page.url()).searchParams.get('page'), soon).toBe('lab');
  });
});
