/** The gate, held against runs that were really made: what may not be compared is not, and the reason is said. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CandidateComparison, type ComparedRun, compareSides, ensure } from '@faultline/shared';
import { readRun } from '../../src/compare/recorded-run.ts';
import { RunCut } from '../../src/lab/run-cut.ts';
import type { GuestTarget } from '../../src/targets/guest.ts';
import { realProbes } from '../fakes/recorded-fault-runs.ts';
import { openTempStore, type TempStore } from '../fakes/temp-store.ts';
import { until } from '../until.ts';
import { compareParts, partsOf, recordedRun, runLabSeries } from './lab-series.ts';
import { TracedGuest } from './traced-guest.ts';

const mib = 1024 ** 2;
/** Two guests that are not restored but booted, while the machine is busy. */
const coldBootsMs = 240_000;
let temp: TempStore;

beforeAll(async () => {
  temp = await openTempStore({ clock: () => Date.now() });
});

afterAll(() => temp[Symbol.asyncDispose]());

/** The gate's answer to one run against another. */
function gateOf(baseline: ComparedRun, candidate: ComparedRun): CandidateComparison {
  const sides = compareSides({ title: 'a', runs: [baseline] }, [{ title: 'b', runs: [candidate] }]);
  return ensure(sides.candidates[0], 'a candidate');
}

const blockingIn = ({ gate }: CandidateComparison): readonly string[] =>
  gate.filter(({ level }) => level === 'blocking').map(({ message }) => message);

/** Records one touch of a guest, with what happens after it; the run as a comparison takes it. */
async function recorded(guest: TracedGuest, id: string, afterwards: () => Promise<void>): Promise<ComparedRun> {
  const cut = new RunCut(guest.session, id, Date.now());
  const recording = temp.store.record(cut, await realProbes());
  await guest.count({ workload: 'touch' });
  await afterwards();
  cut.end(Date.now());
  await recording.close();
  const found = temp.store.library.findReadable(id);
  if (!found.ok) throw new Error(found.error.message);
  const run = await readRun(found.value);
  if (!run.ok) throw new Error(run.error.message);
  return run.value;
}

/** Runs a command of busybox in the guests to its end. */
async function inGuest(guests: readonly GuestTarget[], ...args: readonly string[]): Promise<void> {
  for (const { guest } of guests) {
    const process = guest.machine.agent.start({ program: '/bin/busybox', args, env: {} }, 'attached');
    process.stdout.resume();
    process.stderr.resume();
    await process.exited;
  }
}

describe('the gate is shut to runs of 6.1', () => {
  it(
    'with BARs of different sizes, and says which',
    async () => {
      const parts = [];
      for (const barBytes of [64 * mib, 8 * mib]) {
        const end = await runLabSeries(temp, {
          kernels: ['6.1'],
          runCount: 1,
          workload: { workload: 'touch', barBytes },
        });
        parts.push(...partsOf(end));
      }
      const found = await compareParts(temp, parts);
      expect(found.verdict).toBe('not-comparable');
      expect(found.sentence).toContain('not comparable, since size of the BAR differs: 64 MiB against 8 MiB.');
    },
    coldBootsMs,
  );

  it(
    'is not needed where tracing dies in a series: that run is not kept, and is made again',
    async () => {
      const request = { kernels: ['6.1'], runCount: 1, workload: { workload: 'devmem' } };
      const { outcome } = await runLabSeries(temp, request, ({ stage }, guests) => {
        if (stage === '6.1: run 1') void inGuest(guests, 'killall', '-KILL', 'bpftrace');
        return false;
      });
      expect(outcome).toMatchObject({ ok: false, error: { kind: 'broken' } });
      expect(outcome.ok ? '' : outcome.error.message).toMatch(/^6\.1: [a-z-]+:[a-z-]+ ended in the middle: /);
      const again = await runLabSeries(temp, request);
      const [part] = partsOf(again);
      expect(again.stages.some(({ stage }) => stage === '6.1: run 1')).toBe(true);
      const kept = temp.store.library.list().filter(({ manifest }) => manifest?.setup?.series === part?.series);
      expect(kept).toHaveLength(1);
    },
    coldBootsMs,
  );
});

describe('the gate is shut to runs of one guest', () => {
  const touch = { workload: 'touch' } as const;
  let guest: TracedGuest;
  let whole: ComparedRun;
  const setHugePages = (mode: string): Promise<void> =>
    inGuest([guest.open.target], 'sh', '-c', `echo ${mode} >/sys/kernel/mm/transparent_hugepage/enabled`);
  beforeAll(async () => {
    guest = await TracedGuest.start('6.1', 'vfio-fault');
    await setHugePages('never');
    whole = await recordedRun(temp, guest, 'whole', touch);
  }, coldBootsMs);
  afterAll(() => guest[Symbol.asyncDispose]());

  it('whose transparent huge pages were set otherwise in between, though it was known before', async () => {
    await setHugePages('always');
    const found = gateOf(whole, await recordedRun(temp, guest, 'always', touch));
    expect(found.verdict).toBe('not-comparable');
    expect(blockingIn(found)).toEqual(['transparent huge pages differs: never against always']);
    expect(found.sentence).toContain('not comparable, since transparent huge pages differs: never against always.');
    await setHugePages('never');
    expect(blockingIn(gateOf(whole, await recordedRun(temp, guest, 'never', touch)))).toEqual([]);
  });

  it('of which one lost its tracing half-way, and names the run and the stream', async () => {
    const torn = await recorded(guest, 'torn', async () => {
      await inGuest([guest.open.target], 'killall', '-KILL', 'bpftrace');
      await until(() => guest.runs.every(({ state }) => state === 'failed'), 30_000);
    });
    const found = gateOf(whole, torn);
    expect(found.verdict).toBe('not-comparable');
    expect(found.gate[0]).toMatchObject({ name: 'loss', level: 'blocking' });
    expect(found.gate[0]?.message).toMatch(/^torn of the candidate is incomplete: vfio-fault:faults/);
  });
});
