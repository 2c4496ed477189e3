/**
 * Waits until a condition holds; fails naming it after `limitMs`. Tests wait on conditions, never on time: the limit is there to end
 * what will never be, and a busy machine may hold up for many seconds what takes one of them.
 */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
  const startedMs = Date.now();
  while (!(await condition())) {
    if (Date.now() - startedMs > limitMs) throw new Error(`not within ${limitMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * How long something takes at the shortest of up to three tries, ms; what is within `enoughMs` is not tried again. A busy machine may hold
 * up one of them for seconds, and says nothing of the thing.
 */
export async function shortestMs(enoughMs: number, tryOnce: () => Promise<number>): Promise<number> {
  let shortest = await tryOnce();
  for (let tries = 1; tries < 3 && shortest > enoughMs; tries += 1) shortest = Math.min(shortest, await tryOnce());
  return shortest;
}
