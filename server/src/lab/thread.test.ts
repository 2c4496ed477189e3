import { afterEach, beforeEach, expect, it } from 'vitest';
import { realProbes, recordFaultRun } from '../../test/fakes/recorded-fault-runs.ts';
import { openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { missingOf, type ThreadSide } from './thread.ts';
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
