/** The pictures of a comparison, ready to be drawn, and the tables behind them. */
import {
  type CandidateComparison,
  type ComparedSideView,
  type LogAxis,
  type MetricComparison,
  type PathNode,
  formatCount,
  formatExact,
  formatMetric,
  formatNs,
  formatNsExact,
  formatP,
  formatRatio,
  formatShare,
  latencyAxis,
  logAxis,
  meanOf,
  ratioAxis,
} from '@faultline/shared';
import { type Mark, modeMark } from './marks.ts';
import { exactly } from './select-compare-metrics.ts';
import { type TableData, tableOf } from './table-data.ts';

/** The two sides, in this order everywhere. */
export const sideNames = ['baseline', 'candidate'] as const;
/** A side's word. */
export type SideName = (typeof sideNames)[number];

/** The one colour and the one mark of a side. */
export const sideMarks: Readonly<Record<SideName, Mark>> = {
  baseline: { name: 'baseline', color: 'var(--baseline)', shape: 'circle', isHatched: false },
  candidate: { name: 'candidate', color: 'var(--candidate)', shape: 'square', isHatched: false },
};

/** Both distributions on one axis; heights are shares of the tallest bar of either side. */
export type OverlayView = {
  readonly axis: LogAxis;
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
  readonly topShare: number;
  readonly topWords: string;
  readonly bars: readonly {
    readonly from: number;
    readonly to: number;
    readonly height: Readonly<Record<SideName, number>>;
    readonly upTo: Readonly<Record<SideName, number>>;
  }[];
};

/** Undefined where no fault was measured on either side. */
export function overlayOf({ overlay }: CandidateComparison): OverlayView | undefined {
  const axis = latencyAxis(overlay);
  if (axis === undefined) return undefined;
  const topShare = Math.max(...overlay.flatMap((one) => [one.baselineShare, one.candidateShare]));
  return {
    axis,
    ticks: ticksOf(axis, formatNs),
    topShare,
    topWords: formatShare(topShare),
    bars: overlay.map((one) => ({
      from: axis.at(Math.max(axis.low, one.lowNs)),
      to: axis.at(one.highNs),
      height: { baseline: one.baselineShare / topShare, candidate: one.candidateShare / topShare },
      upTo: { baseline: one.baselineUpTo, candidate: one.candidateUpTo },
    })),
  };
}

/** The buckets of both sides. */
export function overlayTable({ overlay }: CandidateComparison): TableData {
  return tableOf(
    [
      ['from', 'end'],
      ['to', 'end'],
      ['baseline', 'end'],
      ['candidate', 'end'],
      ['baseline up to', 'end'],
      ['candidate up to', 'end'],
    ],
    overlay.map((one) => [
      String(one.lowNs),
      [
        formatNsExact(one.lowNs),
        formatNsExact(one.highNs),
        ...[one.baselineShare, one.candidateShare, one.baselineUpTo, one.candidateUpTo].map(formatShare),
      ],
    ]),
  );
}

/** A point of a chart over named places: where it stands, and its interval, 0..1 from the bottom. */
export type SpanPoint = { readonly label: string; readonly at: number; readonly low: number; readonly high: number };

/** The shift function. */
export type ShiftView = {
  readonly points: readonly SpanPoint[];
  readonly one: number;
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
};

/** Undefined where no quantile could be compared. */
export function shiftOf({ shift }: CandidateComparison): ShiftView | undefined {
  if (shift.length === 0) return undefined;
  const axis = ratioAxis(shift);
  return {
    one: axis.at(1),
    ticks: ticksOf(axis, formatRatio),
    points: shift.map(({ quantile, ratio, low, high }) => ({
      label: quantileWord(quantile),
      at: axis.at(ratio),
      low: axis.at(low),
      high: axis.at(high),
    })),
  };
}

/** The quantiles of both sides. */
export function shiftTable({ shift }: CandidateComparison): TableData {
  return tableOf(
    [['quantile'], ['baseline', 'end'], ['candidate', 'end'], ['ratio', 'end'], ['interval', 'end']],
    shift.map(({ quantile, baselineNs, candidateNs, ratio, low, high }) => [
      String(quantile),
      [
        quantileWord(quantile),
        formatNs(baselineNs),
        formatNs(candidateNs),
        formatRatio(ratio),
        `${formatRatio(low)} – ${formatRatio(high)}`,
      ],
    ]),
  );
}

function quantileWord(quantile: number): string {
  return `p${formatExact(quantile * 100)}`;
}

/** Values of a metric by the number of the run, 0..1 from the bottom. */
export type RunOrderView = {
  readonly metric: MetricComparison['metric'];
  readonly runCount: number;
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
  readonly points: Readonly<Record<SideName, readonly { readonly at: number; readonly words: string }[]>>;
  /** What the method says of a trend. */
  readonly drifts: readonly string[];
};

/** The runs of the chosen metric; of the first that decides where none is chosen. Undefined without metrics. */
export function runOrderOf(candidate: CandidateComparison, chosen: string | undefined): RunOrderView | undefined {
  const row =
    candidate.metrics.find(({ metric }) => metric.id === chosen) ??
    candidate.metrics.find(({ metric }) => metric.decides) ??
    candidate.metrics[0];
  if (row === undefined) return undefined;
  const { metric } = row;
  const all = [...row.baseline, ...row.candidate];
  const scale = valueScale(all, (value) => formatMetric(value, metric.unit));
  const pointsOf = (values: readonly number[]): RunOrderView['points'][SideName] =>
    values.map((value) => ({ at: scale.at(value), words: exactly(value, metric.unit) }));
  return {
    metric,
    runCount: Math.max(row.baseline.length, row.candidate.length),
    ticks: scale.ticks,
    points: { baseline: pointsOf(row.baseline), candidate: pointsOf(row.candidate) },
    drifts: candidate.drifts
      .filter((one) => one.metric === metric.id)
      .map(
        ({ side, drift }) =>
          `the ${side} drifts: ${formatShare(Math.abs(drift.sharePerRun))} ${drift.sharePerRun > 0 ? 'more' : 'less'} with each run (p ${formatP(drift.p)})`,
      ),
  };
}

/** The values of all runs. */
export function runOrderTable({ points, runCount }: RunOrderView): TableData {
  return tableOf(
    [
      ['run', 'end'],
      ['baseline', 'end'],
      ['candidate', 'end'],
    ],
    Array.from({ length: runCount }, (_, at) => [
      String(at),
      [String(at + 1), points.baseline[at]?.words ?? '–', points.candidate[at]?.words ?? '–'],
    ]),
  );
}

/** Logarithmic where every value is above 0, else from 0; no value touches an edge. */
function valueScale(
  values: readonly number[],
  words: (value: number) => string,
): { readonly at: (value: number) => number; readonly ticks: RunOrderView['ticks'] } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low > 0) {
    const axis = logAxis(low / 1.15, high * 1.15);
    return { at: axis.at, ticks: ticksOf(axis, words) };
  }
  const top = (high === 0 ? 1 : high) * 1.1;
  const at = (value: number): number => value / top;
  return { at, ticks: [0, high].map((value) => ({ share: at(value), label: words(value) })) };
}

/** The lock modes of a side's faults, as shares of them. */
export type LockBar = {
  readonly side: SideName;
  readonly parts: readonly {
    readonly lock: string;
    readonly mark: Mark;
    readonly share: number;
    readonly words: string;
  }[];
};

/** Under which lock the faults of either side ran, the mean of its runs. Empty where that was not traced. */
export function lockBars({ metrics }: CandidateComparison): readonly LockBar[] {
  const rows = metrics.filter(({ metric }) => metric.id.startsWith('lock-') && metric.kind === 'share');
  if (rows.length === 0) return [];
  return sideNames.map((side) => ({
    side,
    parts: rows.flatMap((row) => {
      const lock = row.metric.id.slice('lock-'.length);
      const share = meanOf(row, side) ?? 0;
      return share > 0 ? [{ lock, mark: modeMark(lock), share, words: formatShare(share) }] : [];
    }),
  }));
}

/** The shares behind the bars. */
export function lockTable(bars: readonly LockBar[]): TableData {
  const locks = [...new Set(bars.flatMap(({ parts }) => parts.map(({ lock }) => lock)))];
  return tableOf(
    [['lock mode'], ['baseline', 'end'], ['candidate', 'end']],
    locks.map((lock) => [
      lock,
      [lock, ...bars.map(({ parts }) => parts.find((part) => part.lock === lock)?.words ?? formatShare(0))],
    ]),
  );
}

/** What a function of one side's path is to the other side's: nothing to say where it is the same. */
export function pathDifference(node: PathNode, other: ComparedSideView['path']): string | undefined {
  if (other === undefined) return undefined;
  const same = other.nodes.find(({ id }) => id === node.id);
  if (same === undefined) return 'only here';
  if (same.total !== node.total && same.total !== undefined) return `there ${formatCount(same.total)}`;
  return same.name === node.name ? undefined : 'other name';
}

/** Every function of either path. */
export function pathTable(baseline: ComparedSideView['path'], candidate: ComparedSideView['path']): TableData {
  const ids = [...new Set([baseline, candidate].flatMap((path) => path?.nodes.map(({ id }) => id) ?? []))];
  const cellsOf = (node: PathNode | undefined): readonly string[] => {
    if (node === undefined) return ['not on this path', '', ''];
    const locks = node.locks.map(({ lock, count }) => `${lock} ${formatExact(count)}`).join(', ');
    return [
      `${node.total === undefined ? 'not measured' : formatExact(node.total)}${node.violations > 0 ? ' ✕' : ''}`,
      formatNs(node.p99Ns),
      locks,
    ];
  };
  return tableOf(
    [['function'], ['baseline', 'end'], ['p99', 'end'], ['lock'], ['candidate', 'end'], ['p99', 'end'], ['lock']],
    ids.map((id) => {
      const [from, to] = [baseline, candidate].map((path) => path?.nodes.find((node) => node.id === id));
      return [id, [(from ?? to)?.name ?? id, ...cellsOf(from), ...cellsOf(to)]];
    }),
  );
}

function ticksOf(axis: LogAxis, words: (value: number) => string): readonly { share: number; label: string }[] {
  return axis.ticks.map((tick) => ({ share: axis.at(tick), label: words(tick) }));
}
