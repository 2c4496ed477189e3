/** Who does it: the table of processes. */
import {
  type CellEntry,
  type Source,
  type WhoColumn,
  formatExact,
  formatNsExact,
  sourcesOf,
  whoTable,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type PanelStatus, metricStatus } from './panel-status.ts';
import { onOneScale } from './side-by-side.ts';
import type { TableData } from './table-data.ts';

/** A column as it is shown; `kind` says how its numbers are written. */
export type WhoHead = {
  readonly name: string;
  readonly title: string;
  readonly kind: 'count' | 'ns';
  readonly color: string;
  readonly hint: string;
};

/** The table, sorted. */
export type WhoView = {
  readonly status: PanelStatus;
  readonly heads: readonly WhoHead[];
  readonly rows: readonly { readonly process: string; readonly values: readonly (number | undefined)[] }[];
  readonly totals: readonly (number | undefined)[];
  /** The largest value of each column: a bar of full length. */
  readonly peaks: readonly number[];
  readonly sortBy: string;
};

type Column = WhoHead & { readonly metric: string; readonly counts: (entry: CellEntry) => boolean };

const isDone = ({ dims }: CellEntry): boolean => dims['success'] !== 'no';
const isMode =
  (mode: string) =>
  (entry: CellEntry): boolean =>
    isDone(entry) && entry.dims['mode'] === mode;

const columns: readonly Column[] = [
  {
    name: 'reads',
    title: 'reads',
    kind: 'count',
    color: 'var(--mmap-read)',
    hint: 'read acquisitions of mmap_lock',
    metric: 'acquisitions',
    counts: isMode('mmap-read'),
  },
  {
    name: 'writes',
    title: 'writes',
    kind: 'count',
    color: 'var(--mmap-write)',
    hint: 'write acquisitions of mmap_lock',
    metric: 'acquisitions',
    counts: isMode('mmap-write'),
  },
  {
    name: 'wait',
    title: 'wait',
    kind: 'ns',
    color: 'var(--bar)',
    hint: 'time spent waiting for mmap_lock, added up',
    metric: 'waitTotal',
    counts: () => true,
  },
  {
    name: 'hold',
    title: 'hold',
    kind: 'ns',
    color: 'var(--bar)',
    hint: 'time mmap_lock was held, added up',
    metric: 'holdTotal',
    counts: () => true,
  },
  {
    name: 'faults',
    title: 'faults',
    kind: 'count',
    color: 'var(--fault-read)',
    hint: 'page faults',
    metric: 'faults',
    counts: () => true,
  },
];

/** Processes by what they do to the lock, in the window or since the start, sorted by a column. */
export const selectWho = onOneScale((shown: Shown): WhoView => {
  const status = firstReady(metricStatus(shown, 'acquisitions'), metricStatus(shown, 'faults'));
  const { session, page } = shown;
  const sortBy = columns.find(({ name }) => name === page.sort)?.name ?? 'reads';
  if (session === undefined || status.kind !== 'ready') {
    return { status, heads: columns, rows: [], totals: [], peaks: [], sortBy };
  }
  const sourcesByMetric = new Map<string, readonly Source[]>();
  const asked: WhoColumn[] = columns.map(({ name, metric, counts }) => {
    const sources = sourcesByMetric.get(metric) ?? sourcesOf(session, metric, page.window);
    sourcesByMetric.set(metric, sources);
    return { name, metric, sources, counts };
  });
  const { rows, totals } = whoTable(asked, {
    // The process filter marks a row, it does not hide the others: one sees whom one compares with.
    filter: { mode: page.mode },
    span: page.span,
    sortBy: columns.findIndex(({ name }) => name === sortBy),
  });
  const peaks = columns.map((_, column) => Math.max(1, ...rows.map(({ values }) => values[column] ?? 0)));
  return { status, heads: columns, rows, totals, peaks, sortBy };
}, withBarsOf);

/** Bars as long as those of the other table for the same value. */
function withBarsOf(view: WhoView, other: WhoView): WhoView {
  return { ...view, peaks: view.peaks.map((peak, column) => Math.max(peak, other.peaks[column] ?? 0)) };
}

/** The table as words, every digit. */
export function whoTableData(view: WhoView): TableData {
  return {
    columns: [
      { id: 'process', title: 'process', align: 'start' },
      ...view.heads.map(({ name, title }) => ({ id: name, title, align: 'end' as const })),
    ],
    rows: view.rows.map(({ process, values }) => ({
      key: process,
      cells: [process, ...view.heads.map(({ kind }, column) => exactOf(kind, values[column]))],
    })),
  };
}

/** A value with every digit. */
export function exactOf(kind: WhoHead['kind'], value: number | undefined): string {
  return kind === 'ns' ? formatNsExact(value) : formatExact(value);
}

function firstReady(first: PanelStatus, second: PanelStatus): PanelStatus {
  return first.kind !== 'ready' && second.kind === 'ready' ? second : first;
}
