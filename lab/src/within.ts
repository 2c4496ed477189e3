/** A last bound for what may never come. */

/** What a promise gives, or `late` when it has given nothing after `maxMs`; what comes later is nobody's. */
export async function within<T, L>(promise: Promise<T>, maxMs: number, late: L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<L>((resolve) => {
    timer = setTimeout(resolve, maxMs, late);
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
  }
}
