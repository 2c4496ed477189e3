/**
 * The answers to the thread, side by side on 6.1: six builds of vfio-pci-core, swapped in one guest, each with its exact counts and
 * what its contract with the kernel's memory management says.
 */
import { readModuleOf } from '@faultline/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Counted, TracedGuest } from './traced-guest.ts';

const pages = 16_384;
/** A part of the BAR that is large enough to lose a race in, and small enough to fill 300 times. */
const smallBytes = 1024 * 1024;
/** A part in which builds that drop the lock are caught within a few of 3,000 rounds (variants-crash.test.ts). */
const crashingBytes = 64 * 1024;

/**
 * Puts a build's module into the guest, and attaches the streams anew: bpftrace remembers where functions were, and would name
 * those of the new module wrongly in stacks; and probes in the old module ended with it.
 */
async function use(
  guest: TracedGuest,
  build: string,
  ...streams: readonly (readonly [string, string])[]
): Promise<void> {
  for (const { id, probe, state } of guest.runs) {
    if (state === 'running' && probe !== 'lock-assert') await guest.tracer.stopRun(id);
  }
  const { target } = guest.open;
  const swapped = await target.swapModule(await moduleOf(build));
  if (!swapped.ok) throw new Error(swapped.error.message);
  guest.tracer.forgetCapabilities(target);
  for (const [probe, stream] of [['fault-contract', 'contract'], ...streams] as const) {
    const begun = await guest.tracer.startRun({ targetId: guest.open.target.id, probe, stream });
    if (!begun.ok) throw new Error(begun.error.message);
    await guest.untilRunning(begun.value.id);
  }
}

/** Calls of vfio's handler. */
function calls(counted: Counted, dims: Readonly<Record<string, string>> = {}): number {
  return counted.sum('fault-contract', 'handlerCalls', { ...dims, handler: 'vfio_pci_mmap_fault' });
}

function findings(counted: Counted): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { dims, value } of counted.cells('fault-contract', 'contractFindings')) {
    const finding = String(dims['finding']);
    sums[finding] = (sums[finding] ?? 0) + value;
  }
  return sums;
}

/** The code of a module: the section .text of an ELF file of 64 bits. */
function codeOf(module: Buffer): Buffer {
  const headers = Number(module.readBigUInt64LE(40));
  const header = (index: number): Buffer => module.subarray(headers + index * 64, headers + (index + 1) * 64);
  const partOf = (one: Buffer): Buffer => {
    const start = Number(one.readBigUInt64LE(24));
    return module.subarray(start, start + Number(one.readBigUInt64LE(32)));
  };
  const names = partOf(header(module.readUInt16LE(62)));
  for (let index = 0; index < module.readUInt16LE(60); index++) {
    const at = header(index).readUInt32LE(0);
    if (names.toString('latin1', at, names.indexOf(0, at)) === '.text') return partOf(header(index));
  }
  throw new Error('a module has a section .text');
}

async function moduleOf(kernel: string): Promise<Buffer> {
  const module = await readModuleOf(kernel, 'vfio_pci_core', () => undefined, undefined);
  if (!module.ok) throw new Error(module.error.message);
  return module.value;
}

describe('a module that is rebuilt as it is', () => {
  it('has the very code of Debian’s, so that what differs in a variant is its patch', async () => {
    const [debian, v0, v1] = [await moduleOf('6.1'), await moduleOf('6.1-v0'), await moduleOf('6.1-v1')].map(codeOf);
    expect(debian?.length).toBeGreaterThan(10_000);
    expect(v0?.equals(debian ?? Buffer.alloc(0))).toBe(true);
    expect(v1?.equals(debian ?? Buffer.alloc(0))).toBe(false);
  });
});

describe('6.1 with the alternatives of the thread, one after the other in one guest', () => {
  let guest: TracedGuest;
  beforeAll(async () => {
    guest = await TracedGuest.start('6.1', 'fault-contract,lock-assert');
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  describe.each([
    { build: '6.1-v0', faultsOf: 1, remaps: 1, violations: 1, inserts: 0 },
    { build: '6.1-v2', faultsOf: pages, remaps: 0, violations: 0, inserts: pages },
    { build: '6.1-v3', faultsOf: 1, remaps: 0, violations: 0, inserts: pages },
  ])('$build, whose handler keeps its contract', ({ build, faultsOf, remaps, violations, inserts }) => {
    beforeAll(() => use(guest, build, ['pfn-insert', 'inserts'], ['vfio-fault', 'faults']));

    it.each([
      ['touch', 'user'],
      ['dma-map', 'remote'],
    ])('takes exactly its faults, remaps and inserts for %s', async (workload, origin) => {
      const counted = await guest.count({ workload });
      expect(calls(counted, { answer: 'nopage', origin, dropped: 'no', promise: 'kept' })).toBe(faultsOf);
      expect(calls(counted)).toBe(faultsOf);
      expect(counted.sum('lock-assert', 'checks')).toBe(remaps);
      expect(counted.sum('lock-assert', 'violations')).toBe(violations);
      expect(counted.sum('pfn-insert', 'inserts', { insert: 'vmf_insert_pfn' })).toBe(inserts);
      expect(counted.sum('pfn-insert', 'insertPages')).toBe(inserts);
      // What was remapped or inserted inside the fault, whatever the sources of the era do there.
      expect(counted.sum('vfio-fault', 'attempts', { order: 'pte', result: 'nopage', origin })).toBe(faultsOf);
      expect(counted.sum('vfio-fault', 'pagesMapped', { device: '0000:01:00.0' })).toBe(pages);
      expect(findings(counted)).toEqual({});
    });

    it.each([
      ['zap', 1, smallBytes],
      ['split', 20, smallBytes],
      ['futex', 3000, smallBytes],
      ['race', 3000, crashingBytes],
      ['kill', 10, smallBytes],
    ])('gives no finding in %s, %i times with %i bytes', async (workload, repetitions, barBytes) => {
      const counted = await guest.count({ workload, barBytes, repetitions });
      expect(counted.truth['busErrors'] ?? 0).toBe(0);
      expect(calls(counted)).toBeGreaterThan(0);
      expect(findings(counted)).toEqual({});
    });
  });

  describe.each([
    { build: '6.1-v1', answer: 'completed', promise: 'kept', told: {} },
    { build: '6.1-v1d', answer: 'nopage', promise: 'drop-not-told', told: { 'drop-not-told': 1 } },
  ])('$build, which drops the lock', ({ build, answer, promise, told }) => {
    beforeAll(() => use(guest, build));

    it.each([
      ['touch', 'user'],
      ['dma-map', 'remote'],
    ])('looks right to the assertion in %s, and the contract says what it did', async (workload, origin) => {
      const counted = await guest.count({ workload });
      expect(calls(counted, { answer, promise, origin, dropped: 'permitted', lock: 'mmap-read' })).toBe(1);
      expect(calls(counted)).toBe(1);
      expect(counted.sum('lock-assert', 'checks', { actual: 'mmap-write', kernel: 'holds', mine: 'holds' })).toBe(1);
      expect(counted.sum('lock-assert', 'violations')).toBe(0);
      expect(findings(counted)).toEqual({ 'lock-dropped': 1, ...told });
      const [cell] = counted.cells('fault-contract', 'contractFindings');
      expect(cell?.dims).toMatchObject({ handler: 'vfio_pci_mmap_fault', comm: 'vfio-load' });
      expect(cell?.dims['stack']).toMatch(
        /^__mmap_lock_do_trace_released;vfio_pci_mmap_fault;__do_fault;.*;handle_mm_fault;[^h]/,
      );
    });

    // v1 does not survive it: variants-crash.test.ts.
    it.each(build === '6.1-v1d' ? [3] : [])(
      'is caught %i times where its caller forbids it, and survives',
      async (repetitions) => {
        const counted = await guest.count({ workload: 'futex', barBytes: smallBytes, repetitions });
        expect(findings(counted)).toEqual({ 'lock-dropped-forbidden': repetitions, 'drop-not-told': repetitions });
        expect(counted.cells('fault-contract', 'contractFindings')[0]?.dims['stack']).toMatch(
          /fixup_user_fault;fault_in_user_writeable;futex_wake_op/,
        );
      },
    );
  });

  // What eras B and C do is in no kernel that Debian has; these builds do it, and have none of the types by which era A is known.
  describe.each([
    { build: '6.1-b', faultsOf: pages },
    { build: '6.1-c', faultsOf: 1 },
  ])('$build, with the handler of another era', ({ build, faultsOf }) => {
    beforeAll(() => use(guest, build, ['vfio-fault', 'faults']));

    it.each([
      ['touch', 'user'],
      ['dma-map', 'remote'],
    ])('is known as era B or C, and counted to the page in %s', async (workload, origin) => {
      const variant = guest.runs.findLast(({ probe }) => probe === 'vfio-fault')?.variant;
      expect(variant).toBe('era-bc-fentry');
      const counted = await guest.count({ workload });
      expect(counted.sum('vfio-fault', 'attempts', { order: 'pte', result: 'nopage', origin, lock: 'mmap-read' })).toBe(
        faultsOf,
      );
      expect(counted.sum('vfio-fault', 'attempts')).toBe(faultsOf);
      // The place is the number of the BAR, as vm_pgoff stays the offset in the device's file.
      expect(counted.sum('vfio-fault', 'pagesMapped', { place: 2, device: '0000:01:00.0' })).toBe(pages);
      expect(counted.sum('lock-assert', 'checks')).toBe(0);
      expect(findings(counted)).toEqual({});
    });
  });

  describe('6.1-v4, which has no handler', () => {
    beforeAll(() => use(guest, '6.1-v4', ['vfio-fault', 'faults']));

    it.each(['touch', 'dma-map'])('takes no fault and one remap under the write lock for %s', async (workload) => {
      const counted = await guest.count({ workload });
      expect(counted.sum('fault-contract', 'handlerCalls', { handler: '0' }) + calls(counted)).toBe(0);
      expect(counted.sum('vfio-fault', 'attempts')).toBe(0);
      expect(counted.sum('vfio-fault', 'pagesMapped', { device: '0000:01:00.0' })).toBe(pages);
      expect(counted.sum('lock-assert', 'checks', { actual: 'mmap-write', kernel: 'holds', mine: 'holds' })).toBe(1);
      expect(counted.sum('lock-assert', 'violations')).toBe(0);
      expect(findings(counted)).toEqual({});
    });

    it('loses its mapping for good in a zap: the next touch is SIGBUS', async () => {
      const { end, counted } = await guest.countUntil({ workload: 'zap', barBytes: smallBytes }, (running) =>
        guest.settled(running),
      );
      expect(end).toMatchObject({ kind: 'failed', problem: expect.stringContaining('SIGBUS') });
      expect(findings(counted)).toEqual({ 'mapping-gone': 1 });
      expect(counted.cells('fault-contract', 'contractFindings')[0]?.dims).toMatchObject({ comm: 'vfio-load' });
    });

    it('loses the upper half when the middle is unmapped', async () => {
      const counted = await guest.count({ workload: 'split', barBytes: smallBytes, repetitions: 2 });
      expect(counted.truth['busErrors']).toBe(2);
      expect(findings(counted)).toEqual({ 'mapping-gone': 2 });
    });
  });
});
