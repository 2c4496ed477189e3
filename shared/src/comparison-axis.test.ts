import { expect, it } from 'vitest';
import { latencyAxis, logAxis, ratioAxis, ratioSpan } from './comparison-axis.ts';

it('has 1 in the middle, and cuts off intervals that would leave no room for the others', () => {
  const axis = ratioAxis([
    { ratio: 0.5, low: 0.4, high: 0.6 },
    { ratio: 2, low: 0.000_01, high: 4e5 },
  ]);
  expect(axis.at(1)).toBeCloseTo(0.5, 12);
  expect(axis.at(0.5)).toBeGreaterThan(0.1);
  expect(axis.at(4e5)).toBe(1);
  expect(axis.ticks).toContain(1);
});

it('draws exact counts as a point, and nothing where a side is zero', () => {
  expect(ratioSpan({ test: { kind: 'exact', from: 1, to: 32 } })).toEqual({ ratio: 32, low: 32, high: 32 });
  expect(ratioSpan({ test: { kind: 'exact', from: 1, to: 0 } })).toBeUndefined();
  expect(ratioSpan({ test: { kind: 'none' } })).toBeUndefined();
});

it('has a few ticks on any scale', () => {
  for (const [low, high] of [
    [0.9, 1.12],
    [0.3, 3],
    [1, 1e12],
    [5e3, 4e7],
  ] as const) {
    const { ticks } = logAxis(low, high);
    expect(ticks.length, `${low}…${high}`).toBeGreaterThanOrEqual(2);
    expect(ticks.length, `${low}…${high}`).toBeLessThanOrEqual(7);
  }
});

it('holds all latencies of both sides', () => {
  const bucket = { baselineShare: 1, candidateShare: 0, baselineUpTo: 1, candidateUpTo: 0 };
  expect(latencyAxis([])).toBeUndefined();
  const axis = latencyAxis([
    { lowNs: 1_000, highNs: 1_100, ...bucket },
    { lowNs: 1e6, highNs: 1.1e6, ...bucket },
  ]);
  expect(axis?.at(1_000)).toBeGreaterThan(0);
  expect(axis?.at(1.1e6)).toBeLessThan(1);
});
