/** The words of a verdict, and how one follows from another. */

/**
 * different: it changed, and neither way is better by itself (a share of lock modes, a number of inserts).
 * not-comparable: the gate is shut, or a side has no value.
 */
export type Verdict = 'regressed' | 'improved' | 'same' | 'different' | 'need-more-runs' | 'not-comparable';

/** All verdicts, in the order in which they are told. */
export const verdictsWorstFirst: readonly Verdict[] = [
  'regressed',
  'not-comparable',
  'need-more-runs',
  'different',
  'improved',
  'same',
];

/** The verdict for the other direction: what is said when the sides are swapped. */
export function mirrored(verdict: Verdict): Verdict {
  if (verdict === 'regressed') return 'improved';
  return verdict === 'improved' ? 'regressed' : verdict;
}

/** One verdict for several: the worst thing that is known, then what is not known yet, then the best. */
export function overall(verdicts: readonly Verdict[]): Verdict {
  for (const word of ['regressed', 'need-more-runs', 'improved', 'same'] as const) {
    if (verdicts.includes(word)) return word;
  }
  return 'not-comparable';
}

/** A difference in words: to more or to less, where less is better or nothing is. */
export function directionOf(difference: number, better: 'lower' | 'none'): Verdict {
  if (better === 'none') return 'different';
  return difference > 0 ? 'regressed' : 'improved';
}
