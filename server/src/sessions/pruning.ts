/** What a store gives up to keep its bounds. Pure: the look at what would go, and the removal itself, go by the same plan. */
import { removedKeptMs, type StoreLimits } from '@faultline/shared';

/** What a store may hold. */
export type StoreBounds = Pick<StoreLimits, 'bytesMax' | 'ageMaxMs'>;

type Sized = { readonly bytes: number };
/** A session: when it last told anything, and whether it may go at all. */
type Candidate = Sized & { readonly lastAtMs: number; readonly mayGo: boolean };
/** A removed one that can still be restored. */
type Discarded = Sized & { readonly removedAtMs: number };

/** What goes, in its order; what is still too much then may not go. */
export type PruningPlan<S, D> = {
  readonly forgotten: readonly D[];
  readonly removed: readonly S[];
  readonly excessBytes: number;
};

/** What was removed goes before anything else does; then what is too old, then the oldest. Both lists are the oldest first. */
export function planPruning<S extends Candidate, D extends Discarded>(
  { sessions, discarded }: { readonly sessions: readonly S[]; readonly discarded: readonly D[] },
  limits: StoreBounds,
  nowMs: number,
): PruningPlan<S, D> {
  let bytes = [...sessions, ...discarded].reduce((sum, one) => sum + one.bytes, 0);
  const goes = (one: Sized, isDue: boolean): boolean => {
    if (!isDue && bytes <= limits.bytesMax) return false;
    bytes -= one.bytes;
    return true;
  };
  const forgotten = discarded.filter((one) => goes(one, nowMs - one.removedAtMs > removedKeptMs));
  const removed = sessions.filter((one) => one.mayGo && goes(one, nowMs - one.lastAtMs > limits.ageMaxMs));
  return { forgotten, removed, excessBytes: Math.max(0, bytes - limits.bytesMax) };
}
