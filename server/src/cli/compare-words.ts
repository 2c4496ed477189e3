/** The words of `faultline compare`. */
import { compareMarginShare, compareSidesMax, err, formatShare, metrics, ok, type Result } from '@faultline/shared';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { conditionNames } from '../compare/choose-runs.ts';
import { type ReportFormat, reportFormats } from '../compare/report.ts';
import { argumentOf, parseName, type UsageError } from './arguments.ts';
import { type DataEnvironment, type StoreOptions, storeOf, withStore } from './store-words.ts';

/** By what is judged, and how it is printed. */
export type JudgeWords = {
  /** Ids of metrics; empty for all. */
  readonly metrics: readonly string[];
  readonly marginShare: number;
  readonly format: ReportFormat;
};

/** What `compare` was asked of a store: a comparison, or which are saved. */
export type CompareWords =
  | ComparisonWords
  | { readonly command: 'list'; readonly store: string; readonly isJson: boolean };

/** A comparison that is made now. */
export type ComparisonWords = JudgeWords & {
  readonly store: string;
  /** The file that all runs are written to as one Perfetto trace; not at all where absent. */
  readonly perfetto?: string | undefined;
} & (
    | {
        readonly command: 'sides';
        /** Words for sessions, the baseline's first. */
        readonly sides: readonly (readonly string[])[];
        /** Under which name it is saved in the store; not at all where absent. */
        readonly save?: string | undefined;
      }
    | {
        readonly command: 'saved';
        /** The id of a saved comparison, or a name that only one has. */
        readonly saved: string;
        /** The margin was said, and goes before the one that was saved. */
        readonly hasMargin: boolean;
      }
  );

/** Exit statuses, also of `lab compare`: fit for `git bisect run`, where 1 is bad. */
export const compareStatus = { fine: 0, regressed: 1, notComparable: 2, needMoreRuns: 3 } as const;

/** Stands for `--` behind commander, which would drop it; no word of a shell can hold it. */
const sideEnd = '\u0000';

/** Every `--` of the words as the end of a side. */
export function markSides(words: readonly string[]): readonly string[] {
  return words.map((word) => (word === '--' ? sideEnd : word));
}

/** `3`, `3%`, `0.5%` as a share. */
function parseMargin(text: string): Result<number, UsageError> {
  const percent = Number(/^([0-9]{1,3}(?:\.[0-9]{1,3})?)%?$/.exec(text)?.[1] ?? Number.NaN);
  if (percent > 0 && percent <= 100) return ok(percent / 100);
  return err({ message: `${JSON.stringify(text)} is no margin`, remedy: 'Give per cent such as 3 or 0.5%.' });
}

/** Adds what both kinds of comparison understand. */
export function withJudging(command: Command): Command {
  return command
    .option('--metric <id>', 'judge by this metric alone; repeatable (--json names them all)', collectMetric, [])
    .addOption(
      new Option('--margin <percent>', 'a difference up to this is the same')
        .argParser(argumentOf(parseMargin))
        .default(compareMarginShare, formatShare(compareMarginShare)),
    )
    .addOption(new Option('--format <format>', 'how to print it').choices(reportFormats).default('text'))
    .option('--json', 'the same as --format json');
}

/** As commander gives them. */
export type JudgeOptions = {
  readonly metric: readonly string[];
  readonly margin: number;
  readonly format: ReportFormat;
  readonly json?: true;
};

/** The words of these options. */
export function judgeOf({ metric, margin, format, json }: JudgeOptions): JudgeWords {
  return { metrics: metric, marginShare: margin, format: json === true ? 'json' : format };
}

type CompareOptions = JudgeOptions &
  StoreOptions & {
    readonly save?: string;
    readonly perfetto?: string;
    readonly saved?: string;
    readonly list?: true;
  };

/** Adds the command. */
export function addCompare(program: Command, environment: DataEnvironment, take: (words: CompareWords) => void): void {
  const usage = `[options] BASELINE… -- CANDIDATE… [-- CANDIDATE…]
       faultline compare [options] --saved ID
       faultline compare [options] --list`;
  const command = program.command('compare').usage(usage);
  withJudging(withStore(command))
    .description('compare recorded sessions of kernel builds, a run each, and say which is better')
    .option('--save <name>', 'keep it in the store under a name, for the page and for others', argumentOf(parseName))
    .option('--saved <id>', 'a comparison that was saved, by its id or a name that only one has, instead of sessions')
    .option('--list', 'list the saved comparisons, the newest first')
    .option('--perfetto <file>', 'write the runs of all sides to a file as one Perfetto trace')
    .argument('[sessions...]', 'of the baseline, then behind -- of a candidate')
    .addHelpText('after', compareHelp)
    .action((words: readonly string[], options: CompareOptions) => {
      const store = storeOf(options, environment)?.folder ?? '';
      const hasMargin = command.getOptionValueSource('margin') !== 'default';
      const asked = wordsOf(words, options, { store, hasMargin });
      if (asked.ok) take(asked.value);
      else command.error(`error: ${asked.error.message}. ${asked.error.remedy}`);
    });
}

function wordsOf(
  words: readonly string[],
  options: CompareOptions,
  { store, hasMargin }: { readonly store: string; readonly hasMargin: boolean },
): Result<CompareWords, UsageError> {
  const { save, saved, list, perfetto, json } = options;
  if (list === true || saved !== undefined) {
    const isAlone = words.length === 0 && save === undefined && (list === undefined || saved === undefined);
    if (!isAlone)
      return err({
        message: 'a saved comparison has its own sides',
        remedy: 'Give --saved ID without sessions and without --save, or --list alone.',
      });
  }
  if (list === true) return ok({ command: 'list', store, isJson: json === true });
  const judged = { ...judgeOf(options), store, perfetto };
  if (saved !== undefined) return ok({ command: 'saved', ...judged, saved, hasMargin });
  const sides = sidesOf(words);
  return sides.ok ? ok({ command: 'sides', ...judged, sides: sides.value, save }) : sides;
}

function sidesOf(words: readonly string[]): Result<readonly (readonly string[])[], UsageError> {
  const sides: string[][] = [[]];
  for (const word of words) {
    if (word === sideEnd) sides.push([]);
    else sides.at(-1)?.push(word);
  }
  if (sides.length >= 2 && sides.length <= compareSidesMax && sides.every((side) => side.length > 0)) return ok(sides);
  return err({
    message: sides.length > compareSidesMax ? `there are more than ${compareSidesMax} sides` : 'there are no two sides',
    remedy: 'Such as: faultline compare build:6.1 -- build:6.12',
  });
}

function collectMetric(id: string, before: readonly string[]): readonly string[] {
  if (metrics.some((metric) => metric.id === id)) return [...before, id];
  throw new InvalidArgumentError(
    `There is no metric ${JSON.stringify(id)}; there are ${metrics.map((one) => one.id).join(', ')}.`,
  );
}

const compareHelp = `
A session is its id, the beginning of one, a name or a label that only one has,
or the word last; a selection of ${conditionNames.join(', ')}, such as
build:6.1,workload:dma-map; or a folder, with a slash in it.
Exit status: 0 the same or improved, 1 regressed, 2 not comparable or wrong
usage, 3 more runs are needed.`;
