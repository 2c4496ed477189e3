import { afterEach, beforeEach, expect, it } from 'vitest';
import { realProbes, recordFaultRun } from '../../test/fakes/recorded-fault-runs.ts';
import { openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { readThread, spreadOf } from './thread-figures.ts';

const probes = await realProbes();
let temp: TempStore;

beforeEach(async () => {
  temp = await openTempStore();
});

afterEach(() => temp[Symbol.asyncDispose]());

const side = { kernel: '6.1-v0', series: 'made-up', variant: 'v0', workload: 'touch' } as const;

/** A run of v0 with what its workload, and its kernel, printed. */
async function record(number: number, faultNs: number, printed: Readonly<Record<string, number | string>> = {}) {
  const counts = { kernel: '6.1-v0', number, faults: 1, faultNs, violations: 2, isComplete: number !== 3 };
  const id = await recordFaultRun(temp, probes, counts);
  const edited = temp.store.library.edit(id, ({ setup }) => ({
    setup: { ...setup, printed, module: `v0 of ${number}` },
  }));
  if (!edited.ok) throw new Error(edited.error.message);
  return id;
}

it('adds up what each session of a pair holds, up to the runs asked for', async () => {
  const oops = { oopses: 4, oops1: 'kernel BUG', oops2: 'Bad page', problem: 'the kernel oopsed' };
  const ids = [
    await record(1, 1_000, { elapsedNs: 70, untracedNs: 60 }),
    await record(2, 5_000, { elapsedNs: 90, untracedNs: 20, ...oops }),
    await record(3, 3_000),
  ];
  await record(4, 9_000_000);
  const { rows, setting } = await readThread(temp.store.library, [side], 3);
  expect(rows).toMatchObject([
    {
      ...side,
      build: 'v0 of 3',
      sessions: ids,
      figures: {
        faultTimeNs: { min: 1_000, median: 3_000, max: 5_000 },
        pagesMapped: { min: 16_384, max: 16_384 },
        violations: { min: 2, max: 2 },
        tracedNs: { median: 80 },
        untracedNs: { median: 40 },
      },
      oopses: ['kernel BUG', 'Bad page'],
      oopsCount: 4,
      problems: ['the kernel oopsed'],
      incomplete: [ids[2]],
      streams: ['lock-assert:checks', 'vfio-fault:faults'],
    },
  ]);
  // The contract probe was not traced: that is not the same as no fault.
  expect(rows[0]?.figures.faults).toBeUndefined();
  expect(setting).toMatchObject({ accelerator: 'tcg', identity: { release: '6.1-v0.0-test' } });
});

it('has a row for a pair without a run', async () => {
  const { rows } = await readThread(temp.store.library, [side], 3);
  expect(rows).toMatchObject([{ ...side, sessions: [], oopsCount: 0, streams: [] }]);
});

it('takes the middle of an odd number of values, and the mean of both middles of an even one', () => {
  expect(spreadOf([9, 1, 4])).toEqual({ min: 1, median: 4, max: 9 });
  expect(spreadOf([9, 1, 4, 6])).toEqual({ min: 1, median: 5, max: 9 });
  expect(spreadOf([])).toBeUndefined();
});
