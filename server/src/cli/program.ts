/** The command line: words into requests, requests into commands. Nothing here touches the process. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ok, type Result, targetsMax } from '@faultline/shared';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseDestination } from '../targets/ssh-command.ts';
import { sshTargetId } from '../targets/ssh.ts';
import {
  argumentOf,
  parseDuration,
  parseName,
  parsePort,
  parsePrefix,
  type UsageError,
  usageStatus,
} from './arguments.ts';
import { addLabCompare, type LabCompareWords } from './lab-compare-words.ts';
import { addLabThread, type LabThreadWords } from './lab-thread-words.ts';
import { addLab, type LabWords } from './lab-words.ts';
import { addCompare, type CompareWords, markSides } from './compare-words.ts';
import { nameOwnHelp, withPlainHelp } from './help.ts';
import { defaultPort } from './listen.ts';
import type { ServeRequest } from './serve.ts';
import { addSessions, type SessionWords } from './session-words.ts';
import { type DataEnvironment, type StoreOptions, type StoreWords, storeOf, withRecording } from './store-words.ts';
import type { Terminal } from './terminal.ts';

/** How bpftrace is run, and the machines over ssh besides this host, where there are any. */
export type BpftraceWords = {
  readonly bpftrace: string;
  readonly prefix: readonly string[];
  readonly ssh?: { readonly destinations: readonly string[]; readonly configFile: string | undefined };
};

/** What the command line asks for. */
export type Request =
  | {
      readonly kind: 'serve';
      readonly bpftrace: BpftraceWords;
      readonly serve: ServeRequest;
      readonly store: StoreWords | undefined;
    }
  | { readonly kind: 'doctor'; readonly bpftrace: BpftraceWords; readonly targetId: string; readonly isJson: boolean }
  | {
      readonly kind: 'record';
      readonly bpftrace: BpftraceWords;
      readonly targetId: string;
      readonly probes: string | undefined;
      readonly parameters: readonly string[];
      readonly durationMs: number;
      readonly isJson: boolean;
      readonly store: StoreWords | undefined;
      readonly label: string | undefined;
    }
  | {
      readonly kind: 'lab';
      readonly bpftrace: BpftraceWords;
      readonly words: LabWords;
      readonly store: StoreWords | undefined;
    }
  | {
      readonly kind: 'lab-compare';
      readonly bpftrace: BpftraceWords;
      readonly words: LabCompareWords;
      readonly store: StoreWords | undefined;
    }
  | {
      readonly kind: 'lab-thread';
      readonly bpftrace: BpftraceWords;
      readonly words: LabThreadWords;
      readonly store: StoreWords | undefined;
    }
  | { readonly kind: 'sessions'; readonly words: SessionWords }
  | { readonly kind: 'compare'; readonly words: CompareWords }
  /** Help or version was asked for (0), or the words were wrong (2); it has been said. */
  | { readonly kind: 'said'; readonly status: 0 | 2 };

/** The matrix that comes with Faultline. */
export const ownMatrix: string = fileURLToPath(new URL('../../../lab/matrix.toml', import.meta.url));

type Environment = DataEnvironment & { readonly FAULTLINE_TOKEN?: string | undefined };

/** Reads the words after the program's name. */
export function readCommandLine(
  words: readonly string[],
  environment: Environment,
  terminal: Pick<Terminal, 'out' | 'err'> & Partial<Pick<Terminal, 'isErrTty'>>,
  version: string,
): Request {
  let request: Request = { kind: 'said', status: usageStatus };
  const program = withPlainHelp(new Command('faultline'), terminal)
    .description('Live tracing of mmap fault paths and mmap locking, by bpftrace')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  addServe(program, environment, (asked) => {
    request = asked;
  });
  addDoctor(program, (asked) => {
    request = asked;
  });
  addRecord(program, environment, (asked) => {
    request = asked;
  });
  const lab = addLab(program, (words) => {
    request = {
      kind: 'lab',
      bpftrace: { bpftrace: 'bpftrace', prefix: [] },
      words,
      store: storeOf('storeOptions' in words ? words.storeOptions : {}, environment),
    };
  });
  addLabCompare(lab, (words) => {
    const bpftrace = { bpftrace: words.bpftrace, prefix: [] };
    request = { kind: 'lab-compare', bpftrace, words, store: storeOf(words.storeOptions, environment) };
  });
  addLabThread(lab, (words) => {
    const bpftrace = { bpftrace: words.bpftrace, prefix: [] };
    request = { kind: 'lab-thread', bpftrace, words, store: storeOf(words.storeOptions, environment) };
  });
  addCompare(program, environment, (asked) => {
    request = { kind: 'compare', words: asked };
  });
  addSessions(program, environment, (words) => {
    request = { kind: 'sessions', words };
  });
  nameOwnHelp(program);
  try {
    program.parse([...(words[0] === 'compare' ? markSides(words) : words)], { from: 'user' });
    return request;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: 'said', status: error.exitCode === 0 ? 0 : usageStatus };
  }
}

type Take = (request: Request) => void;
type BpftraceOptions = {
  readonly bpftrace: string;
  readonly bpftracePrefix: readonly string[];
  readonly sshConfig?: string;
};

function addServe(program: Command, environment: Environment, take: Take): void {
  type Options = BpftraceOptions &
    StoreOptions & {
      readonly port?: number;
      readonly host: string;
      readonly token?: string;
      readonly allowHost: readonly string[];
      readonly replay?: true;
      readonly trace: boolean;
      readonly lab: readonly string[];
      readonly ssh: readonly string[];
      readonly matrix?: string;
    };
  withRecording(withBpftrace(program.command('serve')))
    .description('serve the page and trace this host until Ctrl-C')
    .option('--port <number>', `port (default: ${defaultPort}, or the next free one)`, argumentOf(parsePort))
    .option('--host <address>', 'address to listen on; beyond loopback a token is demanded', '127.0.0.1')
    .option('--token <text>', 'token to demand (better: the variable FAULTLINE_TOKEN, which other users cannot see)')
    .option('--allow-host <name>', 'a further name of this server, such as a proxy has; repeatable', collect, [])
    .addOption(new Option('--replay', 'play the recorded sample instead of tracing').conflicts('trace'))
    .option(
      '--lab <kernel>',
      'boot a kernel of the lab at once and trace the fault path in it; repeatable',
      collect,
      [],
    )
    .option('--ssh <destination>', 'trace this machine over ssh too; repeatable', collectDestination, [])
    .option('--matrix <file>', 'matrix of comparisons to show (default: lab/matrix.toml of Faultline)')
    .option('--no-trace', 'start nothing; the page can')
    .addHelpText('after', '\nExit status: 0 ended by a signal, 1 it could not serve, 2 wrong usage.')
    .action((options: Options) => {
      const start = options.replay === true ? 'replay' : 'host';
      const token = options.token ?? environment.FAULTLINE_TOKEN;
      take({
        kind: 'serve',
        bpftrace: bpftraceOf(options, options.ssh),
        store: storeOf(options, environment),
        serve: {
          port: options.port,
          host: options.host,
          token: token === '' ? undefined : token,
          allowedHosts: options.allowHost,
          labKernels: options.lab,
          matrixFile: options.matrix === undefined ? ownMatrix : resolve(options.matrix),
          start: options.trace ? start : 'nothing',
        },
      });
    });
}

function addDoctor(program: Command, take: Take): void {
  type Options = BpftraceOptions & { readonly target: string; readonly json?: true };
  withBpftrace(program.command('doctor'))
    .description('say whether tracing can work here, and what to do where it cannot')
    .option('--target <id>', 'which kernel: host, replay, or ssh:DESTINATION', argumentOf(parseTarget), 'host')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit status: 0 all good, 1 something failed, 2 wrong usage.')
    .action((options: Options) => {
      take({ kind: 'doctor', ...targetOf(options), isJson: options.json === true });
    });
}

function addRecord(program: Command, environment: Environment, take: Take): void {
  type Options = BpftraceOptions &
    StoreOptions & {
      readonly target: string;
      readonly probes?: string;
      readonly for: number;
      readonly param: readonly string[];
      readonly label?: string;
      readonly json?: true;
    };
  withRecording(withBpftrace(program.command('record')))
    .description('trace for a while, then print what was counted')
    .option('--target <id>', 'which kernel: host, replay, or ssh:DESTINATION', argumentOf(parseTarget), 'host')
    .option('--probes <list>', 'PROBE or PROBE:STREAM, separated by commas (default: all that run by default)')
    .addOption(
      new Option('--for <duration>', 'how long, such as 500ms, 10s, 2m')
        .argParser(argumentOf(parseDuration))
        .default(10_000, '10s'),
    )
    .option('--param <assignment>', 'PROBE.NAME=NUMBER or PROBE:STREAM.NAME=NUMBER; repeatable', collect, [])
    .option('--label <text>', 'what this recording is of: to find it by, and to compare by', argumentOf(parseName))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit status: 0 complete, 3 incomplete (something was lost), 1 failed to trace,\n2 wrong usage.',
    )
    .action((options: Options) => {
      take({
        kind: 'record',
        ...targetOf(options),
        probes: options.probes,
        parameters: options.param,
        durationMs: options.for,
        isJson: options.json === true,
        store: storeOf(options, environment),
        label: options.label,
      });
    });
}

function withBpftrace(command: Command): Command {
  return command
    .option('--bpftrace <path>', 'bpftrace to use', 'bpftrace')
    .option('--bpftrace-prefix <words>', 'words before bpftrace, such as "sudo -n"', parsePrefix, [])
    .option('--ssh-config <file>', 'config for ssh instead of your own');
}

function bpftraceOf(options: BpftraceOptions, destinations: readonly string[]): BpftraceWords {
  const { bpftrace, bpftracePrefix: prefix, sshConfig: configFile } = options;
  return { bpftrace, prefix, ...(destinations.length === 0 ? {} : { ssh: { destinations, configFile } }) };
}

const sshWord = 'ssh:';

/** An id of a target; behind `ssh:` stands a destination. */
function parseTarget(text: string): Result<string, UsageError> {
  if (!text.startsWith(sshWord)) return ok(text);
  const destination = parseDestination(text.slice(sshWord.length));
  return destination.ok ? ok(text) : destination;
}

function targetOf(options: BpftraceOptions & { readonly target: string }): {
  readonly bpftrace: BpftraceWords;
  readonly targetId: string;
} {
  const { target } = options;
  if (!target.startsWith(sshWord)) return { bpftrace: bpftraceOf(options, []), targetId: target };
  const destination = target.slice(sshWord.length);
  return { bpftrace: bpftraceOf(options, [destination]), targetId: sshTargetId(destination) };
}

function collectDestination(text: string, before: readonly string[]): readonly string[] {
  const destination = argumentOf(parseDestination)(text);
  if (before.includes(destination)) return before;
  // This host and the recorded sample are targets too.
  if (before.length < targetsMax - 2) return [...before, destination];
  throw new InvalidArgumentError(`At most ${targetsMax - 2} machines can be traced at a time.`);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
