/** Quantiles of bucketed values for comparing: between the ends of a bucket the rank decides, so that small shifts show. */
import { bucketHigh, bucketLow, type Buckets, bucketsCount, subBucketBits } from '../buckets.ts';

/** A bucket's width as a share of its value, at most: what a quantile of buckets can't tell apart. */
export const bucketWidthShare: number = 1 / 2 ** subBucketBits;

/**
 * The variance, on logarithms, of not knowing where in its bucket a value lies. Runs that agree better than this agree
 * because their values were rounded alike.
 */
export const bucketLogVariance: number = Math.log1p(bucketWidthShare) ** 2 / 12;

/** How many values a quantile needs at least: with fewer it is the largest one, called by another name. */
function quantileCountMin(quantile: number): number {
  return Math.round(1 / (1 - quantile));
}

/** Quantiles (0..1) in the unit of the values; undefined where there are too few values for one. One pass for all. */
export function smoothQuantiles(buckets: Buckets, quantiles: readonly number[]): readonly (number | undefined)[] {
  const sorted = [...buckets].filter(([, count]) => count > 0).toSorted(([left], [right]) => left - right);
  const total = bucketsCount(buckets);
  return quantiles.map((quantile) => {
    if (total < quantileCountMin(quantile)) return undefined;
    const rank = quantile * total;
    let seen = 0;
    for (const [index, count] of sorted) {
      if (seen + count >= rank)
        return bucketLow(index) + ((bucketHigh(index) - bucketLow(index)) * (rank - seen)) / count;
      seen += count;
    }
    return undefined;
  });
}
