/** A kernel against itself, in real guests: a comparison that cries wolf is worse than none. The bench makes 20 of 10 runs a side. */
import { describe, expect, it } from 'vitest';
import { compareAgainstItself } from './against-itself.ts';

describe('6.1 against itself', () => {
  it('is called better or worse in at most one of three comparisons of five runs a side', async () => {
    const found = await compareAgainstItself({
      workload: 'dma-map',
      barBytes: 64 * 1024 ** 2,
      runCount: 5,
      comparisonCount: 3,
      tell: () => undefined,
    });
    expect(found.comparisonCount).toBe(3);
    expect(found.testedCount).toBeGreaterThanOrEqual(3 * 3);
    // Were it one in twenty, as α allows, two or more of three would come in 0.7 % of all times.
    expect(found.overallCount).toBeLessThanOrEqual(1);
    expect(found.anyMetricCount).toBeLessThanOrEqual(1);
    // What is counted is no matter of chance: it is the same on both sides, always.
    for (const id of ['faults', 'violations', 'remaps', 'fixupCalls']) expect(found.byMetric[id] ?? 0).toBe(0);
    // Six guests are restored, and 30 runs made in them.
  }, 300_000);
});
