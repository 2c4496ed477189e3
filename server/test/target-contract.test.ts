/** Every kind of target that can be had on any machine, held to the contract. Guests join in the lab's tests. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostTarget } from '../src/targets/host.ts';
import { type Recording, ReplayTarget } from '../src/targets/replay.ts';
import { SshTarget } from '../src/targets/ssh.ts';
import { type LoopbackSshd, startLoopbackSshd } from './loopback-sshd.ts';
import { liveTargetContract, output } from './target-contract.ts';

liveTargetContract(
  'host',
  async () => new HostTarget({ bpftrace: 'bpftrace', prefix: [] }),
  async (_target, process) => process.signal('SIGKILL', undefined),
);

describe('over a real sshd', () => {
  let sshd: LoopbackSshd;

  beforeAll(async () => {
    sshd = await startLoopbackSshd();
  });

  afterAll(async () => {
    await sshd[Symbol.asyncDispose]();
  });

  liveTargetContract(
    'ssh',
    async () => {
      const { destination, configFile } = sshd;
      return new SshTarget({ destination, configFile, bpftrace: 'bpftrace', prefix: [] });
    },
    () => sshd.cut(),
  );
});

describe('a recording', () => {
  /** On it the script `/probes/p/x.bt` prints READY and one heartbeat, a third of a second apart. */
  async function make(): Promise<ReplayTarget> {
    const folder = await mkdtemp(join(tmpdir(), 'faultline-contract-'));
    const file = join(folder, 'recording.jsonl');
    const beat = (text: string): string => JSON.stringify({ type: 'printf', data: `${text}\n` });
    await writeFile(
      file,
      `${beat('READY 1000000000 7')}\n${beat('HB 1300000000')}\n{"type": "map", "data": {"@x": 1}}\n`,
    );
    const recording: Recording = {
      probe: 'p',
      script: 'x.bt',
      file,
      bpftraceVersion: '0.17.0',
      release: '6.1.0',
      capturedOn: '2026-11-22',
      hostname: 'recorded',
      cpuCount: 2,
    };
    return new ReplayTarget([recording]);
  }

  it('says where it was made', async () => {
    await using target = await make();
    const identity = { hostname: 'recorded', release: '6.1.0', bpftraceVersion: '0.17.0' };
    expect(await target.identity()).toMatchObject({ ok: true, value: identity });
    expect(target.badge).toContain('2026-11-22');
  });

  it('has no files', async () => {
    await using target = await make();
    expect(await target.readFile('/nowhere/file')).toMatchObject({ ok: false, error: { kind: 'not-found' } });
    expect(await target.exists()).toEqual({ ok: true, value: false });
  });

  it('ends a process that can’t be started with a problem, not with an exception', async () => {
    await using target = await make();
    const { exit } = await output(target.start({ program: 'no-such-program', args: [], env: {} }));
    expect(exit.problem?.kind).toBe('not-found');
    expect(exit.problem?.message).not.toBe('');
  });

  it('plays what was recorded and nothing else, and says that it was a recording', async () => {
    await using target = await make();
    expect(target.hasRecording('/probes/p/x.bt')).toBe(true);
    expect(target.hasRecording('/probes/p/other.bt')).toBe(false);
    const played = await output(target.start({ program: 'bpftrace', args: ['/probes/p/x.bt'], env: {} }));
    expect(played.stdout).toContain('HB 1300000000');
    expect(played.exit).toEqual({ code: 0, isRecordingEnd: true });
  });
});
