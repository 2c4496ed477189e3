/** What goes wrong in the lab is said, ends in time, and leaves nothing behind. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootGuest, cacheFolder } from '@faultline/lab';
import { ensure } from '@faultline/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { openGuest } from '../../src/lab/open-guest.ts';
import { runWorkload } from '../../src/lab/workload.ts';
import { readCatalogue } from '../../src/probes/catalogue.ts';
import { Tracer } from '../../src/sessions/tracer.ts';
import { GuestTarget } from '../../src/targets/guest.ts';
import { until } from '../until.ts';
import { guestsOfThisProcess } from './guests-of-this-process.ts';
import { runProgram } from './run-program.ts';
import { bootBare, kernelFolder, TracedGuest } from './traced-guest.ts';

const request = { barBytes: 64 * 1024 * 1024, bpftrace: 'bpftrace', heldKey: 'bare', start: 'fastest' } as const;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-lab-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the lab', () => {
  it('ends what is traced with the reason when QEMU is killed, and loses nothing that had arrived', async () => {
    await using guest = await TracedGuest.start('6.1', 'vfio-fault');
    const counted = await guest.count({ workload: 'touch' });
    expect(counted.sum('vfio-fault', 'attempts')).toBe(1);
    process.kill(ensure(guest.open.target.guest.machine.pid, 'QEMU runs'), 'SIGKILL');
    await until(() => guest.runs.every(({ state }) => state === 'failed'));
    expect(guest.runs.map(({ failure }) => failure?.kind)).toEqual(['target-lost']);
    expect(guest.runs[0]?.failure?.message).toContain('QEMU was killed by SIGKILL');
    const [run] = guest.session.summary().runs;
    expect(run?.totals.find(({ metric }) => metric === 'attempts')?.value).toBe(1);
    await until(async () => (await guest.tracer.targets())[0]?.problem !== undefined);
    expect((await guest.tracer.targets())[0]?.problem).toContain('QEMU was killed by SIGKILL');
  });

  it('tells a workload that failed from a guest that was lost', async () => {
    await using target = new GuestTarget('lab', await bootBare('6.1'));
    const whole = { barBytes: 1024, isMisaligned: false, repetitions: 1, threads: undefined };
    const failed = await runWorkload(target, { ...whole, workload: 'no-such-mode' }, () => undefined, undefined);
    expect(failed).toMatchObject({ kind: 'failed', exitStatus: 2 });
    expect(failed.lines.join('\n')).toContain('unknown mode');
    const long = { ...whole, barBytes: 64 * 1024 * 1024, workload: 'touch', repetitions: 100_000 };
    const lines: string[] = [];
    const running = runWorkload(target, long, (line) => lines.push(line), undefined);
    await until(() => lines.length > 0, 90_000);
    process.kill(ensure(target.guest.machine.pid, 'QEMU runs'), 'SIGKILL');
    expect(await running).toMatchObject({ kind: 'lost', problem: 'QEMU was killed by SIGKILL' });
  });

  it('says of a kernel that does not boot that the lab broke, twice tried, with its console, and leaves no QEMU', async () => {
    // A kernel whose image is whole and whose modules are there, but whose start of the code is destroyed.
    const broken = join(folder, 'broken');
    mkdirSync(broken);
    cpSync(join(kernelFolder(), 'lib'), join(broken, 'lib'), { recursive: true });
    cpSync(join(kernelFolder(), 'boot'), join(broken, 'boot'), { recursive: true });
    const init = readdirSync(join(broken, 'lib', 'modules'))[0] ?? '';
    const virtio = execFileSync('find', [join(broken, 'lib', 'modules', init), '-name', 'virtio_blk.ko*'], {
      encoding: 'utf8',
    }).trim();
    const bytes = readFileSync(virtio);
    // The module can be read for its dependencies but not be loaded, so the guest finds no disk.
    writeFileSync(virtio, Buffer.concat([bytes.subarray(0, 64).fill(0), bytes.subarray(64)]));
    const stages: string[] = [];
    const booted = await bootGuest({ ...request, kernel: broken }, ({ stage }) => stages.push(stage), undefined);
    expect(booted).toMatchObject({ ok: false, error: { kind: 'broken' } });
    if (booted.ok) return;
    expect(booted.error.message).toContain('no disk with the tools');
    expect(booted.error.message).toContain('Its console ended with');
    expect(stages.filter((stage) => stage.includes('trying once more'))).toHaveLength(1);
    expect(guestsOfThisProcess()).toEqual([]);
  });

  it('names the module that a kernel lacks', async () => {
    const lacking = join(folder, 'lacking');
    mkdirSync(lacking);
    cpSync(join(kernelFolder(), 'boot'), join(lacking, 'boot'), { recursive: true });
    const modules = join(kernelFolder(), 'lib', 'modules');
    cpSync(modules, join(lacking, 'lib', 'modules'), {
      recursive: true,
      filter: (path) => !path.endsWith('/vfio-pci.ko'),
    });
    const booted = await bootGuest({ ...request, kernel: lacking }, () => undefined, undefined);
    expect(booted).toMatchObject({ ok: false, error: { kind: 'unknown' } });
    if (!booted.ok) expect(booted.error.message).toContain('the module vfio_pci is neither there nor built in');
  });

  it('says what an empty folder lacks', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const booted = await bootGuest({ ...request, kernel: empty }, () => undefined, undefined);
    expect(booted).toMatchObject({
      ok: false,
      error: { kind: 'unknown', message: `${empty} holds no vmlinuz or bzImage` },
    });
  });

  it('stops a boot when it is told to, and leaves no QEMU', async () => {
    const stopping = new AbortController();
    const booting = bootGuest(
      { ...request, kernel: '6.1', start: 'cold' },
      ({ stage }) => {
        if (stage === 'booting: modules') stopping.abort();
      },
      stopping.signal,
    );
    expect(await booting).toMatchObject({ ok: false, error: { kind: 'stopped' } });
    expect(guestsOfThisProcess()).toEqual([]);
  });
});

describe('a workload that is refused its device', () => {
  let device: GuestTarget;
  beforeAll(async () => {
    device = new GuestTarget('lab', await bootBare('6.1'));
  });
  afterAll(() => device[Symbol.asyncDispose]());

  it.each([
    ['sysfs', 'BAR 2 is claimed by vfio-pci', 'Invalid argument'],
    ['devmem', 'BAR 2 is claimed by vfio-pci', 'Operation not permitted'],
    ['touch', 'another process has the device open', 'Device or resource busy'],
  ])('says why, beside one that has it: %s', async (workload, reason, number) => {
    const whole = { barBytes: 64 * 1024 * 1024, isMisaligned: false, repetitions: 1, threads: undefined };
    const lines: string[] = [];
    const ending = new AbortController();
    const long = { ...whole, workload: 'dma-map', repetitions: 10_000 };
    const running = runWorkload(device, long, (line) => lines.push(line), ending.signal);
    await until(() => lines.length > 0, 90_000);
    const refused = await runWorkload(device, { ...whole, workload }, () => undefined, undefined);
    ending.abort();
    expect((await running).problem).toContain('was killed by SIGKILL');
    expect(refused).toMatchObject({ kind: 'failed', exitStatus: 1 });
    expect(refused.problem).toContain(reason);
    expect(refused.problem).toContain(number);
    const later = await runWorkload(device, { ...whole, workload }, () => undefined, undefined);
    expect(later.kind).toBe('done');
  });
});

describe('a guest that dies while its probes attach', () => {
  it('is the lab’s failure with the reason, and no target of it is left', async () => {
    const catalogue = await readCatalogue(fileURLToPath(new URL('../../../probes', import.meta.url)));
    if (!catalogue.ok) throw new Error(catalogue.error.message);
    await using tracer = new Tracer({ targets: [], probes: catalogue.value, clock: () => Date.now() });
    const runs = [{ targetId: '', probe: 'vfio-fault', stream: 'faults' }];
    const asked = { ...request, kernel: '6.1', start: 'cold' as const, targetId: 'dying', runs };
    const tell = ({ stage }: { readonly stage: string }): void => {
      if (stage.startsWith('waiting for'))
        for (const pid of guestsOfThisProcess()) process.kill(Number(pid), 'SIGKILL');
    };
    const opened = await openGuest(tracer, catalogue.value, asked, tell, undefined);
    expect(opened).toMatchObject({ ok: false, error: { kind: 'broken' } });
    if (!opened.ok) expect(opened.error.message).toContain('QEMU was killed by SIGKILL');
    expect(await tracer.targets()).toEqual([]);
    expect(guestsOfThisProcess()).toEqual([]);
  });
});

describe('faultline lab', () => {
  const faultline = async (
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly said: string }> => {
    const { status, out, err } = await runProgram(words, env);
    return { status, said: status === 0 ? out : `${out}${err}` };
  };

  it('ends with 2 for a kernel it does not have, and says which it has', async () => {
    const { status, said } = await faultline(['lab', 'boot', '5.4', '--once']);
    expect(status).toBe(2);
    expect(said).toContain('The lab has: 6.1, 6.12');
  });

  it('ends with 69 where QEMU is missing, and says how to get it', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin, { recursive: true });
    const { status, said } = await faultline(['lab', 'boot', '6.1', '--once'], { PATH: bin });
    expect(status).toBe(69);
    expect(said).toContain('sudo apt-get install qemu-system-x86');
  });

  it('prints JSON of a run whose counts are the workload’s, and ends with 0', async () => {
    const { status, said } = await faultline([
      'lab',
      'run',
      '6.1',
      '--workload',
      'dma-map',
      '--probes',
      'vfio-fault',
      '--json',
    ]);
    expect([status, status === 0 ? '' : said]).toEqual([0, '']);
    const answer = JSON.parse(said) as {
      ends: { kind: string }[];
      session: { isComplete: boolean; runs: { totals: { metric: string; value: number }[] }[] };
    };
    expect(answer.ends.map(({ kind }) => kind)).toEqual(['done']);
    expect(answer.session.isComplete).toBe(true);
    expect(answer.session.runs[0]?.totals.find(({ metric }) => metric === 'attempts')?.value).toBe(1);
    expect(existsSync(cacheFolder())).toBe(true);
  });

  it('ends with 2 for a probe that there is not', async () => {
    const { said, status } = await faultline(['lab', 'run', '6.1', '--workload', 'touch', '--probes', 'no-such-probe']);
    expect(status).toBe(2);
    expect(said).toContain('no-such-probe');
  });
});
