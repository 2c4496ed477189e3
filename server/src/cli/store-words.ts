/** The words about where sessions are recorded, and how much of them is kept. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { err, ok, readAgeWord, readBytesWord, type Result, type StoreLimits } from '@faultline/shared';
import type { Command } from 'commander';
import { argumentOf, type UsageError } from './arguments.ts';

/** A store, and its bounds. */
export type StoreWords = {
  readonly folder: string;
  /** It was named: then it must work. Otherwise tracing goes on without. */
  readonly isChosen: boolean;
  /** Those of its bounds that were said; others are what was set for the store, or the default. */
  readonly chosen: Partial<StoreLimits>;
};

/** What of the environment decides where data goes. */
export type DataEnvironment = { readonly XDG_DATA_HOME?: string | undefined };

/** As commander gives them. */
export type StoreOptions = {
  readonly store?: string | false;
  readonly storeMax?: number;
  readonly keepFor?: number;
  readonly sessionMax?: number;
  readonly sessionFor?: number;
};

/** `500M`, `10G` in bytes. */
function parseBytes(text: string): Result<number, UsageError> {
  const bytes = readBytesWord(text);
  if (bytes !== undefined) return ok(bytes);
  return err({ message: `${JSON.stringify(text)} is not a size`, remedy: 'Give one such as 500M or 10G.' });
}

/** `12h`, `30d` in ms. */
function parseAge(text: string): Result<number, UsageError> {
  const ageMs = readAgeWord(text);
  if (ageMs !== undefined) return ok(ageMs);
  return err({ message: `${JSON.stringify(text)} is not a time to keep`, remedy: 'Give one such as 12h or 30d.' });
}

/** Adds --store alone: for commands that read. */
export function withStore(command: Command): Command {
  return command.option(
    '--store <dir>',
    'folder of the recorded sessions (default: that of your data, below faultline/sessions)',
  );
}

/** Adds all of them: for commands that record. */
export function withRecording(command: Command): Command {
  return withStore(command)
    .option('--no-store', 'record nothing')
    .option(
      '--store-max <size>',
      'of all sessions; the oldest unpinned go first (default: what was set, else 10G)',
      argumentOf(parseBytes),
    )
    .option('--keep-for <age>', 'older unpinned sessions go (default: what was set, else 30d)', argumentOf(parseAge))
    .option(
      '--session-max <size>',
      'of one session; then its recording stops (default: what was set, else 1G)',
      argumentOf(parseBytes),
    )
    .option(
      '--session-for <age>',
      'of one session; then its recording stops (default: what was set, else 7d)',
      argumentOf(parseAge),
    );
}

/** The store of these words; undefined where nothing is to be recorded. */
export function storeOf(options: StoreOptions, environment: DataEnvironment): StoreWords | undefined {
  if (options.store === false) return undefined;
  return {
    folder: options.store === undefined ? defaultFolder(environment) : resolve(options.store),
    isChosen: options.store !== undefined,
    chosen: {
      ...(options.storeMax === undefined ? {} : { bytesMax: options.storeMax }),
      ...(options.keepFor === undefined ? {} : { ageMaxMs: options.keepFor }),
      ...(options.sessionMax === undefined ? {} : { sessionBytesMax: options.sessionMax }),
      ...(options.sessionFor === undefined ? {} : { sessionAgeMaxMs: options.sessionFor }),
    },
  };
}

function defaultFolder({ XDG_DATA_HOME: data }: DataEnvironment): string {
  const base = data === undefined || !data.startsWith('/') ? join(homedir(), '.local', 'share') : data;
  return join(base, 'faultline', 'sessions');
}
