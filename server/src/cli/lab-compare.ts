/** `faultline lab compare`: kernels booted, a workload run in each by turns, and the verdict. */
import type { LabError } from '@faultline/lab';
import { formatBytes, ok, type Result, type Side, type StartRun } from '@faultline/shared';
import { absoluteKernel, kernelTitles } from '../lab/kernel-words.ts';
import { readMatrixFile, type SeriesPlan } from '../lab/matrix.ts';
import { runSeries, type SeriesProgress, type SeriesRequest, sessionsOf } from '../lab/series.ts';
import type { CataloguedProbe } from '../probes/catalogue.ts';
import type { Store } from '../sessions/store.ts';
import type { Tracing } from '../sessions/tracing.ts';
import { chooseStreams, type UsageError } from './arguments.ts';
import { printComparison, readRuns } from './compare.ts';
import { compareStatus } from './compare-words.ts';
import type { LabCompareWords } from './lab-compare-words.ts';
import { ProgressLine } from './progress-line.ts';
import { complaint, type Terminal } from './terminal.ts';

/** EX_UNAVAILABLE: the lab broke, and nothing was learnt about the kernels. */
export const brokenStatus = 69;

/** What it needs besides. */
export type LabCompareSurroundings = {
  readonly tracing: Tracing;
  readonly probes: readonly CataloguedProbe[];
  readonly terminal: Terminal;
  readonly interrupted: AbortSignal;
  readonly store: Store | undefined;
};

/** Runs what is missing, compares what there is, and gives the exit status: of a matrix that of its worst comparison. */
export async function labCompare(words: LabCompareWords, surroundings: LabCompareSurroundings): Promise<number> {
  const { terminal, store } = surroundings;
  if (store === undefined) {
    terminal.err(complaint('runs can only be compared where they are recorded', 'Give a folder with --store DIR.'));
    return compareStatus.notComparable;
  }
  const runs = streamsOf(words, surroundings);
  if (typeof runs === 'string') {
    terminal.err(complaint(runs, 'Leave --probes out, or name streams that count.'));
    return compareStatus.notComparable;
  }
  const plans = await plansOf(words);
  if (!plans.ok) {
    terminal.err(complaint(plans.error.message, plans.error.remedy));
    return compareStatus.notComparable;
  }
  const statuses: number[] = [];
  for (const plan of plans.value) {
    if (words.matrix !== undefined) terminal.err(`== ${titleOf(plan)}\n`);
    const kernels = plan.kernels.map((kernel) => absoluteKernel(kernel, process.cwd()));
    const status = await compareOnce(words, { ...plan, kernels, runs }, { ...surroundings, store });
    statuses.push(status);
    if (status === brokenStatus) break;
  }
  return worstFirst.find((status) => statuses.includes(status)) ?? compareStatus.fine;
}

/** Of several statuses the first of these is that of all. */
const worstFirst = [brokenStatus, compareStatus.regressed, compareStatus.notComparable, compareStatus.needMoreRuns];

/** One comparison: its runs, the verdict, the status. */
async function compareOnce(
  words: LabCompareWords,
  plan: SeriesPlan & { readonly runs: readonly StartRun[] },
  { tracing, probes, terminal, interrupted, store }: LabCompareSurroundings & { readonly store: Store },
): Promise<number> {
  const progress = new ProgressLine(terminal);
  const request: SeriesRequest = { ...plan, bpftrace: words.bpftrace, start: words.start, name: words.series };
  const tell = (now: SeriesProgress): void => progress.say(now);
  const sides = await runSeries(request, {
    tracing,
    probes,
    store,
    clock: () => Date.now(),
    tell,
    signal: interrupted,
  });
  progress.end();
  if (!sides.ok) return complain(sides.error, terminal);
  const read: Side[] = [];
  const titles = kernelTitles(plan.kernels);
  for (const [at, side] of sides.value.entries()) {
    const sessions = sessionsOf(store.library, side).flatMap(({ id }) => {
      const found = store.library.findReadable(id);
      return found.ok ? [found.value] : [];
    });
    const taken = await readRuns(sessions.filter(({ manifest }) => (manifest.setup?.runNumber ?? 0) <= plan.runCount));
    if (!taken.ok) {
      terminal.err(complaint(taken.error.message, taken.error.remedy));
      return compareStatus.notComparable;
    }
    read.push({ title: titles[at] ?? side.kernel, runs: taken.value });
  }
  const status = printComparison(read, words, terminal);
  const series = sides.value.map((side) => `series:${side.series}`).join(' and ');
  terminal.err(`recorded as ${series} in ${store.library.folder}\n`);
  return status;
}

/** What the words, or the file they name, want compared. */
async function plansOf(words: LabCompareWords): Promise<Result<readonly SeriesPlan[], UsageError>> {
  const { matrix, kernels, workload, barBytes, isMisaligned, repetitions, threads, runCount } = words;
  return matrix === undefined
    ? ok([{ kernels, workload: { workload, barBytes, isMisaligned, repetitions, threads }, runCount }])
    : readMatrixFile(matrix);
}

function titleOf({ kernels, workload }: SeriesPlan): string {
  const { workload: name, barBytes, isMisaligned } = workload;
  return `${name} of ${formatBytes(barBytes)}${isMisaligned ? ', misaligned' : ''}: ${kernels.join(', ')}`;
}

/** The streams to trace, or why not these. */
function streamsOf(words: LabCompareWords, { tracing }: LabCompareSurroundings): readonly StartRun[] | string {
  const manifests = tracing.probes();
  const runs = chooseStreams({ targetId: '', ...words }, manifests);
  if (!runs.ok) return runs.error.message;
  const detail = runs.value.find(({ probe, stream }) => {
    const manifest = manifests.find(({ name }) => name === probe);
    return manifest?.streams.find(({ name }) => name === stream)?.kind === 'call';
  });
  return detail === undefined
    ? runs.value
    : `${detail.probe}:${detail.stream} prints single events, and runs are compared by counts`;
}

function complain(error: LabError, terminal: Terminal): number {
  terminal.err(complaint(error.message, error.remedy));
  return error.kind === 'unknown' ? compareStatus.notComparable : brokenStatus;
}
