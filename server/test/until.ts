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
