import { expect, it } from 'vitest';
import { compareSides } from './comparison.ts';
import { type MadeUp, madeUpRun } from './fixtures/made-up-run.ts';
import { metrics } from './metrics.ts';
import { overviewOf, overviewSentence } from './overview.ts';
import { comparedRun } from './run.ts';
import { formatBrief } from './words.ts';

function side(title: string, timesNs: readonly number[], more: MadeUp = {}): Parameters<typeof compareSides>[0] {
  return {
    title,
    runs: timesNs.map((faultNs, at) => comparedRun(madeUpRun({ build: title, runNumber: at + 1, faultNs, ...more }))),
  };
}

const steady = [1_000_000, 1_010_000, 990_000, 1_005_000, 995_000];
const half = steady.map((value) => value / 2);

it('lays all candidates on one table: counts that never vary as they are, times as ratios', () => {
  const found = compareSides(side('v0', steady), [
    side('v2', half, { faults: 32 }),
    side('v3', steady, { violations: 1 }),
  ]);
  const rows = overviewOf(found);
  const of = (id: string): (string | undefined)[] | undefined =>
    rows
      .find(({ metric }) => metric.id === id)
      ?.cells.map((cell) => (cell === undefined ? undefined : formatBrief(cell)));
  expect(of('faults')).toEqual(['32', '1']);
  expect(of('timePerFault')?.[0]).toBe('0.5 ×');
  // A row that only one candidate has: neither v0 nor v2 broke anything.
  expect(of('violations')).toEqual([undefined, '1']);
  expect(rows.find(({ metric }) => metric.id === 'violations')?.baseline).toBe('0');
  expect(overviewSentence(found)).toBe('2 candidates against v0: 2 regressed (v2, v3).');
});

it('keeps the order of the metrics when a candidate adds one in their midst', () => {
  const found = compareSides(side('v0', steady), [
    side('v2', half, { mapTimeNs: 1_000 }),
    side('v3', steady, { violations: 1 }),
  ]);
  const ids = overviewOf(found).map(({ metric }) => metric.id);
  expect(ids).toEqual(metrics.map(({ id }) => id).filter((id) => ids.includes(id)));
  // Only the second has the one, only the first the other, which stands behind it.
  expect(ids.indexOf('violations')).toBeLessThan(ids.indexOf('mapTime'));
});
