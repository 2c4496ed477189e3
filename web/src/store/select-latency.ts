/** Latencies: heatmaps over time with quantiles, and distributions. */
import {
  type BinMemo,
  type LatencyColumn,
  type LatencyColumns,
  type LatencyDistribution,
  bucketHigh,
  bucketLow,
  bucketsPerRow,
  createBinMemo,
  formatExact,
  formatNs,
  formatNsExact,
  formatRate,
  latencyColumns,
  latencyDistributions,
  liveWindows,
  rowBounds,
  shownQuantiles,
  sourcesOf,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type Mark, modeMark } from './marks.ts';
import { type PanelStatus, metricStatus, statusInWindow } from './panel-status.ts';
import { type Scope, scopeOf } from './scope.ts';
import { onOneScale } from './side-by-side.ts';
import type { TableData } from './table-data.ts';
import { type LossStretch, type TimeFrame, instantWords, lossStretches, timeFrame } from './time-frame.ts';

/** A log axis of latency: its ends, and ticks as shares of its length (0 at the low end). */
export type LatencyAxis = {
  readonly lowNs: number;
  readonly highNs: number;
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
};

/** A heatmap, ready to be drawn. */
export type HeatView = {
  readonly status: PanelStatus;
  readonly frame: TimeFrame;
  readonly columns: readonly LatencyColumn[];
  readonly axis: LatencyAxis;
  /** The ends of the colour scale, counts a second: one event in a bin, and a round number above the peak. */
  readonly floorPerSec: number;
  readonly topPerSec: number;
  readonly losses: readonly LossStretch[];
  readonly scope: Scope | undefined;
};

/** How long mmap_lock was waited for, over time. */
export const selectWaitHeat = onOneScale((shown: Shown): HeatView => heatView(shown, 'wait', waitMemo), onHeatScaleOf);

/** How long mmap_lock was held, over time. */
export const selectHoldHeat = onOneScale((shown: Shown): HeatView => heatView(shown, 'hold', holdMemo), onHeatScaleOf);

/** How long vfio's fault handler took, over time. */
export const selectFaultHeat = onOneScale(
  (shown: Shown): HeatView => heatView(shown, 'faultLatency', faultMemo),
  onHeatScaleOf,
);

/** The column at an instant, or the newest one that is not empty. */
export function columnAt(columns: readonly LatencyColumn[], atNs: number | undefined): LatencyColumn | undefined {
  if (atNs === undefined) return columns.findLast(({ count }) => count > 0) ?? columns.at(-1);
  return columns.find(({ toNs }) => toNs >= atNs);
}

/** The latencies of an instant in one sentence. */
export function describeLatency(view: HeatView, atNs: number): string {
  const column = columnAt(view.columns, atNs);
  if (column === undefined) return 'no data';
  return `${instantWords(view.frame.clock, column.toNs)}: p50 ${formatNs(column.p50)}, p99 ${formatNs(column.p99)}, max ${formatNs(column.max)}, ${formatExact(column.count)} events`;
}

/** The table behind a heatmap: the newest bin first. */
export function heatTable(view: HeatView): TableData {
  return {
    columns: [
      { id: 'time', title: 'time', align: 'start' },
      ...['p50', 'p99', 'max', 'events', '/s'].map((title) => ({ id: title, title, align: 'end' as const })),
    ],
    rows: view.columns.toReversed().map((column) => ({
      key: String(column.toNs),
      cells: [
        instantWords(view.frame.clock, column.toNs),
        ...[column.p50, column.p99, column.max].map(formatNs),
        formatExact(column.count),
        formatRate(column.count / ((column.toNs - column.fromNs) / 1e9)),
      ],
    })),
  };
}

const waitMemo = createBinMemo<LatencyColumn>();
const holdMemo = createBinMemo<LatencyColumn>();
const faultMemo = createBinMemo<LatencyColumn>();

function heatView(shown: Shown, metric: string, memo: BinMemo<LatencyColumn>): HeatView {
  const frame = timeFrame(shown);
  const status = statusInWindow(shown, metric);
  const { session, page } = shown;
  const floorPerSec =
    session?.section === undefined ? 1000 / liveWindows[page.window].binMs : 1e9 / session.section.binNs;
  if (session === undefined || status.kind !== 'ready') {
    return {
      status,
      frame,
      columns: [],
      axis: axisOf(undefined),
      floorPerSec,
      topPerSec: 10,
      losses: [],
      scope: undefined,
    };
  }
  const filter = { process: page.process, mode: page.mode };
  const all = latencyColumns(sourcesOf(session, metric, page.window), metric, filter, memo);
  return {
    status,
    frame,
    columns: all.columns.filter(({ toNs }) => toNs > frame.fromNs),
    axis: axisOf(all.rowRange),
    floorPerSec,
    topPerSec: 10 ** Math.ceil(Math.log10(Math.max(all.peakPerSec, floorPerSec * 10))),
    losses: lossStretches(shown, frame, status.runs),
    scope: scopeOf(shown, metric),
  };
}

/** A heatmap whose axis and colours reach as far as those of the other one. */
function onHeatScaleOf(view: HeatView, other: HeatView): HeatView {
  const axis = commonAxis(view.axis, other.axis);
  return { ...view, axis, topPerSec: Math.max(view.topPerSec, other.topPerSec) };
}

/** Half decades, so that the axis stands still while the tail moves a little. */
const axisStops = Array.from({ length: 23 }, (_, index) => (index % 2 === 0 ? 1 : 3) * 10 ** Math.floor(index / 2));
const axisLowMax = 30;
const axisHighMin = 100_000;

function axisOf(range: LatencyColumns['rowRange']): LatencyAxis {
  const low = range === undefined ? axisLowMax : Math.max(10, rowBounds(range.low).lowNs);
  const high = range === undefined ? axisHighMin : rowBounds(range.high).highNs;
  return axisBetween(Math.min(axisLowMax, low), Math.max(axisHighMin, high));
}

function commonAxis(one: LatencyAxis, two: LatencyAxis): LatencyAxis {
  return axisBetween(Math.min(one.lowNs, two.lowNs), Math.max(one.highNs, two.highNs));
}

function axisBetween(low: number, high: number): LatencyAxis {
  const lowNs = axisStops.findLast((stop) => stop <= low) ?? 1;
  const highNs = axisStops.find((stop) => stop >= high) ?? axisStops.at(-1) ?? high;
  const axis = { lowNs, highNs };
  const decades = axisStops.filter((stop) => Number.isInteger(Math.log10(stop)) && stop >= lowNs && stop <= highNs);
  return { ...axis, ticks: decades.map((ns) => ({ share: axisShare(axis, ns), label: formatNs(ns) })) };
}

/** Where a latency lies on a log axis; clipped to it. */
function axisShare(axis: Pick<LatencyAxis, 'lowNs' | 'highNs'>, ns: number): number {
  const share = Math.log(Math.max(ns, axis.lowNs) / axis.lowNs) / Math.log(axis.highNs / axis.lowNs);
  return Math.min(1, share);
}

/** One distribution of the panel: of waits, of holds. */
export type SpreadPart = {
  readonly metric: string;
  readonly title: string;
  readonly groups: readonly { readonly mark: Mark; readonly key: string; readonly distribution: LatencyDistribution }[];
  /** Rows for the chart: where on the axis, and log-scaled height (0..1) by group. */
  readonly data: readonly ({ readonly at: number } & Readonly<Record<string, number | undefined>>)[];
  readonly axis: LatencyAxis;
  readonly topCount: number;
};

/** The panel of distributions. */
export type SpreadView = {
  readonly status: PanelStatus;
  readonly parts: readonly SpreadPart[];
  readonly scope: Scope | undefined;
};

const modes = ['mmap-read', 'mmap-write'] as const;

/** How waits and holds are spread, by mode, in the window or since the start. */
export const selectSpread = onOneScale((shown: Shown): SpreadView => {
  const status = metricStatus(shown, 'wait');
  if (shown.session === undefined || status.kind !== 'ready') return { status, parts: [], scope: undefined };
  return {
    status,
    parts: [spreadPart(shown, 'wait', 'mode', modes), spreadPart(shown, 'hold', 'mode', modes)],
    scope: scopeOf(shown, 'wait'),
  };
}, onSpreadScaleOf);

/** Distributions on axes that reach as far as those of the other panel. */
function onSpreadScaleOf(view: SpreadView, other: SpreadView): SpreadView {
  const parts = view.parts.map((part) => {
    const twin = other.parts.find(({ metric }) => metric === part.metric);
    if (twin === undefined) return part;
    const scale = {
      axis: commonAxis(part.axis, twin.axis),
      topCount: Math.max(part.topCount, twin.topCount),
    };
    return {
      ...part,
      ...drawnOn(
        part.groups.map(({ distribution }) => distribution),
        scale,
      ),
    };
  });
  return { ...view, parts };
}

function spreadPart(shown: Shown, metric: string, dimension: string, groups: readonly string[]): SpreadPart {
  const { session, page } = shown;
  const distributions =
    session === undefined
      ? []
      : latencyDistributions(sourcesOf(session, metric, page.window), {
          metric,
          filter: { process: page.process, mode: page.mode },
          span: page.span,
          groups,
          groupOf: ({ dims }) => String(dims[dimension]),
        });
  const rows = rowsOf(distributions);
  const axis = rows.low > rows.high ? axisOf(undefined) : axisOf(rows);
  const topCount = 10 ** Math.ceil(Math.log10(Math.max(10, rows.peak)));
  return {
    metric,
    title: metric,
    groups: distributions.map((distribution) => ({
      key: distribution.group,
      mark: modeMark(distribution.group),
      distribution,
    })),
    ...drawnOn(distributions, { axis, topCount }),
  };
}

/** Distributions on a scale. */
function drawnOn(
  distributions: readonly LatencyDistribution[],
  { axis, topCount }: Pick<SpreadPart, 'axis' | 'topCount'>,
): Pick<SpreadPart, 'axis' | 'topCount' | 'data'> {
  return {
    data: spreadData(distributions, rowsOf(distributions), axis, topCount),
    axis: { ...axis, ticks: everySecond(axis.ticks) },
    topCount,
  };
}

/** Of many ticks every second one: a distribution is a third of a screen wide at most. */
function everySecond<T>(ticks: readonly T[]): readonly T[] {
  return ticks.length <= 5 ? ticks : ticks.filter((_, index) => index % 2 === 0);
}

type Rows = { readonly low: number; readonly high: number; readonly peak: number };

function rowCount(distribution: LatencyDistribution, row: number): number {
  let count = 0;
  for (let bucket = row * bucketsPerRow; bucket < (row + 1) * bucketsPerRow; bucket += 1)
    count += distribution.counts[bucket] ?? 0;
  return count;
}

function rowsOf(distributions: readonly LatencyDistribution[]): Rows {
  let low = Number.POSITIVE_INFINITY;
  let high = -1;
  let peak = 0;
  for (const distribution of distributions) {
    for (let row = 0; row * bucketsPerRow < distribution.counts.length; row += 1) {
      const count = rowCount(distribution, row);
      if (count === 0) continue;
      low = Math.min(low, row);
      high = Math.max(high, row);
      peak = Math.max(peak, count);
    }
  }
  return { low, high, peak };
}

function spreadData(
  distributions: readonly LatencyDistribution[],
  rows: Rows,
  axis: LatencyAxis,
  topCount: number,
): SpreadPart['data'] {
  if (rows.low > rows.high) return [];
  // A count of 1 must be seen: the axis begins at half of one.
  const height = (count: number): number => (count === 0 ? 0 : Math.log(count * 2) / Math.log(topCount * 2));
  const data: ({ readonly at: number } & Readonly<Record<string, number | undefined>>)[] = [];
  for (let row = rows.low; row <= rows.high + 1; row += 1) {
    const heights: Record<string, number> = {};
    for (const distribution of distributions) heights[distribution.group] = height(rowCount(distribution, row));
    data.push({ ...heights, at: axisShare(axis, rowBounds(row).lowNs) });
  }
  return data;
}

/** Quantiles of the panel's distributions, one row a group. */
export function spreadTable(view: SpreadView): TableData {
  return {
    columns: [
      { id: 'what', title: 'latency', align: 'start' },
      { id: 'count', title: 'count', align: 'end' },
      ...shownQuantiles.map((quantile) => ({
        id: `p${quantile}`,
        title: quantileTitle(quantile),
        align: 'end' as const,
      })),
      { id: 'max', title: 'max', align: 'end' },
    ],
    rows: view.parts.flatMap(({ title, groups }) =>
      groups.map(({ mark, key, distribution }) => ({
        key: `${title} ${key}`,
        cells: [
          `${title}, ${mark.name}`,
          formatExact(distribution.count),
          ...distribution.quantiles.map(formatNsExact),
          formatNsExact(distribution.max),
        ],
      })),
    ),
  };
}

/** A quantile in words: p99, p99.9. */
export function quantileTitle(quantile: number): string {
  return `p${String(Math.round(quantile * 1000) / 10)}`;
}

/** The buckets behind the distributions, for those who want every count. */
export function bucketTable(view: SpreadView): TableData {
  const parts = view.parts.flatMap(({ title, groups }) => groups.map((group) => ({ ...group, title })));
  const inUse = new Set<number>();
  for (const { distribution } of parts)
    for (const [bucket, count] of distribution.counts.entries()) if (count > 0) inUse.add(bucket);
  return {
    columns: [
      { id: 'range', title: 'latency from – below', align: 'start' },
      ...parts.map(({ title, key, mark }) => ({
        id: `${title}-${key}`,
        title: `${title}, ${mark.name}`,
        align: 'end' as const,
      })),
    ],
    rows: [...inUse]
      .toSorted((left, right) => left - right)
      .map((bucket) => ({
        key: String(bucket),
        cells: [
          `${formatNsExact(bucketLow(bucket))} – ${formatNsExact(bucketHigh(bucket))}`,
          ...parts.map(({ distribution }) => formatExact(distribution.counts[bucket])),
        ],
      })),
  };
}
