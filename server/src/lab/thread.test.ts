import { afterEach, beforeEach, expect, it } from 'vitest';
import { realProbes, recordFaultRun } from '../../test/fakes/recorded-fault-runs.ts';
import { openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { missingOf, oopsWords, type ThreadSide } from './thread.ts';
import { planThread } from './thread-plan.ts';

const probes = await realProbes();
let temp: TempStore;

beforeEach(async () => {
  temp = await openTempStore();
});

afterEach(() => temp[Symbol.asyncDispose]());

it('goes on with the runs of which there is no closed session, in the order of the plan', async () => {
  const counts = { faults: 1, faultNs: 1_000, violations: 1 };
  for (const [kernel, number] of [
    ['6.1-v0', 1],
    ['6.1-v0', 3],
    ['6.1-v2', 1],
  ] as const)
    await recordFaultRun(temp, probes, { ...counts, kernel, number });
  const sides: readonly ThreadSide[] = [
    { kernel: '6.1-v0', series: 'made-up', variant: 'v0', workload: 'touch' },
    { kernel: '6.1-v1', series: 'made-up', variant: 'v1', workload: 'touch' },
    { kernel: '6.1-v1', series: 'made-up too', variant: 'v1', workload: 'futex' },
    // Of another build than what is recorded: another series.
    { kernel: '6.1-v2', series: 'made-up too', variant: 'v2', workload: 'touch' },
    { kernel: '6.1-v2', series: 'made-up', variant: 'v2', workload: 'futex' },
  ];
  const plan = planThread({ variants: ['v0', 'v1', 'v2'], workloads: ['touch', 'futex'], runCount: 3 }).filter(
    ({ variant, workload }) => variant !== 'v0' || workload === 'touch',
  );
  const left = missingOf(plan, sides, temp.store.library);
  expect(left.map(({ variant, workload, number }) => `${variant} ${workload} ${number}`)).toEqual([
    ...['v1 touch 1', 'v2 touch 1'],
    ...['v0 touch 2', 'v1 touch 2', 'v2 touch 2', 'v2 futex 2'],
    ...['v1 touch 3', 'v2 touch 3', 'v2 futex 3'],
    'v1 futex 1',
  ]);
});

it('says each kind of oops once, the oldest first, with how many were alike but for their addresses', () => {
  const badPage = (pte: string) => ({
    kind: 'bad-page' as const,
    what: `BUG: Bad page map in process vfio-edge pte:${pte}`,
    at: undefined,
    stack: ['print_bad_pte', 'zap_pte_range'],
  });
  const bug = { kind: 'BUG' as const, what: 'kernel BUG at mm/memory.c:2436!', at: 'remap_pfn_range', stack: [] };
  expect(oopsWords([badPage('8000000100000237'), bug, badPage('8000000100001237')])).toEqual({
    oops1: 'BUG: Bad page map in process vfio-edge pte:8000000100000237 (from print_bad_pte, zap_pte_range) (2 times)',
    oops2: 'kernel BUG at mm/memory.c:2436! in remap_pfn_range',
  });
  // No longer than a word of a session may be, and nothing that a terminal would take for an order.
  const long = { ...bug, what: `kernel BUG at \u001b[31m${'x'.repeat(300)}` };
  const [word = ''] = Object.values(oopsWords([long, long]));
  expect(word).toMatch(/^kernel BUG at  \[31mx+ \(2 times\)$/);
  expect(String(word)).toHaveLength(200);
});
