import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { err, ok, type RunView, targetsMax } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readCatalogue } from '../probes/catalogue.ts';
import type { Exit, ProcessSpec, Target, TargetProcess } from '../targets/target.ts';
import { Tracer } from './tracer.ts';

/** How long what happens at once may take on a busy machine; vitest's own default is a second. */
const soon = { timeout: 20_000 } as const;

const probesFolder = fileURLToPath(new URL('../../../probes', import.meta.url));
/** What a real bpftrace printed: READY, snapshots between heartbeats. */
const captured = readFileSync(`${probesFolder}/mmap-lock/sample.counts.0.17.0.jsonl`, 'utf8').split('\n');

/** A machine that the test holds in its hand: bpftrace there prints what was captured, until it is stopped or all dies. */
class HandHeldTarget implements Target {
  readonly id: string;
  readonly kind = 'ssh';
  readonly title = 'hand-held';
  readonly badge = undefined;
  readonly died: Promise<string>;
  readonly signals: string[] = [];
  /** Said by every question, when the machine was never there. */
  problem: string | undefined;
  isDisposed = false;
  private sayDied: (reason: string) => void = () => {};
  private readonly ends: ((exit: Exit) => void)[] = [];

  constructor(id: string) {
    this.id = id;
    this.died = new Promise((resolve) => {
      this.sayDied = resolve;
    });
  }

  async identity() {
    if (this.problem !== undefined) return err({ kind: 'failed', message: this.problem } as const);
    return ok({ hostname: 'h', release: '6.1.0', machine: 'x86_64', cpuCount: 1, isEmulated: false, config: {} });
  }

  async readFile() {
    return err({ kind: 'not-found', message: 'no files' } as const);
  }

  async exists() {
    return ok(this.problem === undefined);
  }

  async placeScript(path: string) {
    return ok(path);
  }

  hasRecording(): undefined {
    return undefined;
  }

  start({ args }: ProcessSpec): TargetProcess {
    const isVersion = args[0] === '--version';
    const stdout = new PassThrough();
    const stderr = new PassThrough().end();
    let end: (exit: Exit) => void = () => {};
    const exited = new Promise<Exit>((resolve) => {
      end = (exit) => {
        stdout.end();
        stdout.once('close', () => resolve(exit));
      };
    });
    if (isVersion) {
      stdout.write('bpftrace v0.17.0\n');
      end({ code: 0 });
    } else {
      stdout.write(`${captured.slice(0, 8).join('\n')}\n`);
      this.ends.push(end);
    }
    const signal: TargetProcess['signal'] = (name) => {
      this.signals.push(name);
      end({ code: 0 });
    };
    return { stdout, stderr, exited, signal, release: () => end({}) };
  }

  die(reason: string): void {
    for (const end of this.ends) end({ problem: { kind: 'failed', message: reason } });
    this.sayDied(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}

let tracer: Tracer;
let machine: HandHeldTarget;

beforeEach(async () => {
  const catalogue = await readCatalogue(probesFolder);
  if (!catalogue.ok) throw new Error(catalogue.error.message);
  tracer = new Tracer({ targets: [], probes: catalogue.value, clock: () => Date.now() });
  machine = new HandHeldTarget('one');
});

afterEach(async () => {
  await tracer[Symbol.asyncDispose]();
});

async function startRun(targetId: string): Promise<RunView> {
  const run = await tracer.startRun({ targetId, probe: 'mmap-lock', stream: 'counts' });
  if (!run.ok) throw new Error(run.error.message);
  await vi.waitUntil(() => tracer.runs().some(({ id, state }) => id === run.value.id && state === 'running'), soon);
  return run.value;
}

/** All acquisitions that the only run of a target has counted so far. */
async function countedOn(targetId: string): Promise<number> {
  const session = await tracer.session(targetId);
  const [run] = session.ok ? session.value.summary().runs : [];
  return (run?.totals ?? []).reduce((sum, { value }) => sum + value, 0);
}

describe('targets that come and go', () => {
  it('are listed and traced from the moment they are added', async () => {
    expect(await tracer.targets()).toEqual([]);
    expect(tracer.addTarget(machine)).toEqual({ ok: true, value: undefined });
    expect(await tracer.targets()).toMatchObject([{ id: 'one', kind: 'ssh', identity: { release: '6.1.0' } }]);
    await startRun('one');
    await vi.waitUntil(async () => (await countedOn('one')) > 0, soon);
  });

  it('have ids of their own, and a number', () => {
    expect(tracer.addTarget(machine).ok).toBe(true);
    const again = tracer.addTarget(new HandHeldTarget('one'));
    expect(again).toMatchObject({ ok: false, error: { message: 'there is a target one already' } });
    for (let at = 1; at < targetsMax; at += 1) expect(tracer.addTarget(new HandHeldTarget(`${at}`)).ok).toBe(true);
    expect(tracer.addTarget(new HandHeldTarget('more')).ok).toBe(false);
  });

  it('end their runs in order when they are removed, and are disposed of', async () => {
    tracer.addTarget(machine);
    tracer.addTarget(new HandHeldTarget('other'));
    await startRun('one');
    await startRun('other');
    expect(await tracer.removeTarget('one')).toEqual({ ok: true, value: undefined });
    expect([machine.signals[0], machine.isDisposed]).toEqual(['SIGINT', true]);
    expect((await tracer.targets()).map(({ id }) => id)).toEqual(['other']);
    expect(tracer.runs().map(({ state }) => state)).toEqual(['running']);
    expect(tracer.sessions().map((session) => session.view().target.id)).toEqual(['other']);
    expect(await tracer.session('one')).toMatchObject({ ok: false, error: { kind: 'unknown-target' } });
    expect(await tracer.removeTarget('one')).toMatchObject({ ok: false, error: { kind: 'unknown-target' } });
  });

  it('are disposed of though nobody looked at them', async () => {
    tracer.addTarget(machine);
    await tracer.removeTarget('one');
    expect(machine.isDisposed).toBe(true);
  });

  it('may come back under the same name, with nothing of what was before', async () => {
    tracer.addTarget(machine);
    await startRun('one');
    await tracer.removeTarget('one');
    expect(tracer.addTarget(new HandHeldTarget('one')).ok).toBe(true);
    expect(tracer.runs()).toEqual([]);
    await startRun('one');
  });
});

describe('a target that dies', () => {
  it('fails its runs as lost, says why everywhere, and keeps what had arrived', async () => {
    tracer.addTarget(machine);
    tracer.addTarget(new HandHeldTarget('other'));
    const run = await startRun('one');
    await startRun('other');
    await vi.waitUntil(async () => (await countedOn('one')) > 0, soon);
    const before = await countedOn('one');
    const session = await tracer.session('one');
    const told: boolean[] = [];
    if (session.ok) session.value.onTick(({ hasStateChange }) => told.push(hasStateChange));
    machine.die('the connection was lost: it broke');
    await vi.waitUntil(() => tracer.runs().some(({ id, state }) => id === run.id && state === 'failed'), soon);
    const failed = tracer.runs().find(({ id }) => id === run.id);
    expect(failed?.failure).toMatchObject({
      kind: 'target-lost',
      message: expect.stringContaining('the connection was lost: it broke'),
    });
    expect(failed?.isComplete).toBe(false);
    const problem = 'the connection was lost: it broke';
    expect(await tracer.targets()).toMatchObject([
      { id: 'one', problem, identity: { release: '6.1.0' } },
      { id: 'other' },
    ]);
    expect((await tracer.targets())[1]?.problem).toBeUndefined();
    expect(await countedOn('one')).toBe(before);
    expect(tracer.runs().find(({ id }) => id !== run.id)?.state).toBe('running');
    await vi.waitUntil(() => told.includes(true), soon);
    expect((await tracer.removeTarget('one')).ok).toBe(true);
  });

  it('tells whoever listens, though nothing ran on it', async () => {
    tracer.addTarget(machine);
    const session = await tracer.session('one');
    const told: boolean[] = [];
    if (session.ok) session.value.onTick(({ hasStateChange }) => told.push(hasStateChange));
    machine.die('gone');
    await vi.waitUntil(() => told.includes(true), soon);
    expect(session.ok ? session.value.view().target.problem : '').toBe('gone');
  });

  it('is not asked any more: it is gone, and does not lack what is not found there', async () => {
    tracer.addTarget(machine);
    await tracer.targets();
    machine.die('gone');
    await vi.waitUntil(async () => (await tracer.targets())[0]?.problem === 'gone', soon);
    const refusal = { ok: false, error: { kind: 'target-problem', message: 'gone' } };
    expect(await tracer.startRun({ targetId: 'one', probe: 'mmap-lock', stream: 'counts' })).toMatchObject(refusal);
    expect(await tracer.preflight('one')).toMatchObject(refusal);
    expect(await tracer.plans('one')).toMatchObject(refusal);
  });

  it('or was never there is refused with why', async () => {
    machine.problem = 'ssh could not connect';
    tracer.addTarget(machine);
    const refusal = { ok: false, error: { kind: 'target-problem', message: 'ssh could not connect' } };
    expect(await tracer.startRun({ targetId: 'one', probe: 'mmap-lock', stream: 'counts' })).toMatchObject(refusal);
    expect(await tracer.targets()).toMatchObject([{ id: 'one', problem: 'ssh could not connect' }]);
  });
});
