import { describe, expect, it } from 'vitest';
import { bucketIndex, bucketIndexMax } from '../buckets.ts';
import { fixedRandom, permutationP } from './permutation.ts';
import { bucketLogVariance, smoothQuantiles } from './quantile.ts';
import { welch } from './welch.ts';

/** Numbers of the normal distribution, by Box and Muller. */
function normal(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A rate of 5 in 100 comes out as 2.5 to 7.5 then; the numbers drawn are the same each time. */
const trials = 300;

type Case = {
  readonly runs: number;
  readonly events: number;
  /** Of the logarithm of latency, from run to run. */
  readonly spread: number;
  readonly shift: number;
  /** Shares of trials found different, from and to. */
  readonly p50: readonly [number, number];
  readonly p99: readonly [number, number];
  /** Of the medians; with more than five runs a side it takes too long to count here. */
  readonly permutation?: readonly [number, number];
};

/** A false alarm in at most 7 of 100; by how much power may be off what was measured once follows from 300 trials. */
const falseAlarm: readonly [number, number] = [0, 0.07];

const cases: readonly Case[] = [
  { runs: 5, events: 1000, spread: 0.05, shift: 0, p50: falseAlarm, p99: falseAlarm, permutation: falseAlarm },
  { runs: 5, events: 1000, spread: 0.05, shift: 0.1, p50: [0.62, 0.84], p99: [0.02, 0.2], permutation: [0.62, 0.86] },
  { runs: 10, events: 500, spread: 0.05, shift: 0, p50: falseAlarm, p99: falseAlarm },
  { runs: 10, events: 500, spread: 0.05, shift: 0.1, p50: [0.9, 1], p99: [0.03, 0.22] },
  { runs: 5, events: 1000, spread: 0.01, shift: 0, p50: falseAlarm, p99: falseAlarm, permutation: falseAlarm },
  { runs: 3, events: 1000, spread: 0.05, shift: 0, p50: falseAlarm, p99: falseAlarm, permutation: [0, 0] },
  { runs: 3, events: 1000, spread: 0.05, shift: 0.1, p50: [0.15, 0.4], p99: [0, 0.15], permutation: [0, 0] },
];

/** Events as multiples of a run's level, to draw from: a log-normal body and a tail of 2 %. */
const population = populationOf(fixedRandom(1));

function populationOf(random: () => number): Float64Array {
  const gauss = normal(random);
  return Float64Array.from({ length: 65_536 }, () => Math.exp(random() < 0.02 ? 2 + gauss() : 0.4 * gauss()));
}

/** Buckets of multiples of `coarse`: above 1024 no bucket is narrower, and hardly an event is shorter. */
const coarse = 64;
const bucketOf = Uint16Array.from({ length: 2 ** 18 }, (_, at) => bucketIndex(at * coarse));

/** p50 and p99 of one run, logarithms, by way of the buckets that sessions hold. */
function simulatedRun(one: Case, shift: number, gauss: () => number, random: () => number): readonly [number, number] {
  const level = 20_000 * Math.exp(shift + one.spread * gauss());
  const counts = new Uint32Array(bucketIndexMax + 1);
  for (let event = 0; event < one.events; event += 1) {
    const value = level * (population[Math.floor(random() * population.length)] ?? 1);
    const index = bucketOf[Math.min(bucketOf.length - 1, Math.floor(value / coarse))] ?? 0;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  const buckets = new Map([...counts.entries()].filter(([, count]) => count > 0));
  const [p50, p99] = smoothQuantiles(buckets, [0.5, 0.99]);
  return [Math.log(p50 ?? Number.NaN), Math.log(p99 ?? Number.NaN)];
}

function sharesOf(one: Case): { readonly p50: number; readonly p99: number; readonly permutation: number } {
  const random = fixedRandom(one.runs * 1000 + one.events + Math.round(one.spread * 100) + (one.shift > 0 ? 1 : 0));
  const gauss = normal(random);
  const found = { p50: 0, p99: 0, permutation: 0 };
  for (let trial = 0; trial < trials; trial += 1) {
    const sides = [0, Math.log1p(one.shift)].map((shift) =>
      Array.from({ length: one.runs }, () => simulatedRun(one, shift, gauss, random)),
    );
    const [middles, tails] = [0, 1].map((at) => sides.map((side) => side.map((run) => run[at] ?? Number.NaN)));
    const isFound = (p: number | undefined): number => ((p ?? 1) < 0.05 ? 1 : 0);
    found.p50 += isFound(welch(middles?.[0] ?? [], middles?.[1] ?? [], 0.05, bucketLogVariance)?.p);
    found.p99 += isFound(welch(tails?.[0] ?? [], tails?.[1] ?? [], 0.05, bucketLogVariance)?.p);
    if (one.permutation !== undefined)
      found.permutation += isFound(permutationP(middles?.[0] ?? [], middles?.[1] ?? [])?.p);
  }
  return { p50: found.p50 / trials, p99: found.p99 / trials, permutation: found.permutation / trials };
}

describe('runs that are simulated', () => {
  it.each(cases)('$runs runs of $events events, $spread apart, shifted by $shift', (one) => {
    const shares = sharesOf(one);
    for (const name of ['p50', 'p99', 'permutation'] as const) {
      const [low, high] = one[name] ?? [0, 1];
      expect(shares[name]).toBeGreaterThanOrEqual(low);
      expect(shares[name]).toBeLessThanOrEqual(high);
    }
  });
});
