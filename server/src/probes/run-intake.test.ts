import { dialectOf, type Stream } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { RunIntake } from './run-intake.ts';

const stream: Stream = {
  name: 'faults',
  title: 'faults',
  question: 'how many?',
  kind: 'tally',
  isDefault: true,
  insteadOf: [],
  parameters: [],
  columns: [],
  lossMeaning: 'none',
  variants: [
    {
      name: 'kprobe',
      script: 'faults.bt',
      attach: 'kprobe',
      requires: { tracepoints: [], functions: [], btf: false },
      bpftraceMin: '0.17',
    },
  ],
  maps: [
    { map: '@faults', metric: 'faults', title: 'faults', unit: 'count', kind: 'count', role: 'events', key: [] },
    {
      map: '@unpaired',
      metric: 'unpaired',
      title: 'unpaired',
      unit: 'count',
      kind: 'count',
      role: 'unpaired',
      key: [],
    },
  ],
};

/** An intake, and what bpftrace prints to it. */
function intakeOf(): { readonly intake: RunIntake; readonly ready: (atMs: number) => void; readonly beat: Beat } {
  const intake = new RunIntake(stream, dialectOf('0.17.0'), { ready: () => {}, heartbeat: () => {} }, () => 0);
  const print = (record: unknown): void => {
    const bytes = new TextEncoder().encode(JSON.stringify(record));
    intake.line(bytes, 0, bytes.length);
  };
  return {
    intake,
    ready: (atMs) => print({ type: 'printf', data: `READY ${atMs * 1e6} 7\n` }),
    beat: (atMs, faults) => {
      if (faults > 0) print({ type: 'map', data: { '@faults': faults } });
      print({ type: 'map', data: { '@unpaired': 0 } });
      print({ type: 'printf', data: `HB ${atMs * 1e6}\n` });
    },
  };
}

type Beat = (atMs: number, faults: number) => void;

/** Begin, end and counts of the next slice, ms. */
function sliceOf(intake: RunIntake): readonly [number, number, readonly number[]] | undefined {
  const slice = intake.drain(0);
  return slice === undefined ? undefined : [slice.fromNs / 1e6, slice.toNs / 1e6, [...slice.deltas]];
}

/** 20 s in which it was attached and held, with `faults` from the tenth on. */
function hold(beat: Beat, faults: number): void {
  for (let atMs = 1250; atMs <= 21_000; atMs += 250) beat(atMs, atMs < 10_000 ? 0 : faults);
}

describe('where a run begins', () => {
  it('is READY, where heartbeats come one by one', () => {
    const { intake, ready, beat } = intakeOf();
    ready(1000);
    expect(sliceOf(intake)).toBeUndefined();
    beat(1250, 0);
    expect(sliceOf(intake)).toEqual([1000, 1250, []]);
    beat(1500, 3);
    expect(sliceOf(intake)).toEqual([1250, 1500, [3]]);
    expect(intake.span).toEqual({ fromNs: 1000e6, toNs: 1500e6 });
  });

  it('is the last heartbeat before it was taken up, in a guest that was restored', () => {
    const { intake, ready, beat } = intakeOf();
    ready(1000);
    hold(beat, 0);
    expect(sliceOf(intake)).toEqual([20_750, 21_000, []]);
    beat(21_250, 3);
    beat(21_500, 3);
    expect(sliceOf(intake)).toEqual([21_000, 21_500, [3]]);
    expect(intake.span).toEqual({ fromNs: 20_750e6, toNs: 21_500e6 });
    expect(intake.totals(0)).toMatchObject({ fromNs: 20_750e6, totals: Float64Array.of(0, 3) });
  });

  it('is that also where what was held arrives in parts, and loses no cell', () => {
    const { intake, ready, beat } = intakeOf();
    ready(1000);
    for (let atMs = 1250; atMs <= 3000; atMs += 250) beat(atMs, 0);
    expect(intake.drain(0)?.newCells.map(({ metric }) => metric)).toEqual(['unpaired']);
    for (let atMs = 3250; atMs <= 9000; atMs += 250) beat(atMs, 0);
    expect(sliceOf(intake)).toEqual([8750, 9000, []]);
    expect(intake.span.fromNs).toBe(8750e6);
    beat(9250, 1);
    beat(9500, 1);
    expect(sliceOf(intake)).toEqual([9000, 9500, [1]]);
    beat(9750, 1);
    beat(10_000, 1);
    // From now on nothing that happened is left out, nor is that nothing did.
    expect(sliceOf(intake)).toEqual([9500, 10_000, []]);
  });

  it('is where the first count falls, if something was counted while it was held', () => {
    const { intake, ready, beat } = intakeOf();
    ready(1000);
    hold(beat, 5);
    expect(sliceOf(intake)).toEqual([9750, 21_000, [5]]);
    expect(intake.span.fromNs).toBe(9750e6);
  });
});
