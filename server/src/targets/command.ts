/** Short commands on a target, for an answer: a version, an id. */
import { err, ok, type Result, targetCommandMaxMs } from '@faultline/shared';
import type { CommandAnswer, ProcessSpec, Target, TargetError } from './target.ts';

const outputCharsMax = 64 * 1024;

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
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    process.signal('SIGKILL', undefined);
    process.release();
  }, targetCommandMaxMs);
  const exit = await process.exited;
  clearTimeout(timer);
  if (isLate) {
    return err({ kind: 'timeout', message: `${spec.program} did not answer within ${targetCommandMaxMs / 1000} s` });
  }
  if (exit.problem !== undefined) return err(exit.problem);
  return ok({ code: exit.code, ...output });
}
