import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function faultline(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

describe('the program', () => {
  it('has status 2 for wrong words, which it explains on stderr', () => {
    expect(faultline('bogus')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('unknown command'),
    });
    expect(faultline('record', '--for', '10')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is not a duration'),
    });
    expect(faultline('record', '--probes', 'bogus')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^faultline: there is no probe "bogus"\n {2}The probes here: .*mmap-lock/),
    });
  });

  it('has status 0 for questions', () => {
    expect(faultline('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it('says that bpftrace is missing, and what to do, with status 1', () => {
    const { status, stdout } = faultline('doctor', '--bpftrace', '/nonexistent/bpftrace');
    expect(status).toBe(1);
    expect(stdout).toMatch(/FAILED +bpftrace/);
    expect(stdout).toContain('Tracing cannot work here');
    const recorded = faultline('record', '--for', '100ms', '--no-store', '--bpftrace', '/nonexistent/bpftrace');
    expect([recorded.status, recorded.stdout]).toEqual([1, '']);
    expect(recorded.stderr).toContain('nothing that runs by default can attach on host');
  });

  it('is quiet when its reader goes away', async () => {
    const child = spawn(process.execPath, [program, 'record', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect([status, stderr]).toEqual([0, '']);
  });

  it('calls itself faultline', async () => {
    const child = spawn(process.execPath, [program, 'serve', '--no-trace', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const listed = spawnSync('ps', ['-o', 'comm=', '-p', String(child.pid)], { encoding: 'utf8' });
    child.kill('SIGTERM');
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect([listed.stdout.trim(), status]).toEqual(['faultline', 0]);
  });
});
