/**
 * A target is the only thing that knows where a kernel is. Planner, preflight and runner see this interface and never a
 * machine; server/test/target-contract.ts says what every kind of it must do.
 */
import type { Readable } from 'node:stream';
import type { Result, TargetIdentity, TargetKind } from '@faultline/shared';

/** Why a target could not answer. */
export type TargetError = {
  readonly kind: 'not-found' | 'denied' | 'too-large' | 'timeout' | 'failed';
  readonly message: string;
};

/**
 * What to run: `bpftrace` is resolved by the target (path, prefix such as `sudo -n`); anything else is a program of the
 * target's PATH. Arguments are passed as they are, never through a shell.
 */
export type ProcessSpec = {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** How a process ended. `problem`: it could not be started at all, or the way to it broke. */
export type Exit = {
  readonly code?: number;
  readonly signal?: string;
  readonly problem?: TargetError;
  /** The end of a recording: nothing was killed and nothing failed. */
  readonly isRecordingEnd?: boolean;
};

/** A running process. Whoever starts it reads both streams to their ends and awaits `exited`. */
export type TargetProcess = {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<Exit>;
  /**
   * Sends a signal; `pid` is the process's own number on the target where it is known (behind a prefix the started
   * process is not the one to be signalled).
   */
  signal(name: 'SIGINT' | 'SIGKILL', pid: number | undefined): void;
  /** Lets go of its pipes: what still writes gets SIGPIPE. The last resort where signals are not permitted. */
  release(): void;
};

/** The answer of a short command. */
export type CommandAnswer = { readonly code: number | undefined; readonly stdout: string; readonly stderr: string };

export interface Target extends AsyncDisposable {
  readonly id: string;
  readonly kind: TargetKind;
  readonly title: string;
  /** What a person must be told lest they mistake it for the real thing here and now. */
  readonly badge: string | undefined;
  /** How many times longer than on a host one waits here for attaching, detaching and signs of life; absent: 1. */
  readonly patience?: number;
  /** Resolves with the reason when the target is gone for good; absent where that can't happen before we do. */
  readonly died?: Promise<string>;
  identity(): Promise<Result<TargetIdentity, TargetError>>;
  /** A whole file, at most targetFileBytesMax bytes. */
  readFile(path: string): Promise<Result<Uint8Array, TargetError>>;
  /** Whether a path is there; an error when that can't be told (not permitted). */
  exists(path: string): Promise<Result<boolean, TargetError>>;
  /** Starts a process; failing to start is an Exit with a problem. */
  start(spec: ProcessSpec): TargetProcess;
  /** Where only what was recorded can be run: whether this script (by its path there) was. Undefined on a live target. */
  hasRecording(scriptPath: string): boolean | undefined;
  /** Makes a script of the house readable there; gives its path on the target. */
  placeScript(localPath: string): Promise<Result<string, TargetError>>;
}

/** A text file of the target. */
export async function readText(target: Target, path: string): Promise<Result<string, TargetError>> {
  const file = await target.readFile(path);
  return file.ok ? { ok: true, value: new TextDecoder().decode(file.value) } : file;
}
