import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Bin,
  type LiveWindow,
  addToTimeline,
  createTimeline,
  freezeTimeline,
  liveWindowNames,
  liveWindows,
  prependTimeline,
  timelineBins,
} from './timeline.ts';

const change = (fromMs: number, toMs: number, ...pairs: readonly (readonly [number, number])[]): Bin => ({
  fromNs: fromMs * 1e6,
  toNs: toMs * 1e6,
  cells: Uint32Array.from(pairs, ([cell]) => cell),
  deltas: Float64Array.from(pairs, ([, delta]) => delta),
});

const sumOf = (bins: readonly Bin[]): number =>
  bins.reduce((sum, { deltas }) => sum + deltas.reduce((all, delta) => all + delta, 0), 0);

describe('a timeline', () => {
  test('keeps every count of its window, whatever the lengths of the changes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: 20, max: 900 }), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 1e9 })),
          { minLength: 1, maxLength: 30 },
        ),
        (changes) => {
          const timeline = createTimeline();
          let atMs = 0;
          let total = 0;
          for (const [lengthMs, cell, delta] of changes) {
            addToTimeline(timeline, change(atMs, atMs + lengthMs, [cell, delta]));
            atMs += lengthMs;
            total += delta;
          }
          for (const window of liveWindowNames) {
            const bins = timelineBins(timeline, window);
            expect(sumOf(bins)).toBe(total);
            expect(bins.at(-1)?.toNs).toBe(atMs * 1e6);
            for (const [index, bin] of bins.entries()) {
              expect(bin.toNs).toBeGreaterThan(bin.fromNs);
              expect(bin.fromNs).toBe(bins[index - 1]?.toNs ?? 0);
            }
          }
        },
      ),
    );
  });

  test('adds up a bin of 1 s from four snapshots that come 250 ms apart, a little early or late', () => {
    const timeline = createTimeline();
    for (const [index, fromMs] of [0, 247, 502, 749, 998].entries())
      addToTimeline(timeline, change(fromMs, [247, 502, 749, 998, 1251][index] ?? 0, [3, 10]));
    expect(
      timelineBins(timeline, '2min').map(({ fromNs, toNs, deltas }) => [fromNs / 1e6, toNs / 1e6, [...deltas]]),
    ).toEqual([
      [0, 998, [40]],
      [998, 1251, [10]],
    ]);
  });

  test('forgets what lies before its window, and nothing else', () => {
    const timeline = createTimeline();
    for (let atMs = 0; atMs < 700_000; atMs += 250) addToTimeline(timeline, change(atMs, atMs + 250, [1, 1]));
    for (const window of liveWindowNames) {
      const { spanMs, binMs } = liveWindows[window];
      const bins = timelineBins(timeline, window);
      expect(bins.length).toBeGreaterThanOrEqual(spanMs / binMs);
      expect(bins.length).toBeLessThanOrEqual(spanMs / binMs + 4);
    }
  });

  test('does not spread a bin over a hole', () => {
    const timeline = createTimeline();
    addToTimeline(timeline, change(0, 250, [1, 5]));
    addToTimeline(timeline, change(60_000, 60_250, [1, 7]));
    expect(timelineBins(timeline, '10min').map(({ fromNs, toNs }) => [fromNs / 1e6, toNs / 1e6])).toEqual([
      [0, 250],
      [60_000, 60_250],
    ]);
  });

  test('skips a change of no length: it says nothing about rates', () => {
    const timeline = createTimeline();
    addToTimeline(timeline, change(5, 5, [1, 5]));
    expect(timelineBins(timeline, '30s')).toEqual([]);
  });

  test('frozen, no longer changes', () => {
    const timeline = createTimeline();
    addToTimeline(timeline, change(0, 100, [1, 5]));
    const frozen = freezeTimeline(timeline);
    addToTimeline(timeline, change(100, 300, [1, 9]));
    expect(sumOf(timelineBins(frozen, '30s'))).toBe(5);
    expect(sumOf(timelineBins(timeline, '30s'))).toBe(14);
  });

  test('takes over from an older one what lies before its own beginning, once', () => {
    const older = createTimeline();
    const newer = createTimeline();
    for (let atMs = 0; atMs < 5000; atMs += 250) {
      addToTimeline(older, change(atMs, atMs + 250, [1, 1]));
      if (atMs >= 2000) addToTimeline(newer, change(atMs, atMs + 250, [1, 1]));
    }
    prependTimeline(newer, older);
    const window: LiveWindow = '30s';
    expect(sumOf(timelineBins(newer, window))).toBe(20);
  });
});
