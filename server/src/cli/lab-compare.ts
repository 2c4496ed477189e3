/** `faultline lab compare`: kernels booted, a workload run in each by turns, and the verdict. */
import type { LabError } from '@faultline/lab';
import { formatElapsed, formatExact, type Side, type StartRun } from '@faultline/shared';
import { runSeries, type SeriesProgress, type SeriesRequest, sessionsOf } from '../lab/series.ts';
import type { CataloguedProbe } from '../probes/catalogue.ts';
import type { Store } from '../sessions/store.ts';
import type { Tracing } from '../sessions/tracing.ts';
import { chooseStreams } from './arguments.ts';
import { printComparison, readRuns } from './compare.ts';
import { compareStatus } from './compare-words.ts';
import type { LabCompareWords } from './lab-compare-words.ts';
import { complaint, type Terminal } from './terminal.ts';

/** EX_UNAVAILABLE: the lab broke, and nothing was learnt about the kernels. */
const brokenStatus = 69;

/** What it needs besides. */
export type LabCompareSurroundings = {
  readonly tracing: Tracing;
  readonly probes: readonly CataloguedProbe[];
  readonly terminal: Terminal;
  readonly interrupted: AbortSignal;
  readonly store: Store | undefined;
};

/** Runs what is missing, compares what there is, and gives the exit status. */
export async function labCompare(words: LabCompareWords, surroundings: LabCompareSurroundings): Promise<number> {
  const { tracing, probes, terminal, interrupted, store } = surroundings;
  if (store === undefined) {
    terminal.err(complaint('runs can only be compared where they are recorded', 'Give a folder with --store DIR.'));
    return compareStatus.notComparable;
  }
  const runs = streamsOf(words, surroundings);
  if (typeof runs === 'string') {
    terminal.err(complaint(runs, 'Leave --probes out, or name streams that count.'));
    return compareStatus.notComparable;
  }
  const progress = new ProgressLine(terminal);
  const request = requestOf(words, runs);
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
  for (const side of sides.value) {
    const sessions = sessionsOf(store.library, side).flatMap(({ id }) => {
      const found = store.library.findReadable(id);
      return found.ok ? [found.value] : [];
    });
    const taken = await readRuns(sessions.filter(({ manifest }) => (manifest.setup?.runNumber ?? 0) <= words.runCount));
    if (!taken.ok) {
      terminal.err(complaint(taken.error.message, taken.error.remedy));
      return compareStatus.notComparable;
    }
    read.push({ title: side.kernel, runs: taken.value });
  }
  const status = printComparison(read, words, terminal);
  terminal.err(
    `recorded as ${sides.value.map(({ series }) => `series:${series}`).join(' and ')} in ${store.library.folder}\n`,
  );
  return status;
}

function requestOf(words: LabCompareWords, runs: readonly StartRun[]): SeriesRequest {
  const { kernels, workload, barBytes, isMisaligned, repetitions, threads, runCount, bpftrace, start, series } = words;
  return {
    kernels,
    workload: { workload, barBytes, isMisaligned, repetitions, threads },
    runCount,
    runs,
    bpftrace,
    start,
    name: series,
  };
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

/** How far it is: redrawn in place on a terminal, otherwise a line a stage. */
class ProgressLine {
  private readonly terminal: Terminal;
  private now: SeriesProgress | undefined;
  private said = '';
  private timer: NodeJS.Timeout | undefined;
  /** The first run of this command, and when it began. */
  private first: { readonly doneCount: number; readonly atMs: number } | undefined;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  say(now: SeriesProgress): void {
    this.now = now;
    if (/: run /.test(now.stage)) this.first ??= { doneCount: now.doneCount, atMs: performance.now() };
    if (this.terminal.isErrTty) {
      this.timer ??= setInterval(() => this.draw(), 200);
      this.draw();
    } else if (now.stage !== this.said) this.terminal.err(`${this.text(now)}\n`);
    this.said = now.stage;
  }

  end(): void {
    clearInterval(this.timer);
    if (this.terminal.isErrTty) this.terminal.err('\r\u001b[K');
  }

  private draw(): void {
    if (this.now !== undefined) this.terminal.err(`\r\u001b[K${this.text(this.now)}`);
  }

  private text({ stage, doneCount, totalCount }: SeriesProgress): string {
    const done = `${formatExact(doneCount)} of ${formatExact(totalCount)} runs`;
    const left = this.leftMs(doneCount, totalCount);
    return `${done}${left === undefined ? '' : `, ${formatElapsed(left)} left`} · ${stage}`;
  }

  /** From how long the runs of this command took so far. */
  private leftMs(doneCount: number, totalCount: number): number | undefined {
    if (this.first === undefined || doneCount <= this.first.doneCount) return undefined;
    const perRunMs = (performance.now() - this.first.atMs) / (doneCount - this.first.doneCount);
    return perRunMs * (totalCount - doneCount);
  }
}
