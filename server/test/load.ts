import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = fileURLToPath(new URL('../../tools/load/mmap-load.c', import.meta.url));
let built: Promise<string> | undefined;

/** What the generator says it did; only the fields that every mode has. */
export type LoadTruth = {
  readonly name: string;
  readonly calls: number;
  readonly readAcquisitions: number;
  readonly writeAcquisitions: number;
  readonly downgrades: number;
  readonly faults?: number;
  readonly access?: string;
  readonly cause?: string;
  readonly origin?: string;
};

/** The load generator, compiled once a test process. */
async function loadProgram(): Promise<string> {
  built ??= mkdtemp(join(tmpdir(), 'faultline-load-')).then(async (folder) => {
    const program = join(folder, 'mmap-load');
    await run('gcc', ['-O2', '-o', program, source, '-lpthread']);
    return program;
  });
  return built;
}

/** Runs the generator to its end and gives its own account of what it did. */
export async function load(mode: string, ...options: readonly string[]): Promise<LoadTruth> {
  const { stdout } = await run(await loadProgram(), [mode, ...options]);
  return JSON.parse(stdout) as LoadTruth;
}
