/** The difference heatmap of a comparison, ready to be drawn, and the table behind it. */
import {
  type DifferenceHeat,
  formatCount,
  formatNs,
  formatNsExact,
  type LogAxis,
  logAxis,
  rowBounds,
} from '@faultline/shared';
import type { Loaded } from './loaded.ts';
import type { Shown } from './app-state.ts';
import { type TableData, tableOf } from './table-data.ts';

/** Cells with places 0..1 from the left and from the bottom. */
export type HeatDifferenceView = {
  readonly cells: readonly {
    readonly key: string;
    readonly left: number;
    readonly right: number;
    readonly bottom: number;
    readonly top: number;
    /** -1 (as many more on the baseline as anywhere) to 1 (on the candidate). */
    readonly heat: number;
    readonly words: string;
  }[];
  readonly timeTicks: readonly { readonly share: number; readonly label: string }[];
  readonly latencyTicks: readonly { readonly share: number; readonly label: string }[];
  /** The ends of the colour scale. */
  readonly peakWords: string;
  readonly columnWords: string;
};

/** What the server said of it. */
export function selectHeat({ app }: Shown): Loaded<{ readonly heat: DifferenceHeat } | { readonly why: string }> {
  return app.comparisons.heat?.loaded ?? { kind: 'loading' };
}

/** The picture. Small differences are seen beside large ones: colour goes by the logarithm, as in every heatmap here. */
export function heatDifferenceOf({ columnNs, columnCount, cells, peak }: DifferenceHeat): HeatDifferenceView {
  const bounds = cells.map(({ row }) => rowBounds(row));
  const axis = logAxis(
    Math.max(1, Math.min(...bounds.map(({ lowNs }) => lowNs))),
    Math.max(2, ...bounds.map(({ highNs }) => highNs)),
  );
  const least = Math.min(
    ...cells
      .map(differenceOf)
      .filter((value) => value !== 0)
      .map(Math.abs),
    peak,
  );
  return {
    cells: cells.map((cell, at) => ({
      key: `${String(cell.column)} ${String(cell.row)}`,
      left: cell.column / columnCount,
      right: (cell.column + 1) / columnCount,
      bottom: axis.at(Math.max(axis.low, bounds[at]?.lowNs ?? 1)),
      top: axis.at(bounds[at]?.highNs ?? 1),
      heat: heatOf(differenceOf(cell), least, peak),
      words: `${spanWords(cell.column, columnNs)}, ${formatNs(bounds[at]?.lowNs)} to ${formatNs(bounds[at]?.highNs)}: baseline ${formatCount(cell.baseline)}, candidate ${formatCount(cell.candidate)} a run`,
    })),
    timeTicks: timeTicksOf(columnNs * columnCount),
    latencyTicks: latencyTicksOf(axis),
    peakWords: formatCount(peak),
    columnWords: formatNs(columnNs),
  };
}

function differenceOf({ baseline, candidate }: DifferenceHeat['cells'][number]): number {
  return candidate - baseline;
}

/** Nothing finer than this is seen beside nothing. */
const heatLeast = 0.25;

function heatOf(difference: number, least: number, peak: number): number {
  if (difference === 0) return 0;
  const share = peak === least ? 1 : Math.log(Math.abs(difference) / least) / Math.log(peak / least);
  return Math.sign(difference) * (heatLeast + (1 - heatLeast) * share);
}

function spanWords(column: number, columnNs: number): string {
  return `${formatNs(column * columnNs)} to ${formatNs((column + 1) * columnNs)}`;
}

function timeTicksOf(spanNs: number): HeatDifferenceView['timeTicks'] {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => ({ share, label: share === 0 ? '0' : formatNs(share * spanNs) }));
}

function latencyTicksOf(axis: LogAxis): HeatDifferenceView['latencyTicks'] {
  return axis.ticks.map((tick) => ({ share: axis.at(tick), label: formatNs(tick) }));
}

/** Every cell in words, the largest differences first. */
export function heatTable({ columnNs, cells }: DifferenceHeat): TableData {
  const titles = ['from', 'to', 'latency from', 'to', 'baseline', 'candidate', 'difference'];
  return tableOf(
    titles.map((title) => [title, 'end'] as const),
    cells
      .toSorted((left, right) => Math.abs(differenceOf(right)) - Math.abs(differenceOf(left)))
      .map((cell) => {
        const { lowNs, highNs } = rowBounds(cell.row);
        const difference = differenceOf(cell);
        return [
          `${String(cell.column)} ${String(cell.row)}`,
          [
            formatNs(cell.column * columnNs),
            formatNs((cell.column + 1) * columnNs),
            formatNsExact(lowNs),
            formatNsExact(highNs),
            formatCount(cell.baseline),
            formatCount(cell.candidate),
            `${difference > 0 ? '+' : ''}${difference < 0 ? '−' : ''}${formatCount(Math.abs(difference))}`,
          ],
        ] as const;
      }),
  );
}
