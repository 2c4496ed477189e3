/** Ticks as lines of a journal, and back. Numbers are written as JavaScript prints them, which reads back exactly. */
import {
  type CallColumn,
  type CellEntry,
  err,
  type JournalHead,
  type JournalLine,
  type JournalSlice,
  makeColumn,
  ok,
  type RecordedRun,
  type Result,
  runCellsMax,
  runTextsMax,
  sessionFormatVersion,
} from '@faultline/shared';
import type { Tick, TickSlice } from './tick.ts';

/** The first line, with its line feed. */
export function headLine(head: Omit<JournalHead, 'kind' | 'formatVersion'>): string {
  const line: JournalHead = { kind: 'faultline-journal', formatVersion: sessionFormatVersion, ...head };
  return `${JSON.stringify(line)}\n`;
}

/** The line of a tick, with its line feed. */
export function tickLine(tick: Tick): string {
  const change = tick.hasStateChange ? ',"hasStateChange":true' : '';
  const slices = tick.slices.map(sliceText).join(',');
  return `{"kind":"tick","seq":${tick.seq},"atMs":${tick.atMs}${change},"slices":[${slices}]}\n`;
}

/** Any other line, with its line feed. */
export function otherLine(line: Exclude<JournalLine, { kind: 'tick' }>): string {
  return `${JSON.stringify(line)}\n`;
}

/** TypedArray.join is several times faster than JSON.stringify of a copy, and says the same of finite numbers. */
function sliceText(slice: TickSlice): string {
  const parts = [`"run":${slice.run},"fromNs":${slice.fromNs},"toNs":${slice.toNs}`];
  if (slice.newCells.length > 0) parts.push(`"newCells":${JSON.stringify(slice.newCells)}`);
  if (slice.cells.length > 0) parts.push(`"cells":[${slice.cells.join(',')}],"deltas":[${slice.deltas.join(',')}]`);
  if (slice.newTexts.length > 0) parts.push(`"newTexts":${JSON.stringify(slice.newTexts)}`);
  if (slice.callCount > 0) {
    parts.push(`"calls":[${slice.calls.map((column) => `[${column.join(',')}]`).join(',')}]`);
  }
  return `{${parts.join(',')}}`;
}

/** What a reader knows of each run so far: its shape, and how much of its dictionaries has appeared. */
export type RunState = { readonly run: RecordedRun; cellCount: number; textCount: number; toNs: number };

/** The tick of a line whose schema was checked. Error: it does not fit what came before, in words. */
export function tickOfLine(
  line: Extract<JournalLine, { kind: 'tick' }>,
  runs: readonly RunState[],
): Result<Tick, string> {
  const slices: TickSlice[] = [];
  const seen = new Set<number>();
  for (const part of line.slices) {
    const state = runs[part.run];
    if (state === undefined) return err(`run ${part.run} was not started`);
    if (seen.has(part.run)) return err(`run ${part.run} has two slices in one tick`);
    seen.add(part.run);
    const slice = sliceOf(part, state);
    if (!slice.ok) return err(`run ${part.run}: ${slice.error}`);
    slices.push(slice.value);
  }
  return ok({ seq: line.seq, atMs: line.atMs, slices, hasStateChange: line.hasStateChange === true });
}

function sliceOf(part: JournalSlice, state: RunState): Result<TickSlice, string> {
  const { newCells = [], cells = [], deltas = [], newTexts = [] } = part;
  if (part.toNs < part.fromNs) return err('its time goes backwards');
  const misnumbered = newCells.some((entry, position) => entry.cell !== state.cellCount + position);
  if (misnumbered) return err('its new cells are not numbered in order');
  const cellCount = state.cellCount + newCells.length;
  const textCount = state.textCount + newTexts.length;
  if (cellCount > runCellsMax || textCount > runTextsMax) return err('it has more cells or texts than a run can have');
  if (cells.length !== deltas.length) return err('it has not one delta for each cell');
  if (cells.some((cell) => cell >= cellCount)) return err('it names a cell that has not appeared');
  const calls = columnsOf(part.calls, state.run, textCount);
  if (!calls.ok) return calls;
  const firstText = state.textCount;
  state.cellCount = cellCount;
  state.textCount = textCount;
  state.toNs = part.toNs;
  const entries: readonly CellEntry[] = newCells;
  return ok({
    run: part.run,
    fromNs: part.fromNs,
    toNs: part.toNs,
    newCells: entries,
    cells: Uint32Array.from(cells),
    deltas: Float64Array.from(deltas),
    firstText,
    newTexts,
    calls: calls.value,
    callCount: calls.value[0]?.length ?? 0,
  });
}

function columnsOf(
  given: JournalSlice['calls'],
  run: RecordedRun,
  textCount: number,
): Result<readonly CallColumn[], string> {
  const { columns } = run.stream;
  if (given === undefined) return ok(columns.map((column) => makeColumn(column.type, 0)));
  if (given.length !== columns.length) return err(`it has ${given.length} columns of calls, not ${columns.length}`);
  const length = given[0]?.length ?? 0;
  const typed: CallColumn[] = [];
  for (const [position, column] of columns.entries()) {
    const values = given[position] ?? [];
    if (values.length !== length) return err(`column ${column.name} has ${values.length} values, not ${length}`);
    if (column.type === 'text' && values.some((text) => text >= textCount))
      return err(`column ${column.name} names a text that has not appeared`);
    const filled = makeColumn(column.type, length);
    filled.set(values);
    // An integer column takes no other value without changing it.
    if (values.some((value, at) => filled[at] !== value)) return err(`column ${column.name} holds a wrong number`);
    typed.push(filled);
  }
  return ok(typed);
}
