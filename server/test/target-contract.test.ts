/** What every kind of target must do. A new kind joins the list at the end and must pass. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask } from '../src/targets/command.ts';
import { HostTarget } from '../src/targets/host.ts';
import { type Recording, ReplayTarget } from '../src/targets/replay.ts';
import type { Exit, Target, TargetProcess } from '../src/targets/target.ts';

async function output(process: TargetProcess): Promise<{ stdout: string; exit: Exit }> {
  let stdout = '';
  process.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  process.stderr.resume();
  return { exit: await process.exited, stdout };
}

/** A target on which the script `/probes/p/x.bt` prints READY and one heartbeat, half a second apart. */
type Kind = { readonly kind: string; make(): Promise<Target>; readonly isLive: boolean };

const kinds: readonly Kind[] = [
  { kind: 'host', isLive: true, make: async () => new HostTarget({ bpftrace: 'bpftrace', prefix: [] }) },
  {
    kind: 'replay',
    isLive: false,
    make: async () => {
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
    },
  },
];

describe.each(kinds)('a target of kind $kind', ({ make, isLive }) => {
  it('says who it is', async () => {
    await using target = await make();
    const identity = await target.identity();
    expect(identity).toMatchObject({ ok: true });
    expect(identity.ok ? identity.value.release : '').not.toBe('');
    expect(identity.ok ? identity.value.bpftraceVersion : '').toMatch(/^0\.\d+/);
  });

  it('says of a file that is not there that it is not there', async () => {
    await using target = await make();
    expect(await target.readFile('/nowhere/file')).toMatchObject({ ok: false, error: { kind: 'not-found' } });
    expect(await target.exists('/nowhere/file')).toEqual({ ok: true, value: false });
  });

  it('ends a process that can’t be started with a problem, not with an exception', async () => {
    await using target = await make();
    const { exit } = await output(target.start({ program: 'no-such-program', args: [], env: {} }));
    expect(exit.problem?.kind).toBe('not-found');
    expect(exit.problem?.message).not.toBe('');
  });

  it('tells a live target from a recording', async () => {
    await using target = await make();
    expect(target.hasRecording('/probes/p/x.bt')).toBe(isLive ? undefined : true);
    expect(target.hasRecording('/probes/p/other.bt')).toBe(isLive ? undefined : false);
    expect(target.badge === undefined).toBe(isLive);
  });
});

describe('the host', () => {
  const host = new HostTarget({ bpftrace: 'bpftrace', prefix: [] });
  const shell = (script: string): TargetProcess =>
    host.start({ program: 'sh', args: ['-c', script], env: { MARK: 'x y' } });

  it('gives stdout, exit status and environment of a process', async () => {
    expect(await output(shell('printf "%s" "$MARK"; exit 3'))).toEqual({ stdout: 'x y', exit: { code: 3 } });
  });

  it('passes arguments as they are: nothing is a shell line', async () => {
    const answer = await ask(host, { program: 'printf', args: ['%s', '$(id); `id` | > x'], env: {} });
    expect(answer).toMatchObject({ ok: true, value: { stdout: '$(id); `id` | > x' } });
  });

  it('delivers signals, and says by which a process died', async () => {
    const trapping = shell('trap "echo caught; exit 0" INT; echo up; while :; do sleep 0.05; done');
    trapping.stdout.once('data', () => trapping.signal('SIGINT', undefined));
    expect(await output(trapping)).toEqual({ stdout: 'up\ncaught\n', exit: { code: 0 } });
    const dying = shell('echo up; while :; do sleep 0.05; done');
    dying.stdout.once('data', () => dying.signal('SIGKILL', undefined));
    expect((await output(dying)).exit).toEqual({ signal: 'SIGKILL' });
  });

  it('reports the end although a grandchild holds the pipes open', async () => {
    const startedMs = Date.now();
    const { exit } = await output(shell('sleep 30 & exit 0'));
    expect(exit).toEqual({ code: 0 });
    expect(Date.now() - startedMs).toBeLessThan(5000);
  });

  it('reads files of proc, which have no size', async () => {
    const file = await host.readFile('/proc/self/status');
    expect(file.ok ? new TextDecoder().decode(file.value) : '').toContain('CapEff:');
  });
});
