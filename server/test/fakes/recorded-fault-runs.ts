/** Recorded runs of kernels for comparisons: the streams are those of the probes, the counts are the test's. */
import { fileURLToPath } from 'node:url';
import { bucketIndex, type CellEntry, type SessionSetup, type TargetIdentity } from '@faultline/shared';
import { type CataloguedProbe, readCatalogue } from '../../src/probes/catalogue.ts';
import { FakeSession, fakeRun, fakeSlice, fakeTarget } from './fake-session.ts';
import type { TempStore } from './temp-store.ts';

const mib64 = 64 * 1024 ** 2;

/** One run as a test wants it. */
export type FaultRun = {
  readonly kernel: string;
  readonly number: number;
  readonly faults: number;
  readonly faultNs: number;
  readonly violations: number;
  readonly barBytes?: number;
  /** Faults are spread over so many neighbouring buckets; 1 unless told otherwise. */
  readonly bucketCount?: number;
  readonly isComplete?: boolean;
  /** It goes on: it was not stopped, and the store has it open. */
  readonly isLive?: boolean;
  readonly identity?: Partial<TargetIdentity>;
};

/** The probes of this working copy. */
export async function realProbes(): Promise<readonly CataloguedProbe[]> {
  const read = await readCatalogue(fileURLToPath(new URL('../../../probes', import.meta.url)));
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

/** Records one as `lab compare` does, and answers its id. */
export async function recordFaultRun(
  { store }: Pick<TempStore, 'store'>,
  probes: readonly CataloguedProbe[],
  given: FaultRun,
): Promise<string> {
  const { kernel, number, violations, barBytes = mib64, isComplete = true } = given;
  const identity = {
    ...fakeTarget.identity,
    hostname: 'guest',
    release: `${kernel}.0-test`,
    machine: 'x86_64',
    cpuCount: 2,
    isEmulated: true,
    config: {},
    thpMode: 'always',
    bpftraceVersion: '0.17.0',
    ...given.identity,
  };
  const variant = kernel === '6.1' ? 'era-a-kprobe' : 'era-d-fentry';
  const session = new FakeSession({
    id: `${kernel}-${number}`,
    target: { ...fakeTarget, kind: 'guest', identity },
    runs: [
      fakeRun(0, { probe: 'vfio-fault', stream: 'faults', variant, script: 'era-a.bt', isComplete }),
      fakeRun(1, { probe: 'lock-assert', stream: 'checks', variant: 'warns-kprobe', script: 'remap-and-warns.bt' }),
    ],
  });
  const recording = store.record(session, probes);
  session.push([
    slice(0, [...vfioCells(given)]),
    slice(1, [[{ cell: 0, metric: 'checks', dims: { kernel: 'violated', comm: 'vfio-load' } }, violations]]),
  ]);
  if (given.isLive !== true) session.runs = session.runs.map((run) => ({ ...run, state: 'stopped', endedAtMs: 2_000 }));
  session.push([], { hasStateChange: true });
  const id = recording.view()?.id ?? '';
  const workload = {
    name: 'touch',
    arguments: ['touch', '--size', String(barBytes)],
    barBytes,
    isMisaligned: false,
    repetitions: 1,
  };
  const setup: SessionSetup = { build: kernel, accelerator: 'tcg', workload, series: 'made-up', runNumber: number };
  store.library.edit(id, () => ({ setup, workload: 'touch' }));
  if (given.isLive !== true) await recording.close();
  return id;
}

/** Counts and times of the fault handler. */
function vfioCells({
  faults,
  faultNs,
  barBytes = mib64,
  bucketCount = 1,
}: FaultRun): readonly (readonly [CellEntry, number])[] {
  const key = { order: 'pte', result: 'nopage' };
  const first = bucketIndex(faultNs);
  return [
    [{ cell: 0, metric: 'attempts', dims: { ...key, origin: 'user', lock: 'mmap-read', comm: 'vfio-load' } }, faults],
    [{ cell: 1, metric: 'faultTime', dims: { ...key, comm: 'vfio-load' } }, faults * faultNs],
    [{ cell: 2, metric: 'pagesMapped', dims: { place: 2, device: '0000:01:00.0' } }, barBytes / 4096],
    ...Array.from({ length: bucketCount }, (_, at): [CellEntry, number] => [
      { cell: 3 + at, metric: 'faultLatency', dims: { ...key, bucket: first + at } },
      faults / bucketCount,
    ]),
  ];
}

function slice(run: number, cells: readonly (readonly [CellEntry, number])[]): ReturnType<typeof fakeSlice> {
  return fakeSlice(run, {
    fromNs: 1_000,
    toNs: 1_000_000_000,
    newCells: cells.map(([entry]) => entry),
    cells: Uint32Array.from(cells.map(([{ cell }]) => cell)),
    deltas: Float64Array.from(cells.map(([, value]) => value)),
  });
}
