import type { CandidateComparison, Comparison, MetricComparison } from '@faultline/shared';
import { expect, it } from 'vitest';
import { heatDifferenceOf } from './select-compare-heat.ts';
import { metricRows, noiseWords } from './select-compare-metrics.ts';

const metric = {
  id: 'faultTime',
  title: 'Time in faults',
  unit: 'ns',
  kind: 'amount',
  better: 'lower',
  decides: true,
} as const;
const row: MetricComparison = {
  metric,
  baseline: [100, 104, 96, 100],
  candidate: [120, 124, 116, 120],
  test: { kind: 'ratio', ratio: 1.2, low: 1.1, high: 1.3, p: 0.001, pAdjusted: 0.002, permutation: undefined },
  verdict: 'regressed',
};
const candidate = { metrics: [row] } as unknown as CandidateComparison;

function baseline(noise: Comparison['baseline']['noise'], runCount = 4): Comparison['baseline'] {
  return { title: '6.1', runCount, noise };
}

it('a row has the ratios that the baseline shows against itself, as far down as up on the logarithm', () => {
  const noise = [{ metric: 'faultTime', noise: { halfWidthShare: 0.25, splitRatio: 1.02 } }];
  const { rows } = metricRows(candidate, baseline(noise));
  expect(rows[0]?.noise).toMatchObject({ low: 0.8, high: 1.25 });
  expect(noiseWords(baseline(noise), rows)).toBe(
    'The grey band is noise: 6.1 against itself would lie within it 19 times of 20 (Time in faults: ±25 %, every second run over the others 1.02 ×).',
  );
});

it('without a noise floor a row has none, and with too few runs it is said why', () => {
  const { rows } = metricRows(candidate, baseline([]));
  expect(rows[0]?.noise).toBeUndefined();
  expect(noiseWords(baseline([], 3), rows)).toContain('too few runs');
  expect(noiseWords(baseline([], 4), rows)).toBe('');
});

it('the colour of a difference goes by its logarithm, from the least that there is to the largest', () => {
  const cell = { column: 0, row: 40, baseline: 0, candidate: 0 };
  const { cells, timeTicks } = heatDifferenceOf({
    ...{ columnNs: 1e8, columnCount: 4, peak: 100 },
    cells: [
      { ...cell, candidate: 100 },
      { ...cell, column: 1, baseline: 10 },
      { ...cell, column: 2, baseline: 3, candidate: 4 },
      { ...cell, column: 3, baseline: 5, candidate: 5 },
    ],
  });
  expect(cells.map(({ heat }) => heat)).toEqual([1, -0.625, 0.25, 0]);
  expect(cells.map(({ left, right }) => [left, right])).toEqual([
    [0, 0.25],
    [0.25, 0.5],
    [0.5, 0.75],
    [0.75, 1],
  ]);
  expect(timeTicks.at(-1)).toEqual({ share: 1, label: '400 ms' });
});
