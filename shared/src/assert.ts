/** Throws when a thing the program itself must guarantee does not hold; never for bad input. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${claim}`);
}

/** The value, which the program guarantees to be there; throws naming the claim otherwise. */
export function ensure<T>(value: T | undefined, claim: string): T {
  assert(value !== undefined, claim);
  return value;
}

/** Ends every switch over a union: a new member that is not handled fails to compile. */
export function assertNever(value: never): never {
  throw new Error(`broken invariant: a case nobody handles: ${JSON.stringify(value)}`);
}
