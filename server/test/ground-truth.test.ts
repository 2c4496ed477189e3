/** The real bpftrace on the real kernel against a workload that counts for itself. */
import type { RunSummary, RunView } from '@faultline/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { openTracer } from '../src/sessions/open-tracer.ts';
import type { Tracer } from '../src/sessions/tracer.ts';
import { load } from './load.ts';
import { shortestMs, until } from './until.ts';

let tracer: Tracer | undefined;

afterEach(async () => {
  await tracer?.[Symbol.asyncDispose]();
  tracer = undefined;
});

async function startOn(probe: string, stream: string): Promise<RunView> {
  const opened = await openTracer({ bpftrace: 'bpftrace', prefix: [] });
  if (!opened.ok) throw new Error(opened.error.message);
  tracer = opened.value;
  const started = await tracer.startRun({ targetId: 'host', probe, stream });
  if (!started.ok) throw new Error(started.error.message);
  await until(() => tracer?.runs()[0]?.state !== 'starting', 30_000);
  expect(tracer.runs()[0]).toMatchObject({ state: 'running' });
  return started.value;
}

/** Stops the run and gives its final figures. */
async function finish(run: RunView): Promise<RunSummary> {
  const stopped = await tracer?.stopRun(run.id);
  expect(stopped).toMatchObject({ ok: true, value: { state: 'stopped', isComplete: true } });
  const session = await tracer?.session('host');
  const summary = session?.ok === true ? session.value.runSummary(run.id) : undefined;
  if (summary?.ok !== true) throw new Error('a run that was stopped has a summary');
  return summary.value;
}

/** Sum of a metric over all keys that have these dimensions. */
function total(summary: RunSummary, metric: string, dims: Readonly<Record<string, string>>): number {
  return summary.totals
    .filter((one) => one.metric === metric && Object.entries(dims).every(([name, word]) => one.dims[name] === word))
    .reduce((sum, one) => sum + one.value, 0);
}

describe.each(['latency', 'counts'])('mmap-lock %s', (stream) => {
  it('counts exactly N read acquisitions for N mincore calls, at full speed', async () => {
    const run = await startOn('mmap-lock', stream);
    const truth = await load('mincore', '--count', '2000000', '--name', 'gt-mincore');
    const summary = await finish(run);
    expect(truth.readAcquisitions).toBe(2_000_000);
    const comm = 'gt-mincore';
    expect(total(summary, 'acquisitions', { comm, mode: 'mmap-read', success: 'yes', downgrade: 'no' })).toBe(
      2_000_000,
    );
    expect(total(summary, 'acquisitions', { comm })).toBe(2_000_000);
  });

  it('counts 2 writes and 1 read, which is a downgrade, for each mmap and munmap', async () => {
    const run = await startOn('mmap-lock', stream);
    const truth = await load('mmap-munmap', '--count', '20000', '--name', 'gt-mapper');
    const summary = await finish(run);
    const comm = 'gt-mapper';
    expect(truth).toMatchObject({ writeAcquisitions: 40_000, readAcquisitions: 20_000, downgrades: 20_000 });
    expect(total(summary, 'acquisitions', { comm, mode: 'mmap-write', success: 'yes' })).toBe(40_000);
    expect(total(summary, 'acquisitions', { comm, mode: 'mmap-read', success: 'yes' })).toBe(20_000);
    expect(total(summary, 'acquisitions', { comm, downgrade: 'yes' })).toBe(20_000);
  });
});

describe('mmap-lock latency', () => {
  it('has a wait for every acquisition and a hold for every release of a process it traces alone', async () => {
    const run = await startOn('mmap-lock', 'latency');
    await load('mmap-munmap', '--count', '20000', '--name', 'gt-mapper');
    const summary = await finish(run);
    const acquired = total(summary, 'acquisitions', { success: 'yes', downgrade: 'no' });
    const waits = summary.distributions.filter((one) => one.metric === 'wait').reduce((sum, one) => sum + one.count, 0);
    // What was begun before READY has no start: it is counted as unpaired; everything else has its wait.
    expect(acquired - waits).toBe(total(summary, 'unpaired', { event: 'acquired' }));
    expect(total(summary, 'holdTotal', { comm: 'gt-mapper', mode: 'mmap-write' })).toBeGreaterThan(0);
  });

  it('sees real waits when threads contend for one address space', async () => {
    const run = await startOn('mmap-lock', 'latency');
    await load('contend', '--count', '2000', '--threads', '4', '--pages', '4096', '--name', 'gt-contend');
    const summary = await finish(run);
    const slowest = Math.max(
      ...summary.distributions.filter((one) => one.metric === 'wait').map((one) => one.max ?? 0),
    );
    expect(slowest).toBeGreaterThan(10_000);
  });

  it('counts nothing of bpftrace itself', async () => {
    const run = await startOn('mmap-lock', 'latency');
    await load('mincore', '--count', '1000', '--name', 'gt-any');
    const summary = await finish(run);
    expect(total(summary, 'acquisitions', { comm: 'bpftrace' })).toBe(0);
  });
});

describe('page-fault entries', () => {
  it.each(['fault-read', 'fault-write', 'fault-protection', 'fault-exec'])(
    'counts exactly the faults of %s, by access and cause',
    async (mode) => {
      const run = await startOn('page-fault', 'entries');
      const truth = await load(mode, '--count', '5000', '--name', 'gt-fault');
      const summary = await finish(run);
      const comm = 'gt-fault';
      expect(truth.faults).toBe(5000);
      const dims = { comm, access: truth.access ?? '', cause: truth.cause ?? '', origin: truth.origin ?? '' };
      expect(total(summary, 'faults', dims)).toBe(5000);
      expect(total(summary, 'faults', { comm })).toBe(5000);
    },
  );
});

describe('mmap-lock detail', () => {
  it('prints one line for each slow call, and the ledger balances', async () => {
    const run = await startOn('mmap-lock', 'detail');
    await load('contend', '--count', '2000', '--threads', '4', '--pages', '4096', '--name', 'gt-contend');
    const summary = await finish(run);
    const { ledger } = summary.run;
    expect(ledger.arrivedCount).toBeGreaterThan(0);
    expect(ledger.seenCount).toBe(ledger.emittedCount + ledger.suppressedCount);
    expect(ledger.emittedCount).toBe(
      ledger.recordedCount + ledger.missingCount + ledger.malformedCount + ledger.droppedCount,
    );
  });
});

describe('a run of the real bpftrace', () => {
  it('killed with SIGKILL is failed with its reason within 2 s, and another run goes on', async () => {
    const killOne = async (): Promise<number> => {
      await tracer?.[Symbol.asyncDispose]();
      const victim = await startOn('mmap-lock', 'counts');
      const other = await tracer?.startRun({ targetId: 'host', probe: 'page-fault', stream: 'entries' });
      await until(() => tracer?.runs().every((run) => run.state === 'running') ?? false);
      const pid = tracer?.runs().find((run) => run.id === victim.id)?.bpftracePid ?? Number.NaN;
      const killedAtMs = Date.now();
      process.kill(pid, 'SIGKILL');
      await until(() => tracer?.runs()[0]?.state === 'failed');
      const tookMs = Date.now() - killedAtMs;
      expect(tracer?.runs()[0]?.failure?.message).toBe('mmap-lock counts: bpftrace was killed by SIGKILL');
      expect(tracer?.runs().find((run) => other?.ok === true && run.id === other.value.id)?.state).toBe('running');
      return tookMs;
    };
    expect(await shortestMs(2_000, killOne)).toBeLessThanOrEqual(2_000);
  });

  it('is refused beside one that counts the same', async () => {
    await startOn('mmap-lock', 'counts');
    const second = await tracer?.startRun({ targetId: 'host', probe: 'mmap-lock', stream: 'latency' });
    expect(second).toMatchObject({ ok: false, error: { kind: 'already-running' } });
  });

  it('refuses parameters that are not its own or out of bounds', async () => {
    const opened = await openTracer({ bpftrace: 'bpftrace', prefix: [] });
    tracer = opened.ok ? opened.value : undefined;
    const start = (parameters: Record<string, number>): Promise<unknown> =>
      tracer?.startRun({ targetId: 'host', probe: 'mmap-lock', stream: 'latency', parameters }) ?? Promise.resolve();
    expect(await start({ colour: 1 })).toMatchObject({ ok: false, error: { kind: 'bad-parameter' } });
    expect(await start({ pid: -1 })).toMatchObject({ ok: false, error: { kind: 'bad-parameter' } });
    expect(await start({ pid: 1.5 })).toMatchObject({ ok: false, error: { kind: 'bad-parameter' } });
    expect(tracer?.runs()).toEqual([]);
  });
});
