/**
 * The server needs no root where bpftrace may be run through a prefix. The prefix here is a setuid program that does what
 * `sudo -n` does (become root, exec its arguments), so that the machine's sudoers stay as they are.
 */
import { execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RecordSummary } from '@faultline/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const nobody = 65_534;
const mainFile = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const source = `#include <unistd.h>
int main(int argc, char **argv) { return argc < 2 || setgid(0) || setuid(0) || execvp(argv[1], argv + 1) ? 126 : 0; }
`;
let folder = '';
let prefix = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'faultline-prefix-'));
  await chmod(folder, 0o755);
  prefix = join(folder, 'as-root');
  await writeFile(`${prefix}.c`, source);
  await run('gcc', ['-o', prefix, `${prefix}.c`]);
  // Only for the group that the test's server runs in.
  await chown(prefix, 0, nobody);
  await chmod(prefix, 0o4750);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

type Answer = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs the command line as nobody. */
async function faultline(...words: readonly string[]): Promise<Answer> {
  const child = spawn(process.execPath, [mainFile, ...words], { uid: nobody, gid: nobody, cwd: '/' });
  const answer = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    answer.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    answer.stderr += chunk.toString();
  });
  const status = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { status, ...answer };
}

describe('a server that is not root', () => {
  it('traces through a prefix, stops bpftrace in order, and has complete counts', async () => {
    const answer = await faultline(
      'record',
      '--probes',
      'mmap-lock:counts',
      '--for',
      '2s',
      '--json',
      '--bpftrace-prefix',
      prefix,
    );
    expect(answer.stderr).not.toMatch(/failed/);
    const summary = JSON.parse(answer.stdout) as RecordSummary;
    expect(summary.runs[0]?.run).toMatchObject({ state: 'stopped', isComplete: true });
    expect(summary.ledger.recordedCount).toBeGreaterThan(0);
    expect(answer.status).toBe(0);
  });

  it('says what it lacks without the prefix, and what to do', async () => {
    const answer = await faultline('record', '--probes', 'mmap-lock:counts', '--for', '1s');
    expect(answer.status).toBe(1);
    expect(answer.stderr).toMatch(/needs root/);
    expect(answer.stderr).toMatch(/--bpftrace-prefix/);
  });

  it('is told by doctor, with the remedy', async () => {
    const answer = await faultline('doctor', '--json');
    expect(answer.status).toBe(1);
    expect(answer.stdout).toContain('--bpftrace-prefix');
  });
});
