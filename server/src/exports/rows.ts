/** A session as one long table: a row for each counter that changed in a tick, and a row for each call. */
import { columnName, type RowValue, rowColumns, type Stream } from '@faultline/shared';
import type { TickSlice } from '../sessions/tick.ts';
import type { ExportSource } from './source.ts';

type RunRows = {
  readonly probe: string;
  readonly stream: Stream;
  /** By cell: metric, then the values of its dimensions at their places. */
  readonly cells: { readonly metric: string; readonly places: readonly (readonly [number, RowValue])[] }[];
  readonly texts: string[];
};

/**
 * All rows in the order of ticks; those of one tick at a time. `changes`: counters that changed, and calls. `everything`: also
 * counters that appeared as 0, and the spans in which a run counted nothing, so that the session can be made again.
 */
export async function* sessionRows(
  source: ExportSource,
  what: 'changes' | 'everything',
): AsyncGenerator<readonly (readonly RowValue[])[]> {
  const columns = rowColumns(source.manifest);
  const placeOf = new Map(columns.map(({ name }, place) => [name, place]));
  const isText = columns.map(({ type }) => type === 'text');
  const runs: RunRows[] = [];
  for await (const event of source.events()) {
    if (event.kind === 'run')
      runs.push({ probe: event.run.view.probe, stream: event.run.stream, cells: [], texts: [] });
    if (event.kind !== 'tick') continue;
    const { seq, atMs, slices } = event.tick;
    const rows: RowValue[][] = [];
    for (const slice of slices) {
      const run = runs[slice.run];
      if (run === undefined) continue;
      learn(run, slice, placeOf, isText);
      const head = [slice.run, run.probe, run.stream.name, seq, atMs] as const;
      const counts = what === 'changes' ? changesOf(slice) : countsOf(slice);
      for (const [cell, delta] of counts) {
        const known = run.cells[cell];
        const row: RowValue[] = ['count', ...head, slice.fromNs, slice.toNs, known?.metric, delta];
        for (const [place, value] of known?.places ?? []) row[place] = value;
        rows.push(filled(row, columns.length));
      }
      if (what === 'everything' && counts.length === 0)
        rows.push(filled(['span', ...head, slice.fromNs, slice.toNs], columns.length));
      addCalls(rows, run, slice, head, { placeOf, isText });
    }
    if (what === 'everything' && slices.length === 0)
      rows.push(filled(['span', undefined, undefined, undefined, seq, atMs], columns.length));
    yield rows;
  }
}

type Change = readonly [cell: number, delta: number];

function changesOf({ cells, deltas }: TickSlice): readonly Change[] {
  return Array.from(cells, (cell, at) => [cell, deltas[at] ?? 0]);
}

/** New cells first, in the order in which they were numbered, whether they counted anything or not. */
function countsOf(slice: TickSlice): readonly Change[] {
  const changes = new Map(changesOf(slice));
  const fresh = slice.newCells.map(({ cell }): Change => [cell, changes.get(cell) ?? 0]);
  for (const [cell] of fresh) changes.delete(cell);
  return [...fresh, ...changes];
}

function learn(run: RunRows, slice: TickSlice, placeOf: ReadonlyMap<string, number>, isText: readonly boolean[]): void {
  for (const text of slice.newTexts) run.texts.push(text);
  for (const { metric, dims } of slice.newCells) {
    const places = Object.entries(dims).flatMap(([name, value]): (readonly [number, RowValue])[] => {
      const place = placeOf.get(columnName(name));
      return place === undefined ? [] : [[place, isText[place] === true ? String(value) : value]];
    });
    run.cells.push({ metric, places });
  }
}

function addCalls(
  rows: RowValue[][],
  run: RunRows,
  slice: TickSlice,
  head: readonly [number, string, string, number, number],
  { placeOf, isText }: { readonly placeOf: ReadonlyMap<string, number>; readonly isText: readonly boolean[] },
): void {
  const width = isText.length;
  const { columns } = run.stream;
  const timeAt = columns.findIndex(({ type }) => type === 'timeNs');
  const places = columns.map(({ name }) => placeOf.get(columnName(name)) ?? width);
  for (let call = 0; call < slice.callCount; call += 1) {
    const row: RowValue[] = ['call', ...head, undefined, slice.calls[timeAt]?.[call], undefined, undefined];
    for (const [position, column] of columns.entries()) {
      const value = slice.calls[position]?.[call];
      if (value === undefined) continue;
      const place = places[position] ?? width;
      // A number here may be a word of another stream.
      const said = callValue(column, value, run.texts);
      row[place] = isText[place] === true ? String(said) : said;
    }
    rows.push(filled(row, width));
  }
}

/** What a call's number means: a text by its number, an enum's word, or the number itself. */
export function callValue(column: Stream['columns'][number], value: number, texts: readonly string[]): string | number {
  if (column.type === 'text') return texts[value] ?? '';
  return column.values === undefined ? value : (column.values[String(value)] ?? `unknown:${value}`);
}

/** Holes become undefined, so that every row is as wide as the table. */
function filled(row: RowValue[], width: number): RowValue[] {
  return Array.from({ length: width }, (_, place) => row[place]);
}
