import { describe, expect, it } from 'vitest';
import { permutationDraws } from './limits.ts';
import { scipyVectors as vectors } from './fixtures/scipy-vectors.ts';
import { holm } from './holm.ts';
import { fixedRandom, permutationP } from './permutation.ts';
import { drift } from './shape.ts';
import { tCritical, tTwoSidedP } from './student-t.ts';
import { variance, welch } from './welch.ts';

/** How far a value is off a reference, as a share of it. */
function errorOf(value: number | undefined, reference: number): number {
  return Math.abs((value ?? Number.NaN) - reference) / Math.max(Math.abs(reference), 1e-300);
}

describe('statistics agree with scipy', () => {
  it.each(vectors.twoSidedP)('p of t = $t with $degrees degrees is $p', ({ t, degrees, p }) => {
    expect(errorOf(tTwoSidedP(t, degrees), p)).toBeLessThan(1e-10);
  });

  it.each(vectors.critical)('t at $alpha with $degrees degrees is $t', ({ alpha, degrees, t }) => {
    expect(errorOf(tCritical(alpha, degrees), t)).toBeLessThan(1e-10);
  });

  it.each(vectors.pairs)('Welch and the permutation test of pair %#', (pair) => {
    const logs = [pair.baseline, pair.candidate].map((values) => values.map(Math.log));
    const [baseline = [], candidate = []] = logs;
    const found = welch(baseline, candidate, 0.05);
    expect(errorOf(found?.difference, pair.difference)).toBeLessThan(1e-8);
    expect(errorOf(found?.low, pair.low)).toBeLessThan(1e-8);
    expect(errorOf(found?.high, pair.high)).toBeLessThan(1e-8);
    expect(errorOf(found?.degrees, pair.degrees)).toBeLessThan(1e-8);
    expect(errorOf(found?.p, pair.p)).toBeLessThan(1e-8);
    const permuted = permutationP(baseline, candidate);
    expect(permuted?.isExact).toBe(true);
    expect(errorOf(permuted?.p, pair.permutationP)).toBeLessThan(1e-10);
    // scipy's own takes twice the smaller tail: the same where sides are of one size.
    if (baseline.length === candidate.length) expect(errorOf(permuted?.p, pair.permutationPScipy)).toBeLessThan(1e-10);
  });

  it('Holm', () => {
    const adjusted = holm(vectors.holm.given);
    for (const [at, one] of vectors.holm.adjusted.entries()) expect(errorOf(adjusted[at], one)).toBeLessThan(1e-10);
  });

  it('the trend over runs', () => {
    const found = drift(vectors.trend.values);
    expect(found?.sharePerRun).toBeCloseTo(Math.expm1(vectors.trend.slope), 12);
    expect(found?.p).toBeCloseTo(vectors.trend.p, 12);
  });
});

describe('the permutation test', () => {
  it('cannot come below 0.05 with three runs a side', () => {
    expect(permutationP([1, 2, 3], [10, 11, 12])?.p).toBe(0.1);
  });

  it('draws, always the same, where there are too many ways to count', () => {
    const random = fixedRandom(7);
    const sides = [0, 0.02].map((shift) => Array.from({ length: 15 }, () => shift + 0.03 * (random() - 0.5)));
    const [baseline = [], candidate = []] = sides;
    const first = permutationP(baseline, candidate);
    expect(first?.isExact).toBe(false);
    expect(permutationP(baseline, candidate)).toEqual(first);
    // Welch's p of the same values is near by.
    expect(Math.abs((first?.p ?? 1) - (welch(baseline, candidate, 0.05)?.p ?? 0))).toBeLessThan(0.01);
    expect(first?.p).toBeGreaterThanOrEqual(1 / (permutationDraws + 1));
  });
});

describe('Welch', () => {
  it('says nothing of one run, nor where nothing varies', () => {
    expect(welch([1], [1, 2], 0.05)).toBeUndefined();
    expect(welch([1, 1], [2, 2], 0.05)).toBeUndefined();
  });

  it('takes values that agree by rounding for no better than the rounding', () => {
    const floor = 0.01;
    expect(variance([1, 1])).toBe(0);
    expect(welch([1, 1], [2, 2], 0.05, floor)?.standardError).toBeCloseTo(Math.sqrt(floor), 12);
  });
});
