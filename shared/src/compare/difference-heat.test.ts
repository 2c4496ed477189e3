import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketIndex } from '../buckets.ts';
import { compareHeatColumnsMax } from './limits.ts';
import { rowBounds } from '../live/latency.ts';
import { differenceHeat, type HeatRun } from './difference-heat.ts';

const ms = 1_000_000;

/** A run of snapshots of 100 ms each: counts by latency, ns. */
function run(...snapshots: readonly (readonly (readonly [latencyNs: number, count: number])[])[]): HeatRun {
  return snapshots.map((counts, at) => ({
    fromNs: at * 100 * ms,
    toNs: (at + 1) * 100 * ms,
    buckets: new Map(counts.map(([latencyNs, count]) => [bucketIndex(latencyNs), count])),
  }));
}

describe('a difference heatmap', () => {
  it('says when and how long: one slow fault at first, 32 fast ones later', () => {
    const heat = differenceHeat([run([[40 * ms, 1]], [])], [run([], [[20_000, 32]])]);
    expect(heat).toMatchObject({ columnNs: 100 * ms, columnCount: 2, peak: 32 });
    expect(heat?.cells.map(({ column, baseline, candidate }) => [column, baseline, candidate])).toEqual([
      [0, 1, 0],
      [1, 0, 32],
    ]);
    const { lowNs, highNs } = rowBounds(heat?.cells[1]?.row ?? -1);
    expect(lowNs <= 20_000 && 20_000 < highNs).toBe(true);
  });

  it('is of a mean run: ten runs against one of the same kernel differ nowhere', () => {
    const one = run([[1_000, 8]], [[2_000, 4]]);
    const heat = differenceHeat(
      [one],
      Array.from({ length: 10 }, () => one),
    );
    expect(heat?.peak).toBeCloseTo(0, 9);
    expect(heat?.cells).toHaveLength(2);
  });

  it('has no more columns than can be told apart, however long a run was', () => {
    const long = run(...Array.from({ length: 700 }, () => [[1_000, 1] as const]));
    const heat = differenceHeat([long], [long]);
    expect(heat?.columnCount).toBeLessThanOrEqual(compareHeatColumnsMax);
    expect(heat?.columnNs).toBe(2_000 * ms);
  });

  it('is none where nothing was counted', () => {
    expect(differenceHeat([run([], [])], [])).toBeUndefined();
    expect(differenceHeat([], [])).toBeUndefined();
  });

  const counts = fc.array(fc.tuple(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1_000 })), {
    maxLength: 5,
  });
  const runs = fc.array(
    fc.array(counts, { minLength: 1, maxLength: 5 }).map((snapshots) => run(...snapshots)),
    { minLength: 1, maxLength: 4 },
  );
  const totalOf = (side: readonly HeatRun[]): number =>
    side.flat().reduce((sum, { buckets }) => sum + [...buckets.values()].reduce((all, count) => all + count, 0), 0);

  it('loses no count, and mirrors when the sides are swapped', () => {
    fc.assert(
      fc.property(runs, runs, (left, right) => {
        const [there, back] = [differenceHeat(left, right), differenceHeat(right, left)];
        const sum = (side: 'baseline' | 'candidate'): number =>
          there?.cells.reduce((all, cell) => all + cell[side], 0) ?? 0;
        expect(sum('baseline') * left.length).toBeCloseTo(totalOf(left), 6);
        expect(sum('candidate') * right.length).toBeCloseTo(totalOf(right), 6);
        expect(back?.cells).toEqual(
          there?.cells.map(({ column, row, baseline, candidate }) => ({
            ...{ column, row },
            ...{ baseline: candidate, candidate: baseline },
          })),
        );
      }),
    );
  });
});
