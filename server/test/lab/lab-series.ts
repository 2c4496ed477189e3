/** Series of runs in real guests, for the tests and the bench that compare kernels. */
import { type CandidateComparison, type ComparedRun, compareSides, ensure } from '@faultline/shared';
import { chooseStreams } from '../../src/cli/arguments.ts';
import { readRuns } from '../../src/cli/compare.ts';
import { faultPathProbes } from '../../src/lab/open-guest.ts';
import {
  repeatOnce,
  runSeries,
  type SeriesProgress,
  type SeriesRequest,
  type SeriesSide,
  sessionsOf,
} from '../../src/lab/series.ts';
import type { WorkloadRequest } from '../../src/lab/workload.ts';
import { Tracer } from '../../src/sessions/tracer.ts';
import { GuestTarget } from '../../src/targets/guest.ts';
import type { Target } from '../../src/targets/target.ts';
import { realProbes } from '../fakes/recorded-fault-runs.ts';
import type { TempStore } from '../fakes/temp-store.ts';
import type { TracedGuest } from './traced-guest.ts';

const mib64 = 64 * 1024 ** 2;

/** A series in words: what differs from a workload of 64 MiB, aligned, with the fault path traced. */
export type LabSeriesRequest = Pick<SeriesRequest, 'kernels' | 'runCount'> &
  Partial<Pick<SeriesRequest, 'name' | 'bpftrace'>> & {
    readonly workload: Pick<WorkloadRequest, 'workload'> & Partial<WorkloadRequest>;
  };

/** What came of it, and how it told of itself. */
export type LabSeriesEnd = {
  readonly outcome: Awaited<ReturnType<typeof runSeries>>;
  readonly stages: readonly SeriesProgress[];
};

/** A tracer that does not hide its guests, for what tests do to them. */
class KeepingTracer extends Tracer {
  readonly guests: GuestTarget[] = [];

  override addTarget(target: Target): ReturnType<Tracer['addTarget']> {
    if (target instanceof GuestTarget) this.guests.push(target);
    return super.addTarget(target);
  }
}

/** Runs what is missing of a series, in guests restored for it and gone after it; stopped when `isEnough` says so. */
export async function runLabSeries(
  { store }: Pick<TempStore, 'store'>,
  { workload, ...rest }: LabSeriesRequest,
  isEnough: (progress: SeriesProgress, targets: readonly GuestTarget[]) => boolean = () => false,
): Promise<LabSeriesEnd> {
  const probes = await realProbes();
  await using tracer = new KeepingTracer({ targets: [], probes, clock: () => Date.now() });
  const runs = chooseStreams({ targetId: '', probes: faultPathProbes, parameters: [] }, tracer.probes());
  if (!runs.ok) throw new Error(runs.error.message);
  const request: SeriesRequest = {
    workload: { barBytes: mib64, isMisaligned: false, repetitions: 1, threads: undefined, ...workload },
    runs: runs.value,
    bpftrace: 'bpftrace',
    start: 'fastest',
    name: undefined,
    ...rest,
  };
  const stages: SeriesProgress[] = [];
  const stopping = new AbortController();
  const tell = (progress: SeriesProgress): void => {
    stages.push(progress);
    if (isEnough(progress, tracer.guests)) stopping.abort();
  };
  const surroundings = { tracing: tracer, probes, store, clock: () => Date.now(), tell };
  return { outcome: await runSeries(request, { ...surroundings, signal: stopping.signal }), stages };
}

/** Records one run of a series in a guest that the test holds; throws what the lab says when it is none. */
export async function recordedRun(
  { store }: Pick<TempStore, 'store'>,
  { open, session }: Pick<TracedGuest, 'open' | 'session'>,
  series: string,
  workload: LabSeriesRequest['workload'],
): Promise<ComparedRun> {
  const kernel = open.target.guest.kernel.name;
  const { signal } = new AbortController();
  const ran = await repeatOnce(
    { guest: open, session, series, kernel },
    { workload: { barBytes: mib64, isMisaligned: false, repetitions: 1, threads: undefined, ...workload }, number: 1 },
    { probes: await realProbes(), store, clock: () => Date.now(), signal },
  );
  if (!ran.ok) throw new Error(ran.error.message);
  return ensure((await runsOf({ store }, { kernel, series }))[0], 'a recorded run');
}

async function runsOf(
  { store: { library } }: Pick<TempStore, 'store'>,
  side: SeriesSide,
): Promise<readonly ComparedRun[]> {
  const sessions = sessionsOf(library, side).map(({ id }) => library.findReadable(id));
  const runs = await readRuns(sessions.flatMap((one) => (one.ok ? [one.value] : [])));
  if (!runs.ok) throw new Error(runs.error.message);
  return runs.value;
}

/** The first candidate of a series against its baseline; throws what the lab says where the series did not come about. */
export async function compareLabSeries(
  temp: Pick<TempStore, 'store'>,
  end: LabSeriesEnd,
): Promise<CandidateComparison> {
  return compareParts(temp, partsOf(end));
}

/** Each kernel's part of a series; throws as compareLabSeries. */
export function partsOf({ outcome }: LabSeriesEnd): readonly SeriesSide[] {
  if (!outcome.ok) throw new Error(outcome.error.message);
  return outcome.value;
}

/** The second part against the first, of one series or of two. */
export async function compareParts(
  temp: Pick<TempStore, 'store'>,
  parts: readonly SeriesSide[],
): Promise<CandidateComparison> {
  const sides = await Promise.all(parts.map(async (side) => ({ title: side.kernel, runs: await runsOf(temp, side) })));
  const [baseline, ...candidates] = sides;
  return ensure(compareSides(ensure(baseline, 'a baseline'), candidates).candidates[0], 'a candidate');
}
