import { cursorIn } from '../../store/cursor-store.ts';
import { useColumn, usePointing, useStores } from '../../store/use-store.ts';

/** A step of the cursor by keys. */
export type CursorStep = 'left' | 'right' | 'first' | 'last' | 'none';

/** Moves the cursor from bin to bin. */
export function useCursorSteps(panel: string, bins: readonly { readonly toNs: number }[]): (step: CursorStep) => void {
  const { app, cursor } = useStores();
  const column = useColumn();
  const point = usePointing(panel);
  return (step) => {
    const at = cursorIn(column, cursor.get(), app.shownIn[column]());
    const found = at === undefined ? -1 : bins.findIndex(({ toNs }) => toNs >= at.atNs);
    const last = bins.length - 1;
    const index = {
      left: found < 0 ? last : found - 1,
      right: found < 0 ? last : found + 1,
      first: 0,
      last,
      none: -1,
    }[step];
    const bin = step === 'none' ? undefined : bins[Math.min(last, Math.max(0, index))];
    point(bin?.toNs, 'keys');
  };
}
