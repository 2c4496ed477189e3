/** The command line, as a program of its own that ends in time. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Longer than any of them takes, ms, and shorter than a test: one that hangs is ended with its guests, and fails its own test alone. */
const programMaxMs = 220_000;

/** How it ended, and what it printed. */
export type Said = { readonly status: number; readonly out: string; readonly err: string };

/** Runs `faultline` to its end, whatever its status; one that was killed has -1. */
export function runProgram(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  maxMs = programMaxMs,
): Promise<Said> {
  const options = {
    env: { ...process.env, ...env },
    timeout: maxMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: 64 * 1024 ** 2,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words], options, (error, out, err) => {
      const code = error === null ? 0 : error.code;
      resolve({ status: typeof code === 'number' ? code : -1, out, err });
    });
  });
}
