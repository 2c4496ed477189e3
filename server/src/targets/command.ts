/** What a target starts: the words of bpftrace behind its prefix, and short commands for an answer (a version, an id). */
import { basename } from 'node:path';
import { within } from '@faultline/lab';
import { err, ok, type Result, targetCommandMaxMs } from '@faultline/shared';
import { killForGood } from './kill.ts';
import type { CommandAnswer, ProcessSpec, Target, TargetError } from './target.ts';

const outputCharsMax = 64 * 1024;

/** How bpftrace is run on a machine. */
export type BpftraceWords = {
  /** The program: a name on PATH or a path. */
  readonly bpftrace: string;
  /** Words put before it, such as ['sudo', '-n'], where this user is not root. */
  readonly prefix: readonly string[];
};

/** A process as words: `bpftrace` is what the options say, anything else is itself. */
export function commandWords({ bpftrace, prefix }: BpftraceWords, spec: ProcessSpec): readonly string[] {
  if (spec.program !== 'bpftrace') return [spec.program, ...spec.args];
  // sudo drops the environment; it takes assignments on its own command line (sudoers: SETENV).
  const isSudo = basename(prefix[0] ?? '') === 'sudo';
  const assignments = isSudo ? Object.entries(spec.env).map(([name, value]) => `${name}=${value}`) : [];
  return [...prefix, ...assignments, bpftrace, ...spec.args];
}

/** Runs a program to its end, at most targetCommandMaxMs; a time-out kills it. */
export async function ask(target: Target, spec: ProcessSpec): Promise<Result<CommandAnswer, TargetError>> {
  const process = target.start(spec);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].setEncoding('utf8');
    process[name].on('data', (text: string) => {
      if (output[name].length < outputCharsMax) output[name] += text;
    });
  }
  const exit = await within(process.exited, targetCommandMaxMs, undefined);
  if (exit === undefined) {
    await killForGood(process, undefined);
    return err({ kind: 'timeout', message: `${spec.program} did not answer within ${targetCommandMaxMs / 1000} s` });
  }
  if (exit.problem !== undefined) return err(exit.problem);
  return ok({ code: exit.code, ...output });
}
