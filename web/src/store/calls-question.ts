/** What a page asks the server about the calls of a recorded session: run, part, filters and order as a query. */
import { type Column, type RunData, columnName, modeDimensions, processDimension } from '@faultline/shared';
import type { Shown } from './app-state.ts';
import type { CallsQuestion } from './calls-asker.ts';

/** By which column calls are sorted. */
export type CallsOrder = { readonly column: string; readonly isAscending: boolean };

/** The order that the address names, where the stream has that column; otherwise the newest first. */
export function callsOrderOf(columns: readonly Column[], word: string | undefined): CallsOrder {
  const name = word?.replace(/^-/, '');
  if (word !== undefined && columns.some((column) => column.name === name))
    return { column: name ?? '', isAscending: !word.startsWith('-') };
  return { column: timeColumn(columns)?.name ?? '', isAscending: false };
}

/** The order in words. */
export function orderWords(columns: readonly Column[], { column: name, isAscending }: CallsOrder): string {
  const column = columns.find((one) => one.name === name);
  if (column === undefined || column.type === 'timeNs') return isAscending ? 'oldest first' : 'newest first';
  const [smallest, largest] = isNumber(column) ? ['smallest', 'largest'] : ['A', 'Z'];
  return `by ${column.title}, ${isAscending ? smallest : largest} first`;
}

/** The order after a press on a column: numbers and times from the largest on, words from A on; a second press turns it. */
export function turnedOrder(columns: readonly Column[], order: CallsOrder, name: string): string | undefined {
  const column = columns.find((one) => one.name === name);
  const isWord = column !== undefined && !isNumber(column) && column.type !== 'timeNs';
  const isAscending = order.column === name ? !order.isAscending : isWord;
  return column?.type === 'timeNs' && !isAscending ? undefined : `${isAscending ? '' : '-'}${name}`;
}

/** Whether a column's cells are numbers, which stand on the right. */
export function isNumber({ type, values }: Column): boolean {
  return type !== 'text' && type !== 'timeNs' && values === undefined;
}

/** The question for what is shown of a run: calls of the part under the brush that pass the filters. */
export function questionOf({ page, recorded, session }: Shown, { run, calls, shiftNs }: RunData): CallsQuestion {
  const { columns } = calls;
  const query = new URLSearchParams({ run: String(run) });
  const filter = (column: string, operator: string, value: string): void =>
    query.append('filter', `${columnName(column)}:${operator}:${value}`);
  const section = session?.section;
  const isWhole = recorded !== undefined && recorded.fromMs === recorded.firstMs && recorded.toMs === recorded.lastMs;
  const time = timeColumn(columns);
  if (section !== undefined && !isWhole && time !== undefined) {
    // Times of calls are whole, so that cutting off what is behind the point changes nothing.
    filter(time.name, 'gt', String(Math.floor(section.fromNs + shiftNs)));
    filter(time.name, 'le', String(Math.floor(section.toNs + shiftNs)));
  }
  if (page.process !== undefined && columns.some(({ name }) => name === processDimension))
    filter(processDimension, 'eq', page.process);
  const mode = columns.find(({ name }) => modeDimensions.some((dimension) => dimension === name));
  if (page.mode !== undefined && mode !== undefined) filter(mode.name, 'eq', page.mode);
  const { column, isAscending } = callsOrderOf(columns, page.callsOrder);
  query.set('order', `${isAscending ? '' : '-'}${column === '' ? 'tick' : columnName(column)}`);
  return { session: page.session ?? '', run, query: query.toString() };
}

function timeColumn(columns: readonly Column[]): Column | undefined {
  return columns.find(({ type }) => type === 'timeNs');
}
