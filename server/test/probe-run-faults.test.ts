import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RunView, Stream } from '@faultline/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { ProbeRun } from '../src/probes/probe-run.ts';
import { HostTarget } from '../src/targets/host.ts';
import { shortestMs, until } from './until.ts';

const fake = fileURLToPath(new URL('fakes/fake-bpftrace.mjs', import.meta.url));

const stream: Stream = {
  name: 'latency',
  title: 'latency',
  question: 'which mode?',
  kind: 'tally',
  isDefault: true,
  insteadOf: [],
  parameters: [],
  columns: [],
  lossMeaning: 'none',
  variants: [
    {
      name: 'tracepoint',
      script: 'latency.bt',
      attach: 'tracepoint',
      requires: { tracepoints: [], functions: [], btf: false },
      bpftraceMin: '0.17',
    },
  ],
  maps: [
    {
      map: '@acq',
      metric: 'acquisitions',
      title: 'acquisitions',
      unit: 'count',
      kind: 'count',
      role: 'events',
      key: [
        { name: 'mode', kind: 'enum', values: { 0: 'mmap-read', 1: 'mmap-write' } },
        { name: 'success', kind: 'enum', values: { 0: 'no', 1: 'yes' } },
        { name: 'comm', kind: 'text' },
      ],
    },
  ],
};

const started: ProbeRun[] = [];

function start(fault: string, bpftrace = fake): ProbeRun {
  process.env['FAKE_BPFTRACE'] = fault;
  const [variant] = stream.variants;
  if (variant === undefined) throw new Error('the stream has a variant');
  const spec = {
    id: fault,
    index: 0,
    probe: 'mmap-lock',
    stream,
    variant,
    script: 'latency.bt',
    parameters: {},
    bpftraceVersion: '0.17.0',
  };
  const run = new ProbeRun(new HostTarget({ bpftrace, prefix: [] }), spec, () => Date.now());
  started.push(run);
  return run;
}

async function ended(run: ProbeRun): Promise<RunView> {
  await run.ended;
  return run.view();
}

const beats = (run: ProbeRun, count: number): Promise<void> => until(() => run.view().ledger.seenCount >= count);

afterEach(async () => {
  await Promise.all(started.splice(0).map((run) => run.stop()));
});

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/**
 * What this process keeps, bytes: heap and buffers, after what was let go of is collected. Resident memory would be decided
 * by when the collector ran and what malloc gave back: 123 to 204 MB in runs of the same code.
 */
function keptBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('a bpftrace that refuses to start', () => {
  it.each([
    ['missing-tracepoint-0.17', 'tracepoint-missing', /no tracepoint mmap_lock:mmap_lock_nothing$/],
    ['missing-tracepoint-0.27', 'tracepoint-missing', /no tracepoint mmap_lock:mmap_lock_nothing$/],
    ['missing-function-0.17', 'function-missing', /: [a-z_]+ cannot be traced on this kernel$/],
    ['missing-module-0.17', 'function-missing', /: vfio_pci_mmap_fault cannot be traced on this kernel$/],
    ['syntax-error', 'script-error', /does not accept latency\.bt/],
    ['not-root', 'not-permitted', /needs root/],
    ['no-capability', 'not-permitted', /needs root/],
    ['sudo-refuses', 'not-permitted', /prefix refused/],
    ['load-failure', 'load-failed', /kernel refused/],
    ['segfault', 'killed', /SIGSEGV/],
  ])('%s: failed as %s, in words', async (fault, kind, words) => {
    const view = await ended(start(fault));
    expect(view.state).toBe('failed');
    expect(view.failure?.kind).toBe(kind);
    expect(view.failure?.message).toMatch(words);
    expect(view.failure?.message).toMatch(/^mmap-lock latency: /);
    expect(view.failure?.remedy).not.toBe('');
  });

  it('no bpftrace at all: says how to install it', async () => {
    const view = await ended(start('well', '/nowhere/bpftrace'));
    expect(view.failure?.kind).toBe('bpftrace-missing');
    expect(view.failure?.remedy).toContain('apt-get install bpftrace');
  });
});

describe('a bpftrace that runs', () => {
  it('is running from READY on, and its last maps are in the counts', async () => {
    const run = start('well');
    await beats(run, 10);
    expect(run.view().state).toBe('running');
    const before = run.view().ledger.seenCount;
    await run.stop();
    const view = run.view();
    expect(view.state).toBe('stopped');
    expect(view.isComplete).toBe(true);
    // The fake counts tens at heartbeats and adds three at its end.
    expect(view.ledger.seenCount % 10).toBe(3);
    expect(view.ledger.seenCount).toBeGreaterThan(before);
  });

  it('killed with SIGKILL: failed with its reason within 2 s, the counts of the last heartbeat kept', async () => {
    const killOne = async (): Promise<number> => {
      const run = start('well');
      await beats(run, 10);
      const pid = run.bpftracePid ?? Number.NaN;
      const killedAtMs = Date.now();
      process.kill(pid, 'SIGKILL');
      const view = await ended(run);
      const tookMs = Date.now() - killedAtMs;
      expect(view.failure).toMatchObject({
        kind: 'killed',
        message: 'mmap-lock latency: bpftrace was killed by SIGKILL',
      });
      expect(view.findings.map((one) => one.code)).toContain('no-final-snapshot');
      expect(view.ledger.seenCount).toBeGreaterThanOrEqual(10);
      expect(view.isComplete).toBe(false);
      return tookMs;
    };
    expect(await shortestMs(2_000, killOne)).toBeLessThanOrEqual(2_000);
  });

  it('ending by itself is a failure that says so', async () => {
    const view = await ended(start('ends-by-itself'));
    expect(view.failure).toMatchObject({ kind: 'exited' });
  });

  it('ignoring the first SIGINT (0.17) gets a second one and still gives its last maps', async () => {
    const run = start('ignores-first-sigint');
    await beats(run, 10);
    await run.stop();
    expect(run.view()).toMatchObject({ state: 'stopped', isComplete: true });
  });

  it('ignoring every SIGINT is killed, and the figures say that the last counts are missing', async () => {
    const run = start('ignores-sigint');
    await beats(run, 10);
    await run.stop();
    expect(run.view().state).toBe('stopped');
    expect(run.view().findings.map((one) => one.code)).toContain('no-final-snapshot');
  }, 15_000);

  it('silent after READY is failed as stalled', async () => {
    const view = await ended(start('hangs-after-ready'));
    expect(view.failure).toMatchObject({ kind: 'stalled' });
  }, 15_000);
});

describe('a bpftrace that prints what nobody expects', () => {
  it('rubbish: counted as malformed with an excerpt, the good lines still count', async () => {
    const run = start('rubbish');
    await beats(run, 30);
    await run.stop();
    const view = run.view();
    expect(view.state).toBe('stopped');
    expect(view.ledger.malformedCount).toBeGreaterThanOrEqual(12);
    expect(view.findings.map((one) => one.code)).toContain('lines-malformed');
    expect(view.findings.map((one) => one.message).join('\n')).toContain('not understood: ');
    expect(view.ledger.seenCount % 10).toBe(3);
  });

  it('half lines: put together, nothing malformed', async () => {
    const run = start('half-lines');
    await beats(run, 30);
    await run.stop();
    expect(run.view().ledger.malformedCount).toBe(0);
    expect(run.view().isComplete).toBe(true);
  });

  it('lines of 1 MB and of 5 MB: malformed each, never kept', async () => {
    const run = start('long-lines');
    await beats(run, 20);
    await run.stop();
    const messages = run.view().findings.map((one) => one.message);
    expect(messages).toContain('not understood: a line longer than 4 MiB');
    expect(run.view().ledger.malformedCount).toBeGreaterThanOrEqual(4);
    expect(run.view().ledger.seenCount).toBeGreaterThanOrEqual(20);
  });

  it('a flood: malformed lines counted, the server goes on, the run can be stopped or is failed as flooded', async () => {
    const run = start('floods');
    await until(() => run.view().ledger.malformedCount > 100 || run.isEnded);
    const before = keptBytes();
    await until(() => run.view().ledger.bytesCount > 200_000_000 || run.isEnded, 60_000);
    expect(keptBytes() - before).toBeLessThan(100_000_000);
    await run.stop();
    expect(['stopped', 'failed']).toContain(run.view().state);
  });

  it('losses that bpftrace reports are in the ledger and make the run incomplete', async () => {
    const run = start('loses-events');
    await beats(run, 20);
    await run.stop();
    expect(run.view().ledger.lostCount).toBeGreaterThanOrEqual(14);
    expect(run.view().ledger.lostCount % 7).toBe(0);
    expect(run.view().isComplete).toBe(false);
  });

  it('a full map (0.23 says so line by line) is one finding with its count', async () => {
    const run = start('map-full-0.23');
    await beats(run, 30);
    await run.stop();
    const finding = run.view().findings.find((one) => one.code === 'map-full');
    expect(finding?.level).toBe('lossy');
    expect(finding?.count).toBeGreaterThanOrEqual(3);
    expect(run.view().ledger.malformedCount).toBe(0);
  });

  it('a cumulative counter that goes back is ignored and said', async () => {
    const run = start('counter-goes-back');
    await beats(run, 50);
    await until(() => run.view().findings.length > 0);
    expect(run.view().findings[0]?.code).toBe('counter-went-back');
    expect(run.view().ledger.seenCount).toBe(50);
  });
});
