import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addBuckets,
  bucketHigh,
  bucketIndex,
  bucketIndexMax,
  bucketLow,
  bucketMiddle,
  bucketQuantiles,
  bucketsCount,
  bucketsMax,
} from './buckets.ts';

const value = fc.oneof(
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: 52 }).map((power) => 2 ** power),
  fc.integer({ min: 1, max: 53 }).map((power) => 2 ** power - 1),
);

const bucketed = (values: readonly number[]): Map<number, number> => {
  const buckets = new Map<number, number>();
  for (const one of values) addBuckets(buckets, new Map([[bucketIndex(one), 1]]));
  return buckets;
};

describe('latency buckets', () => {
  it('put every value between the bounds of its own bucket', () => {
    fc.assert(
      fc.property(value, (one) => {
        const index = bucketIndex(one);
        expect(bucketLow(index)).toBeLessThanOrEqual(one);
        expect(bucketHigh(index)).toBeGreaterThan(one);
        expect(index).toBeLessThanOrEqual(bucketIndexMax);
      }),
      { numRuns: 2000 },
    );
  });

  it('have a midpoint at most 3.125 % from any value in them', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(Math.abs(bucketMiddle(bucketIndex(one)) - one)).toBeLessThanOrEqual(one / 32);
      }),
      { numRuns: 2000 },
    );
  });

  it('change from exact to log-linear at 32 without a gap', () => {
    expect([30, 31, 32, 33, 34, 63, 64].map(bucketIndex)).toEqual([30, 31, 32, 32, 33, 47, 48]);
  });

  it('refuse what is no time: negative, fractional, beyond 2^53', () => {
    for (const bad of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => bucketIndex(bad)).toThrow(/safe non-negative/);
  });

  it('give every quantile within 3.125 % of the exact one', () => {
    const times = fc.array(fc.integer({ min: 0, max: 10_000_000_000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(times, fc.double({ min: 0.001, max: 1, noNaN: true }), (values, quantile) => {
        const sorted = values.toSorted((left, right) => left - right);
        const exact = sorted[Math.max(1, Math.ceil(quantile * sorted.length)) - 1] ?? Number.NaN;
        const [found = Number.NaN] = bucketQuantiles(bucketed(values), [quantile]);
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact / 32);
      }),
    );
  });

  it('add exactly, in any order', () => {
    const times = fc.array(value, { maxLength: 100 });
    fc.assert(
      fc.property(times, times, (left, right) => {
        const sum = bucketed(left);
        addBuckets(sum, bucketed(right));
        const whole = bucketed([...right, ...left]);
        expect([...sum].toSorted()).toEqual([...whole].toSorted());
        expect(bucketsCount(sum)).toBe(left.length + right.length);
      }),
    );
  });

  it('say nothing of a quantile where there is no value', () => {
    expect(bucketQuantiles(new Map(), [0.5])).toEqual([undefined]);
    expect(bucketsMax(new Map())).toBeUndefined();
  });
});
