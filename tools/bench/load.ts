/** The load generator, compiled for the benchmark. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Compiles tools/load/mmap-load.c into a folder of its own; gives the program's path. */
export function buildLoad(): string {
  const program = join(mkdtempSync(join(tmpdir(), 'faultline-bench-')), 'mmap-load');
  execFileSync('gcc', [
    '-O2',
    '-o',
    program,
    fileURLToPath(new URL('../load/mmap-load.c', import.meta.url)),
    '-lpthread',
  ]);
  return program;
}
