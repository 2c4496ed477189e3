/** What a machine over ssh must do beyond the contract: leave nothing there, and notice when the other side is gone. */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type RecordSummary, sshLeaseSec, sshSessionsMax } from '@faultline/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SshTarget } from '../src/targets/ssh.ts';
import { descendants, type LoopbackSshd, startLoopbackSshd } from './loopback-sshd.ts';
import { firstLine, output, shellOn } from './target-contract.ts';
import { until } from './until.ts';

const script = fileURLToPath(new URL('../../probes/mmap-lock/counts.bt', import.meta.url));
const mainFile = fileURLToPath(new URL('../src/main.ts', import.meta.url));
let sshd: LoopbackSshd;

beforeAll(async () => {
  sshd = await startLoopbackSshd();
});

afterAll(async () => {
  await sshd[Symbol.asyncDispose]();
});

function makeTarget(destination = sshd.destination): SshTarget {
  return new SshTarget({ destination, configFile: sshd.configFile, bpftrace: 'bpftrace', prefix: [] });
}

async function isThere(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

/** What is on the machine because of a target: a process that never ends by itself, and a script. */
async function occupy(target: SshTarget) {
  const placed = await target.placeScript(script);
  const path = placed.ok ? placed.value : '';
  // It prints nothing more, so that no closed pipe would end it.
  const process = shellOn(target, 'echo $$; while :; do sleep 0.05; done');
  const ended = output(process);
  const stat = `/proc/${await firstLine(process)}/stat`;
  expect([await isThere(path), await isThere(stat)]).toEqual([true, true]);
  const isGone = async (): Promise<boolean> => !(await isThere(path)) && !(await isThere(stat));
  return { ended, path, isGone };
}

async function ownSockets(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('faultline-ssh-'));
}

describe('nothing stays on the machine', () => {
  it('after the target was disposed of, and nothing here either', async () => {
    const before = await ownSockets();
    const target = makeTarget();
    const { isGone, ended } = await occupy(target);
    expect((await ownSockets()).length).toBe(before.length + 1);
    await target[Symbol.asyncDispose]();
    await until(isGone);
    await ended;
    expect(await ownSockets()).toEqual(before);
    expect((await descendants(process.pid)).filter(({ name }) => name === 'ssh')).toEqual([]);
  });

  it('after the connection was cut', async () => {
    await using target = makeTarget();
    const { isGone, ended } = await occupy(target);
    await sshd.cut();
    await until(isGone);
    expect((await ended).exit.problem?.message).toMatch(/^the connection to loopback was lost: /);
  });

  it('after Faultline was killed', async () => {
    const options = { destination: sshd.destination, configFile: sshd.configFile, bpftrace: 'bpftrace', prefix: [] };
    const program = `
      import { SshTarget } from ${JSON.stringify(new URL('../src/targets/ssh.ts', import.meta.url).href)};
      const target = new SshTarget(${JSON.stringify(options)});
      const placed = await target.placeScript(${JSON.stringify(script)});
      const loop = target.start({ program: 'sh', args: ['-c', 'echo $$; while :; do sleep 0.05; done'], env: {} });
      loop.stdout.once('data', (chunk) => process.stdout.write(chunk.toString().trim() + ' ' + placed.value + '\\n'));`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program]);
    const line = await new Promise<string>((resolve) => {
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    });
    const [pid = '', path = ''] = line.split(' ');
    const clients = (await descendants(child.pid ?? 0)).filter(({ name }) => name === 'ssh');
    expect(clients.length).toBe(2);
    expect([await isThere(path), await isThere(`/proc/${pid}/stat`)]).toEqual([true, true]);
    child.kill('SIGKILL');
    const left = [path, `/proc/${pid}/stat`, ...clients.map((client) => `/proc/${client.pid}/stat`)];
    await until(async () => (await Promise.all(left.map(isThere))).every((one) => !one));
  });

  it('after this side has been silent for as long as a lease', async () => {
    const target = makeTarget();
    const { isGone } = await occupy(target);
    // Their sockets stay open, as those of a machine whose network is gone.
    const clients = (await descendants(process.pid)).filter(({ name }) => name === 'ssh');
    for (const client of clients) process.kill(client.pid, 'SIGSTOP');
    await until(isGone, (sshLeaseSec + 10) * 1000);
    expect(await isGone()).toBe(true);
    for (const client of clients) process.kill(client.pid, 'SIGCONT');
    await target[Symbol.asyncDispose]();
  });
});

describe('a connection', () => {
  it('whose peer no longer answers is given up after three signs of life have stayed away, with why', async () => {
    await using target = makeTarget();
    const { ended } = await occupy(target);
    const beganMs = Date.now();
    await sshd.pause();
    const { exit } = await ended;
    expect(exit.problem?.message).toMatch(/the connection to loopback was lost: .*not responding/);
    // 9 s by ssh's own clock, and what a busy machine adds; whoever does not ask for signs of life waits for minutes.
    expect(Date.now() - beganMs).toBeLessThan(18_000);
    expect(await target.readFile('/proc/version')).toMatchObject({ ok: false, error: { kind: 'failed' } });
    await sshd.cut();
  });

  it('that can’t be had is a problem of everything that is asked, with what ssh said', async () => {
    await using target = makeTarget('no-such-host.invalid');
    const died = await Promise.race([target.died, output(shellOn(target, 'exit 0')).then(({ exit }) => exit)]);
    const message = expect.stringMatching(/^ssh could not connect to no-such-host\.invalid: .+/);
    expect(typeof died === 'string' ? { problem: { message: died } } : died).toMatchObject({ problem: { message } });
    expect(await target.identity()).toMatchObject({ ok: false, error: { message } });
    expect(await target.exists('/proc')).toMatchObject({ ok: false, error: { message } });
    expect(await target.placeScript(script)).toMatchObject({ ok: false, error: { message } });
    expect((await output(shellOn(target, 'exit 0'))).exit).toMatchObject({ problem: { message } });
  });

  it('runs more commands than it has room for one after the other', async () => {
    await using target = makeTarget();
    const numbers = Array.from({ length: sshSessionsMax + 4 }, (_, at) => at);
    const ends = await Promise.all(numbers.map((number) => output(shellOn(target, `sleep 0.2; exit ${number}`))));
    expect(ends.map(({ exit }) => exit)).toEqual(numbers.map((code) => ({ code })));
  });
});

/** Runs the command line. */
async function faultline(...words: readonly string[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [mainFile, ...words]);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, ...said };
}

describe('the command line', () => {
  const words = ['--probes', 'mmap-lock:counts', '--for', '2s', '--json'];

  it.each([
    ['as the user that logs in', []],
    ['behind a prefix', ['--bpftrace-prefix', 'env MARK=1']],
  ])('records over ssh, %s, and has complete counts', async (_how, prefix) => {
    const ssh = ['--target', 'ssh:loopback', '--ssh-config', sshd.configFile];
    const { status, out, err } = await faultline('record', ...ssh, ...prefix, ...words);
    expect(err).not.toContain('failed');
    const summary = JSON.parse(out) as RecordSummary;
    expect(summary.target).toMatchObject({ id: 'ssh:loopback', kind: 'ssh' });
    expect(summary.target.identity?.bpftraceVersion).toMatch(/^0\./);
    expect(summary.runs[0]?.run).toMatchObject({ state: 'stopped', isComplete: true });
    expect(summary.ledger.recordedCount).toBeGreaterThan(0);
    expect(status).toBe(0);
  });

  it('says of a machine that can’t be reached that it can’t, and why', async () => {
    const ssh = ['--target', 'ssh:no-such-host.invalid', '--ssh-config', sshd.configFile];
    const { status, err } = await faultline('record', ...ssh, ...words);
    expect(err).toContain('ssh could not connect to no-such-host.invalid: ');
    expect(status).toBe(1);
  });
});
