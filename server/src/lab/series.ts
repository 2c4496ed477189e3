/**
 * A series: one workload, again and again, on each of several kernels in turn, so that whatever else goes on in the
 * machine meets all of them alike. Each repetition is a recorded session. What a series has recorded already is not done again.
 */
import { digestOf, type LabError, type LabStage, prepareGuest } from '@faultline/lab';
import {
  comparePollMs,
  compareSettleMaxMs,
  err,
  ok,
  type Result,
  type SessionManifest,
  type SessionSetup,
  type StartRun,
} from '@faultline/shared';
import { setTimeout as wait } from 'node:timers/promises';
import type { CataloguedProbe } from '../probes/catalogue.ts';
import type { Library } from '../sessions/library.ts';
import type { Store } from '../sessions/store.ts';
import type { SessionSource, Tracing } from '../sessions/tracing.ts';
import type { GuestTarget } from '../targets/guest.ts';
import { readThpMode } from '../targets/identity.ts';
import { type GuestRequest, type OpenGuest, openGuest } from './open-guest.ts';
import { RunCut } from './run-cut.ts';
import { setupAfter } from './setup.ts';
import { runWorkload, type WorkloadEnd, type WorkloadRequest } from './workload.ts';

/** What is repeated where, and how often. */
export type SeriesRequest = {
  /** Names of the lab's list, or folders; the first is the baseline. */
  readonly kernels: readonly string[];
  readonly workload: WorkloadRequest;
  /** Runs of each kernel. */
  readonly runCount: number;
  /** Streams to trace, tallies only. */
  readonly runs: readonly StartRun[];
  readonly bpftrace: string;
  readonly start: 'fastest' | 'cold';
  /** A word of one's own that keeps this series apart from others of the same; undefined: what is there is gone on with. */
  readonly name: string | undefined;
};

/** What a series needs, and whom it tells. */
export type SeriesSurroundings = {
  readonly tracing: Tracing;
  readonly probes: readonly CataloguedProbe[];
  readonly store: Store;
  readonly clock: () => number;
  readonly tell: (progress: SeriesProgress) => void;
  readonly signal: AbortSignal;
};

/** How far it is. */
export type SeriesProgress = {
  readonly stage: string;
  readonly doneCount: number;
  readonly totalCount: number;
  /** The same by what it takes, in a unit of its own, where runs take very different times. */
  readonly work?: { readonly done: number; readonly total: number };
};

/** Sessions of a kernel in a series, by run number. */
export type SeriesSide = { readonly kernel: string; readonly series: string };

/** A guest that is traced, and the session that its runs are cut out of. */
export type TracedGuest = { readonly guest: OpenGuest; readonly session: SessionSource };

/** A kernel's part of which runs are missing. */
type Opened = SeriesSide & TracedGuest & { readonly missing: readonly number[] };

/** One run of a workload: how it is done, and what of it is a run at all. */
export type Repetition = {
  readonly workload: WorkloadRequest;
  /** Its place in the series; undefined for warming up, which nobody records. */
  readonly number: number | undefined;
  /** Another way to run it than to its end. */
  readonly perform?: (target: GuestTarget, signal: AbortSignal) => Promise<WorkloadEnd>;
  /** What is written down beside what the workload printed; undefined where such an end is no run. Only `done` is one otherwise. */
  readonly judge?: (end: WorkloadEnd) => NonNullable<SessionSetup['printed']> | undefined;
};

/**
 * Runs what is missing of a series; a kernel that has all its runs is not booted. The answer names each kernel's part of it. Error: the lab
 * broke, or the workload failed.
 */
export async function runSeries(
  request: SeriesRequest,
  surroundings: SeriesSurroundings,
): Promise<Result<readonly SeriesSide[], LabError>> {
  const { library } = surroundings.store;
  const { kernels, runCount } = request;
  const sides = await prepareSides(request, surroundings);
  if (!sides.ok) return sides;
  const missing = sides.value.map((side) => missingNumbers(library, side, runCount));
  const totalCount = kernels.length * runCount;
  const doneCount = totalCount - missing.reduce((sum, numbers) => sum + numbers.length, 0);
  const opened: Opened[] = [];
  try {
    for (const [at, side] of sides.value.entries()) {
      const numbers = missing[at] ?? [];
      if (numbers.length === 0) continue;
      const tell = (stage: string): void => surroundings.tell({ stage, doneCount, totalCount });
      const one = await openOne(side, at, request, { ...surroundings, tell });
      if (!one.ok) return one;
      opened.push({ ...one.value, missing: numbers });
    }
    const ran = await runAll(opened, { ...request, doneCount, totalCount }, surroundings);
    return ran.ok ? sides : ran;
  } finally {
    // One after the other: each closes its counts, and two cores are few.
    for (const { guest } of opened) await surroundings.tracing.removeTarget(guest.target.id);
  }
}

/** Each kernel's part of the series by its name, which takes its very files: they are fetched and built where they are not yet. */
async function prepareSides(
  request: SeriesRequest,
  { tell, signal }: SeriesSurroundings,
): Promise<Result<readonly SeriesSide[], LabError>> {
  const { kernels, runCount, workload, bpftrace } = request;
  const sides: SeriesSide[] = [];
  for (const kernel of kernels) {
    const told = ({ stage }: LabStage): void =>
      tell({ stage: `${kernel}: ${stage}`, doneCount: 0, totalCount: kernels.length * runCount });
    const prepared = await prepareGuest({ kernel, barBytes: workload.barBytes, bpftrace }, told, signal);
    if (!prepared.ok) return prepared;
    sides.push({ kernel, series: seriesOf(request, prepared.value.buildKey) });
  }
  return ok(sides);
}

/** Sessions of a series that count: closed in order. */
export function sessionsOf(library: Library, { kernel, series }: SeriesSide): readonly SessionManifest[] {
  return library.list().flatMap(({ manifest }) => {
    return manifest?.setup?.series === series && manifest.setup.build === kernel && manifest.state === 'closed'
      ? [manifest]
      : [];
  });
}

async function openOne(
  side: SeriesSide,
  at: number,
  request: SeriesRequest,
  surroundings: Omit<SeriesSurroundings, 'tell'> & { readonly tell: (stage: string) => void },
): Promise<Result<SeriesSide & TracedGuest, LabError>> {
  const { kernel } = side;
  const { bpftrace, start, runs, workload } = request;
  const targetId = `lab-${at}-${kernel.replaceAll(/[^A-Za-z0-9.-]/g, '-').slice(-60)}`;
  const boot = { kernel, barBytes: workload.barBytes, bpftrace, targetId, start, runs };
  const opened = await openTraced(boot, surroundings, ({ stage }) => surroundings.tell(`${kernel}: ${stage}`));
  if (!opened.ok) return opened;
  const [refused] = opened.value.guest.refused;
  if (refused === undefined) return ok({ ...opened.value, ...side });
  await surroundings.tracing.removeTarget(targetId);
  return broken(`${kernel}: not everything can be traced: ${refused}`, 'Compare what both kernels have: --probes.');
}

/** Opens a guest with its session. Error: the lab broke, or a stream that can attach there failed to. */
export async function openTraced(
  boot: GuestRequest,
  { tracing, probes, signal }: Pick<SeriesSurroundings, 'tracing' | 'probes' | 'signal'>,
  tell: (stage: LabStage) => void,
): Promise<Result<TracedGuest, LabError>> {
  const guest = await openGuest(tracing, probes, boot, tell, signal);
  if (!guest.ok) return guest;
  const failed = guest.value.runs.find(({ state }) => state === 'failed');
  const session = await tracing.session(boot.targetId);
  if (session.ok && failed === undefined) return ok({ guest: guest.value, session: session.value });
  await tracing.removeTarget(boot.targetId);
  if (!session.ok) return broken(session.error.message, session.error.remedy);
  const why = failed?.failure?.message ?? 'a probe failed';
  return broken(`${boot.kernel}: not everything can be traced: ${why}`, 'Compare what both kernels have: --probes.');
}

/** The name of a kernel's part of a series: by what is run, on what, to the last module; or the word that was given. */
export function seriesOf(
  { workload, runs, name }: Pick<SeriesRequest, 'workload' | 'runs' | 'name'>,
  buildKey: string,
): string {
  const { repetitions, threads, isMisaligned, barBytes } = workload;
  const facts = [workload.workload, barBytes, isMisaligned, repetitions, threads ?? 0, runs, buildKey, name ?? ''];
  return `${name ?? workload.workload}-${digestOf([JSON.stringify(facts)]).slice(0, 12)}`;
}

/** ABAB: the first run of each, then the second of each, as far as they are missing. */
async function runAll(
  opened: readonly Opened[],
  request: SeriesRequest & Pick<SeriesProgress, 'doneCount' | 'totalCount'>,
  surroundings: SeriesSurroundings,
): Promise<Result<void, LabError>> {
  const { workload, runCount, totalCount } = request;
  let { doneCount } = request;
  for (const one of opened) {
    surroundings.tell({ stage: `${one.kernel}: warming up`, doneCount, totalCount });
    const warm = await repeatOnce(one, { workload, number: undefined }, surroundings);
    if (!warm.ok) return warm;
  }
  for (let number = 1; number <= runCount; number += 1) {
    for (const one of opened) {
      if (!one.missing.includes(number)) continue;
      surroundings.tell({ stage: `${one.kernel}: run ${number}`, doneCount, totalCount });
      const ran = await repeatOnce(one, { workload, number }, surroundings);
      if (!ran.ok) return ran;
      doneCount += 1;
    }
  }
  surroundings.tell({ stage: 'closing', doneCount, totalCount });
  return ok(undefined);
}

/** Numbers that no closed session has. Sessions of the series that broke off are removed: they are done again. */
export function missingNumbers(library: Library, { kernel, series }: SeriesSide, runCount: number): readonly number[] {
  for (const { id, manifest } of library.list()) {
    const isOwn = manifest?.setup?.series === series && manifest.setup.build === kernel;
    if (isOwn && manifest.state === 'interrupted') library.remove(id);
  }
  const there = new Set(sessionsOf(library, { kernel, series }).map(({ setup }) => setup?.runNumber));
  return Array.from({ length: runCount }, (_, at) => at + 1).filter((number) => !there.has(number));
}

/** One repetition in a guest that is traced; with a number it is recorded. Error: the lab broke, or it is no run. */
export async function repeatOnce(
  one: SeriesSide & TracedGuest,
  { workload, number, perform = toItsEnd(workload), judge = onlyDone }: Repetition,
  { store, clock, signal, probes }: Omit<SeriesSurroundings, 'tell' | 'tracing'>,
): Promise<Result<void, LabError>> {
  const { guest, session, series, kernel } = one;
  const { target } = guest;
  const cutId = `${series}-${kernel.replaceAll(/[^A-Za-z0-9.-]/g, '-')}-${number ?? 0}`;
  const cut = new RunCut(session, cutId, clock(), await readThpMode(target));
  const recording = number === undefined ? undefined : store.record(cut, probes);
  let isRun = false;
  try {
    const end = await perform(target, signal);
    if (signal.aborted) return stopped();
    const besides = judge(end);
    if (besides === undefined) {
      const remedy = 'The kernel refused what the workload wanted, or the guest is gone: faultline lab run shows more.';
      return broken(`${kernel}: ${workload.workload} did not run: ${end.problem ?? ''}`, remedy);
    }
    const settled = await untilSettled(cut, guest, signal);
    // What a guest says that is being lost is heard as far as it goes.
    if (!settled.ok && end.kind !== 'lost') return settled;
    cut.end(clock());
    // Kept, it would count as made, and the series could never be compared.
    const failed = cut.view().runs.find(({ failure }) => failure !== undefined);
    if (failed !== undefined) {
      const why = `${kernel}: ${failed.probe}:${failed.stream} ended in the middle: ${failed.failure?.message ?? ''}`;
      return broken(why, 'The same command goes on where this one was.');
    }
    if (recording === undefined || number === undefined) return ok(undefined);
    const use = { kernel, target, request: workload, lines: end.lines };
    // Before it is closed: a session that is closed is a run of the series, whole.
    const id = recording.view()?.id ?? '';
    const edited = store.library.edit(id, (before) => {
      const after = setupAfter(before, use);
      const printed = { ...after.setup.printed, ...besides };
      return { workload: after.workload, setup: { ...after.setup, printed, series, runNumber: number } };
    });
    if (!edited.ok) return broken(edited.error.message, edited.error.remedy);
    isRun = true;
    return ok(undefined);
  } finally {
    cut.end(clock());
    await recording?.close();
    // What broke off is no run, and of no use to anybody.
    if (recording !== undefined && !isRun) store.library.remove(recording.view()?.id ?? '');
  }
}

function toItsEnd(workload: WorkloadRequest): NonNullable<Repetition['perform']> {
  return (target, signal) => runWorkload(target, workload, () => undefined, signal);
}

function onlyDone({ kind }: WorkloadEnd): NonNullable<SessionSetup['printed']> | undefined {
  return kind === 'done' ? {} : undefined;
}

/** Waits until every probe has told what it counted up to now. */
async function untilSettled(cut: RunCut, { target }: OpenGuest, signal: AbortSignal): Promise<Result<void, LabError>> {
  // A kernel that has oopsed may never answer.
  const silence = wait(compareSettleMaxMs, undefined, { ref: false });
  const now = await Promise.race([target.guest.machine.agent.clockNs(), silence]);
  if (now?.ok !== true) return broken('the guest did not answer', 'Try again; it goes on where it was.');
  const atNs = Number(now.value);
  for (let waitedMs = 0; waitedMs < compareSettleMaxMs; waitedMs += comparePollMs) {
    if (cut.hasSettled(atNs)) return ok(undefined);
    if (signal.aborted) return stopped();
    await wait(comparePollMs);
  }
  return broken(
    'the probes did not tell their counts in time',
    'The machine is very busy; try again, it goes on where it was.',
  );
}

function stopped(): Result<never, LabError> {
  return err({ kind: 'stopped', message: 'stopped', remedy: 'The same command goes on where this one was.' });
}

function broken(message: string, remedy: string): Result<never, LabError> {
  return err({ kind: 'broken', message, remedy });
}
