/** The words of `faultline lab thread`. */
import { compareSeriesRunsMax, err, ok, type Result } from '@faultline/shared';
import { type Command, Option } from 'commander';
import {
  type ThreadSelection,
  type ThreadVariant,
  threadVariants,
  type ThreadWorkload,
  threadWorkloads,
} from '../lab/thread-plan.ts';
import { argumentOf, type UsageError } from './arguments.ts';
import { parseCount } from './lab-words.ts';
import { type StoreOptions, withStore } from './store-words.ts';

/** Run the answers to the mail thread, and tabulate them. */
export type LabThreadWords = ThreadSelection & {
  readonly start: 'fastest' | 'cold';
  readonly bpftrace: string;
  readonly isJson: boolean;
  /** A file for the table; `-` is the standard output. */
  readonly output: string;
  readonly storeOptions: StoreOptions;
};

type Options = StoreOptions & {
  readonly variants: readonly ThreadVariant[];
  readonly workloads: readonly ThreadWorkload[];
  readonly runs: number;
  readonly cold?: true;
  readonly bpftrace: string;
  readonly json?: true;
  readonly output: string;
};

/** Runs of each pair unless told otherwise: a median of three, and five minutes. */
const defaultRunCount = 3;

/** Adds the command. */
export function addLabThread(lab: Command, take: (words: LabThreadWords) => void): void {
  withStore(lab.command('thread'))
    .description('run six answers to the mail thread on 6.1, by turns, and print what each costs and breaks')
    .addOption(
      new Option('--variants <list>', `builds of vfio-pci-core, separated by commas: ${threadVariants.join(', ')}`)
        .argParser(argumentOf(listOf(threadVariants)))
        .default(threadVariants, 'all'),
    )
    .addOption(
      new Option('--workloads <list>', `separated by commas: ${threadWorkloads.join(', ')}`)
        .argParser(argumentOf(listOf(threadWorkloads)))
        .default(threadWorkloads, 'all'),
    )
    .option('--runs <number>', 'runs of each pair', argumentOf(parseRuns), defaultRunCount)
    .option('--cold', 'boot although there are snapshots')
    .option('--bpftrace <path>', 'bpftrace of this machine, to be used in the guests', 'bpftrace')
    .option('--json', 'print JSON')
    .option('-o, --output <file>', 'write the table to a file that is not there yet', '-')
    .addHelpText('after', labThreadHelp)
    .action((options: Options) => take(wordsOf(options)));
}

function wordsOf({ variants, workloads, runs, cold, bpftrace, json, output, store }: Options): LabThreadWords {
  return {
    ...{ variants, workloads, bpftrace, output },
    runCount: runs,
    start: cold === true ? 'cold' : 'fastest',
    isJson: json === true,
    storeOptions: store === undefined ? {} : { store },
  };
}

function listOf<T extends string>(all: readonly T[]): (text: string) => Result<readonly T[], UsageError> {
  return (text) => {
    const words = text.split(',').map((word) => word.trim());
    const unknown = words.find((word) => !all.some((one) => one === word));
    if (unknown === undefined) return ok(all.filter((one) => words.includes(one)));
    return err({
      message: `there is no ${JSON.stringify(unknown)}`,
      remedy: `There are ${all.join(', ')}; separate them by commas.`,
    });
  };
}

function parseRuns(text: string): Result<number, UsageError> {
  const count = parseCount(text);
  if (!count.ok || count.value <= compareSeriesRunsMax) return count;
  return err({ message: `${text} runs are too many`, remedy: `At most ${compareSeriesRunsMax}.` });
}

const labThreadHelp = `
v0 is vfio-pci-core rebuilt as it is, v1 the patch of the thread, v1d that patch
with a downgrade, v2 one vmf_insert_pfn a fault, v3 vmf_insert_pfn of the whole
BAR, v4 no fault handler. race, futex and kill of v1 and v1d may kill their
guest: they run last, once, each in a guest of its own, and an oops is a result.
Every run is recorded as a session, and the same command again goes on where it
was interrupted.
Exit status: 0 done, 2 wrong usage, 3 something was lost in a run, 69 the lab
broke or was stopped.`;
