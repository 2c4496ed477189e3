/** Rates over time: what the charts of acquisitions and faults, and the tables behind them, show. */
import {
  type BinMemo,
  type CellEntry,
  type RatePoint,
  createBinMemo,
  formatCount,
  formatExact,
  formatRate,
  niceCeiling,
  rateSeries,
  sourcesOf,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type Mark, faultMark, modeMark, orderMark, unknownMark } from './marks.ts';
import { type PanelStatus, statusInWindow } from './panel-status.ts';
import { type Scope, scopeOf } from './scope.ts';
import { onOneScale } from './side-by-side.ts';
import type { TableData } from './table-data.ts';
import { type LossStretch, type TimeFrame, instantWords, lossStretches, shareOf, timeFrame } from './time-frame.ts';

/** One group of a rate chart. */
export type RateGroup = { readonly key: string; readonly mark: Mark };

/** A chart of stacked rates, ready to be drawn. */
export type RateView = {
  readonly status: PanelStatus;
  readonly frame: TimeFrame;
  readonly groups: readonly RateGroup[];
  readonly points: readonly RatePoint[];
  /** Rows for the chart: where, and a rate by group. */
  readonly data: readonly ({ readonly at: number } & Readonly<Record<string, number | undefined>>)[];
  readonly top: number;
  /** How each group is drawn, in their order. */
  readonly series: readonly {
    readonly key: string;
    readonly color: string;
    readonly isHatched: boolean;
    readonly isFaint: boolean;
  }[];
  readonly losses: readonly LossStretch[];
  /** What a filter could not do here; undefined where it did. */
  readonly scope: Scope | undefined;
  /** A second figure of a group, told with it: of the reads, how many were downgrades. */
  readonly aside: { readonly group: number; readonly title: string; readonly points: readonly RatePoint[] } | undefined;
};

type Question = {
  readonly metric: string;
  readonly groups: readonly RateGroup[];
  readonly groupOf: (entry: CellEntry) => number;
  readonly memo: BinMemo<readonly number[]>;
};

const memos = {
  acquisitions: createBinMemo<readonly number[]>(),
  downgrades: createBinMemo<readonly number[]>(),
  faults: createBinMemo<readonly number[]>(),
  handled: createBinMemo<readonly number[]>(),
  retried: createBinMemo<readonly number[]>(),
  vfioFaults: createBinMemo<readonly number[]>(),
  faultLocks: createBinMemo<readonly number[]>(),
};

const acquisitionGroups: readonly RateGroup[] = [
  { key: 'read', mark: modeMark('mmap-read') },
  { key: 'write', mark: modeMark('mmap-write') },
  { key: 'failed', mark: { ...unknownMark, name: 'not acquired' } },
];

/** mmap_lock acquisitions a second by mode; a trylock that failed is no acquisition and stands apart. */
export const selectAcquisitions = onOneScale((shown: Shown): RateView => {
  const view = rateView(shown, {
    memo: memos.acquisitions,
    metric: 'acquisitions',
    groups: acquisitionGroups,
    groupOf: ({ dims }) => {
      if (dims['success'] === 'no') return 2;
      return dims['mode'] === 'mmap-write' ? 1 : 0;
    },
  });
  return withAside(shown, view, {
    memo: memos.downgrades,
    metric: 'acquisitions',
    group: 0,
    title: 'downgrades',
    fits: ({ dims }) => dims['downgrade'] === 'yes',
  });
}, withRoomFor);

const faultGroups: readonly RateGroup[] = ['not-present', 'protection'].flatMap((cause) =>
  ['read', 'write', 'instruction'].map((access) => ({ key: `${access}-${cause}`, mark: faultMark(access, cause) })),
);

const otherFaults = faultGroups.length;

/** Page faults a second by access and cause. */
export const selectFaults = onOneScale((shown: Shown): RateView => {
  return rateView(shown, {
    memo: memos.faults,
    metric: 'faults',
    groups: [...faultGroups, { key: 'other', mark: { ...unknownMark, name: 'other' } }],
    groupOf: ({ dims }) => {
      const group = faultGroups.findIndex(({ key }) => key === `${dims['access']}-${dims['cause']}`);
      return group < 0 ? otherFaults : group;
    },
  });
}, withRoomFor);

const handledGroups: readonly RateGroup[] = [
  { key: 'vma', mark: modeMark('vma-read') },
  { key: 'mmap', mark: modeMark('mmap-read') },
  { key: 'other', mark: unknownMark },
];

/** Handled faults a second by the lock they were handled under; a retried one is handled again, under mmap_lock. */
export const selectHandled = onOneScale((shown: Shown): RateView => {
  const view = rateView(shown, {
    memo: memos.handled,
    metric: 'handled',
    groups: handledGroups,
    groupOf: ({ dims }) => {
      if (dims['lockMode'] === 'vma-read') return 0;
      return dims['lockMode'] === 'mmap-read' ? 1 : 2;
    },
  });
  return withAside(shown, view, {
    memo: memos.retried,
    metric: 'handled',
    group: 0,
    title: 'retried',
    fits: ({ dims }) => dims['lockMode'] === 'vma-read' && (dims['outcome'] === 'retry' || dims['retried'] === 'yes'),
  });
}, withRoomFor);

const attemptGroups: readonly RateGroup[] = [
  { key: 'pte-user', mark: orderMark('4 KiB', 'var(--fault-read)', 'circle', false) },
  { key: 'pmd-user', mark: orderMark('2 MiB', 'var(--fault-write)', 'square', false) },
  { key: 'pud-user', mark: orderMark('1 GiB', 'var(--fault-exec)', 'triangle', false) },
  { key: 'pte-remote', mark: orderMark('4 KiB remote', 'var(--fault-read)', 'circle', true) },
  { key: 'pmd-remote', mark: orderMark('2 MiB remote', 'var(--fault-write)', 'square', true) },
  { key: 'pud-remote', mark: orderMark('1 GiB remote', 'var(--fault-exec)', 'triangle', true) },
  { key: 'other', mark: { ...unknownMark, name: 'kernel' } },
];

/** FALLBACK and RETRY ask again another way: attempts, and no faults. */
function isFault({ dims }: CellEntry): boolean {
  return dims['result'] !== 'fallback' && dims['result'] !== 'retry';
}

/** vfio faults a second by order and origin. */
export const selectVfioFaults = onOneScale((shown: Shown): RateView => {
  return rateView(shown, {
    memo: memos.vfioFaults,
    metric: 'attempts',
    groups: attemptGroups,
    groupOf: (entry) => {
      if (!isFault(entry)) return -1;
      const { order, origin } = entry.dims;
      const group = attemptGroups.findIndex(({ key }) => key === `${String(order)}-${String(origin)}`);
      return group < 0 ? attemptGroups.length - 1 : group;
    },
  });
}, withRoomFor);

const lockGroups: readonly RateGroup[] = ['vma-read', 'mmap-read', 'mmap-write', 'other'].map((lock) => ({
  key: lock,
  mark: lock === 'other' ? { ...unknownMark, name: 'not held, or by another' } : modeMark(lock),
}));

/** vfio faults a second by the lock they were taken under. */
export const selectFaultLocks = onOneScale((shown: Shown): RateView => {
  return rateView(shown, {
    memo: memos.faultLocks,
    metric: 'attempts',
    groups: lockGroups,
    groupOf: (entry) => {
      if (!isFault(entry)) return -1;
      const group = lockGroups.findIndex(({ key }) => key === entry.dims['lock']);
      return group < 0 ? lockGroups.length - 1 : group;
    },
  });
}, withRoomFor);

type Aside = {
  readonly metric: string;
  readonly group: number;
  readonly title: string;
  readonly fits: (entry: CellEntry) => boolean;
  readonly memo: BinMemo<readonly number[]>;
};

function withAside(shown: Shown, view: RateView, { metric, group, title, fits, memo }: Aside): RateView {
  const { session, page } = shown;
  if (session === undefined || view.status.kind !== 'ready') return view;
  const points = rateSeries(
    sourcesOf(session, metric, page.window),
    {
      metric,
      filter: { process: page.process, mode: page.mode },
      groupCount: 1,
      groupOf: (entry) => (fits(entry) ? 0 : -1),
    },
    memo,
  );
  return { ...view, aside: { group, title, points } };
}

/** The rates at an instant: of the bin it lies in, or of the newest one. Undefined where there is no bin. */
export function pointAt(points: readonly RatePoint[], atNs: number | undefined): RatePoint | undefined {
  if (atNs === undefined) return points.at(-1);
  return points.find(({ fromNs, toNs }) => atNs > fromNs && atNs <= toNs) ?? points.find(({ toNs }) => toNs >= atNs);
}

/** The rates of an instant in one sentence, for those who listen. */
export function describeRates(view: RateView, atNs: number): string {
  const point = pointAt(view.points, atNs);
  if (point === undefined) return 'no data';
  const rates = view.groups.map(({ mark }, group) => `${mark.name} ${formatRate(point.perSec[group])}`);
  return `${instantWords(view.frame.clock, point.toNs)}: ${rates.join(', ')}`;
}

/** The table behind a chart of rates: the newest bin first, counts and rates in all their digits. */
export function rateTable(view: RateView): TableData {
  return {
    columns: [
      { id: 'time', title: 'time', align: 'start' },
      ...view.groups.flatMap(({ key, mark }) => [
        { id: `${key}-rate`, title: `${mark.name} /s`, align: 'end' as const },
        { id: `${key}-count`, title: 'count', align: 'end' as const },
      ]),
    ],
    rows: view.points.toReversed().map((point) => ({
      key: String(point.toNs),
      cells: [
        instantWords(view.frame.clock, point.toNs),
        ...view.groups.flatMap((_, group) => [formatCount(point.perSec[group]), formatExact(point.counts[group])]),
      ],
    })),
  };
}

function rateView(shown: Shown, question: Question): RateView {
  const frame = timeFrame(shown);
  const status = statusInWindow(shown, question.metric);
  const { session, page } = shown;
  const empty = {
    status,
    frame,
    groups: question.groups,
    points: [],
    data: [],
    top: 1,
    series: [],
    losses: [],
    scope: undefined,
    aside: undefined,
  };
  if (session === undefined || status.kind !== 'ready') return empty;
  const sources = sourcesOf(session, question.metric, page.window);
  const all = rateSeries(
    sources,
    {
      metric: question.metric,
      filter: { process: page.process, mode: page.mode },
      groupCount: question.groups.length,
      groupOf: question.groupOf,
    },
    question.memo,
  );
  const points = all.filter(({ toNs }) => toNs > frame.fromNs);
  const inUse = question.groups.map((_, group) => group < 2 || points.some(({ counts }) => (counts[group] ?? 0) > 0));
  const keep = <T>(values: readonly T[]): readonly T[] => values.filter((_, group) => inUse[group] === true);
  const kept = points.map((point) => ({ ...point, counts: keep(point.counts), perSec: keep(point.perSec) }));
  const peak = Math.max(0, ...kept.map(({ perSec }) => perSec.reduce((sum, rate) => sum + rate, 0)));
  const groups = keep(question.groups);
  const top = niceCeiling(peak);
  return {
    status,
    frame,
    groups,
    points: kept,
    data: kept.flatMap((point, index) => datum(frame, groups, point, index === 0)),
    top,
    series: seriesOf(groups, kept, top),
    losses: lossStretches(shown, frame, status.runs),
    scope: scopeOf(shown, question.metric),
    aside: undefined,
  };
}

/** A chart whose axis reaches as far as that of the other one. */
function withRoomFor(view: RateView, other: RateView): RateView {
  const top = Math.max(view.top, other.top);
  return top === view.top ? view : { ...view, top, series: seriesOf(view.groups, view.points, top) };
}

/** How groups are drawn below a top; what never rises above a line's width is faint. */
function seriesOf(groups: readonly RateGroup[], points: readonly RatePoint[], top: number): RateView['series'] {
  return groups.map(({ key, mark }, group) => ({
    key,
    color: mark.color,
    isHatched: mark.isHatched,
    isFaint: !points.some(({ perSec }) => (perSec[group] ?? 0) > top / 150),
  }));
}

/** A rate holds for its whole bin: a point at its end, and one at its beginning where no bin ends there. */
function datum(frame: TimeFrame, groups: readonly RateGroup[], point: RatePoint, isFirst: boolean): RateView['data'] {
  const at = (ns: number): number => Math.min(1, Math.max(0, shareOf(frame, ns)));
  const values: Record<string, number | undefined> = {};
  for (const [group, { key }] of groups.entries()) values[key] = point.perSec[group];
  const end = { ...values, at: at(point.toNs) };
  if (!isFirst && !point.isAfterGap) return [end];
  const begin = { ...values, at: at(point.fromNs) };
  return point.isAfterGap ? [{ at: begin.at }, begin, end] : [begin, end];
}
