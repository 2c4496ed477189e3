import type { ReactNode } from 'react';
import { selectCannotTrace } from '../../store/select-probes.ts';
import { useShown } from '../../store/use-store.ts';
import { ReplayOffer } from '../replay-offer.tsx';

/** Says on the live page why nothing can come, with the way out. */
export function CannotTraceNote(): ReactNode {
  const cannot = useShown(selectCannotTrace, 'first');
  if (cannot?.replay === undefined) return null;
  const reasons = cannot.failed.map(({ title, found }) => `${title}: ${found}`).join('; ');
  return <ReplayOffer replay={cannot.replay} why={`${cannot.target.title} can't be traced yet – ${reasons}.`} />;
}
