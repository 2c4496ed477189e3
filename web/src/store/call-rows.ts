/** Rows of a table of calls, as words: out of the ring of a live session, or out of what a server answered. */
import {
  type CallRing,
  type Column,
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
} from '@faultline/shared';
import { type AskedCalls, askedColumn, askedRow } from './calls-asker.ts';
import { type Mark, modeMark } from './marks.ts';

/** One cell: its text, the exact value for hover and table, and a mark for modes. */
export type CallCell = { readonly text: string; readonly exact: string; readonly mark: Mark | undefined };

/** A row; its key is the same as long as it is of the same call. Without cells while it is on its way. */
export type CallRow = { readonly key: string; readonly cells: readonly CallCell[] };

/** The rows of a table. They are made when they come into sight. */
export type CallRows = {
  readonly count: number;
  /** Calls that ever came, for what is new since a table was held. */
  readonly addedCount: number;
  readonly rowAt: (index: number) => CallRow;
  /** The same rows, untouched by what comes later. */
  readonly freeze: () => CallRows;
};

type Times = { readonly clock: SessionClock | undefined; readonly shiftNs: number };

/** Calls of a ring, by their numbers in it. */
export function ringRows(ring: CallRing, calls: readonly number[], texts: readonly string[], times: Times): CallRows {
  const valueOf = (column: Column, value: number | undefined): Value =>
    value !== undefined && column.type === 'text' ? (texts[value] ?? '') : wordOf(column, value);
  return {
    count: calls.length,
    addedCount: ring.addedCount,
    rowAt: (index) => {
      const call = calls[index] ?? -1;
      const cells = ring.columns.map((column, position) =>
        callCell(column, valueOf(column, callValue(ring, position, call)), times),
      );
      return { key: String(call), cells };
    },
    freeze: () => ringRows(freezeCalls(ring), calls, texts, times),
  };
}

/** Calls that the server answered, at most `countMax` of them. */
export function askedRows(asked: AskedCalls, columns: readonly Column[], countMax: number, times: Times): CallRows {
  const places = columns.map(({ name }) => askedColumn(asked, name));
  const rows: CallRows = {
    count: Math.min(asked.total, countMax),
    addedCount: asked.total,
    rowAt: (index) => {
      const row = askedRow(asked, index);
      const cells =
        row === undefined ? [] : columns.map((column, at) => callCell(column, row[places[at] ?? -1], times));
      return { key: String(index), cells };
    },
    freeze: () => rows,
  };
  return rows;
}

/** What a cell shows: texts and words of enums as such. */
type Value = string | number | null | undefined;

function wordOf({ values }: Column, value: number | undefined): Value {
  return value === undefined || values === undefined ? value : enumWord(values, value);
}

function callCell(column: Column, value: Value, { clock, shiftNs }: Times): CallCell {
  if (value === undefined || value === null) return { text: '', exact: '', mark: undefined };
  if (typeof value === 'string') {
    const isMode = column.values !== undefined && modeDimensions.some((name) => name === column.name);
    return { text: isMode ? modeMark(value).name : value, exact: value, mark: isMode ? modeMark(value) : undefined };
  }
  if (column.type === 'timeNs') {
    const wallMs = clock?.wallMs(value - shiftNs);
    const seconds = formatSeconds(clock?.sessionMs(value - shiftNs), 3);
    const exact =
      wallMs === undefined ? seconds : `${seconds} · ${formatInstant(wallMs).slice(0, 10)} ${formatClock(wallMs)}`;
    return { text: seconds, exact, mark: undefined };
  }
  return { text: formatUnit(value, column.unit), exact: formatUnitExact(value, column.unit), mark: undefined };
}
