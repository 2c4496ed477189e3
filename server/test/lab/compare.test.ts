/** Kernels compared: 6.1 (era A) against 6.12 (era D), each run a session cut out of a guest whose probes stay attached. */
import { compareSides, type CandidateComparison, ensure } from '@faultline/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseStreams } from '../../src/cli/arguments.ts';
import { readRuns } from '../../src/cli/compare.ts';
import { faultPathProbes } from '../../src/lab/open-guest.ts';
import { runSeries, type SeriesProgress, type SeriesRequest, sessionsOf } from '../../src/lab/series.ts';
import { Tracer } from '../../src/sessions/tracer.ts';
import { realProbes } from '../fakes/recorded-fault-runs.ts';
import { openTempStore, type TempStore } from '../fakes/temp-store.ts';

const kernels = ['6.1', '6.12'];
const mib64 = 64 * 1024 ** 2;
const probes = await realProbes();
let temp: TempStore;

beforeAll(async () => {
  temp = await openTempStore({ clock: () => Date.now() });
});

afterAll(() => temp[Symbol.asyncDispose]());

/** Runs a series and tells its progress; it is stopped when `isEnough` says so. */
async function run(
  workload: string,
  isMisaligned: boolean,
  runCount: number,
  isEnough: (progress: SeriesProgress) => boolean = () => false,
): Promise<{ readonly outcome: Awaited<ReturnType<typeof runSeries>>; readonly stages: readonly SeriesProgress[] }> {
  await using tracer = new Tracer({ targets: [], probes, clock: () => Date.now() });
  const runs = chooseStreams({ targetId: '', probes: faultPathProbes, parameters: [] }, tracer.probes());
  if (!runs.ok) throw new Error(runs.error.message);
  const request: SeriesRequest = {
    kernels,
    workload: { workload, barBytes: mib64, isMisaligned, repetitions: 1, threads: undefined },
    runCount,
    runs: runs.value,
    bpftrace: 'bpftrace',
    start: 'fastest',
    name: undefined,
  };
  const stages: SeriesProgress[] = [];
  const stopping = new AbortController();
  const tell = (progress: SeriesProgress): void => {
    stages.push(progress);
    if (isEnough(progress)) stopping.abort();
  };
  const surroundings = { tracing: tracer, probes, store: temp.store, clock: () => Date.now(), tell };
  return { outcome: await runSeries(request, { ...surroundings, signal: stopping.signal }), stages };
}

async function compared(workload: string, isMisaligned: boolean): Promise<CandidateComparison> {
  const { outcome } = await run(workload, isMisaligned, 3);
  if (!outcome.ok) throw new Error(outcome.error.message);
  const sides = await Promise.all(
    outcome.value.map(async (side) => {
      const sessions = sessionsOf(temp.store.library, side).map(({ id }) => temp.store.library.findReadable(id));
      const runs = await readRuns(sessions.flatMap((one) => (one.ok ? [one.value] : [])));
      if (!runs.ok) throw new Error(runs.error.message);
      return { title: side.kernel, runs: runs.value };
    }),
  );
  const [baseline, ...candidates] = sides;
  return ensure(compareSides(ensure(baseline, 'a baseline'), candidates).candidates[0], 'a candidate');
}

/** From and to of a metric that is the same in every run of a side. */
function exact({ metrics }: CandidateComparison, id: string): readonly number[] {
  const test = metrics.find(({ metric }) => metric.id === id)?.test;
  return test?.kind === 'exact' ? [test.from, test.to] : [];
}

describe('6.1 against 6.12', () => {
  it.each([
    ['touch', false, [1, 32], [1, 0]],
    ['touch', true, [1, 16_384], [1, 0]],
    ['dma-map', false, [1, 32], [1, 0]],
    ['dma-map', true, [1, 16_384], [1, 0]],
  ])(
    '%s, misaligned %s: faults %j and violations %j in every run, and the eras named',
    async (workload, isMisaligned, faults, violations) => {
      const found = await compared(workload, isMisaligned);
      expect(found.gate.filter(({ level }) => level === 'blocking')).toEqual([]);
      expect(found.gate.map(({ message }) => message)).toContain('era of the fault handler differs: A against D');
      expect(exact(found, 'faults')).toEqual(faults);
      expect(exact(found, 'violations')).toEqual(violations);
      expect(found.metrics.find(({ metric }) => metric.id === 'violations')?.verdict).toBe('improved');
      expect(exact(found, 'remaps')).toEqual([1, 0]);
      expect(exact(found, 'inserts')).toEqual([0, faults[1]]);
      if (workload === 'dma-map') expect(exact(found, 'mapCalls')).toEqual([1, 1]);
    },
  );

  it('goes on where it was interrupted, and makes no run twice', async () => {
    const { outcome } = await run('sysfs', false, 3, ({ doneCount }) => doneCount === 2);
    expect(outcome).toMatchObject({ ok: false, error: { kind: 'stopped' } });
    const before = temp.store.library.list().length;
    const { outcome: second, stages } = await run('sysfs', false, 3);
    expect(second.ok).toBe(true);
    expect(stages.find(({ stage }) => stage.includes('run '))?.doneCount).toBe(2);
    expect(temp.store.library.list()).toHaveLength(before + 4);
    const { stages: third } = await run('sysfs', false, 3);
    expect(third.filter(({ stage }) => /run |warming/.test(stage))).toEqual([]);
  });
});
