/**
 * The project's own device, whose memory is mapped in three ways: the evaluated assertion against the kernel's own WARN, where the
 * kernel has one (6.12), and where it is silent (6.1).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TracedGuest } from './traced-guest.ts';

// With per-VMA locks (6.12) a fault asks twice: under that lock it is told to come back with mmap_lock, before the handler is asked.

/** Pages of a mapping of the device. */
const pages = 16;

describe.each([
  { kernel: '6.1-device', doesWarn: false },
  { kernel: '6.12-device', doesWarn: true },
])('$kernel', ({ kernel, doesWarn }) => {
  let guest: TracedGuest;
  beforeAll(async () => {
    guest = await TracedGuest.start(kernel, 'lock-assert,fault-contract');
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  it('names its build', () => {
    expect(guest.open.target.title).toMatch(/^lab guest 6\.\d+-device \(6\.\d+, faultline-device [0-9a-f]{8}\)$/);
  });

  it(`violates the assertion twice a fault that remaps, and the kernel ${doesWarn ? 'WARNs as often' : 'is silent'}`, async () => {
    const counted = await guest.count({ workload: 'device-remap', repetitions: 3 });
    expect(counted.truth).toMatchObject({ maps: 3, reads: 3 * pages, busErrors: 0 });
    expect(counted.sum('fault-contract', 'handlerCalls', { handler: 'faultline_remap_fault', lock: 'mmap-read' })).toBe(
      3,
    );
    expect(counted.sum('lock-assert', 'violations')).toBe(3);
    expect(counted.sum('lock-assert', 'checks', { actual: 'mmap-read', kernel: 'violated', needed: 'yes' })).toBe(3);
    // track_pfn_remap asks before remap_pfn_range does, as the mapping is filled by one call.
    expect(counted.sum('lock-assert', 'assertions', { at: 'track_pfn_remap', kernel: 'violated' })).toBe(3);
    expect(counted.sum('lock-assert', 'assertions', { kernel: 'violated' })).toBe(2 * 3);
    expect(counted.sum('lock-assert', 'assertions')).toBe(2 * 3);
    expect(counted.sum('lock-assert', 'warns')).toBe(doesWarn ? 2 * 3 : 0);
    for (const { dims } of counted.cells('lock-assert', 'warns'))
      expect(dims['stack']).toContain('faultline_remap_fault');
  });

  it('says nothing where it inserts, a page a fault, nor where it maps at mmap time', async () => {
    const inserted = await guest.count({ workload: 'device-insert', repetitions: 3 });
    expect(
      inserted.sum('fault-contract', 'handlerCalls', { handler: 'faultline_insert_fault', lock: 'mmap-read' }),
    ).toBe(3 * pages);
    expect(inserted.sum('lock-assert', 'checks')).toBe(0);
    expect(inserted.sum('lock-assert', 'warns')).toBe(0);
    const mapped = await guest.count({ workload: 'device-map', repetitions: 3 });
    expect(mapped.truth).toMatchObject({ maps: 3, reads: 3 * pages, busErrors: 0 });
    expect(mapped.sum('fault-contract', 'handlerCalls', { handler: '0' })).toBe(0);
    expect(mapped.sum('lock-assert', 'checks', { actual: 'mmap-write', kernel: 'holds', mine: 'holds' })).toBe(3);
    expect(mapped.sum('lock-assert', 'assertions', { kernel: 'holds' })).toBe(2 * 3);
    expect(mapped.sum('lock-assert', 'assertions')).toBe(2 * 3);
    expect(mapped.sum('lock-assert', 'warns')).toBe(0);
    expect(mapped.sum('fault-contract', 'contractFindings') + inserted.sum('fault-contract', 'contractFindings')).toBe(
      0,
    );
  });
});
