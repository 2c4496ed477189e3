import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeSlice } from '../../test/fakes/fake-session.ts';
import type { Tick } from '../sessions/tick.ts';
import { TickHistory } from './tick-history.ts';

/** Ticks of one run, a span of 10 ns each, with the deltas given by cell. */
function ticksOf(deltas: readonly (readonly (readonly [cell: number, delta: number])[])[]): readonly Tick[] {
  return deltas.map((pairs, index) => {
    const unique = [...new Map(pairs)];
    return {
      seq: index + 1,
      atMs: index,
      hasStateChange: false,
      slices: [
        fakeSlice(0, {
          fromNs: index * 10,
          toNs: index * 10 + 10,
          cells: Uint32Array.from(unique, ([cell]) => cell),
          deltas: Float64Array.from(unique, ([, delta]) => delta),
        }),
      ],
    };
  });
}

function sums(ticks: readonly Tick[]): ReadonlyMap<number, number> {
  const all = new Map<number, number>();
  for (const { slices } of ticks)
    for (const { cells, deltas } of slices)
      for (const [at, cell] of cells.entries()) all.set(cell, (all.get(cell) ?? 0) + (deltas[at] ?? 0));
  return all;
}

const pairs = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 1_000 })), { maxLength: 4 });

describe('the ticks of a whole session', () => {
  it('add up to the same counts within any bounds, without a hole', () => {
    fc.assert(
      fc.property(
        fc.array(pairs, { maxLength: 200 }),
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 20, max: 500 }),
        (deltas, ticksMax, cellsMax) => {
          const history = new TickHistory({ ticksMax, cellsMax });
          const ticks = ticksOf(deltas);
          for (const tick of ticks) history.add(tick);
          const merged = history.ticks();
          expect(merged.length).toBeLessThanOrEqual(ticksMax);
          expect(new Map([...sums(merged)].toSorted())).toEqual(new Map([...sums(ticks)].toSorted()));
          const spans = merged.map(({ slices }) => [slices[0]?.fromNs, slices[0]?.toNs]);
          for (const [at, [fromNs]] of spans.entries()) expect(fromNs).toBe(at === 0 ? 0 : spans[at - 1]?.[1]);
          expect(spans.at(-1)?.[1]).toBe(ticks.length === 0 ? undefined : ticks.length * 10);
        },
      ),
    );
  });

  it('stay as they are while they are few', () => {
    const history = new TickHistory({ ticksMax: 10, cellsMax: 1_000 });
    const ticks = ticksOf(Array.from({ length: 9 }, (_, at) => [[0, at]] as const));
    for (const tick of ticks) history.add(tick);
    expect(history.ticksMerged).toBe(1);
    expect(history.ticks().map(({ seq }) => seq)).toEqual(ticks.map(({ seq }) => seq));
  });

  it('hold no calls, and nothing of a tick that has calls alone', () => {
    const history = new TickHistory();
    const calls = { calls: [Float64Array.of(1, 2)], callCount: 2 };
    history.add({ seq: 1, atMs: 1, hasStateChange: false, slices: [fakeSlice(0, { toNs: 0, ...calls })] });
    history.add({ seq: 2, atMs: 2, hasStateChange: false, slices: [fakeSlice(0, { toNs: 9, ...calls })] });
    expect(history.ticks()).toHaveLength(1);
    expect(history.ticks()[0]?.slices[0]).toMatchObject({ callCount: 0, calls: [new Float64Array(0)] });
  });
});
