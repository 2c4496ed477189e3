/** The words of `faultline lab`. */
import { type Command, Option, InvalidArgumentError } from 'commander';
import { err, ok, type Result, workloadThreadsMax } from '@faultline/shared';
import { parseBarBytes } from '../lab/bar-words.ts';
import { faultPathProbes } from '../lab/open-guest.ts';
import { workloads } from '../lab/workload.ts';
import { argumentOf, parseDuration, type UsageError } from './arguments.ts';
import { type StoreOptions, withStore } from './store-words.ts';

/** What `lab` was asked. */
export type LabWords =
  | { readonly command: 'list' | 'stop'; readonly isJson: boolean }
  | { readonly command: 'clean'; readonly what: 'snapshots' | 'everything'; readonly isJson: boolean }
  | BootWords
  | RunWords;

/** Boot a guest, and keep it unless `isOnce`. */
export type BootWords = GuestWords & { readonly command: 'boot'; readonly isOnce: boolean };

/** Boot a guest and run a workload in it. */
export type RunWords = GuestWords & {
  readonly command: 'run';
  readonly workload: string;
  readonly isMisaligned: boolean;
  readonly repetitions: number;
  readonly threads: number | undefined;
  /** The workload is repeated at least so long, ms. */
  readonly durationMs: number | undefined;
};

type GuestWords = {
  readonly kernel: string;
  /** A patch over vfio-pci-core, or a folder with modules. */
  readonly ownModule: string | undefined;
  readonly barBytes: number;
  readonly start: 'fastest' | 'cold';
  readonly bpftrace: string;
  readonly probes: string;
  readonly parameters: readonly string[];
  readonly isJson: boolean;
  readonly storeOptions: StoreOptions;
};

/** A whole number of so many at the least and at the most. */
export function parseCount(text: string): Result<number, UsageError> {
  const count = /^[0-9]{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 1) return ok(count);
  return err({ message: `${JSON.stringify(text)} is not a number of times`, remedy: 'Give a whole number from 1.' });
}

/** Threads of a workload that takes them. */
export function parseThreads(text: string): Result<number, UsageError> {
  const count = parseCount(text);
  if (count.ok && count.value <= workloadThreadsMax) return count;
  const message = `${JSON.stringify(text)} is not a number of threads`;
  return err({ message, remedy: `Give a whole number from 1 to ${workloadThreadsMax}.` });
}

/** Adds the command and its subcommands; gives it for those that stand elsewhere. */
export function addLab(program: Command, take: (words: LabWords) => void): Command {
  const lab = program.command('lab').description('real kernels in QEMU, with a PCI device bound to vfio-pci');
  lab.addHelpText('after', labHelp);
  type Json = { readonly json?: true };
  for (const [command, what] of [
    ['list', 'the kernels and workloads there are, and what runs'],
    ['stop', 'end every guest that `lab boot` or `lab run` keeps on this machine'],
  ] as const) {
    lab
      .command(command)
      .description(what)
      .option('--json', 'print JSON')
      .action((options: Json) => take({ command, isJson: options.json === true }));
  }
  lab
    .command('clean')
    .description('remove snapshots (all that is removed is made again when it is needed)')
    .option('--all', 'remove downloaded kernels and built images too')
    .option('--json', 'print JSON')
    .action((options: Json & { readonly all?: true }) =>
      take({
        command: 'clean',
        what: options.all === true ? 'everything' : 'snapshots',
        isJson: options.json === true,
      }),
    );
  addBoot(lab, take);
  addRun(lab, take);
  return lab;
}

const labHelp = `
Exit status: 0 done, 1 the workload failed, 2 wrong usage, 3 done but something
was lost, 69 the lab broke.`;

type GuestOptions = StoreOptions & {
  readonly bar: number;
  readonly cold?: true;
  readonly modulePatch?: string;
  readonly bpftrace: string;
  readonly probes: string;
  readonly param: readonly string[];
  readonly json?: true;
};

function addBoot(lab: Command, take: (words: LabWords) => void): void {
  withGuest(lab.command('boot'))
    .description('boot a kernel, attach the probes, write a snapshot, and keep the guest until Ctrl-C')
    .option('--once', 'end as soon as the snapshot is written')
    .addHelpText('after', labHelp)
    .action((kernel: string, options: GuestOptions & { readonly once?: true }) => {
      take({ command: 'boot', kernel, ...guestOf(options), isOnce: options.once === true });
    });
}

function addRun(lab: Command, take: (words: LabWords) => void): void {
  type Options = GuestOptions & {
    readonly workload: string;
    readonly misaligned?: true;
    readonly count: number;
    readonly threads?: number;
    readonly for?: number;
  };
  withGuest(lab.command('run'))
    .description('boot a kernel (from its snapshot where there is one), run a workload in it, print what was counted')
    .requiredOption('--workload <name>', workloads.map(({ name }) => name).join(', '), workloadName)
    .option('--misaligned', 'map the BAR where only 4 KiB faults can happen')
    .option('--count <number>', 'repetitions', argumentOf(parseCount), 1)
    .option('--threads <number>', 'threads, for contention, race and kill', argumentOf(parseThreads))
    .option('--for <duration>', 'repeat the workload at least so long, such as 30s', argumentOf(parseDuration))
    .addHelpText('after', labHelp)
    .action((kernel: string, options: Options) => {
      take({
        command: 'run',
        kernel,
        ...guestOf(options),
        workload: options.workload,
        isMisaligned: options.misaligned === true,
        repetitions: options.count,
        threads: options.threads,
        durationMs: options.for,
      });
    });
}

function withGuest(command: Command): Command {
  return withStore(command)
    .argument('<kernel>', 'a name of `lab list`, or a folder with a kernel and its modules (a build tree)')
    .addOption(barOption())
    .option('--module-patch <path>', 'a .cocci patch over vfio-pci-core, or a folder with .ko files, for this boot')
    .option('--cold', 'boot although there is a snapshot')
    .option('--probes <list>', 'PROBE or PROBE:STREAM, separated by commas', faultPathProbes)
    .option(
      '--param <assignment>',
      'PROBE.NAME=NUMBER; repeatable',
      (one: string, before: readonly string[]) => [...before, one],
      [],
    )
    .option('--bpftrace <path>', 'bpftrace of this machine, to be used in the guest', 'bpftrace')
    .option('--json', 'print JSON');
}

function guestOf(options: GuestOptions): Omit<GuestWords, 'kernel'> {
  return {
    ownModule: options.modulePatch,
    barBytes: options.bar,
    start: options.cold === true ? 'cold' : 'fastest',
    bpftrace: options.bpftrace,
    probes: options.probes,
    parameters: options.param,
    isJson: options.json === true,
    storeOptions: options.store === undefined ? {} : { store: options.store },
  };
}

/** How large the BAR is. */
export function barOption(): Option {
  return new Option('--bar <size>', 'size of the device’s BAR')
    .argParser(argumentOf(parseBarBytes))
    .default(64 * 1024 ** 2, '64M');
}

/** A workload by its name. */
export function workloadName(text: string): string {
  if (workloads.some(({ name }) => name === text)) return text;
  const known = workloads.map(({ name }) => name).join(', ');
  throw new InvalidArgumentError(`There is no workload ${JSON.stringify(text)}. There are ${known}.`);
}
