/** PREEMPT_RT, one more build of 6.1: its mmap_lock has another word, which is decoded by a script of its own, or refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TracedGuest } from './traced-guest.ts';

describe('6.1 with PREEMPT_RT', () => {
  let guest: TracedGuest;
  beforeAll(async () => {
    guest = await TracedGuest.start('6.1-rt', 'lock-assert,vfio-fault');
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  it('is told from the usual kernel: the lock word by its own script, and what would misread it refused', () => {
    expect(guest.runs.map(({ probe, variant, state }) => [probe, variant, state])).toEqual([
      ['lock-assert', 'rt-kprobe', 'running'],
    ]);
    expect(guest.open.refused).toEqual([expect.stringMatching(/^vfio-fault:faults: .*PREEMPT_RT/s)]);
  });

  it.each(['touch', 'dma-map'])('finds the read lock held, and the assertion violated, in %s', async (workload) => {
    const counted = await guest.count({ workload, repetitions: 3 });
    expect(
      counted.sum('lock-assert', 'checks', {
        actual: 'mmap-read',
        kernel: 'violated',
        mine: 'violated',
        needed: 'yes',
      }),
    ).toBe(3);
    expect(counted.sum('lock-assert', 'checks')).toBe(3);
    expect(counted.sum('lock-assert', 'violations', { comm: 'vfio-load' })).toBe(3);
    expect(counted.cells('lock-assert', 'violations')[0]?.dims['stack']).toMatch(
      /^remap_pfn_range;vfio_pci_mmap_fault/,
    );
  });

  it('finds the write lock held by the caller where sysfs maps the BAR', async () => {
    const counted = await guest.count({ workload: 'sysfs' });
    expect(counted.sum('lock-assert', 'checks', { actual: 'mmap-write', kernel: 'holds', mine: 'holds' })).toBe(1);
    expect(counted.sum('lock-assert', 'violations')).toBe(0);
  });
});
