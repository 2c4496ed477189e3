/** One metric of two sides: how it is tested, and what follows. No run is pooled with another; the unit is the run. */
import { compareRunsNeededMax } from './limits.ts';
import { holm } from './holm.ts';
import type { Metric } from './metrics.ts';
import { permutationP, type PermutationP } from './permutation.ts';
import { bucketLogVariance, bucketWidthShare } from './quantile.ts';
import { tCritical } from './student-t.ts';
import { directionOf, type Verdict } from './verdict.ts';
import { mean, type MeanDifference, variance, welch } from './welch.ts';

/** How a metric was compared. */
export type MetricTest =
  /** The same count in every run of a side: a fact, no statistics. */
  | { readonly kind: 'exact'; readonly from: number; readonly to: number }
  /** Candidate as a multiple of the baseline: geometric means, with the interval at 1 − alpha. */
  | ({ readonly kind: 'ratio'; readonly ratio: number; readonly low: number; readonly high: number } & Tested)
  /** Candidate minus baseline, in the metric's unit: where there are zeros, or of shares. Never a percentage. */
  | ({ readonly kind: 'difference'; readonly difference: number; readonly low: number; readonly high: number } & Tested)
  /** It could not be tested; `why` the metric's verdict says. */
  | { readonly kind: 'none' };

type Tested = {
  /** Of Welch's t. */
  readonly p: number;
  /** p after Holm's correction over all tested metrics of all candidates: what the verdict goes by. */
  readonly pAdjusted: number;
  readonly permutation: PermutationP | undefined;
};

/** One row of the table. */
export type MetricComparison = {
  readonly metric: Omit<Metric, 'read'>;
  /** Values in run order; runs that have none are left out. */
  readonly baseline: readonly number[];
  readonly candidate: readonly number[];
  readonly test: MetricTest;
  readonly verdict: Verdict;
  /** Why, in words, where it does not follow from the figures by themselves. */
  readonly why?: string;
  /** Runs a side that would probably decide it; compareRunsNeededMax where it is that many or more. */
  readonly runsNeeded?: number;
};

/** What a difference must exceed to be one, and how sure that must be. */
export type Thresholds = { readonly marginShare: number; readonly alpha: number };

/** The values of one metric on both sides. */
export type MetricValues = Pick<MetricComparison, 'metric' | 'baseline' | 'candidate'>;

type Estimate = { readonly values: MetricValues; readonly isLog: boolean; readonly welch: MeanDifference };

/**
 * Compares all metrics of several tables together, a table a candidate: p is corrected over all of them, since who looks at more
 * builds finds more by chance.
 */
export function compareMetrics(
  tables: readonly (readonly MetricValues[])[],
  thresholds: Thresholds,
): readonly (readonly MetricComparison[])[] {
  const all = tables.map((table) => table.map((values) => ({ values, own: estimate(values, thresholds.alpha) })));
  const tested = all.flat().flatMap(({ own }) => (own === undefined ? [] : [own]));
  const adjusted = holm(tested.map((one) => one.welch.p));
  const places = new Map(tested.map((one, at) => [one, at]));
  const adjustedOf = (own: Estimate): number => adjusted[places.get(own) ?? -1] ?? 1;
  return all.map((table) =>
    table.map(({ values, own }) => (own === undefined ? untested(values) : judged(own, adjustedOf(own), thresholds))),
  );
}

/** Whether every run of a side counted the same. One run alone shows nothing of the kind. */
function isConstant(values: readonly number[]): boolean {
  return values.length >= 2 && values.every((value) => value === values[0]);
}

function isExact({ metric, baseline, candidate }: MetricValues): boolean {
  return metric.unit !== 'ns' && isConstant(baseline) && isConstant(candidate);
}

/** The difference of means, on logarithms where a ratio means something. Undefined where there is nothing to test. */
function estimate(values: MetricValues, alpha: number): Estimate | undefined {
  const { metric, baseline, candidate } = values;
  if (isExact(values)) return undefined;
  const isLog = metric.kind !== 'share' && [...baseline, ...candidate].every((value) => value > 0);
  const scale = (value: number): number => (isLog ? Math.log(value) : value);
  const floor = isLog && metric.kind === 'quantile' ? bucketLogVariance : 0;
  const found = welch(baseline.map(scale), candidate.map(scale), alpha, floor);
  return found === undefined ? undefined : { values, isLog, welch: found };
}

function untested(values: MetricValues): MetricComparison {
  const { metric, baseline, candidate } = values;
  const [from] = baseline;
  const [to] = candidate;
  const none = { ...values, test: { kind: 'none' } } as const;
  if (from === undefined) return { ...none, verdict: 'not-comparable', why: 'no value on the baseline' };
  if (to === undefined) return { ...none, verdict: 'not-comparable', why: 'no value on the candidate' };
  if (isExact(values)) {
    const verdict = from === to ? 'same' : directionOf(to - from, metric.better);
    return { ...values, test: { kind: 'exact', from, to }, verdict };
  }
  if (baseline.length < 2 || candidate.length < 2)
    return { ...none, verdict: 'need-more-runs', why: 'one run says nothing of how runs differ', runsNeeded: 2 };
  // Times that agree to the nanosecond in all runs of both sides: made up, or a single value.
  return {
    ...none,
    verdict: from === to ? 'same' : directionOf(to - from, metric.better),
    why: 'no run differs from another',
  };
}

function judged(own: Estimate, pAdjusted: number, thresholds: Thresholds): MetricComparison {
  const { values, isLog } = own;
  const { metric, baseline, candidate } = values;
  const { difference, low, high, p } = own.welch;
  const margin = marginOf(values, isLog, thresholds.marginShare);
  const scaled = [baseline, candidate].map((side) => side.map((value) => (isLog ? Math.log(value) : value)));
  const tested = { p, pAdjusted, permutation: permutationP(scaled[0] ?? [], scaled[1] ?? []) };
  const test: MetricTest = isLog
    ? { kind: 'ratio', ratio: Math.exp(difference), low: Math.exp(low), high: Math.exp(high), ...tested }
    : { kind: 'difference', difference, low, high, ...tested };
  const row = { ...values, test };
  if (low >= -margin && high <= margin) return { ...row, verdict: 'same' };
  if (pAdjusted < thresholds.alpha && Math.abs(difference) > margin)
    return { ...row, verdict: directionOf(difference, metric.better) };
  return { ...row, verdict: 'need-more-runs', runsNeeded: runsNeeded(own, margin, thresholds.alpha) };
}

/** What still counts as the same, on the scale of the estimate. */
function marginOf({ metric, baseline }: MetricValues, isLog: boolean, marginShare: number): number {
  // Two buckets are told apart no finer than half of one's width.
  const share = metric.kind === 'quantile' ? Math.max(marginShare, bucketWidthShare / 2) : marginShare;
  if (isLog) return Math.log1p(share);
  return metric.unit === 'share' ? share : share * Math.abs(mean(baseline));
}

/**
 * Runs a side with which the interval would be narrow enough, if the difference and the spread stay what they are: to lie
 * inside the margin where the difference does, to leave zero out where it does not. At least one more than there are.
 */
function runsNeeded({ values, isLog, welch: found }: Estimate, margin: number, alpha: number): number {
  const { metric, baseline, candidate } = values;
  const present = Math.min(baseline.length, candidate.length);
  const distance = Math.abs(found.difference);
  const half = distance <= margin ? margin - distance : distance;
  const floor = isLog && metric.kind === 'quantile' ? bucketLogVariance : 0;
  const spread = [baseline, candidate].reduce((sum, side) => {
    return sum + Math.max(variance(side.map((value) => (isLog ? Math.log(value) : value))), floor);
  }, 0);
  const isEnough = (count: number): boolean => tCritical(alpha, 2 * count - 2) * Math.sqrt(spread / count) <= half;
  let [low, high] = [present, compareRunsNeededMax];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
