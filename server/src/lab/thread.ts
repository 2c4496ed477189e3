/**
 * The answers to the mail thread, run: six builds of vfio-pci-core on one kernel, by turns, each run a recorded session. Two kinds of
 * guest: one that nothing traces, in which modules are swapped, says what a workload takes by itself; a traced one of each build, restored
 * from its snapshot for every turn, because attaching anew after a swap takes half a minute where restoring takes two seconds.
 */
import { describeOops, type LabError, type Oops, prepareGuest, readModuleOf, readOopses } from '@faultline/lab';
import { err, ok, oopsesShownMax, type Result, type SessionSetup, type StartRun } from '@faultline/shared';
import type { Library } from '../sessions/library.ts';
import type { GuestTarget } from '../targets/guest.ts';
import { openGuest } from './open-guest.ts';
import {
  missingNumbers,
  openTraced,
  repeatOnce,
  seriesOf,
  type SeriesSide,
  type SeriesSurroundings,
  type TracedGuest,
} from './series.ts';
import {
  groupByGuest,
  isTimed,
  kernelOf,
  planThread,
  requestOf,
  threadBarBytes,
  type ThreadRun,
  type ThreadSelection,
  type ThreadVariant,
  type ThreadWorkload,
  workOf,
} from './thread-plan.ts';
import { surviveOopses, untilOops } from './until-oops.ts';
import { runWorkload, type WorkloadEnd, type WorkloadRequest } from './workload.ts';

/** What is traced: the fault path, and what a lock check misses. */
export const threadProbes = 'vfio-fault,pfn-remap,pfn-insert,lock-assert,fault-contract';

/** What to run, and how to trace it. */
export type ThreadRequest = ThreadSelection & {
  readonly runs: readonly StartRun[];
  readonly bpftrace: string;
  readonly start: 'fastest' | 'cold';
};

/** A pair's runs: their series. */
export type ThreadSide = SeriesSide & { readonly variant: ThreadVariant; readonly workload: ThreadWorkload };

type Printed = NonNullable<SessionSetup['printed']>;
/** What every step needs. */
type Course = {
  readonly request: ThreadRequest;
  readonly surroundings: SeriesSurroundings;
  readonly sides: readonly ThreadSide[];
  /** Says what goes on beside how much is done. */
  readonly tell: (stage: string) => void;
  readonly done: (run: ThreadRun) => void;
};

/** Runs what is missing; the answer names every pair's series. Error: the lab broke, or somebody stopped it. */
export async function runThread(
  request: ThreadRequest,
  surroundings: SeriesSurroundings,
): Promise<Result<readonly ThreadSide[], LabError>> {
  const sides = await buildAll(request, surroundings);
  if (!sides.ok) return sides;
  const plan = planThread(request);
  const missing = missingOf(plan, sides.value, surroundings.store.library);
  const totalCount = plan.length;
  const total = workOf(missing);
  let left = missing;
  const course: Course = {
    request,
    surroundings,
    sides: sides.value,
    tell: (stage) => {
      const work = { done: total - workOf(left), total };
      surroundings.tell({ stage, doneCount: totalCount - left.length, totalCount, work });
    },
    done: (run) => {
      left = left.filter((one) => one !== run);
    },
  };
  const ran = await runMissing(missing, course);
  if (ran.ok) return sides;
  return surroundings.signal.aborted ? stopped() : ran;
}

/** Builds every module that is not built yet, before anything is booted: what was built names the series. */
async function buildAll(
  request: ThreadRequest,
  { tell, signal }: SeriesSurroundings,
): Promise<Result<readonly ThreadSide[], LabError>> {
  const { variants, workloads, bpftrace, runs } = request;
  const totalCount = planThread(request).length;
  const sides: ThreadSide[] = [];
  for (const variant of variants) {
    const kernel = kernelOf(variant);
    const told = ({ stage }: { readonly stage: string }): void =>
      tell({ stage: `${kernel}: ${stage}`, doneCount: 0, totalCount });
    const prepared = await prepareGuest({ kernel, barBytes: threadBarBytes, bpftrace }, told, signal);
    if (!prepared.ok) return prepared;
    for (const workload of workloads) {
      const name = `thread-${workload}`;
      const series = seriesOf({ workload: requestOf({ variant, workload }), runs, name }, prepared.value.buildKey);
      sides.push({ kernel, series, variant, workload });
    }
  }
  return ok(sides);
}

/** Runs of the plan, in its order, of which there is no closed session yet; sessions of them that broke off are removed. */
export function missingOf(
  plan: readonly ThreadRun[],
  sides: readonly ThreadSide[],
  library: Library,
): readonly ThreadRun[] {
  const numbers = new Map(
    sides.map((side) => {
      const own = plan.filter((run) => isOf(run, side));
      return [side, missingNumbers(library, side, own.length)];
    }),
  );
  return plan.filter((run) => [...numbers].some(([side, left]) => isOf(run, side) && left.includes(run.number)));
}

function isOf(run: ThreadRun, { variant, workload }: ThreadSide): boolean {
  return run.variant === variant && run.workload === workload;
}

async function runMissing(missing: readonly ThreadRun[], course: Course): Promise<Result<void, LabError>> {
  const { tracing } = course.surroundings;
  let untraced: GuestTarget | undefined;
  try {
    for (const group of groupByGuest(missing)) {
      const times = new Map<ThreadWorkload, number>();
      const timed = group.filter(({ workload }) => isTimed(workload));
      if (timed.length > 0) {
        const guest: Result<GuestTarget, LabError> = untraced === undefined ? await openUntraced(course) : ok(untraced);
        if (!guest.ok) return guest;
        untraced = guest.value;
        const measured = await timeUntraced(guest.value, timed, times, course);
        if (!measured.ok) return measured;
      }
      const ran = await runGroup(group, times, course);
      if (!ran.ok) return ran;
    }
    return ok(undefined);
  } finally {
    if (untraced !== undefined) await tracing.removeTarget(untraced.id);
  }
}

/** The guest in which nothing is attached. */
async function openUntraced({ request, surroundings, tell }: Course): Promise<Result<GuestTarget, LabError>> {
  const { tracing, probes, signal } = surroundings;
  const { bpftrace, start } = request;
  const boot = { kernel: '6.1', barBytes: threadBarBytes, bpftrace, targetId: 'thread-untraced', start, runs: [] };
  const opened = await openGuest(tracing, probes, boot, ({ stage }) => tell(`untraced guest: ${stage}`), signal);
  return opened.ok ? ok(opened.value.target) : opened;
}

/** What each of these workloads takes on a build when nothing traces it, ns: once to warm up, once to be timed. */
async function timeUntraced(
  target: GuestTarget,
  runs: readonly ThreadRun[],
  times: Map<ThreadWorkload, number>,
  { tell, surroundings: { signal } }: Course,
): Promise<Result<void, LabError>> {
  const [first] = runs;
  if (first === undefined) return ok(undefined);
  const kernel = kernelOf(first.variant);
  const module = await readModuleOf(kernel, 'vfio_pci_core', () => undefined, signal);
  if (!module.ok) return module;
  const swapped = await target.swapModule(module.value);
  if (!swapped.ok) return swapped;
  for (const run of runs) {
    tell(`${kernel}: ${run.workload} untraced`);
    for (const isWarm of [false, true]) {
      const end = await runWorkload(target, requestOf(run), () => undefined, signal);
      if (signal.aborted) return stopped();
      const elapsedNs = elapsedNsOf(end);
      if (elapsedNs === undefined) return broken(`${kernel}: ${run.workload} did not run: ${end.problem ?? ''}`);
      if (isWarm) times.set(run.workload, elapsedNs);
    }
  }
  return ok(undefined);
}

/** The runs of one guest: restored for them, and ended behind them. */
async function runGroup(
  group: readonly ThreadRun[],
  times: ReadonlyMap<ThreadWorkload, number>,
  course: Course,
): Promise<Result<void, LabError>> {
  const { request, surroundings, tell } = course;
  const [first] = group;
  if (first === undefined) return ok(undefined);
  const kernel = kernelOf(first.variant);
  const { bpftrace, start, runs } = request;
  const targetId = `thread-${kernel}`;
  const boot = { kernel, barBytes: threadBarBytes, bpftrace, targetId, start, runs };
  const opened = await openTraced(boot, surroundings, ({ stage }) => tell(`${kernel}: ${stage}`));
  if (!opened.ok) return opened;
  try {
    if (first.isAlone) await surviveOopses(opened.value.guest.target);
    for (const run of group) {
      const ran = await runOne(run, opened.value, times.get(run.workload), course);
      if (!ran.ok) return ran;
      course.done(run);
    }
    return ok(undefined);
  } finally {
    // What was counted is closed; without the guest its probes need not be detached one by one.
    await opened.value.guest.target[Symbol.asyncDispose]();
    await surroundings.tracing.removeTarget(targetId);
  }
}

/** One recorded run, behind a warm one where time is measured. */
async function runOne(
  run: ThreadRun,
  traced: TracedGuest,
  untracedNs: number | undefined,
  { surroundings, sides, tell }: Course,
): Promise<Result<void, LabError>> {
  const side = sides.find((one) => isOf(run, one));
  if (side === undefined) return broken(`${run.variant} ${run.workload} belongs to no series`);
  const { target } = traced.guest;
  const workload = requestOf(run);
  tell(`${side.kernel}: run ${run.number}, ${run.workload}`);
  if (isTimed(run.workload)) {
    const warm = await repeatOnce({ ...side, ...traced }, { workload, number: undefined }, surroundings);
    if (!warm.ok) return warm;
  }
  const repetition = {
    workload,
    number: run.number,
    judge: (end: WorkloadEnd): Printed | undefined => judged(end, target, untracedNs),
    ...(run.isAlone ? { perform: performAlone(workload) } : {}),
  };
  return repeatOnce({ ...side, ...traced }, repetition, surroundings);
}

/** Until it ends, or until the kernel has complained: then whatever else it says is as much as can be had. */
function performAlone(workload: WorkloadRequest) {
  return async (target: GuestTarget, signal: AbortSignal): Promise<WorkloadEnd> => {
    const end = await untilOops(
      target,
      runWorkload(target, workload, () => undefined, signal),
    );
    return oopsesOf(target).length === 0 ? end : { ...end, kind: 'lost' };
  };
}

/** What is written down beside what the workload said: an oops and a SIGBUS are results. Undefined where the lab broke. */
function judged(end: WorkloadEnd, target: GuestTarget, untracedNs: number | undefined): Printed | undefined {
  const oopses = oopsesOf(target);
  const isResult = end.kind === 'done' || oopses.length > 0 || /SIGBUS/.test(end.problem ?? '');
  if (!isResult) return undefined;
  const problem = end.problem?.replace(': it said nothing', '').slice(0, printedCharsMax);
  return {
    ...(untracedNs === undefined ? {} : { untracedNs }),
    ...(problem === undefined ? {} : { problem }),
    ...(oopses.length === 0 ? {} : { oopses: oopses.length, ...oopsWords(oopses) }),
  };
}

/** As long as a word of a session's setup may be. */
const printedCharsMax = 200;

function oopsesOf({ guest }: GuestTarget): readonly Oops[] {
  return readOopses(guest.machine.console).filter(({ kind }) => kind !== 'WARN');
}

/** The first of each kind in the kernel's words, as `oops1`, `oops2` …, with how many there were alike but for their addresses. */
export function oopsWords(oopses: readonly Oops[]): Printed {
  const alike = Map.groupBy(oopses, ({ kind, what, at }) => `${kind} ${what.replaceAll(/[0-9a-f]{6,}/g, '')} ${at}`);
  const words = [...alike.values()].slice(0, oopsesShownMax).flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const often = others.length === 0 ? '' : ` (${others.length + 1} times)`;
    const text = describeOops(first).replaceAll(/\p{Cc}/gu, ' ');
    return [`${text.slice(0, printedCharsMax - often.length)}${often}`];
  });
  return Object.fromEntries(words.map((text, at) => [`oops${at + 1}`, text]));
}

/** The `elapsedNs` of a workload's last line. */
function elapsedNsOf({ kind, lines }: WorkloadEnd): number | undefined {
  if (kind !== 'done') return undefined;
  const found = /"elapsedNs": ?(\d{1,15})/.exec(lines.at(-1) ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

function stopped(): Result<never, LabError> {
  return err({ kind: 'stopped', message: 'stopped', remedy: 'The same command goes on where this one was.' });
}

function broken(message: string): Result<never, LabError> {
  return err({ kind: 'broken', message, remedy: 'Try again; it goes on where it was.' });
}
