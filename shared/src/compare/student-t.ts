/** Student's t distribution: what Welch's interval and its p need, and no more. Checked against scipy (scipy-vectors.json). */
import { assert } from '../assert.ts';

/** Coefficients of Lanczos' approximation (g = 7, n = 9): relative error below 1e-14. */
const lanczos = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1_259.139_216_722_402_8, 771.323_428_777_653_1,
  -176.615_029_162_140_6, 12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_572e-6,
  1.505_632_735_149_311_6e-7,
];

/** Logarithm of the gamma function, for arguments of 0.5 or more. */
function logGamma(x: number): number {
  const shifted = x - 1;
  const top = shifted + 7.5;
  const sum = lanczos.reduce((total, factor, at) => total + (at === 0 ? factor : factor / (shifted + at)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(top) - top + Math.log(sum);
}

/** Terms of the continued fraction; it converges in fewer than 100 for any number of runs. */
const fractionTermsMax = 500;

/** The continued fraction of the incomplete beta function, by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const kept = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / kept(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= fractionTermsMax; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let step = 1;
    for (const term of [even, odd]) {
      d = 1 / kept(1 + term * d);
      c = kept(1 + term / c);
      step = d * c;
      fraction *= step;
    }
    if (Math.abs(step - 1) < 1e-15) break;
  }
  return fraction;
}

/** The regularised incomplete beta function I_x(a, b). `rest` is 1 − x, given apart so that nothing cancels near 1. */
function incompleteBeta(x: number, rest: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(rest));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(rest, b, a)) / b;
}

/** The probability that |T| is at least |t|, with `degrees` > 0 degrees of freedom (any real number). */
export function tTwoSidedP(t: number, degrees: number): number {
  assert(degrees > 0, `degrees of freedom are more than 0, not ${degrees}`);
  if (!Number.isFinite(t)) return 0;
  const sum = degrees + t * t;
  return incompleteBeta(degrees / sum, (t * t) / sum, degrees / 2, 0.5);
}

/** The density of t at t. */
function density(t: number, degrees: number): number {
  const front = Math.exp(logGamma((degrees + 1) / 2) - logGamma(degrees / 2)) / Math.sqrt(degrees * Math.PI);
  return front * (1 + (t * t) / degrees) ** (-(degrees + 1) / 2);
}

/** Newton's steps: the heaviest tail takes about twenty. */
const newtonStepsMax = 200;

/** The t that |T| exceeds with probability `alpha` (0..1, exclusive): 2.262 for 0.05 and 9 degrees. */
export function tCritical(alpha: number, degrees: number): number {
  assert(alpha > 0 && alpha < 1, `alpha is between 0 and 1, not ${alpha}`);
  // Above 0 the probability falls ever more slowly, so that Newton's steps come near from below and never pass it.
  let t = 0;
  for (let count = 0; count < newtonStepsMax; count += 1) {
    const step = (tTwoSidedP(t, degrees) - alpha) / (2 * density(t, degrees));
    t += step;
    if (step <= 1e-14 * t) break;
  }
  return t;
}
