/**
 * The fault path on real kernels: what the workload says it did is what the session counted, to the last fault. 6.1 is
 * era A (the thread's kernel), 6.12 is era D.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWhole } from '../../src/exports/report.ts';
import { faultPathProbes } from '../../src/lab/open-guest.ts';
import { type Counted, TracedGuest } from './traced-guest.ts';

const threadStack =
  'remap_pfn_range;vfio_pci_mmap_fault;__do_fault;do_fault;__handle_mm_fault;handle_mm_fault;fixup_user_fault;vaddr_get_pfns;vfio_pin_pages_remote;vfio_iommu_type1_ioctl';

/** Calls of the handler with a final result. */
function faults(counted: Counted, dims: Record<string, string> = {}): number {
  return ['nopage', 'sigbus', 'oom', 'other'].reduce(
    (sum, result) => sum + counted.sum('vfio-fault', 'attempts', { ...dims, result }),
    0,
  );
}

function attachedAs(guest: TracedGuest, probe: string): string | undefined {
  return guest.runs.find((run) => run.probe === probe)?.variant;
}

/** Ends the runs, and answers everything that is wrong with what they counted: nothing, it should be. */
async function closeAll(guest: TracedGuest): Promise<readonly unknown[]> {
  await Promise.all(guest.runs.filter(({ state }) => state === 'running').map(({ id }) => guest.tracer.stopRun(id)));
  const summary = guest.session.summary();
  const { seenCount, recordedCount } = summary.ledger;
  return [
    ...summary.runs.filter(({ run }) => run.state !== 'stopped').map(({ run }) => [run.probe, run.failure]),
    ...summary.runs.flatMap(({ run }) => run.findings),
    ...(isWhole(summary) ? [] : ['not whole']),
    ...(seenCount === recordedCount && seenCount > 0 ? [] : [summary.ledger]),
  ];
}

describe('6.1, where a fault remaps the whole VMA under the read lock (era A)', () => {
  let guest: TracedGuest;
  beforeAll(async () => {
    guest = await TracedGuest.start('6.1', faultPathProbes);
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  it('is recognised as era A, and every probe is attached', () => {
    expect(attachedAs(guest, 'vfio-fault')).toBe('era-a-fentry');
    expect(guest.runs.map(({ probe, state }) => [probe, state])).toEqual(
      faultPathProbes.split(',').map((probe) => [probe, 'running']),
    );
    expect(guest.open.refused).toEqual([]);
    expect(['pfn-remap', 'pfn-insert'].map((probe) => attachedAs(guest, probe))).toEqual([
      'era-abc-fentry',
      'era-abc-fentry',
    ]);
  });

  it('takes one fault and one remap for 16,384 touched pages, and breaks the assertion', async () => {
    const counted = await guest.count({ workload: 'touch' });
    expect(counted.truth['pagesTouched']).toBe(16_384);
    expect(faults(counted, { order: 'pte', origin: 'user', lock: 'mmap-read', comm: 'vfio-load' })).toBe(1);
    expect(counted.sum('vfio-fault', 'attempts')).toBe(1);
    expect(counted.sum('vfio-fault', 'faultLatency')).toBe(1);
    expect(counted.sum('vfio-fault', 'pagesMapped', { device: '0000:01:00.0' })).toBe(16_384);
    expect(counted.sum('pfn-remap', 'remaps', { context: 'fault', lock: 'mmap-read', result: 'ok' })).toBe(1);
    expect(counted.sum('pfn-remap', 'remapPages', { context: 'fault' })).toBe(16_384);
    expect(counted.sum('pfn-insert', 'inserts')).toBe(0);
    expect(
      counted.sum('lock-assert', 'checks', {
        actual: 'mmap-read',
        kernel: 'violated',
        mine: 'violated',
        needed: 'yes',
      }),
    ).toBe(1);
    const [violation] = counted.cells('lock-assert', 'violations');
    expect(violation?.dims['stack']).toMatch(
      /^remap_pfn_range;vfio_pci_mmap_fault;__do_fault;.*;do_user_addr_fault;exc_page_fault/,
    );
    // The production kernel says nothing: no lockdep, and no assertion before 6.10.
    expect(counted.sum('lock-assert', 'warns')).toBe(0);
  });

  it('takes the path of the thread for MAP_DMA of an untouched BAR: one fixup, one fault, the violation', async () => {
    const counted = await guest.count({ workload: 'dma-map' });
    expect(counted.truth).toMatchObject({ dmaMaps: 1, pagesTouched: 0 });
    expect(faults(counted, { origin: 'remote', lock: 'mmap-read' })).toBe(1);
    expect(counted.sum('vfio-fault', 'attempts')).toBe(1);
    expect(counted.sum('dma-map', 'links', { link: 'vfio_iommu_type1_ioctl' })).toBe(1);
    expect(counted.sum('dma-map', 'links', { link: 'fixup_user_fault' })).toBe(1);
    expect(counted.sum('dma-map', 'links', { link: 'vaddr_get_pfns' })).toBe(16_384);
    expect(counted.sum('dma-map', 'links', { link: 'follow' })).toBe(16_385);
    expect(counted.sum('dma-map', 'linkFailures', { link: 'follow' })).toBe(1);
    const [violation] = counted.cells('lock-assert', 'violations');
    expect(violation?.value).toBe(1);
    expect(violation?.dims).toMatchObject({ expected: 'mmap-write', actual: 'mmap-read', comm: 'vfio-load' });
    expect(String(violation?.dims['stack']).startsWith(threadStack)).toBe(true);
  });

  it.each(['sysfs', 'devmem'])(
    'finds no violation where %s remaps at mmap time, under the write lock',
    async (workload) => {
      const counted = await guest.count({ workload });
      expect(counted.truth['fileMaps']).toBe(1);
      expect(counted.sum('vfio-fault', 'attempts')).toBe(0);
      expect(counted.sum('pfn-remap', 'remaps', { context: 'mmap', lock: 'mmap-write' })).toBe(1);
      expect(counted.sum('lock-assert', 'checks', { actual: 'mmap-write', kernel: 'holds', mine: 'holds' })).toBe(1);
      expect(counted.sum('lock-assert', 'violations')).toBe(0);
    },
  );

  it.each([
    ['zap', { isMisaligned: true }],
    ['reset', { repetitions: 2 }],
    ['touch', { repetitions: 23 }],
    ['dma-map-prefaulted', {}],
  ])('counts one fault each time the mapping is filled: %s %o', async (workload, differences) => {
    const counted = await guest.count({ workload, ...differences });
    const populations = Number(counted.truth['populations']);
    expect(populations).toBeGreaterThan(0);
    expect(faults(counted)).toBe(populations);
    expect(counted.sum('pfn-remap', 'remaps', { context: 'fault' })).toBe(populations);
    expect(counted.sum('lock-assert', 'violations')).toBe(populations);
    expect(counted.sum('vfio-fault', 'pagesMapped')).toBe(populations * 16_384);
  });

  it('ends with every count closed and nothing lost', async () => {
    expect(await closeAll(guest)).toEqual([]);
  });
});

describe('6.12, where a fault inserts as much as fits (era D)', () => {
  let guest: TracedGuest;
  beforeAll(async () => {
    guest = await TracedGuest.start('6.12', faultPathProbes);
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  it('is recognised as era D, and every probe is attached', () => {
    expect(attachedAs(guest, 'vfio-fault')).toBe('era-d-fentry');
    expect(guest.runs.every(({ state }) => state === 'running')).toBe(true);
    expect(['pfn-remap', 'pfn-insert'].map((probe) => attachedAs(guest, probe))).toEqual([
      'era-d-fentry',
      'era-d-fentry',
    ]);
  });

  it('takes 32 PMD faults under the per-VMA lock for an aligned BAR, and no assertion is asked', async () => {
    const counted = await guest.count({ workload: 'touch' });
    expect(faults(counted, { order: 'pmd', origin: 'user', lock: 'vma-read' })).toBe(32);
    expect(faults(counted)).toBe(32);
    expect(counted.sum('vfio-fault', 'pagesMapped', { device: '0000:01:00.0', place: 2 })).toBe(16_384);
    expect(counted.sum('pfn-insert', 'inserts', { insert: 'vmf_insert_pfn_pmd' })).toBe(32);
    expect(counted.sum('pfn-insert', 'inserts')).toBe(32);
    expect(counted.sum('pfn-remap', 'remaps')).toBe(0);
    expect(counted.sum('lock-assert', 'checks')).toBe(0);
  });

  it('takes 32 fixups under the mmap read lock for MAP_DMA of an untouched BAR', async () => {
    const counted = await guest.count({ workload: 'dma-map' });
    expect(counted.sum('dma-map', 'links', { link: 'fixup_user_fault' })).toBe(32);
    expect(faults(counted, { order: 'pmd', origin: 'remote', lock: 'mmap-read' })).toBe(32);
    expect(faults(counted)).toBe(32);
    expect(counted.sum('dma-map', 'links', { link: 'follow' })).toBe(16_416);
    expect(counted.sum('lock-assert', 'violations')).toBe(0);
  });

  it('counts a fault for every touched page of a misaligned BAR, and tells attempts from faults', async () => {
    const counted = await guest.count({ workload: 'touch', isMisaligned: true });
    expect(faults(counted, { order: 'pte', lock: 'mmap-read', origin: 'user' })).toBe(counted.truth['pagesTouched']);
    expect(faults(counted)).toBe(counted.truth['pagesTouched']);
    expect(counted.sum('vfio-fault', 'attempts', { result: 'fallback' })).toBeGreaterThan(0);
    expect(counted.sum('pfn-insert', 'inserts', { insert: 'vmf_insert_pfn' })).toBe(counted.truth['pagesTouched']);
    expect(counted.sum('vfio-fault', 'faultLatency')).toBe(counted.sum('vfio-fault', 'attempts'));
  });

  it.each([
    ['zap', { isMisaligned: true }, 16_384],
    ['zap', {}, 32],
    ['reset', {}, 32],
    ['dma-map', { isMisaligned: true }, 16_384],
    ['dma-map-prefaulted', {}, 32],
  ])('counts what the mapping takes each time it is filled: %s %o', async (workload, differences, perPopulation) => {
    const counted = await guest.count({ workload, ...differences });
    expect(faults(counted)).toBe(Number(counted.truth['populations']) * perPopulation);
  });

  it('finds no violation where sysfs remaps at mmap time', async () => {
    const counted = await guest.count({ workload: 'sysfs' });
    expect(
      counted.sum('lock-assert', 'checks', { actual: 'mmap-write', kernel: 'holds', mine: 'holds', needed: 'yes' }),
    ).toBe(1);
    expect(counted.sum('lock-assert', 'violations')).toBe(0);
  });

  it('ends with every count closed and nothing lost', async () => {
    expect(await closeAll(guest)).toEqual([]);
  });
});
