/**
 * A kernel against itself: 6.1 and 6.1-v0, which is 6.1 with vfio-pci-core rebuilt as it is (its .text is the same to the
 * byte). Whatever a comparison says of the two besides "same" or "need more runs" is a false alarm.
 */
import type { CandidateComparison } from '@faultline/shared';
import { openTempStore } from '../fakes/temp-store.ts';
import { compareLabSeries, runLabSeries } from './lab-series.ts';

/** How often what was said of no difference at all. */
export type FalseAlarms = {
  readonly comparisonCount: number;
  /** Comparisons whose overall verdict is better or worse. */
  readonly overallCount: number;
  /** Comparisons in which at least one metric was called better, worse or different. */
  readonly anyMetricCount: number;
  /** By metric's id: comparisons that called it better, worse or different; those that never were are absent. */
  readonly byMetric: Readonly<Record<string, number>>;
  /** Metrics that were tested (not compared exactly), over all comparisons, and those of them with p < 0.05 before Holm. */
  readonly testedCount: number;
  readonly uncorrectedCount: number;
};

/** What to run, and how often. */
export type AgainstItself = {
  readonly workload: string;
  readonly barBytes: number;
  /** Runs a side. */
  readonly runCount: number;
  readonly comparisonCount: number;
  readonly tell: (comparison: CandidateComparison, number: number) => void;
};

/** Makes the comparisons, each with runs of its own in two guests restored for it, and counts. */
export async function compareAgainstItself({
  workload,
  barBytes,
  runCount,
  comparisonCount,
  tell,
}: AgainstItself): Promise<FalseAlarms> {
  const found: CandidateComparison[] = [];
  await using temp = await openTempStore({ clock: () => Date.now() });
  for (let number = 1; number <= comparisonCount; number += 1) {
    // The order changes, so that whichever comes first is not always the same.
    const kernels = number % 2 === 1 ? ['6.1', '6.1-v0'] : ['6.1-v0', '6.1'];
    const request = { kernels, runCount, name: `itself-${number}`, workload: { workload, barBytes } };
    const comparison = await compareLabSeries(temp, await runLabSeries(temp, request));
    if (comparison.verdict === 'not-comparable') throw new Error(`nothing was compared: ${comparison.sentence}`);
    tell(comparison, number);
    found.push(comparison);
  }
  return countFalseAlarms(found);
}

/** Counts what was said of comparisons between which there is no difference. */
function countFalseAlarms(comparisons: readonly CandidateComparison[]): FalseAlarms {
  const byMetric: Record<string, number> = {};
  let [overallCount, anyMetricCount, testedCount, uncorrectedCount] = [0, 0, 0, 0];
  for (const { verdict, metrics } of comparisons) {
    const alarms = metrics.filter((one) => isAlarm(one.verdict));
    if (isAlarm(verdict)) overallCount += 1;
    if (alarms.length > 0) anyMetricCount += 1;
    for (const { metric } of alarms) byMetric[metric.id] = (byMetric[metric.id] ?? 0) + 1;
    const tests = metrics.flatMap(({ test }) => ('p' in test ? [test] : []));
    testedCount += tests.length;
    uncorrectedCount += tests.filter(({ p }) => p < 0.05).length;
  }
  const comparisonCount = comparisons.length;
  return { comparisonCount, overallCount, anyMetricCount, byMetric, testedCount, uncorrectedCount };
}

function isAlarm(verdict: CandidateComparison['verdict']): boolean {
  return verdict === 'regressed' || verdict === 'improved' || verdict === 'different';
}
