import { PassThrough } from 'node:stream';
import {
  err,
  pipeCloseMaxMs,
  killedWaitMaxMs,
  ok,
  readyWaitMaxMs,
  stopCatchUpMaxMs,
  stopKillAfterMs,
  type Stream,
} from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Exit, ProcessSpec, Target } from '../targets/target.ts';
import { ProbeRun, type RunSpec } from './probe-run.ts';

const stream: Stream = {
  name: 'detail',
  title: 'detail',
  question: 'which?',
  kind: 'call',
  isDefault: false,
  insteadOf: [],
  parameters: [
    { name: 'pid', title: 'pid', unit: 'id', minimum: 0, maximum: 9, default: 0, description: 'one process' },
    { name: 'slowerThanNs', title: 'slower', unit: 'ns', minimum: 0, maximum: 9, default: 5, description: 'threshold' },
  ],
  columns: [{ name: 'atNs', title: 'at', unit: 'ns', type: 'timeNs', description: 'when' }],
  lossMeaning: 'fewer lines',
  variants: [
    {
      name: 'tracepoint',
      script: 'detail.bt',
      attach: 'tracepoint',
      requires: { tracepoints: [], functions: [], btf: false },
      bpftraceMin: '0.17',
    },
  ],
  maps: [
    { map: '@emitted', metric: 'emitted', title: 'printed', unit: 'count', kind: 'count', role: 'emitted', key: [] },
  ],
};

/** A process whose output, signals and end the test holds in its hand. */
function handHeld(): {
  target: Target;
  specs: ProcessSpec[];
  signals: string[];
  print(line: unknown): void;
  exit(exit: Exit): void;
} {
  const stdout = new PassThrough();
  const specs: ProcessSpec[] = [];
  const signals: string[] = [];
  let exit: (exit: Exit) => void = () => {};
  const exited = new Promise<Exit>((resolve) => {
    exit = resolve;
  });
  const target: Target = {
    id: 'hand',
    kind: 'host',
    title: 'hand-held',
    badge: undefined,
    identity: async () => err({ kind: 'not-found', message: 'nobody' }),
    readFile: async () => err({ kind: 'not-found', message: 'no files' }),
    exists: async () => ok(false),
    hasRecording: () => undefined,
    placeScript: async (path) => ok(path),
    start: (spec) => {
      specs.push(spec);
      return {
        stdout,
        stderr: new PassThrough(),
        exited,
        signal: (name) => signals.push(name),
        release: () => exit({ signal: 'SIGPIPE' }),
      };
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return { target, specs, signals, exit, print: (line) => stdout.write(`${JSON.stringify(line)}\n`) };
}

function start(hand: ReturnType<typeof handHeld>, bpftraceVersion = '0.17.0'): ProbeRun {
  const [variant] = stream.variants;
  if (variant === undefined) throw new Error('the stream has a variant');
  const spec: RunSpec = {
    id: 'run',
    index: 0,
    probe: 'mmap-lock',
    stream,
    variant,
    script: '/probes/mmap-lock/detail.bt',
    parameters: { pid: 7 },
    bpftraceVersion,
  };
  return new ProbeRun(hand.target, spec, () => Date.now());
}

const printf = (data: string): unknown => ({ type: 'printf', data });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a probe run', () => {
  it('passes parameters as arguments in the manifest’s order, the default where none was given', () => {
    const hand = handHeld();
    start(hand);
    expect(hand.specs[0]?.args).toEqual(['-f', 'json', '/probes/mmap-lock/detail.bt', '7', '5']);
  });

  it('names the map size as this version of bpftrace wants it', () => {
    const [old, young] = [handHeld(), handHeld()];
    start(old, '0.17.0');
    start(young, '0.27.1');
    expect(old.specs[0]?.env).toEqual({ BPFTRACE_MAP_KEYS_MAX: '16384' });
    expect(young.specs[0]?.env).toEqual({ BPFTRACE_MAX_MAP_KEYS: '16384' });
  });

  it('that never gets ready is killed and failed when the wait is over, not before', async () => {
    const hand = handHeld();
    const run = start(hand);
    await vi.advanceTimersByTimeAsync(readyWaitMaxMs);
    expect(run.view().state).toBe('starting');
    await vi.advanceTimersByTimeAsync(500);
    expect(hand.signals).toContain('SIGKILL');
    hand.exit({ signal: 'SIGKILL' });
    await run.ended;
    expect(run.view()).toMatchObject({ state: 'failed', failure: { kind: 'never-ready' } });
  });

  it('is not stopped before the printed lines that the kernel counted are here', async () => {
    const hand = handHeld();
    const run = start(hand);
    hand.print(printf('READY 1000 7\n'));
    hand.print({ type: 'map', data: { '@emitted': 2 } });
    await vi.advanceTimersByTimeAsync(1);
    void run.stop();
    await vi.advanceTimersByTimeAsync(100);
    expect(hand.signals).toEqual([]);
    for (const atNs of [5, 6]) hand.print({ type: 'value', data: [atNs] });
    await vi.advanceTimersByTimeAsync(100);
    // What was emitted since the last heartbeat is not known before the next one.
    expect(hand.signals).toEqual([]);
    hand.print(printf('HB 2000\n'));
    await vi.advanceTimersByTimeAsync(100);
    expect(hand.signals).toEqual(['SIGINT']);
    hand.exit({ code: 0 });
    await run.ended;
    expect(run.view().ledger).toMatchObject({ arrivedCount: 2, recordedCount: 2, malformedCount: 0 });
  });

  it('that ends while its stop waits for lines is sent no signal afterwards: its number may be somebody else’s by then', async () => {
    const hand = handHeld();
    const run = start(hand);
    hand.print(printf('READY 1000 7\n'));
    hand.print({ type: 'map', data: { '@emitted': 2 } });
    await vi.advanceTimersByTimeAsync(1);
    const stopped = run.stop();
    await vi.advanceTimersByTimeAsync(100);
    hand.exit({ code: 0 });
    await vi.advanceTimersByTimeAsync(10_000);
    await stopped;
    expect(hand.signals).toEqual([]);
  });

  it('says how many printed events never arrived', async () => {
    const hand = handHeld();
    const run = start(hand);
    hand.print(printf('READY 1000 7\n'));
    hand.print({ type: 'map', data: { '@emitted': 3 } });
    hand.print(printf('HB 2000\n'));
    await vi.advanceTimersByTimeAsync(1);
    void run.stop();
    await vi.advanceTimersByTimeAsync(1500);
    hand.exit({ code: 0 });
    await run.ended;
    expect(run.view().ledger).toMatchObject({ emittedCount: 3, arrivedCount: 0, missingCount: 3 });
    expect(run.view().isComplete).toBe(false);
  });

  it('on a slow guest is given half of its time to print its last maps, and interrupted again only if it goes on', async () => {
    const hand = handHeld();
    const run = start({ ...hand, target: { ...hand.target, patience: 6 } });
    hand.print(printf('READY 1000 7\n'));
    await vi.advanceTimersByTimeAsync(1);
    void run.stop();
    const beatFor = async (sec: number): Promise<void> => {
      for (let beat = 0; beat < sec * 4; beat += 1) {
        hand.print(printf(`HB ${2000 + beat}\n`));
        await vi.advanceTimersByTimeAsync(250);
      }
    };
    await beatFor(14);
    expect(hand.signals).toEqual(['SIGINT']);
    await beatFor(2);
    expect(hand.signals).toEqual(['SIGINT', 'SIGINT']);
    hand.exit({ code: 0 });
    await run.ended;
  });

  it('on a slow guest is left alone when it has stopped counting and only takes long to end', async () => {
    const hand = handHeld();
    const run = start({ ...hand, target: { ...hand.target, patience: 6 } });
    hand.print(printf('READY 1000 7\n'));
    await vi.advanceTimersByTimeAsync(1);
    void run.stop();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(hand.signals).toEqual(['SIGINT']);
    hand.exit({ code: 0 });
    await run.ended;
  });

  it('whose process ignores everything is let go by closing its pipes', async () => {
    const hand = handHeld();
    const run = start(hand);
    hand.print(printf('READY 1000 7\n'));
    await vi.advanceTimersByTimeAsync(1);
    void run.stop();
    await vi.advanceTimersByTimeAsync(stopCatchUpMaxMs + stopKillAfterMs + pipeCloseMaxMs + 100);
    await run.ended;
    expect(hand.signals).toEqual(['SIGINT', 'SIGINT', 'SIGKILL']);
    expect(run.view().state).toBe('stopped');
    expect(run.view().findings.map((one) => one.code)).toContain('no-final-snapshot');
  });

  it('whose process its kernel does not let go is failed in bounded time, and says so', async () => {
    const hand = handHeld();
    const { start: begin } = hand.target;
    const run = start({
      ...hand,
      target: { ...hand.target, start: (spec) => ({ ...begin(spec), release: () => undefined }) },
    });
    hand.print(printf('READY 1000 7\n'));
    await vi.advanceTimersByTimeAsync(1);
    void run.stop();
    await vi.advanceTimersByTimeAsync(stopCatchUpMaxMs + stopKillAfterMs + killedWaitMaxMs - 1000);
    expect(run.view().state).toBe('stopping');
    await vi.advanceTimersByTimeAsync(1100);
    await run.ended;
    expect(run.view()).toMatchObject({ state: 'failed', isComplete: false, failure: { kind: 'target-lost' } });
    expect(run.view().failure?.message).toContain('its kernel holds it');
  });
});
