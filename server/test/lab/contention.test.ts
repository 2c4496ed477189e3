/** Contention on mmap_lock, on a kernel without per-VMA locks and on one with them. */
import { describe, expect, it } from 'vitest';
import { TracedGuest } from './traced-guest.ts';

describe('threads that map and unmap the BAR beside threads with anonymous faults', () => {
  it.each([
    ['6.1', 'take mmap_lock for read at every anonymous fault', 1, 1.2],
    ['6.12', 'hardly take it, since the lock of the VMA is enough', 0, 0.1],
  ])('on %s %s', async (kernel, _claim, leastShare, mostShare) => {
    await using guest = await TracedGuest.start(kernel, 'mmap-lock:latency');
    const counted = await guest.count({ workload: 'contention', repetitions: 20, threads: 2 });
    const anonPages = Number(counted.truth['anonPages']);
    expect(anonPages).toBe(2 * 20 * 1024);
    const reads = counted.sum('mmap-lock', 'acquisitions', {
      mode: 'mmap-read',
      success: 'yes',
      comm: 'vfio-load-anon',
    });
    expect(reads / anonPages).toBeGreaterThanOrEqual(leastShare);
    expect(reads / anonPages).toBeLessThan(mostShare);
    // Each mapping and unmapping of the BAR and of the anonymous memory is an acquisition for write, at the least.
    const writes = counted.sum('mmap-lock', 'acquisitions', { mode: 'mmap-write', success: 'yes' });
    expect(writes).toBeGreaterThanOrEqual(2 * 2 * 20 * 2);
    for (const mode of ['mmap-read', 'mmap-write']) {
      expect([mode, counted.sum('mmap-lock', 'wait', { mode }) > 0]).toEqual([mode, true]);
    }
    expect(counted.sum('mmap-lock', 'waitTotal')).toBeGreaterThan(0);
  });
});
