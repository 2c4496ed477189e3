/** The lab over HTTP, against real guests: boot, watch, run, count, refuse, stop. */
import { faultPathProbes } from '../../src/lab/open-guest.ts';
import type { LabMachine, LabView, LabWorkloadRun, Problem, RunSummary, SessionView } from '@faultline/shared';
import { ensure, expectedFaults, guestRemoveMaxMs, readWorkloadReport } from '@faultline/shared';
import { pino } from 'pino';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseStreams } from '../../src/cli/arguments.ts';
import { buildApp } from '../../src/http/app.ts';
import { LabDesk } from '../../src/lab/lab-desk.ts';
import { readCatalogue } from '../../src/probes/catalogue.ts';
import { Tracer } from '../../src/sessions/tracer.ts';
import { until } from '../until.ts';
import { guestsOfThisProcess } from './guests-of-this-process.ts';

type Server = AsyncDisposable & { readonly url: string };
type Answer<T> = { readonly status: number; readonly body: T & Problem };

const mib = 1024 * 1024;
/** Longer than a stop may take on a busy machine; shorter than what it used to wait for: probes that attach under emulation. */
const promptMs = 10_000;

let server: Server;
beforeAll(async () => {
  server = await start();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The server as `serve` puts it together, on a free port, without a page. */
async function start(): Promise<Server> {
  const catalogue = await readCatalogue(fileURLToPath(new URL('../../../probes', import.meta.url)));
  if (!catalogue.ok) throw new Error(catalogue.error.message);
  const clock = (): number => Date.now();
  const tracer = new Tracer({ targets: [], probes: catalogue.value, clock });
  const runs = chooseStreams({ targetId: '', probes: faultPathProbes, parameters: [] }, tracer.probes());
  if (!runs.ok) throw new Error(runs.error.message);
  const desk = { tracing: tracer, probes: catalogue.value, bpftrace: 'bpftrace', runs: runs.value, clock };
  const lab = new LabDesk(desk);
  const { app } = await buildApp({
    tracing: tracer,
    lab,
    access: { host: '127.0.0.1', allowedHosts: [], token: undefined },
    version: '0.0.0-test',
    pageFolder: '/nonexistent',
    logger: pino({ level: 'silent' }),
    stopping: new AbortController().signal,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await lab[Symbol.asyncDispose]();
      await tracer[Symbol.asyncDispose]();
    },
  };
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) };
  const answer = await fetch(`${server.url}/api/v1/${path}`, { method, ...(method === 'GET' ? {} : json) });
  return { status: answer.status, body: (await answer.json()) as T & Problem };
}

async function lab(): Promise<LabView> {
  return (await ask<LabView>('GET', 'lab')).body;
}

async function machine(id: string): Promise<LabMachine | undefined> {
  return (await lab()).machines.find((one) => one.id === id);
}

/** Waits for the guest, and answers every stage that was seen on its way. */
async function untilRunning(id: string): Promise<readonly string[]> {
  const stages = new Set<string>();
  await until(async () => {
    const now = ensure(await machine(id), 'a guest that was booted is listed');
    if (now.state === 'failed') throw new Error(now.problem);
    stages.add(now.stage);
    return now.state === 'running';
  }, 200_000);
  return [...stages];
}

async function runOf(id: string): Promise<LabWorkloadRun> {
  return ensure(
    (await lab()).workloadRuns.find((run) => run.id === id),
    'a workload is listed',
  );
}

/** Runs a workload to its end. */
async function runToEnd(machineId: string, request: object): Promise<LabWorkloadRun> {
  const begun = await ask<LabWorkloadRun>('POST', `lab/machines/${machineId}/runs`, request);
  expect(begun).toMatchObject({ status: 200, body: { state: 'running' } });
  await until(async () => (await runOf(begun.body.id)).state !== 'running', 90_000);
  return runOf(begun.body.id);
}

/** Faults counted in a guest so far: attempts with a final result. */
async function faultsOf(targetId: string): Promise<number> {
  const sessions = await ask<SessionView[]>('GET', 'sessions');
  const session = sessions.body.find(({ target }) => target.id === targetId);
  const run = session?.runs.find(({ probe }) => probe === 'vfio-fault');
  const summary = await ask<RunSummary>('GET', `runs/${ensure(run, 'vfio-fault runs').id}/summary`);
  return summary.body.totals
    .filter(({ metric, dims }) => metric === 'attempts' && !['fallback', 'retry'].includes(String(dims['result'])))
    .reduce((sum, { value }) => sum + value, 0);
}

describe('a guest over HTTP', () => {
  let id = '';

  it('boots with stages in sight, and is a target when it is up', async () => {
    const begun = await ask<LabMachine>('POST', 'lab/machines', { kernel: '6.1', barBytes: 64 * mib });
    expect(begun).toMatchObject({ status: 200, body: { kernel: '6.1', state: 'preparing', barBytes: 64 * mib } });
    ({ id } = begun.body);
    const early = await ask('POST', `lab/machines/${id}/runs`, { workload: 'touch' });
    expect(early).toMatchObject({ status: 409, body: { error: 'lab-problem', message: `${id} is not running` } });
    const stages = await untilRunning(id);
    expect(stages.join('; ')).toMatch(/restoring the snapshot|booting/);
    expect(stages.join('; ')).toMatch(/taking up tracing|probes to attach/);
    expect(await machine(id)).toMatchObject({ targetId: id, era: 'a' });
    const targets = await ask<{ id: string }[]>('GET', 'targets');
    expect(targets.body.map((target) => target.id)).toEqual([id]);
  }, 220_000);

  it('runs touch, dma-map and a part of the BAR misaligned, again and again, and counts what each says it took', async () => {
    const requests = [
      [{ workload: 'touch' }, 1],
      [{ workload: 'dma-map' }, 1],
      [{ workload: 'touch', isMisaligned: true, repetitions: 5, sizeBytes: 2 * mib }, 5],
    ] as const;
    let before = await faultsOf(id);
    for (const [request, faults] of requests) {
      const run = await runToEnd(id, request);
      expect(run).toMatchObject({ state: 'done', exitStatus: 0, sizeBytes: 64 * mib, repetitions: 1, ...request });
      const report = ensure(readWorkloadReport(run.lines.at(-1) ?? ''), 'the last line has the sums');
      expect(report).toMatchObject({ isDone: true, bytes: run.sizeBytes, isAligned: !run.isMisaligned });
      expect(run.lineCount).toBe(run.repetitions + 1);
      expect(expectedFaults(report, 'a')).toBe(faults);
      await until(async () => (await faultsOf(id)) >= before + faults, 60_000);
      expect(await faultsOf(id)).toBe(before + faults);
      before += faults;
    }
  });

  it('shows the newest lines of many', async () => {
    const run = await runToEnd(id, { workload: 'dma-map', repetitions: 60, sizeBytes: 4096 });
    expect([run.state, run.lineCount, run.lines.length]).toEqual(['done', 61, 50]);
    expect(readWorkloadReport(run.lines.at(-1) ?? '')).toMatchObject({ isDone: true, populations: 60 });
  });

  it('refuses a second workload while one runs, for the device is taken, and goes on when it has ended', async () => {
    const long = await ask<LabWorkloadRun>('POST', `lab/machines/${id}/runs`, { workload: 'dma-map', repetitions: 40 });
    const second = await ask('POST', `lab/machines/${id}/runs`, { workload: 'sysfs' });
    expect(second).toMatchObject({ status: 409, body: { error: 'lab-problem' } });
    expect(second.body.message).toContain(`dma-map runs in ${id}`);
    await until(async () => (await runOf(long.body.id)).state === 'done', 90_000);
    expect(await runToEnd(id, { workload: 'sysfs' })).toMatchObject({ state: 'done' });
  });

  it.each([
    [{ workload: 'no-such' }, 'bad-parameter', 'there is no workload no-such'],
    [{ workload: 'sysfs', isMisaligned: true }, 'bad-parameter', 'sysfs cannot be misaligned'],
    [{ workload: 'touch', threads: 4 }, 'bad-parameter', 'touch has one thread'],
    [{ workload: 'touch', sizeBytes: 128 * mib }, 'bad-parameter', '64 MiB'],
    [{ workload: 'touch', sizeBytes: 5000 }, 'bad-request', 'sizeBytes must be multiple of 4096'],
    [{ workload: 'touch', repetitions: 0 }, 'bad-request', 'repetitions must be >= 1'],
    [{ workload: 'contention', threads: 65 }, 'bad-request', 'threads must be <= 64'],
    [{ workload: 'touch; reboot' }, 'bad-request', 'workload must match pattern'],
    [{ workload: 'touch', device: '0000:00:01.0' }, 'bad-request', 'unknown property "device"'],
  ])('refuses %o', async (request, error, message) => {
    const answer = await ask('POST', `lab/machines/${id}/runs`, request);
    expect(answer).toMatchObject({ status: 400, body: { error } });
    expect(answer.body.message).toContain(message);
  });

  it('ends with its workload and its target when it is stopped', async () => {
    const long = await ask<LabWorkloadRun>('POST', `lab/machines/${id}/runs`, {
      workload: 'touch',
      repetitions: 9_999,
    });
    expect(await ask('DELETE', `lab/machines/${id}`)).toMatchObject({ status: 200, body: { id, state: 'stopping' } });
    await until(async () => (await runOf(long.body.id)).state === 'failed');
    expect((await lab()).machines).toEqual([]);
    expect((await ask('GET', 'targets')).body).toEqual([]);
    expect(guestsOfThisProcess()).toEqual([]);
    expect(await ask('DELETE', `lab/machines/${id}`)).toMatchObject({
      status: 404,
      body: { error: 'unknown-machine' },
    });
  });
});

describe('a guest that hangs', () => {
  it('is ended in bounded time with all that waits for it', async () => {
    const { body } = await ask<LabMachine>('POST', 'lab/machines', { kernel: '6.1', barBytes: 64 * mib });
    await untilRunning(body.id);
    const [pid = ''] = guestsOfThisProcess();
    const long = await ask<LabWorkloadRun>('POST', `lab/machines/${body.id}/runs`, {
      workload: 'touch',
      repetitions: 9_999,
    });
    // Its CPUs stand still: to whoever waits for its probes that is a hung kernel.
    process.kill(Number(pid), 'SIGSTOP');
    const beganMs = Date.now();
    expect((await ask('DELETE', `lab/machines/${body.id}`)).status).toBe(200);
    expect(Date.now() - beganMs).toBeLessThan(guestRemoveMaxMs + promptMs);
    await until(async () => (await runOf(long.body.id)).state === 'failed');
    expect((await ask('GET', 'targets')).body).toEqual([]);
    expect(guestsOfThisProcess()).toEqual([]);
  }, 200_000);
});

describe('a guest whose kernel dies', () => {
  it('tells what a kernel died of, and runs nothing more in it', async () => {
    const { body } = await ask<LabMachine>('POST', 'lab/machines', { kernel: '6.1-v1', barBytes: mib });
    await untilRunning(body.id);
    const run = await runToEnd(body.id, { workload: 'futex' });
    expect(run).toMatchObject({
      state: 'failed',
      problem: expect.stringMatching(/^it killed the kernel: BUG: .*NULL/),
    });
    expect(run.oopses?.[0]?.stack).toContain('futex_wake_op');
    expect(await machine(body.id)).toMatchObject({ state: 'running', problem: expect.stringMatching(/^futex killed/) });
    const another = await ask('POST', `lab/machines/${body.id}/runs`, { workload: 'touch' });
    expect(another).toMatchObject({ status: 409, body: { message: expect.stringContaining('has oopsed') } });
    expect((await ask('DELETE', `lab/machines/${body.id}`)).status).toBe(200);
  }, 200_000);
});

describe('boots that come to nothing', () => {
  it.each([
    [{ kernel: '5.4' }, 409, 'lab-problem', 'the lab has no kernel 5.4'],
    [{ kernel: '6.1', barBytes: 3 * mib }, 400, 'bad-parameter', 'power of two'],
    [{ kernel: '../6.1' }, 400, 'bad-request', 'kernel must match pattern'],
    [{}, 400, 'bad-request', 'kernel'],
  ])('refuses %o', async (request, status, error, message) => {
    const answer = await ask('POST', 'lab/machines', request);
    expect(answer).toMatchObject({ status, body: { error } });
    expect(answer.body.message).toContain(message);
    expect((await lab()).machines).toEqual([]);
  });

  it('boots one kernel twice as two guests, each stopped at once on its own, while it prepares', async () => {
    const [first, second] = [
      await ask<LabMachine>('POST', 'lab/machines', { kernel: '6.1', barBytes: 128 * mib }),
      await ask<LabMachine>('POST', 'lab/machines', { kernel: '6.1', barBytes: 128 * mib }),
    ];
    expect(new Set((await lab()).machines.map(({ id }) => id))).toEqual(new Set([first.body.id, second.body.id]));
    const beganMs = Date.now();
    await ask('DELETE', `lab/machines/${second.body.id}`);
    expect((await lab()).machines.map(({ id }) => id)).toEqual([first.body.id]);
    await ask('DELETE', `lab/machines/${first.body.id}`);
    expect(Date.now() - beganMs).toBeLessThan(2 * promptMs);
    expect(guestsOfThisProcess()).toEqual([]);
  });

  it('is stopped promptly while its probes attach, and leaves no guest, target or session', async () => {
    // Another size, another snapshot: there is none, so that it boots cold and attaches.
    const begun = await ask<LabMachine>('POST', 'lab/machines', { kernel: '6.1', barBytes: 128 * mib });
    await until(async () => {
      const { stage = '', state } = (await machine(begun.body.id)) ?? {};
      if (state === 'running') throw new Error('6.1 with a BAR of 128 MiB has a snapshot; type: faultline lab clean');
      return /probes to attach/.test(stage);
    }, 200_000);
    const beganMs = Date.now();
    expect(await ask('DELETE', `lab/machines/${begun.body.id}`)).toMatchObject({ status: 200 });
    expect(Date.now() - beganMs).toBeLessThan(promptMs);
    expect((await lab()).machines).toEqual([]);
    expect((await ask('GET', 'targets')).body).toEqual([]);
    expect((await ask('GET', 'sessions')).body).toEqual([]);
    expect(guestsOfThisProcess()).toEqual([]);
  }, 220_000);
});
