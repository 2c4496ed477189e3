import { useCursor, useStores } from '../../store/use-store.ts';

type Step = 'left' | 'right' | 'first' | 'last' | 'none';

/** Moves the cursor from bin to bin by keys, and says what stands there. */
export function useCursorSteps(
  panel: string,
  bins: readonly { readonly toNs: number }[],
  describe: (ns: number) => string,
): { readonly onStep: (step: Step) => void; readonly spoken: string | undefined } {
  const { cursor } = useStores();
  const at = useCursor();
  const onStep = (step: Step): void => {
    const found = at === undefined ? -1 : bins.findIndex(({ toNs }) => toNs >= at.atNs);
    const last = bins.length - 1;
    const index = { left: found < 0 ? last : found - 1, right: found < 0 ? last : found + 1, first: 0, last, none: -1 }[
      step
    ];
    const bin = step === 'none' ? undefined : bins[Math.min(last, Math.max(0, index))];
    cursor.set(bin === undefined ? undefined : { atNs: bin.toNs, by: 'keys', panel });
  };
  return { onStep, spoken: at?.by === 'keys' && at.panel === panel ? describe(at.atNs) : undefined };
}
