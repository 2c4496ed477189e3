/** A matrix as a table of what is recorded of it: which sessions are the runs of which cell, and which are none and why. Pure. */
import {
  compareWordCharsMax,
  compareWordsMax,
  formatExact,
  formatPlural,
  matrixNotesMax,
  type SessionManifest,
  type SessionSetup,
  type StartRun,
} from '@faultline/shared';
import type { SeriesPlan } from './matrix.ts';
import type { WorkloadRequest } from './workload.ts';

/** A recorded session, and where it is. */
export type GridSession = { readonly folder: string; readonly manifest: SessionManifest };

/** A workload in a kernel. */
export type GridCell = {
  readonly kernel: string;
  /** Its runs, in their order; of a number that is there twice both. */
  readonly runs: readonly GridSession[];
  /** Different numbers among them. */
  readonly runCount: number;
  /** Selects these very sessions in a comparison; undefined where no word can. */
  readonly word: string | undefined;
  /** Sessions of this kernel and workload that spoil the verdict or are not counted, and why. */
  readonly notes: readonly string[];
};

/** One comparison of the matrix; its cells are in the order of the kernels. */
export type GridRow = { readonly plan: SeriesPlan; readonly cells: readonly GridCell[] };

/**
 * Deals recorded sessions out to the cells of a matrix. A run of a cell is what `faultline lab compare` would not do again: a closed session of
 * that kernel by its name, of the same workload to its last argument, with the same streams, in a series. Of several series the one with the
 * newest session is the cell's: the others are of other contents of the kernel.
 */
export function matrixGrid(
  plans: readonly SeriesPlan[],
  sessions: readonly GridSession[],
  streams: readonly StartRun[],
): readonly GridRow[] {
  const byCell = new Map<string, GridSession[]>();
  for (const session of sessions) {
    const key = keyOfSetup(session.manifest.setup);
    if (key === undefined || session.manifest.state === 'live') continue;
    const own = byCell.get(key);
    if (own === undefined) byCell.set(key, [session]);
    else own.push(session);
  }
  const traced = wordsOfStreams(streams.map(({ probe, stream = '' }) => ({ probe, stream })));
  return plans.map((plan) => ({
    plan,
    cells: plan.kernels.map((kernel) =>
      cellOf(kernel, byCell.get(keyOf(kernel, plan.workload)) ?? [], { ...plan, traced }),
    ),
  }));
}

type Wanted = Pick<SeriesPlan, 'workload' | 'runCount'> & { readonly traced: string };

function cellOf(kernel: string, own: readonly GridSession[], wanted: Wanted): GridCell {
  const { others, series } = bySeries(own, wanted);
  const [newest = [], ...older] = series;
  const closed = newest.filter(({ manifest }) => manifest.state === 'closed');
  const runs = closed
    .filter((one) => numberOf(one) <= wanted.runCount)
    .toSorted((left, right) => numberOf(left) - numberOf(right));
  const notes = [
    ...spoiltRuns(runs),
    ...twice(runs),
    ...more(
      closed.length - runs.length,
      'is left out',
      'are left out',
      `beyond the ${formatExact(wanted.runCount)} wanted`,
    ),
    ...more(newest.length - closed.length, 'broke off', 'broke off', 'the command makes what broke off again'),
    ...older.flatMap((group) => olderSeries(group, newest)),
    ...others,
  ];
  return {
    kernel,
    runs,
    runCount: new Set(runs.map(numberOf)).size,
    word: wordOf(kernel, runs, newest),
    notes: bounded(notes),
  };
}

/** The series among sessions of one kernel and workload, the newest first; in sentences, what belongs to none that the command would go on with. */
function bySeries(
  own: readonly GridSession[],
  { workload, traced }: Wanted,
): { readonly others: readonly string[]; readonly series: readonly (readonly GridSession[])[] } {
  const groups = Map.groupBy(own, ({ manifest }) => {
    const { series, runNumber } = manifest.setup ?? {};
    if (series === undefined || runNumber === undefined) return 'single' as const;
    if (!isUnnamed(series, workload.workload)) return 'named' as const;
    return streamsOf(manifest) === traced ? 'own' : 'other-streams';
  });
  const counted = (kind: 'single' | 'named' | 'other-streams'): number => groups.get(kind)?.length ?? 0;
  const series = Map.groupBy(groups.get('own') ?? [], ({ manifest }) => manifest.setup?.series);
  return {
    series: [...series.values()].toSorted((left, right) => newestAtMs(right) - newestAtMs(left)),
    others: [
      ...more(counted('other-streams'), 'is not counted', 'are not counted', 'other probes were attached (--probes)'),
      ...more(counted('named'), 'is not counted', 'are not counted', 'kept apart under a name of their own (--series)'),
      ...more(counted('single'), 'is not counted', 'are not counted', 'of no series: lab run or the page made them'),
    ],
  };
}

/** The name that seriesOf gives where nobody chose one. */
function isUnnamed(series: string, workload: string): boolean {
  return series.startsWith(`${workload}-`) && /^[0-9a-f]{12}$/.test(series.slice(workload.length + 1));
}

/** Why runs of a former series are not those of the cell. */
function olderSeries(group: readonly GridSession[], newest: readonly GridSession[]): readonly string[] {
  const [old, now] = [group[0]?.manifest, newest[0]?.manifest];
  return more(
    group.length,
    'is not counted',
    'are not counted',
    `an older series, and the newest counts; ${whyOlder(old, now)}`,
  );
}

function whyOlder(old: SessionManifest | undefined, now: SessionManifest | undefined): string {
  if (old?.setup?.module !== now?.setup?.module) return `of another build of its module: ${said(old?.setup?.module)}`;
  const [from, to] = [old, now].map(
    (one) => `${said(one?.target.identity?.release)} ${said(one?.target.identity?.version)}`,
  );
  if (from !== to) return `of another kernel under this name: ${from ?? ''}`;
  return 'of other contents: its image, its modules or the lab’s own programs were made anew';
}

/** A run that lost something, or was not recorded to its end, keeps the whole comparison shut. */
function spoiltRuns(runs: readonly GridSession[]): readonly string[] {
  return runs.flatMap(({ manifest }) => {
    const { id, stop } = manifest;
    const lossy = manifest.runs
      .filter(({ view }) => !view.isComplete)
      .map(({ view }) => `${view.probe}:${view.stream}`);
    const why = stop === undefined ? `${lossy.join(', ')} lost events` : said(stop.message);
    if (lossy.length === 0 && stop === undefined) return [];
    const number = formatExact(manifest.setup?.runNumber);
    return [
      `run ${number} is incomplete: ${why}. Remove it (faultline sessions rm ${id}), and the command makes it again`,
    ];
  });
}

function twice(runs: readonly GridSession[]): readonly string[] {
  return runs.flatMap((one, at) => {
    const before = runs[at - 1];
    if (before === undefined || numberOf(before) !== numberOf(one)) return [];
    return [`run ${formatExact(numberOf(one))} is there twice: ${before.manifest.id} and ${one.manifest.id}`];
  });
}

/** The newest series as a selection where that means these runs; otherwise their ids, where they fit into an address. */
function wordOf(kernel: string, runs: readonly GridSession[], newest: readonly GridSession[]): string | undefined {
  const series = runs[0]?.manifest.setup?.series;
  if (series === undefined) return undefined;
  const selection = `build:${kernel},series:${series}`;
  const isPlain = runs.length === newest.length && !kernel.includes(',') && kernel.length <= buildCharsMax;
  if (isPlain) return selection;
  const ids = runs.map(({ manifest }) => manifest.id).join(',');
  return runs.length <= compareWordsMax && ids.length <= compareWordCharsMax ? ids : undefined;
}

/** A build's name is cut there where it is shown and selected by. */
const buildCharsMax = 200;

function bounded(notes: readonly string[]): readonly string[] {
  if (notes.length <= matrixNotesMax) return notes;
  const rest = notes.length - matrixNotesMax + 1;
  return [...notes.slice(0, matrixNotesMax - 1), `and ${formatExact(rest)} more such remarks`];
}

function more(count: number, one: string, many: string, why: string): readonly string[] {
  return count === 0 ? [] : [`${formatPlural(count, 'run')} ${count === 1 ? one : many}: ${why}`];
}

function keyOfSetup(setup: SessionSetup | undefined): string | undefined {
  const { build, workload } = setup ?? {};
  if (build === undefined || workload === undefined) return undefined;
  const { name, barBytes, isMisaligned, repetitions, threads } = workload;
  return JSON.stringify([build, name, barBytes, isMisaligned, repetitions, threads ?? 0]);
}

function keyOf(kernel: string, { workload, barBytes, isMisaligned, repetitions, threads }: WorkloadRequest): string {
  return JSON.stringify([kernel, workload, barBytes, isMisaligned, repetitions, threads ?? 0]);
}

function streamsOf({ runs }: SessionManifest): string {
  return wordsOfStreams(runs.map(({ view }) => view));
}

function wordsOfStreams(streams: readonly { readonly probe: string; readonly stream: string }[]): string {
  return [...new Set(streams.map(({ probe, stream }) => `${probe}:${stream}`))].toSorted().join(' ');
}

function numberOf({ manifest }: GridSession): number {
  return manifest.setup?.runNumber ?? 0;
}

function newestAtMs(group: readonly GridSession[]): number {
  return Math.max(...group.map(({ manifest }) => manifest.createdAtMs));
}

/** Words of a file that others made, in one line. */
function said(words: string | undefined): string {
  return (words ?? 'not known').replaceAll(/\p{Cc}/gu, ' ').slice(0, 200);
}
