/** A kernel against itself, in real guests: a comparison that cries wolf is worse than none. The bench makes 20 of 10 runs a side. */
import { describe, expect, it } from 'vitest';
import { compareAgainstItself } from './against-itself.ts';

describe('6.1 against itself', () => {
  it('is not called better or worse twice in two comparisons of five runs a side', async () => {
    const found = await compareAgainstItself({
      workload: 'dma-map',
      barBytes: 64 * 1024 ** 2,
      runCount: 5,
      comparisonCount: 2,
      tell: () => undefined,
    });
    expect(found.comparisonCount).toBe(2);
    expect(found.testedCount).toBeGreaterThanOrEqual(2 * 3);
    // Were it one in twenty, as α allows, two of two would come in 0.25 % of all times.
    expect(found.overallCount).toBeLessThanOrEqual(1);
    // In any metric: one of ten, as the bench found, would come twice in 1 % of all times.
    expect(found.anyMetricCount).toBeLessThanOrEqual(1);
    // What is counted is no matter of chance: it is the same on both sides, always.
    for (const id of ['faults', 'violations', 'remaps', 'fixupCalls']) expect(found.byMetric[id] ?? 0).toBe(0);
    // Four guests are restored, and 20 runs made in them.
  }, 300_000);
});
