/** Permutation test of two sides: how often would so large a difference of means come of dealing the runs out anew? */
import { permutationDraws, permutationsMax } from './limits.ts';
import { mean } from './welch.ts';

/** Two-sided p. `isExact`: every way of dealing was counted; otherwise as many as permutationDraws were drawn, always the same ones. */
export type PermutationP = { readonly p: number; readonly isExact: boolean };

/** Undefined where a side has no value. With fewer than 4 runs a side p cannot come below 0.05, whatever the values. */
export function permutationP(baseline: readonly number[], candidate: readonly number[]): PermutationP | undefined {
  if (baseline.length === 0 || candidate.length === 0) return undefined;
  const all = [...baseline, ...candidate];
  const total = all.reduce((sum, value) => sum + value, 0);
  // Sums that are equal on paper differ in the last digits: they count as reached.
  const slack = 1e-12 * all.reduce((sum, value) => sum + Math.abs(value), 0);
  const chosenCount = candidate.length;
  // The difference of means grows with the sum of the chosen: it is reached from one sum on upwards, and from another on downwards.
  const reached = Math.abs(mean(candidate) - mean(baseline)) - slack;
  const perSum = 1 / chosenCount + 1 / baseline.length;
  const high = (total / baseline.length + reached) / perSum;
  const low = (total / baseline.length - reached) / perSum;
  const isReached = (sum: number): boolean => sum >= high || sum <= low;
  return waysToChoose(all.length, chosenCount) <= permutationsMax
    ? { p: exactShare(all, chosenCount, isReached), isExact: true }
    : { p: drawnShare(all, chosenCount, isReached), isExact: false };
}

/** In how many ways `chosen` of `count` can be chosen. */
function waysToChoose(count: number, chosen: number): number {
  let ways = 1;
  for (let at = 1; at <= chosen; at += 1) ways = (ways * (count - chosen + at)) / at;
  return Math.round(ways);
}

function exactShare(values: readonly number[], chosenCount: number, isReached: (sum: number) => boolean): number {
  let ways = 0;
  let hits = 0;
  const choose = (from: number, left: number, sum: number): void => {
    for (let at = from; at <= values.length - left; at += 1) {
      const longer = sum + (values[at] ?? 0);
      if (left > 1) choose(at + 1, left - 1, longer);
      else {
        ways += 1;
        if (isReached(longer)) hits += 1;
      }
    }
  };
  choose(0, chosenCount, 0);
  return hits / ways;
}

function drawnShare(values: readonly number[], chosenCount: number, isReached: (sum: number) => boolean): number {
  const random = fixedRandom(0x5eed);
  const deck = Float64Array.from(values);
  let hits = 0;
  for (let draw = 0; draw < permutationDraws; draw += 1) {
    let sum = 0;
    for (let at = 0; at < chosenCount; at += 1) {
      const other = at + Math.floor(random() * (deck.length - at));
      const picked = deck[other] ?? 0;
      deck[other] = deck[at] ?? 0;
      deck[at] = picked;
      sum += picked;
    }
    if (isReached(sum)) hits += 1;
  }
  // The observed deal is one of them: p is never 0.
  return (hits + 1) / (permutationDraws + 1);
}

/** Numbers from 0 (inclusive) to 1 that look random and are the same each time: mulberry32. */
export function fixedRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
