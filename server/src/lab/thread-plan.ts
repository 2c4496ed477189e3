/** What `lab thread` runs, and in which order: every build by turns, what may kill a guest last and alone. Pure. */
import type { WorkloadRequest } from './workload.ts';

/** The answers to the mail thread, in the order of the table: builds of the lab's list by their last word. */
export const threadVariants = ['v0', 'v1', 'v1d', 'v2', 'v3', 'v4'] as const;
export type ThreadVariant = (typeof threadVariants)[number];

/** What is run on each; `timed` ones untraced too, for what tracing costs. */
export const threadWorkloads = ['touch', 'dma-map', 'zap', 'split', 'race', 'futex', 'kill'] as const;
export type ThreadWorkload = (typeof threadWorkloads)[number];

const mib = 1024 ** 2;

/** The device's BAR in every guest, bytes: 16,384 pages. */
export const threadBarBytes = 64 * mib;

/** How much of the BAR each takes, and how often: enough of each for the findings of a build to show, and seconds at most. */
const extents: Readonly<Record<ThreadWorkload, { readonly barBytes: number; readonly repetitions: number }>> = {
  touch: { barBytes: threadBarBytes, repetitions: 1 },
  'dma-map': { barBytes: threadBarBytes, repetitions: 1 },
  zap: { barBytes: mib, repetitions: 1 },
  split: { barBytes: mib, repetitions: 20 },
  race: { barBytes: mib, repetitions: 100 },
  futex: { barBytes: mib, repetitions: 100 },
  kill: { barBytes: mib, repetitions: 10 },
};

/** Alone until the kernel dies of it, or so often: handlers that drop the lock lose this race within some fifty. */
const raceRepetitionsAlone = 3_000;

/** One run to be made. */
export type ThreadRun = {
  readonly variant: ThreadVariant;
  readonly workload: ThreadWorkload;
  /** From 1. */
  readonly number: number;
  /** It may kill the guest, so it has one of its own. */
  readonly isAlone: boolean;
};

/** What was asked for. */
export type ThreadSelection = {
  readonly variants: readonly ThreadVariant[];
  readonly workloads: readonly ThreadWorkload[];
  /** Runs of each pair; of those that may kill their guest there is one. */
  readonly runCount: number;
};

/** Whether the workload is timed untraced too. */
export function isTimed(workload: ThreadWorkload): boolean {
  return workload === 'touch' || workload === 'dma-map';
}

/** Handlers that let go of the lock, where somebody does not permit it, replaces the VMA meanwhile, or kills the process. */
export function mayKill(variant: ThreadVariant, workload: ThreadWorkload): boolean {
  return (variant === 'v1' || variant === 'v1d') && ['race', 'futex', 'kill'].includes(workload);
}

/** The name of a build in the lab's list. */
export function kernelOf(variant: ThreadVariant): string {
  return `6.1-${variant}`;
}

/** The workload as it is run on this build. */
export function requestOf({ variant, workload }: Pick<ThreadRun, 'variant' | 'workload'>): WorkloadRequest {
  const { barBytes, repetitions } = extents[workload];
  const often = workload === 'race' && mayKill(variant, workload) ? raceRepetitionsAlone : repetitions;
  return { workload, barBytes, isMisaligned: false, repetitions: often, threads: undefined };
}

/**
 * All runs in their order: round by round, in each every build with its workloads, so that whatever else the machine does meets
 * all builds alike; behind the last round what may kill a guest.
 */
export function planThread({ variants, workloads, runCount }: ThreadSelection): readonly ThreadRun[] {
  const pairs = threadVariants
    .filter((variant) => variants.includes(variant))
    .flatMap((variant) =>
      threadWorkloads
        .filter((workload) => workloads.includes(workload))
        .map((workload) => ({ variant, workload, isAlone: mayKill(variant, workload) })),
    );
  const peaceful = pairs.filter(({ isAlone }) => !isAlone);
  const rounds = Array.from({ length: runCount }, (_, at) => peaceful.map((pair) => ({ ...pair, number: at + 1 })));
  return [...rounds.flat(), ...pairs.filter(({ isAlone }) => isAlone).map((pair) => ({ ...pair, number: 1 }))];
}

/** Runs that share one guest: neighbours of one build in one round; each that may kill its guest by itself. */
export function groupByGuest(runs: readonly ThreadRun[]): readonly (readonly ThreadRun[])[] {
  const groups: ThreadRun[][] = [];
  for (const run of runs) {
    const last = groups.at(-1);
    const before = last?.at(-1);
    const isSame = before?.variant === run.variant && before.number === run.number;
    if (last !== undefined && isSame && !run.isAlone && !before.isAlone) last.push(run);
    else groups.push([run]);
  }
  return groups;
}

/** What runs take, in runs: a guest is restored for each group, and one that may die is waited for. */
export function workOf(runs: readonly ThreadRun[]): number {
  return groupByGuest(runs).reduce((sum, group) => sum + guestWork + group.length, 0);
}

/** A guest takes about as long to restore and to end as so many runs of a median second. */
const guestWork = 4;
