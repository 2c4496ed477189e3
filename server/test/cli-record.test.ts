import type { Failure, RunView } from '@faultline/shared';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultStreams } from '../src/cli/arguments.ts';
import { record } from '../src/cli/record.ts';
import { fakeLedger } from './fakes/fake-session.ts';
import { FakeTracing, fakeProbes } from './fakes/fake-tracing.ts';
import { type FakeTerminal, fakeTerminal } from './fakes/fake-terminal.ts';
import { until } from './until.ts';

const failure: Failure = {
  kind: 'killed',
  message: 'bpftrace was killed (SIGKILL)',
  remedy: 'Start it again.',
  stderr: 'one\ntwo\n',
};

let tracing: FakeTracing;
let terminal: FakeTerminal;
let interruption: AbortController;
beforeEach(() => {
  tracing = new FakeTracing();
  terminal = fakeTerminal();
  interruption = new AbortController();
});

function run(differences: { durationMs?: number; isJson?: boolean; targetId?: string } = {}): Promise<number> {
  const { durationMs = 30, isJson = false, targetId = 'host' } = differences;
  const runs = defaultStreams(targetId, fakeProbes);
  return record(tracing, { targetId, runs, durationMs, isJson }, { terminal, interrupted: interruption.signal });
}

/** Resolves once everything is attached. */
function recording(): Promise<void> {
  return until(() => terminal.printed.err.includes('recording '));
}

describe('record', () => {
  it('has status 0 when everything was recorded, and stops what it started', async () => {
    expect(await run()).toBe(0);
    expect(tracing.started.map(({ probe, stream }) => `${probe}:${stream}`)).toEqual([
      'mmap-lock:counts',
      'page-fault:counts',
    ]);
    expect(tracing.stopped).toEqual(['run-0', 'run-1']);
    expect(terminal.printed.out).toContain('Complete: nothing was lost, dropped or malformed.');
  });

  const losses: readonly (readonly [string, Partial<RunView>])[] = [
    ['lost', { ledger: fakeLedger({ lostCount: 1 }) }],
    ['missing', { ledger: fakeLedger({ missingCount: 1 }) }],
    ['malformed', { ledger: fakeLedger({ malformedCount: 1 }) }],
    ['dropped', { ledger: fakeLedger({ droppedCount: 1 }) }],
    ['called incomplete by the run', { isComplete: false }],
    [
      'found to be lossy',
      { findings: [{ code: 'map-full', level: 'lossy', message: 'a map is full', atMs: 0, count: 2 }] },
    ],
  ];
  it.each(losses)('has status 3 when something was %s', async (_, loss) => {
    tracing.afterStop = () => ({ state: 'stopped', ...loss });
    expect(await run()).toBe(3);
    expect(terminal.printed.out).toContain('INCOMPLETE');
  });

  it('has status 0 when there is only something to note', async () => {
    const findings = [
      { code: 'unattributed', level: 'note', message: 'for your interest', atMs: 0, count: 1 },
    ] as const;
    tracing.afterStop = () => ({ state: 'stopped', findings: [...findings] });
    expect(await run()).toBe(0);
    expect(terminal.printed.out).toContain('note: for your interest');
  });

  it('has status 1 when a stream cannot be started, and leaves nothing running', async () => {
    tracing.refusals = [];
    const start = tracing.startRun.bind(tracing);
    vi.spyOn(tracing, 'startRun').mockImplementation((request) => {
      if (request.probe === 'page-fault')
        tracing.refusals = [{ kind: 'no-variant', message: 'nothing fits', remedy: 'Boot another kernel.' }];
      return start(request);
    });
    expect(await run()).toBe(1);
    expect(terminal.printed).toEqual({
      out: '',
      err: "faultline: page-fault:counts can't record: nothing fits\n  Boot another kernel.\n",
    });
    expect(tracing.stopped).toEqual(['run-0']);
  });

  it('has status 1 when a stream fails before it is attached, without waiting', async () => {
    tracing.afterStart = (one) => (one.index === 1 ? { state: 'failed', failure } : { state: 'running' });
    expect(await run({ durationMs: 60_000 })).toBe(1);
    expect(terminal.printed.err).toContain('faultline: bpftrace was killed (SIGKILL)\n  Start it again.\n');
    expect(terminal.printed.err).toContain('bpftrace said: one\n  two');
    expect([terminal.printed.out, tracing.stopped]).toEqual(['', ['run-0']]);
  });

  it('has status 1 when a stream fails on the way, and prints what there is', async () => {
    tracing.afterStop = (one) =>
      one.index === 0 ? { state: 'failed', failure, isComplete: false } : { state: 'stopped' };
    expect(await run()).toBe(1);
    expect(terminal.printed.out).toContain('FAILED: 1 of 2 streams did not trace to the end.');
  });

  it('ends at once when every stream has ended by itself, as a replay does', async () => {
    void recording().then(() => tracing.runs().map(({ id }) => tracing.stopRun(id)));
    expect(await run({ durationMs: 60_000 })).toBe(0);
  });

  it('has status 1 where nothing can attach: nothing was recorded, and that is not complete', async () => {
    const request = { targetId: 'host', runs: [], durationMs: 30, isJson: false };
    expect(await record(tracing, request, { terminal, interrupted: interruption.signal })).toBe(1);
    expect(terminal.printed.out).toBe('');
    expect(terminal.printed.err).toBe(
      'faultline: nothing that runs by default can attach on host, so nothing was recorded\n' +
        '  faultline doctor says why, and what to do.\n',
    );
  });

  it('has status 2 for a parameter that is out of its bounds', async () => {
    tracing.refusals = [{ kind: 'bad-parameter', message: 'parameter pid is 9e9', remedy: 'From 0 to 4194304.' }];
    expect(await run()).toBe(2);
    expect(terminal.printed.err).toContain('parameter pid is 9e9');
  });

  it('has status 2 for a target that is not there', async () => {
    expect(await run({ targetId: 'mars' })).toBe(2);
    expect(terminal.printed.err).toContain('There is no target mars.');
  });

  it('ends early on Ctrl-C and still prints', async () => {
    void recording().then(() => interruption.abort());
    expect(await run({ durationMs: 60_000 })).toBe(0);
    expect(tracing.stopped).toEqual(['run-0', 'run-1']);
    expect(terminal.printed.out).toContain('Complete');
  });

  it('has status 1 on Ctrl-C before anything was attached', async () => {
    tracing.afterStart = () => ({});
    setTimeout(() => interruption.abort(), 50);
    expect(await run()).toBe(1);
    expect(terminal.printed.err).toContain('interrupted before the probes were attached');
    expect(tracing.stopped).toEqual(['run-0', 'run-1']);
  });

  it('prints the whole summary as JSON', async () => {
    tracing.afterStop = () => ({ state: 'stopped', ledger: fakeLedger({ seenCount: 7, recordedCount: 7 }) });
    expect(await run({ isJson: true })).toBe(0);
    expect(JSON.parse(terminal.printed.out)).toMatchObject({
      isComplete: true,
      ledger: { seenCount: 14 },
      runs: [{}, {}],
    });
  });
});

describe('progress', () => {
  it('is redrawn in place on a terminal, and cleared in the end', async () => {
    terminal = fakeTerminal({ isErrTty: true });
    await run({ durationMs: 250 });
    const redrawn = terminal.printed.err.split('\r\u001b[K');
    expect(redrawn.length).toBeGreaterThan(3);
    expect(redrawn.at(-1)).toBe('');
    expect(redrawn.some((line) => /^recording 0\.[0-3] s of 0\.3 s · seen 0 · lost 0/.test(line))).toBe(true);
    expect(terminal.printed.err).not.toContain('\n');
  });

  it('is a line at each change and now and then elsewhere', async () => {
    await run({ durationMs: 250 });
    expect(terminal.printed.err).toBe('attaching 0 of 2\nrecording 0.0 s of 0.3 s · seen 0 · lost 0\n');
  });
});
