/** What is shown and not tested: where the distribution moved, how much runs of one kernel differ, and whether they drift. */
import { addBuckets, bucketHigh, bucketLow, type Buckets, bucketsCount } from '../buckets.ts';
import { bucketLogVariance, smoothQuantiles } from './quantile.ts';
import { tCritical, tTwoSidedP } from './student-t.ts';
import { mean, variance, welch } from './welch.ts';

/** Candidate over baseline at one quantile, from the runs' own quantiles, with the interval at 1 − alpha. */
export type ShiftPoint = {
  readonly quantile: number;
  readonly baselineNs: number;
  readonly candidateNs: number;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
};

const shiftQuantiles = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999];

/** The shift function: a quantile for which a run has too few values is left out. */
export function shiftFunction(
  baseline: readonly Buckets[],
  candidate: readonly Buckets[],
  alpha: number,
): readonly ShiftPoint[] {
  const [from, to] = [baseline, candidate].map((runs) => runs.map((run) => smoothQuantiles(run, shiftQuantiles)));
  return shiftQuantiles.flatMap((quantile, at) => {
    const logs = [from, to].map((runs) =>
      (runs ?? []).flatMap((values) => {
        const value = values[at];
        return value === undefined || value <= 0 ? [] : [Math.log(value)];
      }),
    );
    const [left = [], right = []] = logs;
    const found = welch(left, right, alpha, bucketLogVariance);
    if (found === undefined) return [];
    const [ratio, low, high] = [found.difference, found.low, found.high].map(Math.exp);
    if (ratio === undefined || low === undefined || high === undefined) return [];
    return [{ quantile, baselineNs: Math.exp(mean(left)), candidateNs: Math.exp(mean(right)), ratio, low, high }];
  });
}

/** One bucket of all runs of two sides laid over each other: shares of each side's values, and of those up to its end. */
export type OverlaidBucket = {
  readonly lowNs: number;
  readonly highNs: number;
  readonly baselineShare: number;
  readonly candidateShare: number;
  readonly baselineUpTo: number;
  readonly candidateUpTo: number;
};

/** Both distributions on one set of buckets, with their ECDFs. Buckets that neither side uses are left out. */
export function overlay(baseline: readonly Buckets[], candidate: readonly Buckets[]): readonly OverlaidBucket[] {
  const [from, to] = [baseline, candidate].map((runs) => {
    const whole = new Map<number, number>();
    for (const run of runs) addBuckets(whole, run);
    return whole;
  });
  if (from === undefined || to === undefined) return [];
  const totals = { baseline: Math.max(1, bucketsCount(from)), candidate: Math.max(1, bucketsCount(to)) };
  const indexes = [...new Set([...from.keys(), ...to.keys()])].toSorted((left, right) => left - right);
  let baselineUpTo = 0;
  let candidateUpTo = 0;
  return indexes.map((index) => {
    const baselineShare = (from.get(index) ?? 0) / totals.baseline;
    const candidateShare = (to.get(index) ?? 0) / totals.candidate;
    baselineUpTo += baselineShare;
    candidateUpTo += candidateShare;
    const ends = { lowNs: bucketLow(index), highNs: bucketHigh(index) };
    return { ...ends, baselineShare, candidateShare, baselineUpTo, candidateUpTo };
  });
}

/** The largest distance of two ECDFs, 0..1: a number to look at, without a p. */
export function ecdfDistance(buckets: readonly OverlaidBucket[]): number {
  return buckets.reduce((most, one) => Math.max(most, Math.abs(one.baselineUpTo - one.candidateUpTo)), 0);
}

/** What one kernel compared with itself would show. */
export type NoiseFloor = {
  /** Half of the 1 − alpha interval of as many runs against as many of the same kernel, as a share: 0.04 is ±4 %. */
  readonly halfWidthShare: number;
  /** Every second run over the others: a difference where there is none. */
  readonly splitRatio: number;
};

/** From the runs of one side, all above 0; undefined with fewer than four of them. */
export function noiseFloor(values: readonly number[], alpha: number): NoiseFloor | undefined {
  if (values.length < 4 || values.some((value) => value <= 0)) return undefined;
  const logs = values.map(Math.log);
  const half = tCritical(alpha, 2 * logs.length - 2) * Math.sqrt((2 * variance(logs)) / logs.length);
  const [odd, even] = [0, 1].map((rest) => mean(logs.filter((_, at) => at % 2 === rest)));
  return { halfWidthShare: Math.expm1(half), splitRatio: Math.exp((even ?? 0) - (odd ?? 0)) };
}

/** How a metric moves from run to run. */
export type Drift = {
  /** Of the least-squares line through the logarithms: 0.01 is 1 % more with each run. */
  readonly sharePerRun: number;
  /** Two-sided p of there being no trend. */
  readonly p: number;
};

/** From the runs of one side in their order, all above 0; undefined with fewer than four, or where nothing varies. */
export function drift(values: readonly number[]): Drift | undefined {
  if (values.length < 4 || values.some((value) => value <= 0)) return undefined;
  const logs = values.map(Math.log);
  const middle = (logs.length - 1) / 2;
  const level = mean(logs);
  const spreadOfOrder = logs.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  const slope = logs.reduce((sum, value, at) => sum + (at - middle) * (value - level), 0) / spreadOfOrder;
  const rest = logs.reduce((sum, value, at) => sum + (value - level - slope * (at - middle)) ** 2, 0);
  if (rest === 0) return undefined;
  const degrees = logs.length - 2;
  const standardError = Math.sqrt(rest / degrees / spreadOfOrder);
  return { sharePerRun: Math.expm1(slope), p: tTwoSidedP(slope / standardError, degrees) };
}
