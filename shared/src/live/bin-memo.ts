/** Remembers what was made of a bin: closed bins never change, and a chart has 120 of them, all but one seen before. */
import type { Bin } from './timeline.ts';

/** Gives what `make` makes of a bin; makes it once as long as the question stays the same. */
export type BinMemo<T> = (question: string, bin: Bin, make: () => T) => T;

/** A memo for one chart. `question` names everything but the bin that the answer depends on. */
export function createBinMemo<T>(): BinMemo<T> {
  let asked: string | undefined;
  let known = new WeakMap<Bin, { readonly made: T }>();
  return (question, bin, make) => {
    if (question !== asked) {
      asked = question;
      known = new WeakMap();
    }
    const found = known.get(bin) ?? { made: make() };
    known.set(bin, found);
    return found.made;
  };
}
