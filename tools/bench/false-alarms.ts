/** A kernel against itself in the lab: how often a comparison of real runs cries wolf. */
import { compareAgainstItself } from '../../server/test/lab/against-itself.ts';
import type { BenchLine } from './bench-line.ts';

/** Of so many comparisons at α = 5 %, more than this come in fewer than 2 of 100 benches. */
const alarmsMax = 3;

/** So many comparisons of ten runs a side; as many minutes on two cores as there are comparisons, about. */
export async function benchFalseAlarms(comparisonCount: number): Promise<readonly BenchLine[]> {
  const found = await compareAgainstItself({
    workload: 'dma-map',
    barBytes: 8 * 1024 ** 2,
    runCount: 10,
    comparisonCount,
    tell: ({ verdict, metrics }, number) => {
      const alarms = metrics.filter((one) => ['regressed', 'improved', 'different'].includes(one.verdict));
      const words = alarms.map(({ metric, verdict: own }) => `${metric.id} ${own}`).join(', ');
      process.stderr.write(`bench: ${number} of ${comparisonCount}: ${verdict}${words === '' ? '' : ` (${words})`}\n`);
    },
  });
  const { overallCount, anyMetricCount, byMetric, testedCount, uncorrectedCount } = found;
  const metrics = Object.entries(byMetric).map(([id, count]) => `${id} ${count}`);
  const bound = { bound: `≤ ${alarmsMax}`, isWithinBound: overallCount <= alarmsMax };
  const unit = `of ${comparisonCount} comparisons`;
  const note = `6.1 against 6.1-v0, dma-map of 8 MiB, ten runs a side, each comparison in guests restored for it`;
  return [
    { name: 'a kernel called better or worse than itself', figure: overallCount, unit, ...bound, note },
    {
      name: 'comparisons with a false alarm in any metric',
      figure: anyMetricCount,
      unit,
      note: metrics.length === 0 ? 'no metric in any comparison' : metrics.join(', '),
    },
    {
      name: 'p < 0.05 before Holm',
      figure: (100 * uncorrectedCount) / Math.max(1, testedCount),
      unit: `% of ${testedCount} tested metrics`,
      note: 'about 5 % where the runs are independent and the test is right',
    },
  ];
}
