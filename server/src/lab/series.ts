/**
 * A series: one workload, again and again, on each of several kernels in turn, so that whatever else goes on in the
 * machine meets all of them alike. Each repetition is a recorded session. What a series has recorded already is not done again.
 */
import { digestOf, type LabError, type LabStage } from '@faultline/lab';
import {
  comparePollMs,
  compareSettleMaxMs,
  err,
  ok,
  type Result,
  type SessionManifest,
  type StartRun,
} from '@faultline/shared';
import { setTimeout as wait } from 'node:timers/promises';
import type { CataloguedProbe } from '../probes/catalogue.ts';
import type { Library } from '../sessions/library.ts';
import type { Store } from '../sessions/store.ts';
import type { SessionSource, Tracing } from '../sessions/tracing.ts';
import { type OpenGuest, openGuest } from './open-guest.ts';
import { RunCut } from './run-cut.ts';
import { setupAfter } from './setup.ts';
import { runWorkload, type WorkloadRequest } from './workload.ts';

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
};

/** Sessions of a kernel in a series, by run number. */
export type SeriesSide = { readonly kernel: string; readonly series: string };

type Opened = {
  readonly kernel: string;
  readonly guest: OpenGuest;
  readonly session: SessionSource;
  readonly series: string;
};

/** Runs what is missing of a series. The answer names each kernel's part of it. Error: the lab broke, or the workload failed. */
export async function runSeries(
  request: SeriesRequest,
  surroundings: SeriesSurroundings,
): Promise<Result<readonly SeriesSide[], LabError>> {
  const opened: Opened[] = [];
  try {
    for (const [at, kernel] of request.kernels.entries()) {
      const one = await openOne(kernel, at, request, surroundings);
      if (!one.ok) return one;
      opened.push(one.value);
    }
    const ran = await runAll(opened, request, surroundings);
    if (!ran.ok) return ran;
    return ok(opened.map(({ kernel, series }) => ({ kernel, series })));
  } finally {
    // One after the other: each closes its counts, and two cores are few.
    for (const { guest } of opened) await surroundings.tracing.removeTarget(guest.target.id);
  }
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
  kernel: string,
  at: number,
  request: SeriesRequest,
  surroundings: SeriesSurroundings,
): Promise<Result<Opened, LabError>> {
  const { tracing, probes, signal, tell } = surroundings;
  const totalCount = request.kernels.length * request.runCount;
  const stageOf = ({ stage }: LabStage): void => tell({ stage: `${kernel}: ${stage}`, doneCount: 0, totalCount });
  const { bpftrace, start, runs, workload } = request;
  const targetId = `lab-${at}-${kernel.replaceAll(/[^A-Za-z0-9.-]/g, '-').slice(-60)}`;
  const boot = { kernel, barBytes: workload.barBytes, bpftrace, targetId, start, runs };
  const guest = await openGuest(tracing, probes, boot, stageOf, signal);
  if (!guest.ok) return guest;
  const failed = guest.value.runs.find(({ state }) => state === 'failed');
  const [refused = failed?.failure?.message] = guest.value.refused;
  const session = await tracing.session(targetId);
  if (!session.ok || refused !== undefined) {
    await tracing.removeTarget(targetId);
    const message = session.ok ? `${kernel}: not everything can be traced: ${refused}` : session.error.message;
    return broken(message, 'Compare what both kernels have: --probes.');
  }
  const series = seriesOf(request, guest.value.target.guest.buildKey);
  return ok({ kernel, guest: guest.value, session: session.value, series });
}

/** The name of a kernel's part of a series: by what is run, on what, to the last module; or the word that was given. */
function seriesOf({ workload, runs, name }: SeriesRequest, buildKey: string): string {
  const { repetitions, threads, isMisaligned, barBytes } = workload;
  const facts = [workload.workload, barBytes, isMisaligned, repetitions, threads ?? 0, runs, buildKey, name ?? ''];
  return `${name ?? workload.workload}-${digestOf([JSON.stringify(facts)]).slice(0, 12)}`;
}

/** ABAB: the first run of each, then the second of each. */
async function runAll(
  opened: readonly Opened[],
  request: SeriesRequest,
  surroundings: SeriesSurroundings,
): Promise<Result<void, LabError>> {
  const { library } = surroundings.store;
  const missing = opened.map((one) => missingNumbers(library, one, request.runCount));
  const totalCount = opened.length * request.runCount;
  let doneCount = totalCount - missing.reduce((sum, numbers) => sum + numbers.length, 0);
  for (const [at, one] of opened.entries()) {
    if (missing[at]?.length === 0) continue;
    surroundings.tell({ stage: `${one.kernel}: warming up`, doneCount, totalCount });
    const warm = await repeatOnce(one, request, surroundings, undefined);
    if (!warm.ok) return warm;
  }
  for (let number = 1; number <= request.runCount; number += 1) {
    for (const [at, one] of opened.entries()) {
      if (missing[at]?.includes(number) !== true) continue;
      surroundings.tell({ stage: `${one.kernel}: run ${number}`, doneCount, totalCount });
      const ran = await repeatOnce(one, request, surroundings, number);
      if (!ran.ok) return ran;
      doneCount += 1;
    }
  }
  surroundings.tell({ stage: 'closing', doneCount, totalCount });
  return ok(undefined);
}

/** Numbers that no closed session has. Sessions of the series that broke off are removed: they are done again. */
function missingNumbers(library: Library, { kernel, series }: SeriesSide, runCount: number): readonly number[] {
  for (const { id, manifest } of library.list()) {
    const isOwn = manifest?.setup?.series === series && manifest.setup.build === kernel;
    if (isOwn && manifest.state === 'interrupted') library.remove(id);
  }
  const there = new Set(sessionsOf(library, { kernel, series }).map(({ setup }) => setup?.runNumber));
  return Array.from({ length: runCount }, (_, at) => at + 1).filter((number) => !there.has(number));
}

/** One repetition; with a number it is recorded. */
async function repeatOnce(
  one: Opened,
  request: SeriesRequest,
  { store, clock, signal, probes }: SeriesSurroundings,
  number: number | undefined,
): Promise<Result<void, LabError>> {
  const { guest, session, series, kernel } = one;
  const { target } = guest;
  const cut = new RunCut(session, `${series}-${kernel.replaceAll(/[^A-Za-z0-9.-]/g, '-')}-${number ?? 0}`, clock());
  const recording = number === undefined ? undefined : store.record(cut, probes);
  let isRun = false;
  try {
    const end = await runWorkload(target, request.workload, () => undefined, signal);
    if (signal.aborted) return stopped();
    if (end.kind !== 'done') {
      const remedy = 'The kernel refused what the workload wanted, or the guest is gone: faultline lab run shows more.';
      return broken(`${kernel}: ${request.workload.workload} did not run: ${end.problem ?? ''}`, remedy);
    }
    const settled = await untilSettled(cut, guest, signal);
    if (!settled.ok) return settled;
    cut.end(clock());
    if (recording === undefined || number === undefined) return ok(undefined);
    const use = { kernel, target, request: request.workload, lines: end.lines };
    // Before it is closed: a session that is closed is a run of the series, whole.
    const id = recording.view()?.id ?? '';
    const edited = store.library.edit(id, (before) => {
      const { setup, workload } = setupAfter(before, use);
      return { workload, setup: { ...setup, series, runNumber: number } };
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

/** Waits until every probe has told what it counted up to now. */
async function untilSettled(cut: RunCut, { target }: OpenGuest, signal: AbortSignal): Promise<Result<void, LabError>> {
  const now = await target.guest.machine.agent.clockNs();
  if (!now.ok) return broken('the guest did not answer', 'Try again; it goes on where it was.');
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
