/** Welch's t on the values of runs: two sides with spreads of their own, without the belief that they are alike. */
import { tCritical, tTwoSidedP } from './student-t.ts';

/** A difference of two means with its interval; in the unit of the values (logarithms, as a rule). */
export type MeanDifference = {
  /** Mean of the candidate minus that of the baseline. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided. */
  readonly p: number;
  readonly standardError: number;
  readonly degrees: number;
};

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample variance (n − 1); 0 of fewer than two values. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

/**
 * Candidate minus baseline with its 1 − alpha interval. Undefined where a side has fewer than two values, or where no value
 * of either side varies: then there is nothing to estimate an interval from. `varianceMin` is what the resolution of the
 * values adds up to: values that agree because they were rounded alike do not agree better than that.
 */
export function welch(
  baseline: readonly number[],
  candidate: readonly number[],
  alpha: number,
  varianceMin = 0,
): MeanDifference | undefined {
  if (baseline.length < 2 || candidate.length < 2) return undefined;
  const parts = [baseline, candidate].map((values) => ({
    ofMean: Math.max(variance(values), varianceMin) / values.length,
    degrees: values.length - 1,
  }));
  const total = parts.reduce((sum, { ofMean }) => sum + ofMean, 0);
  if (!(total > 0)) return undefined;
  const degrees = total ** 2 / parts.reduce((sum, one) => sum + one.ofMean ** 2 / one.degrees, 0);
  const difference = mean(candidate) - mean(baseline);
  const standardError = Math.sqrt(total);
  const half = tCritical(alpha, degrees) * standardError;
  return {
    difference,
    low: difference - half,
    high: difference + half,
    p: tTwoSidedP(difference / standardError, degrees),
    standardError,
    degrees,
  };
}
