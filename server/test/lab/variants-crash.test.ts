/**
 * What a lock check does not see: v1 and v1d hold the write lock where the assertion asks for it, and kill the kernel. An oops is a
 * result here: the console says which, the contract probe said why. Each guest ends with its test.
 */
import { readModuleOf, type Oops, readOopses } from '@faultline/lab';
import { describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { type Counted, TracedGuest } from './traced-guest.ts';

/** Sixteen pages: each that lands in other memory is a page of console, which an emulated guest writes in 0.1 s. */
const smallBytes = 64 * 1024;

/** How long a kernel that has oopsed may take to tell what its probes saw, ms; one that hangs never does. */
const lastWordsMaxMs = 20_000;

/** A guest with a build's module that goes on after an oops, as far as it can. */
async function startCrashing(build: string): Promise<TracedGuest> {
  const guest = await TracedGuest.start('6.1', 'fault-contract,lock-assert');
  const { agent } = guest.open.target.guest.machine;
  const settings = { panic_on_oops: '0', printk: '8' };
  for (const [name, value] of Object.entries(settings))
    await agent.writeFile(`/proc/sys/kernel/${name}`, Buffer.from(value));
  const file = await readModuleOf(build, 'vfio_pci_core', () => undefined, undefined);
  if (!file.ok) throw new Error(file.error.message);
  const swapped = await guest.open.target.swapModule(file.value);
  if (!swapped.ok) throw new Error(swapped.error.message);
  return guest;
}

/** How long a workload may take to kill its kernel, ms; one whose CPUs hang before they complain never does. */
const oopsMaxMs = 45_000;

/** What the kernel complained about first, and what was counted until it did. */
type Crash = { readonly oops: Oops | undefined; readonly counted: Counted };

/** What is to be seen of a crash: the kernel's words and the probe's finding. */
type Expected = { readonly workload: string; readonly found: string; readonly what: RegExp };

/** Runs a workload in a guest of its own until the kernel complains and the finding has been heard of, where it can be. */
async function crashOnce(build: string, { workload, found }: Expected): Promise<Crash> {
  await using guest = await startCrashing(build);
  const { machine } = guest.open.target.guest;
  const { end, counted } = await guest.countUntil(
    { workload, barBytes: smallBytes, repetitions: 3000 },
    async (running) => {
      running.catch(() => undefined);
      await until(() => readOopses(machine.console).some(({ stack }) => stack.length > 3), oopsMaxMs).catch(
        () => undefined,
      );
      // Not for ever: what oopsed may have held a page table's spinlock, for which both CPUs then wait.
      await until(() => finds(guest, found), lastWordsMaxMs).catch(() => undefined);
      return readOopses(machine.console)[0];
    },
  );
  // Its probes would be waited for until a kernel lets go of them that may hang: half a minute, in each guest.
  await machine[Symbol.asyncDispose]();
  return { oops: end, counted };
}

function finds(guest: TracedGuest, finding: string): boolean {
  return guest.session
    .summary()
    .runs.some(({ totals }) =>
      totals.some(({ metric, dims }) => metric === 'contractFindings' && dims['finding'] === finding),
    );
}

/**
 * The same, in as many guests as it takes to see both, at most three. A kernel whose CPUs both hang at the first oops takes the last
 * quarter of a second of its counts along (seen in one of ten); and what goes on with a VMA that is gone may fall over another thing first.
 */
async function crash(build: string, expected: Expected): Promise<Crash> {
  const hasAll = ({ oops, counted }: Crash): boolean =>
    expected.what.test(oops?.what ?? '') &&
    counted.sum('fault-contract', 'contractFindings', { finding: expected.found }) > 0;
  let last = await crashOnce(build, expected);
  for (let guests = 1; guests < 3 && !hasAll(last); guests += 1) last = await crashOnce(build, expected);
  return last;
}

/** Three guests that are booted and say nothing until they are given up, ms. */
const crashMaxMs = 3 * (60_000 + oopsMaxMs + lastWordsMaxMs);

describe('6.1 with a handler that drops the lock', { timeout: crashMaxMs }, () => {
  it('v1 oopses where its caller forbids that: FUTEX_WAKE_OP on an untouched BAR', async () => {
    const what = /NULL pointer/;
    const { oops, counted } = await crash('6.1-v1', { workload: 'futex', found: 'lock-dropped-forbidden', what });
    expect(oops).toMatchObject({ kind: 'BUG', at: 'fixup_user_fault', what: expect.stringMatching(what) });
    expect(oops?.stack.slice(0, 3)).toEqual(['fault_in_user_writeable', 'futex_wake_op', 'do_futex']);
    expect(counted.sum('fault-contract', 'contractFindings', { finding: 'lock-dropped-forbidden' })).toBe(1);
    expect(counted.sum('lock-assert', 'violations')).toBe(0);
  });

  it.each(['6.1-v1', '6.1-v1d'])(
    '%s maps the device into memory of others when its VMA dies in the gap',
    async (build) => {
      const what = /^kernel BUG at mm\/memory\.c|^BUG: Bad page map in process vfio-edge/;
      const { oops, counted } = await crash(build, { workload: 'race', found: 'vma-freed', what });
      expect(['BUG', 'bad-page']).toContain(oops?.kind);
      expect(oops?.what).toMatch(what);
      expect(counted.sum('fault-contract', 'contractFindings', { finding: 'vma-freed' })).toBeGreaterThan(0);
      const freedBy = counted
        .cells('fault-contract', 'contractFindings')
        .filter(({ dims }) => dims['finding'] === 'vma-freed')
        .map(({ dims }) => String(dims['stack']));
      expect(freedBy).toContainEqual(expect.stringMatching(/^vm_area_free;.*munmap;mmap_region;do_mmap/));
      expect(freedBy.filter((stack) => !stack.startsWith('vm_area_free;'))).toEqual([]);
      expect(counted.sum('lock-assert', 'violations')).toBe(0);
    },
  );
});
