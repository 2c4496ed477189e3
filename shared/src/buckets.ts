/**
 * The one set of latency buckets, from the kernel to the screen: log-linear, 16 sub-buckets an octave.
 * Values 0..31 have a bucket each; above, a bucket is 1/16 of its octave wide, so that its midpoint is within
 * 1/32 (3.125 %) of any value in it. The .bt scripts compute the same index with an if-ladder.
 */
import { assert } from './assert.ts';

/** Sub-buckets an octave, as a power of two. */
export const subBucketBits = 4;
const subBuckets = 1 << subBucketBits;

/** The largest index: that of the last bucket below 2^53, the largest exact integer. */
export const bucketIndexMax = subBuckets * (52 - 3) + (subBuckets - 1);

/** The bucket of a value: non-negative integer (ns) in, index out. */
export function bucketIndex(value: number): number {
  assert(Number.isSafeInteger(value) && value >= 0, `a bucketed value is a safe non-negative integer, not ${value}`);
  if (value < 2 * subBuckets) return value;
  const msb = Math.floor(Math.log2(value));
  // log2 rounds up just below a power of two beyond 2^48; the shift tells.
  const octave = 2 ** msb > value ? msb - 1 : msb;
  return subBuckets * (octave - 3) + (Math.floor(value / 2 ** (octave - subBucketBits)) - subBuckets);
}

/** The smallest value of a bucket (inclusive). */
export function bucketLow(index: number): number {
  if (index < 2 * subBuckets) return index;
  const octave = Math.floor(index / subBuckets) + 3;
  return (subBuckets + (index % subBuckets)) * 2 ** (octave - subBucketBits);
}

/** The first value beyond a bucket (exclusive). */
export function bucketHigh(index: number): number {
  return bucketLow(index + 1);
}

/** What a bucket's values are taken to be: its midpoint, at most 3.125 % off. Exact below 32. */
export function bucketMiddle(index: number): number {
  if (index < 2 * subBuckets) return index;
  return (bucketLow(index) + bucketHigh(index)) / 2;
}

/** Counts by bucket index; the empty ones are absent. Counts are exact. */
export type Buckets = ReadonlyMap<number, number>;

/** Adds one set of buckets to another, exactly. */
export function addBuckets(into: Map<number, number>, from: Buckets): void {
  for (const [index, count] of from) into.set(index, (into.get(index) ?? 0) + count);
}

/** How many values the buckets hold. */
export function bucketsCount(buckets: Buckets): number {
  let total = 0;
  for (const count of buckets.values()) total += count;
  return total;
}

/**
 * Quantiles (0..1) of bucketed values, nearest rank, each within 3.125 % of the true one. Undefined where there is
 * no value. One pass for all of them.
 */
export function bucketQuantiles(buckets: Buckets, quantiles: readonly number[]): readonly (number | undefined)[] {
  const sorted = [...buckets].filter(([, count]) => count > 0).toSorted(([left], [right]) => left - right);
  const total = bucketsCount(buckets);
  return quantiles.map((quantile) => {
    if (total === 0) return undefined;
    const rank = Math.max(1, Math.ceil(quantile * total));
    let seen = 0;
    for (const [index, count] of sorted) {
      seen += count;
      if (seen >= rank) return bucketMiddle(index);
    }
    return undefined;
  });
}

/** The largest value that the buckets can hold: the upper end of the last one in use, exclusive; undefined when empty. */
export function bucketsMax(buckets: Buckets): number | undefined {
  let last: number | undefined;
  for (const [index, count] of buckets) if (count > 0 && (last === undefined || index > last)) last = index;
  if (last === undefined) return undefined;
  return last < 2 * subBuckets ? last : bucketHigh(last) - 1;
}
