/** The words of `faultline sessions`, `summary`, `replay`, `export` and `import`. */
import { err, ok, type Result } from '@faultline/shared';
import type { Command } from 'commander';
import { type ExportFormat, exportFormats } from '../exports/formats.ts';
import { argumentOf, parseDuration, parseName, parsePort, type UsageError } from './arguments.ts';
import { type DataEnvironment, type StoreOptions, storeOf, withStore } from './store-words.ts';

/** What was asked about recorded sessions. */
export type SessionWords = { readonly store: string; readonly isJson: boolean } & (
  | { readonly command: 'list' }
  | { readonly command: 'summary'; readonly session: string }
  | { readonly command: 'show' | 'pin' | 'unpin'; readonly session: string }
  | { readonly command: 'rm'; readonly sessions: readonly string[] }
  | { readonly command: 'rename' | 'label' | 'note'; readonly session: string; readonly text: string }
  | { readonly command: 'mark'; readonly session: string; readonly text: string; readonly atMs: number | undefined }
  | { readonly command: 'export'; readonly session: string; readonly format: ExportFormat; readonly output: string }
  | { readonly command: 'import'; readonly file: string }
  | ReplayWords
);

/** Serve the page with a session played on it. */
export type ReplayWords = {
  readonly command: 'replay';
  readonly session: string;
  readonly speed: number;
  readonly port: number | undefined;
  readonly host: string;
};

type Options = StoreOptions & { readonly json?: true };
type Take = (words: SessionWords) => void;

/** Adds the commands. */
export function addSessions(program: Command, environment: DataEnvironment, take: Take): void {
  const common = (options: Options): { readonly store: string; readonly isJson: boolean } => ({
    store: storeOf(options, environment)?.folder ?? '',
    isJson: options.json === true,
  });
  const sessions = program.command('sessions').description('recorded sessions: list, show, name, keep and remove them');
  sessions.addHelpText('afterAll', sessionHelp);
  withJson(sessions.command('list').description('all of them, newest first')).action((options: Options) => {
    take({ command: 'list', ...common(options) });
  });
  for (const [command, what] of [
    ['show', 'what is known of one: its kernel, its runs, its notes, what it holds'],
    ['pin', 'keep it: the bounds of the store no longer remove it'],
    ['unpin', 'let the bounds of the store remove it again'],
  ] as const) {
    withJson(sessions.command(`${command} <session>`).description(what)).action((session: string, options: Options) => {
      take({ command, session, ...common(options) });
    });
  }
  withJson(
    sessions.command('rm <sessions...>').description('remove them; one that is being recorded is refused'),
  ).action((named: readonly string[], options: Options) => {
    take({ command: 'rm', sessions: named, ...common(options) });
  });
  addEdits(sessions, take, common);
  addReading(program, take, common);
}

type Common = (options: Options) => { readonly store: string; readonly isJson: boolean };

function addEdits(sessions: Command, take: Take, common: Common): void {
  for (const [command, what, parse] of [
    ['rename', 'give it a name', parseName],
    ['label', 'say what it is of', parseName],
    ['note', 'write something down about it', parseNote],
  ] as const) {
    withJson(sessions.command(command).description(what))
      .argument('<session>')
      .argument('<text>', '', argumentOf(parse))
      .action((session: string, text: string, options: Options) => {
        take({ command, session, text, ...common(options) });
      });
  }
  withJson(sessions.command('mark').description('mark a moment on its time line: now, or so long after its start'))
    .argument('<session>')
    .argument('<text>', '', argumentOf(parseNote))
    .option('--at <duration>', 'after the start, such as 12.5s', argumentOf(parseDuration))
    .action((session: string, text: string, options: Options & { readonly at?: number }) => {
      take({ command: 'mark', session, text, atMs: options.at, ...common(options) });
    });
}

function addReading(program: Command, take: Take, common: Common): void {
  withJson(program.command('summary <session>').description('print what a recorded session counted, as record does'))
    .addHelpText('after', sessionHelp)
    .action((session: string, options: Options) => {
      take({ command: 'summary', session, ...common(options) });
    });
  type ReplayOptions = Options & { readonly speed: number; readonly port?: number; readonly host: string };
  withStore(program.command('replay <session>'))
    .description('serve the page with a recorded session played on it, until Ctrl-C')
    .option('--speed <factor>', 'so many times as fast as it was; 0 at once', argumentOf(parseSpeed), 1)
    .option('--port <number>', 'port (default as of serve)', argumentOf(parsePort))
    .option('--host <address>', 'address to listen on; beyond loopback a token is demanded', '127.0.0.1')
    .addHelpText('after', sessionHelp)
    .action((session: string, options: ReplayOptions) => {
      const { speed, port, host } = options;
      take({ command: 'replay', session, speed, port, host, ...common(options) });
    });
  type ExportOptions = Options & { readonly format: ExportFormat; readonly output: string };
  withStore(program.command('export <session>'))
    .description('write a recorded session in a format of other tools')
    .requiredOption('-f, --format <format>', Object.keys(exportFormats).join(', '), argumentOf(parseFormat))
    .option('-o, --output <file>', 'a file that is not there yet, or - for standard output', '-')
    .addHelpText('after', sessionHelp)
    .action((session: string, options: ExportOptions) => {
      const { format, output } = options;
      take({ command: 'export', session, format, output, ...common(options) });
    });
  withJson(program.command('import <file>').description('take in a session that was exported as archive, jsonl or csv'))
    .addHelpText('after', '\nExit status: 0 done, 1 the file was refused, 2 wrong usage.')
    .action((file: string, options: Options) => {
      take({ command: 'import', file, ...common(options) });
    });
}

const sessionHelp = `
A SESSION is its id, the beginning of one, a name or a label that only one has,
or the word last.
Exit status: 0 done, 1 there is no such session or it can't be read, 2 wrong
usage.`;

function withJson(command: Command): Command {
  return withStore(command).option('--json', 'print JSON');
}

function parseNote(text: string): Result<string, UsageError> {
  if (text.length >= 1 && text.length <= 4_000) return ok(text);
  return err({ message: 'a note has 1 to 4,000 characters', remedy: 'Shorten it.' });
}

function parseSpeed(text: string): Result<number, UsageError> {
  const speed = /^[0-9]{1,6}(?:\.[0-9]{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (speed >= 0) return ok(speed);
  return err({
    message: `${JSON.stringify(text)} is not a speed`,
    remedy: 'Give a number such as 2, 0.5, or 0 for at once.',
  });
}

function parseFormat(text: string): Result<ExportFormat, UsageError> {
  const known = Object.keys(exportFormats).find((name): name is ExportFormat => name === text);
  if (known !== undefined) return ok(known);
  const remedy = `The formats: ${Object.keys(exportFormats).join(', ')}.`;
  return err({ message: `${JSON.stringify(text)} is not a format`, remedy });
}
