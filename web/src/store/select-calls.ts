/** The calls of a stream, newest first: columns from the manifest, rows from the ring. */
import {
  type CallRing,
  type Column,
  type LiveSession,
  type RunView,
  type SessionClock,
  callValue,
  enumWord,
  formatClock,
  formatInstant,
  formatSeconds,
  formatUnit,
  formatUnitExact,
  freezeCalls,
  modeDimensions,
  processDimension,
  selectCalls as pickCalls,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type Mark, modeMark } from './marks.ts';
import { type PanelStatus, callsStatus } from './panel-status.ts';
import type { TableData } from './table-data.ts';

/** A stream of calls that has run in this session. */
export type CallStream = { readonly key: string; readonly title: string };

/** The table. Rows are made when they come into sight. */
export type CallsView = {
  readonly status: PanelStatus;
  readonly streams: readonly CallStream[];
  readonly stream: CallStream | undefined;
  readonly columns: readonly Column[];
  readonly rows: CallRows | undefined;
  /** Calls that passed the filter, of those kept. */
  readonly keptCount: number;
  /** Calls of a recorded session that are older than those the page has. */
  readonly olderCount: number;
};

/** What rows are made of. */
export type CallRows = {
  readonly ring: CallRing;
  readonly texts: readonly string[];
  readonly clock: SessionClock | undefined;
  /** Taken off the run's kernel times; see RunData. */
  readonly shiftNs: number;
  /** Numbers of the calls to show, the newest first. */
  readonly calls: readonly number[];
};

/** One cell in words. */
export type CallCell = { readonly text: string; readonly exact: string; readonly mark: Mark | undefined };

/** Probes whose calls are those of the fault path; all others are of locks. */
const pathProbes: readonly string[] = ['vfio-fault', 'dma-map'];

/** Slow calls of locks and faults. */
export function selectSlowCalls(shown: Shown): CallsView {
  return callsView(shown, (probe) => !pathProbes.includes(probe));
}

/** Single vfio faults and single MAP_DMAs. */
export function selectPathCalls(shown: Shown): CallsView {
  return callsView(shown, (probe) => pathProbes.includes(probe));
}

/** The calls of the chosen stream that pass the filters. */
function callsView(shown: Shown, isOfProbe: (probe: string) => boolean): CallsView {
  const { session, page } = shown;
  const runs = session === undefined ? [] : callRuns(session).filter(({ probe }) => isOfProbe(probe));
  const streams = runs.map(({ probe, stream }) => ({ key: `${probe}/${stream}`, title: `${probe} ${stream}` }));
  const run = runs.find(({ probe, stream }) => `${probe}/${stream}` === page.calls) ?? runs[0];
  const data = run === undefined ? undefined : session?.runs.get(run.index);
  const status = callsStatus(shown, run, isOfProbe);
  const stream = streams.find(({ key }) => run !== undefined && key === `${run.probe}/${run.stream}`);
  if (data === undefined || status.kind !== 'ready') {
    return {
      status,
      streams,
      stream,
      columns: data?.calls.columns ?? [],
      rows: undefined,
      keptCount: 0,
      olderCount: 0,
    };
  }
  const ring = data.calls;
  const calls = pickCalls(ring, fitting(ring, data.texts, page));
  const rows = { ring, texts: data.texts, clock: shown.clock, shiftNs: data.shiftNs, calls };
  const keptCount = Math.min(ring.addedCount, ring.capacity);
  const olderCount = shown.recorded?.data.runs.find(({ run: index }) => index === data.run)?.olderCallCount ?? 0;
  return { status, streams, stream, columns: ring.columns, rows, keptCount, olderCount };
}

/** The same table, untouched by what comes later. */
export function freezeCallRows(rows: CallRows): CallRows {
  return { ...rows, ring: freezeCalls(rows.ring) };
}

/** The cells of a row in the order of the columns. */
export function callCells(rows: CallRows, index: number): readonly CallCell[] {
  const call = rows.calls[index] ?? -1;
  return rows.ring.columns.map((column, position) => callCell(column, callValue(rows.ring, position, call), rows));
}

/** The rows as words, every digit; at most `limit` of them. */
export function callsTable(view: CallsView, limit: number): TableData {
  const { rows } = view;
  const count = Math.min(limit, rows?.calls.length ?? 0);
  return {
    columns: view.columns.map((column) => ({
      id: column.name,
      title: columnTitle(column),
      align: isNumber(column) ? 'end' : 'start',
    })),
    rows: Array.from({ length: rows === undefined ? 0 : count }, (_, index) => ({
      key: String(rows?.calls[index]),
      cells: rows === undefined ? [] : callCells(rows, index).map(({ exact }) => exact),
    })),
  };
}

/** A column's title with its unit: durations scale themselves and name theirs in each cell. */
export function columnTitle({ title, unit }: Column): string {
  return unit === 'ns' || unit === 'none' || unit === 'id' ? title : `${title} (${unit})`;
}

/** Whether a column's cells are numbers, which stand on the right. */
export function isNumber({ type, values }: Column): boolean {
  return type !== 'text' && type !== 'timeNs' && values === undefined;
}

function callRuns(session: LiveSession): readonly RunView[] {
  const runs = session.view.runs.filter(({ index }) => session.runs.get(index)?.stream?.kind === 'call');
  const newest = new Map(runs.map((run) => [`${run.probe}/${run.stream}`, run]));
  return [...newest.values()];
}

function callCell(column: Column, value: number | undefined, { texts, clock, shiftNs }: CallRows): CallCell {
  if (value === undefined) return { text: '', exact: '', mark: undefined };
  if (column.type === 'text') return { text: texts[value] ?? '', exact: texts[value] ?? '', mark: undefined };
  if (column.type === 'timeNs') {
    const wallMs = clock?.wallMs(value - shiftNs);
    const seconds = formatSeconds(clock?.sessionMs(value - shiftNs), 3);
    const exact =
      wallMs === undefined ? seconds : `${seconds} · ${formatInstant(wallMs).slice(0, 10)} ${formatClock(wallMs)}`;
    return { text: seconds, exact, mark: undefined };
  }
  if (column.values !== undefined) {
    const word = enumWord(column.values, value);
    const isMode = modeDimensions.some((name) => name === column.name);
    return { text: isMode ? modeMark(word).name : word, exact: word, mark: isMode ? modeMark(word) : undefined };
  }
  return { text: formatUnit(value, column.unit), exact: formatUnitExact(value, column.unit), mark: undefined };
}

function fitting(
  ring: CallRing,
  texts: readonly string[],
  filter: { readonly process: string | undefined; readonly mode: string | undefined },
): (call: number) => boolean {
  const processColumn = ring.columns.findIndex(({ name }) => name === processDimension);
  const modeColumn = ring.columns.findIndex(({ name }) => modeDimensions.some((dimension) => dimension === name));
  const values = ring.columns[modeColumn]?.values;
  const wantedText = filter.process === undefined ? -1 : texts.indexOf(filter.process);
  return (call) => {
    if (filter.process !== undefined && processColumn >= 0 && callValue(ring, processColumn, call) !== wantedText)
      return false;
    if (filter.mode === undefined || modeColumn < 0) return true;
    return enumWord(values, callValue(ring, modeColumn, call) ?? -1) === filter.mode;
  };
}
