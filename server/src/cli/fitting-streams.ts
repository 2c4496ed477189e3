/** Which of the streams that nobody asked for by name can run on their target. */
import type { StartRun } from '@faultline/shared';
import type { Tracing } from '../sessions/tracing.ts';

/** Those with a variant that can attach, and the others. A target that can't be planned for: all fit, and starting says why not. */
export async function fittingStreams(
  tracing: Pick<Tracing, 'plans'>,
  runs: readonly StartRun[],
): Promise<{ readonly fitting: readonly StartRun[]; readonly others: readonly StartRun[] }> {
  const [first] = runs;
  const plans = first === undefined ? undefined : await tracing.plans(first.targetId);
  if (plans === undefined || !plans.ok) return { fitting: runs, others: [] };
  const fits = ({ probe, stream }: StartRun): boolean => {
    const plan = plans.value.find((one) => one.probe === probe && one.stream === stream);
    return plan === undefined || plan.chosen !== undefined;
  };
  return { fitting: runs.filter((run) => fits(run)), others: runs.filter((run) => !fits(run)) };
}
