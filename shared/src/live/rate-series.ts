/** Rates over time by group: what an area chart and the table behind it show. */
import type { CellEntry } from '../protocol.ts';
import { type BinMemo, createBinMemo } from './bin-memo.ts';
import { type CellFilter, type Source, cellFits, groupCells } from './source.ts';
import type { Bin } from './timeline.ts';

/** One bin of a series. `counts` and `perSec` have one value a group. */
export type RatePoint = {
  readonly fromNs: number;
  readonly toNs: number;
  readonly counts: readonly number[];
  readonly perSec: readonly number[];
  /** Nothing is known between the bin before and this one: the line breaks here. */
  readonly isAfterGap: boolean;
};

/** Which cells make up which group: the metric, the filter, and an index of a group (-1: none) for each cell. */
export type RateQuestion = {
  readonly metric: string;
  readonly filter: CellFilter;
  readonly groupCount: number;
  readonly groupOf: (entry: CellEntry) => number;
};

/** A hole longer than this many bins' length breaks the line. */
const gapBins = 1.5;

/**
 * The series of a question, the oldest bin first. Counts are exact; a rate is the count by the bin's own length. With a
 * memo of its own (and a name for the groups) each bin is counted once.
 */
export function rateSeries(
  sources: readonly Source[],
  question: RateQuestion,
  memo: BinMemo<readonly number[]> = createBinMemo(),
): readonly RatePoint[] {
  const points: RatePoint[] = [];
  const name = JSON.stringify([question.metric, question.filter]);
  for (const source of sources) {
    const groups = groupCells(source, (entry) =>
      cellFits(entry, question.metric, question.filter) ? question.groupOf(entry) : -1,
    );
    for (const bin of source.bins) {
      const counts = memo(name, bin, () => countGroups(bin, groups, question.groupCount));
      const sec = (bin.toNs - bin.fromNs) / 1e9;
      const before = points.at(-1);
      points.push({
        fromNs: bin.fromNs,
        toNs: bin.toNs,
        counts,
        perSec: counts.map((count) => count / sec),
        isAfterGap: before !== undefined && bin.fromNs - before.toNs > gapBins * (bin.toNs - bin.fromNs),
      });
    }
  }
  return points;
}

function countGroups(bin: Bin, groups: Int32Array, groupCount: number): readonly number[] {
  const counts = Array.from({ length: groupCount }, () => 0);
  for (let index = 0; index < bin.cells.length; index += 1) {
    const group = groups[bin.cells[index] ?? 0] ?? -1;
    if (group >= 0) counts[group] = (counts[group] ?? 0) + (bin.deltas[index] ?? 0);
  }
  return counts;
}

/** The mean rate of each group over a whole series: all counts by all covered time. */
export function meanRates(points: readonly RatePoint[], groupCount: number): readonly number[] {
  const sec = points.reduce((sum, point) => sum + (point.toNs - point.fromNs), 0) / 1e9;
  return Array.from({ length: groupCount }, (_, group) =>
    sec === 0 ? 0 : points.reduce((sum, point) => sum + (point.counts[group] ?? 0), 0) / sec,
  );
}

const niceSteps = [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10];

/** The next round number at or above a value: an axis that moves in steps only, and halves to a round number too. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = niceSteps.find((step) => step * power >= value * (1 - 1e-9)) ?? 10;
  // 3 × 0.1 is not 0.3 in binary, 3 / 10 is.
  return power < 1 ? factor / Math.round(1 / power) : factor * power;
}
