/** Holm's correction: of many metrics looked at together, one looks different by chance more often than of one. */

/** Adjusted p of each, in the order given: at most 1, never below the p it came from. */
export function holm(values: readonly number[]): readonly number[] {
  const order = values.map((p, at) => ({ p, at })).toSorted((left, right) => left.p - right.p);
  const adjusted: number[] = values.map(() => 1);
  let largest = 0;
  for (const [rank, { p, at }] of order.entries()) {
    largest = Math.max(largest, Math.min(1, p * (values.length - rank)));
    adjusted[at] = largest;
  }
  return adjusted;
}
