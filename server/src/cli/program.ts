/** The command line: words into requests, requests into commands. Nothing here touches the process. */
import { Command, CommanderError, Option } from 'commander';
import { parseDuration, parsePort, parsePrefix } from './arguments.ts';
import { addLab, argumentOf, type LabWords } from './lab-words.ts';
import { defaultPort } from './listen.ts';
import type { ServeRequest } from './serve.ts';
import type { Terminal } from './terminal.ts';

/** How bpftrace is run on this host. */
export type BpftraceWords = { readonly bpftrace: string; readonly prefix: readonly string[] };

/** What the command line asks for. */
export type Request =
  | ({ readonly kind: 'serve'; readonly bpftrace: BpftraceWords } & { readonly serve: ServeRequest })
  | { readonly kind: 'doctor'; readonly bpftrace: BpftraceWords; readonly targetId: string; readonly isJson: boolean }
  | {
      readonly kind: 'record';
      readonly bpftrace: BpftraceWords;
      readonly targetId: string;
      readonly probes: string | undefined;
      readonly parameters: readonly string[];
      readonly durationMs: number;
      readonly isJson: boolean;
    }
  | { readonly kind: 'lab'; readonly bpftrace: BpftraceWords; readonly words: LabWords }
  /** Help or version was asked for (0), or the words were wrong (2); it has been said. */
  | { readonly kind: 'said'; readonly status: 0 | 2 };

/** The exit status of wrong words. */
export const usageStatus = 2;

/** Reads the words after the program's name. */
export function readCommandLine(
  words: readonly string[],
  environment: { readonly FAULTLINE_TOKEN?: string | undefined },
  terminal: Pick<Terminal, 'out' | 'err'>,
  version: string,
): Request {
  let request: Request = { kind: 'said', status: usageStatus };
  const program = new Command('faultline')
    .description('Live tracing of mmap fault paths and mmap locking, by bpftrace')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showHelpAfterError('(faultline --help, or faultline COMMAND --help, lists everything)');
  addServe(program, environment, (asked) => {
    request = asked;
  });
  addDoctor(program, (asked) => {
    request = asked;
  });
  addRecord(program, (asked) => {
    request = asked;
  });
  addLab(program, (words) => {
    request = { kind: 'lab', bpftrace: { bpftrace: 'bpftrace', prefix: [] }, words };
  });
  try {
    program.parse([...words], { from: 'user' });
    return request;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: 'said', status: error.exitCode === 0 ? 0 : usageStatus };
  }
}

type Take = (request: Request) => void;
type BpftraceOptions = { readonly bpftrace: string; readonly bpftracePrefix: readonly string[] };

function addServe(program: Command, environment: { readonly FAULTLINE_TOKEN?: string | undefined }, take: Take): void {
  type Options = BpftraceOptions & {
    readonly port?: number;
    readonly host: string;
    readonly token?: string;
    readonly allowHost: readonly string[];
    readonly replay?: true;
    readonly trace: boolean;
    readonly lab: readonly string[];
  };
  withBpftrace(program.command('serve'))
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
    .option('--no-trace', 'start nothing; the page can')
    .action((options: Options) => {
      const start = options.replay === true ? 'replay' : 'host';
      const token = options.token ?? environment.FAULTLINE_TOKEN;
      take({
        kind: 'serve',
        bpftrace: bpftraceOf(options),
        serve: {
          port: options.port,
          host: options.host,
          token: token === '' ? undefined : token,
          allowedHosts: options.allowHost,
          labKernels: options.lab,
          start: options.trace ? start : 'nothing',
        },
      });
    });
}

function addDoctor(program: Command, take: Take): void {
  type Options = BpftraceOptions & { readonly target: string; readonly json?: true };
  withBpftrace(program.command('doctor'))
    .description('say whether tracing can work here, and what to do where it cannot')
    .option('--target <id>', 'which kernel', 'host')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit status: 0 all good, 1 something failed, 2 wrong usage.')
    .action((options: Options) => {
      take({ kind: 'doctor', bpftrace: bpftraceOf(options), targetId: options.target, isJson: options.json === true });
    });
}

function addRecord(program: Command, take: Take): void {
  type Options = BpftraceOptions & {
    readonly target: string;
    readonly probes?: string;
    readonly for: number;
    readonly param: readonly string[];
    readonly json?: true;
  };
  withBpftrace(program.command('record'))
    .description('trace for a while, then print what was counted')
    .option('--target <id>', 'which kernel', 'host')
    .option('--probes <list>', 'PROBE or PROBE:STREAM, separated by commas (default: all that run by default)')
    .option('--for <duration>', 'how long, such as 500ms, 10s, 2m', argumentOf(parseDuration), 10_000)
    .option('--param <assignment>', 'PROBE.NAME=NUMBER or PROBE:STREAM.NAME=NUMBER; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit status: 0 complete, 3 incomplete (something was lost), 1 failed to trace, 2 wrong usage.',
    )
    .action((options: Options) => {
      take({
        kind: 'record',
        bpftrace: bpftraceOf(options),
        targetId: options.target,
        probes: options.probes,
        parameters: options.param,
        durationMs: options.for,
        isJson: options.json === true,
      });
    });
}

function withBpftrace(command: Command): Command {
  return command
    .option('--bpftrace <path>', 'bpftrace to use', 'bpftrace')
    .option('--bpftrace-prefix <words>', 'words before bpftrace, such as "sudo -n"', parsePrefix, []);
}

function bpftraceOf({ bpftrace, bpftracePrefix }: BpftraceOptions): BpftraceWords {
  return { bpftrace, prefix: bpftracePrefix };
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
