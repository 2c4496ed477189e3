/** The words of `faultline lab compare`. */
import { compareSeriesRunsMax, compareSidesMax, err, ok, type Result } from '@faultline/shared';
import type { Command } from 'commander';
import { faultPathProbes } from '../lab/open-guest.ts';
import { argumentOf, parseName, type UsageError } from './arguments.ts';
import { type JudgeOptions, judgeOf, type JudgeWords, withJudging } from './compare-words.ts';
import { barOption, parseCount, parseThreads, workloadName } from './lab-words.ts';
import { type StoreOptions, withStore } from './store-words.ts';

/** Boot kernels, run a workload in each by turns, compare. */
export type LabCompareWords = JudgeWords & {
  /** A file that says kernels, workloads, sizes and runs; then the next of these are not looked at. */
  readonly matrix: string | undefined;
  /** The baseline first. */
  readonly kernels: readonly string[];
  readonly workload: string;
  readonly barBytes: number;
  readonly isMisaligned: boolean;
  readonly repetitions: number;
  readonly threads: number | undefined;
  readonly runCount: number;
  readonly series: string | undefined;
  readonly start: 'fastest' | 'cold';
  readonly bpftrace: string;
  readonly probes: string;
  readonly parameters: readonly string[];
  readonly storeOptions: StoreOptions;
};

type Options = JudgeOptions &
  StoreOptions & {
    readonly workload?: string;
    readonly matrix?: string;
    readonly bar: number;
    readonly misaligned?: true;
    readonly count: number;
    readonly threads?: number;
    readonly runs: number;
    readonly series?: string;
    readonly baseline?: string;
    readonly candidate: readonly string[];
    readonly cold?: true;
    readonly bpftrace: string;
    readonly probes: string;
  };

/** Adds the command. */
export function addLabCompare(lab: Command, take: (words: LabCompareWords) => void): void {
  const command = lab.command('compare').usage('[options] BASELINE CANDIDATE…');
  withJudging(withStore(command))
    .description('boot kernels, run a workload in each by turns, record a session a run, and say which is better')
    .argument('[kernels...]', 'names of `lab list`, or folders with a kernel and its modules; the baseline first')
    .option('--baseline <kernel>', 'the same as the first kernel')
    .option(
      '--candidate <kernel>',
      'one more kernel; repeatable',
      (one, before: readonly string[]) => [...before, one],
      [],
    )
    .option('--workload <name>', 'what to run: see `lab list`', workloadName)
    .option('--matrix <file>', 'compare all that this file says, such as lab/matrix.toml, instead')
    .addOption(barOption())
    .option('--misaligned', 'map the BAR where only 4 KiB faults can happen')
    .option('--count <number>', 'repetitions of the workload in a run', argumentOf(parseCount), 1)
    .option('--threads <number>', 'threads, for contention, race and kill', argumentOf(parseThreads))
    .option('--runs <number>', 'runs of each kernel', argumentOf(parseRuns), 10)
    .option('--series <name>', 'keep these runs apart from earlier ones of the same', argumentOf(parseName))
    .option('--cold', 'boot although there are snapshots')
    .option('--probes <list>', 'PROBE or PROBE:STREAM, separated by commas', faultPathProbes)
    .option('--bpftrace <path>', 'bpftrace of this machine, to be used in the guests', 'bpftrace')
    .addHelpText('after', labCompareHelp)
    .action((named: readonly string[], options: Options) => {
      const kernels = options.matrix === undefined ? kernelsOf(named, options) : noneBeside(named, options);
      if (kernels.ok) take(wordsOf(kernels.value, options));
      else command.error(`error: ${kernels.error.message}. ${kernels.error.remedy}`);
    });
}

function wordsOf(kernels: readonly string[], options: Options): LabCompareWords {
  const {
    workload = '',
    matrix,
    bar,
    misaligned,
    count,
    threads,
    runs,
    series,
    cold,
    bpftrace,
    probes,
    store,
  } = options;
  return {
    ...judgeOf(options),
    matrix,
    kernels,
    workload,
    barBytes: bar,
    isMisaligned: misaligned === true,
    repetitions: count,
    threads,
    runCount: runs,
    series,
    start: cold === true ? 'cold' : 'fastest',
    bpftrace,
    probes,
    parameters: [],
    storeOptions: store === undefined ? {} : { store },
  };
}

/** A matrix names kernels and workloads itself. */
function noneBeside(
  named: readonly string[],
  { workload, baseline, candidate }: Options,
): Result<readonly string[], UsageError> {
  if (named.length + candidate.length === 0 && workload === undefined && baseline === undefined) return ok([]);
  return err({ message: 'a matrix says itself which kernels and workloads', remedy: 'Give --matrix FILE alone.' });
}

function kernelsOf(
  named: readonly string[],
  { baseline, candidate, workload }: Options,
): Result<readonly string[], UsageError> {
  if (workload === undefined)
    return err({ message: 'there is no workload', remedy: 'Give --workload NAME, or --matrix FILE.' });
  const kernels = [...(baseline === undefined ? [] : [baseline]), ...named, ...candidate];
  if (kernels.length >= 2 && kernels.length <= compareSidesMax && new Set(kernels).size === kernels.length)
    return ok(kernels);
  return err({
    message: `a comparison has two to ${compareSidesMax} kernels, each once`,
    remedy: 'Such as: faultline lab compare 6.1 6.12 --workload dma-map',
  });
}

function parseRuns(text: string): Result<number, UsageError> {
  const count = parseCount(text);
  if (!count.ok || count.value <= compareSeriesRunsMax) return count;
  return err({ message: `${text} runs are too many`, remedy: `At most ${compareSeriesRunsMax}.` });
}

const labCompareHelp = `
The same command again goes on where it was interrupted, and makes no run twice:
a series is known by its workload, its probes and its kernels' contents.
--series NAME begins another.
Exit status: 0 the same or improved, 1 regressed, 2 not comparable or wrong
usage, 3 more runs are needed, 69 the lab broke.`;
