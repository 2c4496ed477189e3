/** Programs of this machine that the lab runs to their ends: apt, dpkg, gcc, mke2fs. Never through a shell. */
import { spawn } from 'node:child_process';
import { err, labCommandMaxMs, ok, type Result } from '@faultline/shared';
import { roomRemedy } from './cache.ts';
import type { LabError } from './lab-error.ts';

const outputCharsMax = 4 * 1024 * 1024;

/** Where and with what a program runs. */
export type CommandOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** How many of the last lines it printed an error quotes; 6. */
  readonly saidLinesMax?: number;
};

/** Runs a program; its stdout when it ended with 0, otherwise what it said last. At most labCommandMaxMs. */
export function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Result<string, LabError>> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env, LC_ALL: 'C' },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8');
      child[name].on('data', (text: string) => {
        if (output[name].length < outputCharsMax) output[name] += text;
      });
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      // What it started may live on and hold them.
      for (const name of ['stdout', 'stderr'] as const) child[name].destroy();
    }, labCommandMaxMs);
    child.once('error', (cause) => {
      clearTimeout(timer);
      resolve(err(notRun(program, cause, options.signal)));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve(code === 0 ? ok(output.stdout) : err(failed(program, code ?? signal, output, options.saidLinesMax ?? 6)));
    });
  });
}

function notRun(program: string, cause: Error, signal: AbortSignal | undefined): LabError {
  if (signal?.aborted === true)
    return { kind: 'stopped', message: `${program} was stopped`, remedy: 'Start it again.' };
  const isMissing = 'code' in cause && cause.code === 'ENOENT';
  const message = isMissing ? `${program} is not installed on this machine` : `${program}: ${cause.message}`;
  return { kind: 'broken', message, remedy: `Install it: sudo apt-get install ${packageOf[program] ?? program}` };
}

const packageOf: Readonly<Record<string, string>> = {
  gcc: 'gcc libc6-dev',
  make: 'make gcc',
  strip: 'binutils',
  mke2fs: 'e2fsprogs',
  'qemu-system-x86_64': 'qemu-system-x86',
};

function failed(
  program: string,
  how: number | string | null,
  output: { readonly stdout: string; readonly stderr: string },
  saidLinesMax: number,
): LabError {
  const said = `${output.stdout}\n${output.stderr}`.trim().split('\n').slice(-saidLinesMax).join('\n  ');
  return {
    kind: 'broken',
    message: `${program} ended with ${how ?? 'no status'}: ${said}`,
    remedy: /no space left on device/i.test(said) ? roomRemedy : 'What it said last is above; mend that and try again.',
  };
}
