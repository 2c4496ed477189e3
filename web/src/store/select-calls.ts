/** The calls of a stream, newest first: columns from the manifest, rows from the ring, or from the server for a closed session. */
import {
  type CallRing,
  type Column,
  type LiveSession,
  type RunData,
  type RunView,
  callValue,
  enumWord,
  modeDimensions,
  processDimension,
  selectCalls as pickCalls,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type CallRows, askedRows, ringRows } from './call-rows.ts';
import type { CallsQuestion } from './calls-asker.ts';
import { type CallsOrder, callsOrderOf, isNumber, questionOf } from './calls-question.ts';
import { type PanelStatus, callsStatus } from './panel-status.ts';
import type { TableData } from './table-data.ts';

/** Rows that a table shows of what a server was asked for: what a browser can make room for, 22 px each. */
const askedRowsMax = 1_000_000;

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
  /** Where the server is asked: what for, in which order, and whether the rows are of an older question still. */
  readonly asked: { readonly question: CallsQuestion; readonly order: CallsOrder; readonly isOld: boolean } | undefined;
};

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
  const { session, page, recorded } = shown;
  const isAsked = recorded?.data.calls === 'asked';
  const all = session === undefined ? [] : callRuns(session, isAsked).filter(({ run }) => isOfProbe(run.probe));
  const streams = all.map(({ key, title }) => ({ key, title }));
  const chosen = all.find(({ key }) => key === page.calls) ?? all[0];
  const stream = streams.find(({ key }) => key === chosen?.key);
  const data = chosen === undefined ? undefined : session?.runs.get(chosen.run.index);
  const view = { streams, stream, columns: data?.calls.columns ?? [], rows: undefined, keptCount: 0, olderCount: 0 };
  if (isAsked && data !== undefined) return { ...view, ...askedView(shown, data, chosen?.run, isOfProbe) };
  const hasFigures = (data?.calls.addedCount ?? 0) > 0;
  const status = callsStatus(shown, chosen?.run, hasFigures, isOfProbe);
  if (data === undefined || status.kind !== 'ready') return { ...view, status, asked: undefined };
  const ring = data.calls;
  const calls = pickCalls(ring, fitting(ring, data.texts, page));
  return {
    ...view,
    status,
    rows: ringRows(ring, calls, data.texts, { clock: shown.clock, shiftNs: data.shiftNs }),
    keptCount: Math.min(ring.addedCount, ring.capacity),
    olderCount: recorded?.data.runs.find(({ run: index }) => index === data.run)?.olderCallCount ?? 0,
    asked: undefined,
  };
}

function askedView(
  shown: Shown,
  data: RunData,
  run: RunView | undefined,
  isOfProbe: (probe: string) => boolean,
): Pick<CallsView, 'status' | 'rows' | 'keptCount' | 'asked'> {
  const question = questionOf(shown, data);
  const order = callsOrderOf(data.calls.columns, shown.page.callsOrder);
  const known = shown.app.recordings.calls;
  const answer =
    known?.question.session === question.session && known.question.run === question.run ? known : undefined;
  const asked = { question, order, isOld: answer?.question.query !== question.query };
  const none = { rows: undefined, keptCount: 0, asked };
  if (answer === undefined)
    return { ...none, status: { kind: 'loading', what: 'asking the server for the calls of this part' } };
  if (answer.problem !== undefined) {
    const { message, remedy } = answer.problem;
    return { ...none, status: { kind: 'failed', message, remedy, stderr: undefined, retry: undefined } };
  }
  const isFiltered = shown.page.process !== undefined || shown.page.mode !== undefined;
  const status = callsStatus(shown, run, answer.total > 0 || isFiltered, isOfProbe);
  const times = { clock: shown.clock, shiftNs: data.shiftNs };
  return {
    status,
    rows: status.kind === 'ready' ? askedRows(answer, data.calls.columns, askedRowsMax, times) : undefined,
    keptCount: answer.total,
    asked,
  };
}

/** The rows as words, every digit; at most `limit` of them, and none behind one that is still on its way. */
export function callsTable(view: CallsView, limit: number): TableData {
  const { rows } = view;
  const shown: TableData['rows'][number][] = [];
  for (let index = 0; rows !== undefined && index < Math.min(limit, rows.count); index += 1) {
    const { key, cells } = rows.rowAt(index);
    if (cells.length === 0) break;
    shown.push({ key, cells: cells.map(({ exact }) => exact) });
  }
  return {
    columns: view.columns.map((column) => ({
      id: column.name,
      title: columnTitle(column),
      align: isNumber(column) ? 'end' : 'start',
    })),
    rows: shown,
  };
}

/** A column's title with its unit: durations scale themselves and name theirs in each cell. */
export function columnTitle({ title, unit }: Column): string {
  return unit === 'ns' || unit === 'none' || unit === 'id' ? title : `${title} (${unit})`;
}

type CallRun = CallStream & { readonly run: RunView };

/** The newest run of each stream; of a session whose calls can be asked for, the others too, by their numbers. */
function callRuns(session: LiveSession, isEach: boolean): readonly CallRun[] {
  const runs = session.view.runs.filter(({ index }) => session.runs.get(index)?.stream?.kind === 'call');
  const newest = new Map(runs.map((run) => [`${run.probe}/${run.stream}`, run]));
  return runs
    .map((run): CallRun => {
      const key = `${run.probe}/${run.stream}`;
      const title = `${run.probe} ${run.stream}`;
      return newest.get(key) === run
        ? { key, title, run }
        : { key: `${key}/${run.index}`, title: `${title}, run ${run.index + 1}`, run };
    })
    .filter(({ key, run }) => isEach || newest.get(key) === run);
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
