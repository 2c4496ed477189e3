/**
 * What every target with a live kernel must do. A kind takes part by calling this in a test file of its own; one target
 * is shared by all cases, since a guest takes seconds to boot, and `die` comes last.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../src/targets/command.ts';
import { type Exit, readText, type Target, type TargetProcess } from '../src/targets/target.ts';

/** Reads a process to its end. */
export async function output(process: TargetProcess): Promise<{ stdout: string; stderr: string; exit: Exit }> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].on('data', (chunk: Buffer) => {
      said[name] += chunk.toString();
    });
  }
  return { exit: await process.exited, ...said };
}

/** A line of shell on the target, with MARK in its environment. */
export function shellOn(target: Target, script: string): TargetProcess {
  return target.start({ program: 'sh', args: ['-c', script], env: { MARK: 'x y' } });
}

/** Resolves with the first line that a process prints. */
export function firstLine(process: TargetProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    process.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text.split('\n')[0] ?? '');
    });
  });
}

const forever = 'while :; do sleep 0.05; done';

/**
 * The contract. `make` gives a target that can be traced; `die` ends what `process` runs on or in from outside, after
 * which the target need not answer any more.
 */
export function liveTargetContract(
  kind: string,
  make: () => Promise<Target>,
  die: (target: Target, process: TargetProcess) => Promise<void>,
): void {
  describe(`a live target of kind ${kind}`, () => {
    let target: Target;

    beforeAll(async () => {
      target = await make();
    });

    afterAll(async () => {
      await target[Symbol.asyncDispose]();
    });

    processCases(() => target);
    wordCases(() => target);
    fileCases(() => target);
    identityCases(() => target);

    it('ends a process whose machine, connection or self dies in the middle, with why', async () => {
      const process = shellOn(target, `echo up; ${forever}`);
      const ended = output(process);
      await firstLine(process);
      const beganMs = Date.now();
      await die(target, process);
      const { stdout, exit } = await ended;
      expect(Date.now() - beganMs).toBeLessThan(15_000);
      expect(stdout).toBe('up\n');
      expect(exit.code).toBeUndefined();
      if (target.died === undefined) expect(exit).toEqual({ signal: 'SIGKILL' });
      else expect(exit.problem).toEqual({ kind: 'failed', message: await target.died });
    });
  });
}

function processCases(the: () => Target): void {
  it('gives stdout, stderr, exit status and environment of a process', async () => {
    const process = shellOn(the(), 'printf "%s" "$MARK"; echo oops >&2; exit 3');
    expect(await output(process)).toEqual({ stdout: 'x y', stderr: 'oops\n', exit: { code: 3 } });
  });

  it('tells the status 255 from a lost connection', async () => {
    expect((await output(shellOn(the(), 'exit 255'))).exit).toEqual({ code: 255 });
  });

  it('gives a process nothing to read', async () => {
    expect(await output(shellOn(the(), 'cat; echo end'))).toMatchObject({ stdout: 'end\n', exit: { code: 0 } });
  });

  it('ends a process that can’t be started with a problem, not with an exception', async () => {
    const { exit } = await output(the().start({ program: 'no-such-program', args: [], env: {} }));
    expect(exit.problem?.kind).toBe('not-found');
    expect(exit.problem?.message).toContain('no-such-program');
  });

  it('says of a program that may not be run that it may not', async () => {
    const { exit } = await output(the().start({ program: '/proc/version', args: [], env: {} }));
    expect(exit.problem?.kind).toBe('denied');
  });

  it('gives all of much output, in order', async () => {
    const lines = 200_000;
    const { stdout, exit } = await output(the().start({ program: 'seq', args: [String(lines)], env: {} }));
    expect(exit).toEqual({ code: 0 });
    expect(stdout.length).toBe(1_288_895);
    expect(stdout.endsWith(`\n${lines}\n`)).toBe(true);
  });

  it('delivers signals, and says by which a process died', async () => {
    const trapping = shellOn(the(), `trap "echo caught; exit 0" INT; echo up; ${forever}`);
    const caught = output(trapping);
    await firstLine(trapping);
    trapping.signal('SIGINT', undefined);
    expect(await caught).toMatchObject({ stdout: 'up\ncaught\n', exit: { code: 0 } });
    const dying = shellOn(the(), `echo up; ${forever}`);
    const died = output(dying);
    await firstLine(dying);
    dying.signal('SIGKILL', undefined);
    expect((await died).exit).toEqual({ signal: 'SIGKILL' });
  });

  it('reports the end although a grandchild holds the pipes open', async () => {
    const startedMs = Date.now();
    const { stdout, exit } = await output(shellOn(the(), 'sleep 60 & echo $!; exit 0'));
    expect(exit).toEqual({ code: 0 });
    expect(Date.now() - startedMs).toBeLessThan(40_000);
    await ask(the(), { program: 'kill', args: [stdout.trim()], env: {} });
  });
}

function wordCases(the: () => Target): void {
  it.each([
    "$(id); `id` | > x 'quote'",
    String.raw`\ \\ \' \n "$HOME" !! ~ * & # %s`,
    "'; exit 7; '",
    '-n',
    '',
    'two\nlines\n',
    'é ✓',
  ])('passes arguments as they are, nothing is a shell line: %j', async (word) => {
    const answer = await ask(the(), { program: 'printf', args: ['%s|', word, 'end'], env: {} });
    expect(answer).toMatchObject({ ok: true, value: { code: 0, stdout: `${word}|end|` } });
  });

  it('passes the environment as it is', async () => {
    const env = { MARK: "$(id) 'x'\n\\" };
    const answer = await ask(the(), { program: 'sh', args: ['-c', 'printf "%s" "$MARK"'], env });
    expect(answer).toMatchObject({ ok: true, value: { stdout: env.MARK } });
  });
}

function fileCases(the: () => Target): void {
  it('reads files of proc, which have no size', async () => {
    const file = await readText(the(), '/proc/self/status');
    expect(file.ok ? file.value : file.error).toContain('CapEff:');
  });

  it('says of a file that is not there that it is not there', async () => {
    for (const path of ['/nowhere/file', '/proc/version/below', "/nowhere/$(id) 'x'", '/-n']) {
      expect(await the().readFile(path)).toMatchObject({ ok: false, error: { kind: 'not-found' } });
      expect(await the().exists(path)).toEqual({ ok: true, value: false });
    }
    expect(await the().exists('/proc/version')).toEqual({ ok: true, value: true });
  });

  it('reads no file without an end to its end', async () => {
    expect(await the().readFile('/dev/zero')).toMatchObject({ ok: false, error: { kind: 'too-large' } });
  });

  it('gives a script that it was handed, word for word', async () => {
    const script = new URL('../../probes/mmap-lock/latency.bt', import.meta.url).pathname;
    const placed = await the().placeScript(script);
    const again = await the().placeScript(script);
    expect(again).toEqual(placed);
    const { readFile } = await import('node:fs/promises');
    const there = await readText(the(), placed.ok ? placed.value : '');
    expect(there).toEqual({ ok: true, value: await readFile(script, 'utf8') });
  });
}

function identityCases(the: () => Target): void {
  it('says who it is, as its own files and commands say', async () => {
    const text = async (path: string): Promise<string> => {
      const file = await readText(the(), path);
      return file.ok ? file.value.trim() : '';
    };
    const answer = await the().identity();
    if (!answer.ok) throw new Error(answer.error.message);
    const { value } = answer;
    const machine = await output(the().start({ program: 'uname', args: ['-m'], env: {} }));
    const cpuinfo = await text('/proc/cpuinfo');
    expect(value).toMatchObject({
      hostname: await text('/proc/sys/kernel/hostname'),
      release: await text('/proc/sys/kernel/osrelease'),
      version: await text('/proc/sys/kernel/version'),
      bootId: await text('/proc/sys/kernel/random/boot_id'),
      machine: machine.stdout.trim(),
      cpuCount: cpuinfo.split('\n').filter((line) => line.startsWith('processor')).length,
    });
    expect(value.memoryBytes).toBeGreaterThan(64 * 1024 * 1024);
    expect([4096, 16_384, 65_536]).toContain(value.pageBytes);
    expect(value.bpftraceVersion).toMatch(/^0\.\d+/);
    expect(value.virtualisation !== undefined).toBe(/^flags\s*:.*\bhypervisor\b/m.test(cpuinfo));
    const thp = await text('/sys/kernel/mm/transparent_hugepage/enabled');
    expect(thp).toContain(value.thpMode === undefined ? '' : `[${value.thpMode}]`);
    const places = ['/proc/config.gz', `/boot/config-${value.release}`];
    const known = await Promise.all(places.map((place) => the().exists(place)));
    expect(Object.keys(value.config).length > 0).toBe(known.some((one) => one.ok && one.value));
  });

  it('knows how its clock stands to ours, to a fraction of a second', async () => {
    const answer = await the().identity();
    const offsetMs = (answer.ok ? answer.value.clockOffsetMs : undefined) ?? Number.NaN;
    const beforeMs = Date.now();
    const uptime = await readText(the(), '/proc/uptime');
    const afterMs = Date.now();
    const kernelMs = Number(uptime.ok ? uptime.value.split(' ')[0] : Number.NaN) * 1000 + offsetMs;
    // It is known to half the time that the question took, which of an emulated guest on a busy machine is long.
    expect(kernelMs).toBeGreaterThan(beforeMs - 500);
    expect(kernelMs).toBeLessThan(afterMs + 500);
  });

  it('is a live target: nothing is a recording', () => {
    expect(the().hasRecording('/probes/p/x.bt')).toBeUndefined();
    expect(the().kind).not.toBe('replay');
  });
}
