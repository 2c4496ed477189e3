/** A session as one long table: a row for each counter that changed in a tick, and a row for each call. */
import type { KeyPart, SessionManifest, Stream } from '@faultline/shared';
import type { TickSlice } from '../sessions/tick.ts';
import type { ExportSource } from './source.ts';

/** A cell of the table. */
export type RowValue = string | number | undefined;

/** A column of the table. */
export type RowColumn = { readonly name: string; readonly type: 'text' | 'number' };

/** The columns that every session has. Times: kernel clock, ns; server's wall clock, epoch ms. */
const fixedColumns: readonly RowColumn[] = [
  { name: 'kind', type: 'text' },
  { name: 'run', type: 'number' },
  { name: 'probe', type: 'text' },
  { name: 'stream', type: 'text' },
  { name: 'atMs', type: 'number' },
  { name: 'fromNs', type: 'number' },
  { name: 'toNs', type: 'number' },
  { name: 'metric', type: 'text' },
  { name: 'value', type: 'number' },
];

/** All columns: the fixed ones, then dimensions and columns of calls by their names; one of them under one name. */
export function rowColumns(manifest: SessionManifest): readonly RowColumn[] {
  const types = new Map<string, RowColumn['type']>();
  const add = (name: string, type: RowColumn['type']): void => {
    const column = columnName(name);
    types.set(column, types.get(column) === 'text' ? 'text' : type);
  };
  for (const { stream } of manifest.runs) {
    for (const spec of stream.maps) for (const [name, type] of spec.key.flatMap(dimensionsOf)) add(name, type);
    for (const { name, type, values } of stream.columns)
      add(name, type === 'text' || values !== undefined ? 'text' : 'number');
  }
  return [...fixedColumns, ...[...types].map(([name, type]) => ({ name, type }))];
}

function dimensionsOf(part: KeyPart): readonly (readonly [string, RowColumn['type']])[] {
  switch (part.kind) {
    case 'packed':
      return part.fields.map(({ name, values }) => [name, values === undefined ? 'number' : 'text'] as const);
    case 'uint':
    case 'bucket':
      return [[part.name, 'number']];
    case 'enum':
    case 'text':
    case 'stack':
    case 'named':
      return [[part.name, 'text']];
  }
}

/** A dimension must not be taken for a fixed column. */
function columnName(name: string): string {
  return fixedColumns.some((column) => column.name === name) ? `${name}_` : name;
}

type RunRows = {
  readonly probe: string;
  readonly stream: Stream;
  /** By cell: metric, then the values of its dimensions at their places. */
  readonly cells: { readonly metric: string; readonly places: readonly (readonly [number, RowValue])[] }[];
  readonly texts: string[];
};

/** All rows in the order of ticks; those of one tick at a time. */
export async function* sessionRows(source: ExportSource): AsyncGenerator<readonly (readonly RowValue[])[]> {
  const columns = rowColumns(source.manifest);
  const placeOf = new Map(columns.map(({ name }, place) => [name, place]));
  const isText = columns.map(({ type }) => type === 'text');
  const runs: RunRows[] = [];
  for await (const event of source.events()) {
    if (event.kind === 'run')
      runs.push({ probe: event.run.view.probe, stream: event.run.stream, cells: [], texts: [] });
    if (event.kind !== 'tick') continue;
    const rows: RowValue[][] = [];
    for (const slice of event.tick.slices) {
      const run = runs[slice.run];
      if (run === undefined) continue;
      learn(run, slice, placeOf, isText);
      const head = [slice.run, run.probe, run.stream.name, event.tick.atMs] as const;
      for (const [at, cell] of slice.cells.entries()) {
        const known = run.cells[cell];
        const row: RowValue[] = ['count', ...head, slice.fromNs, slice.toNs, known?.metric, slice.deltas[at]];
        for (const [place, value] of known?.places ?? []) row[place] = value;
        rows.push(filled(row, columns.length));
      }
      addCalls(rows, run, slice, head, placeOf, columns.length);
    }
    yield rows;
  }
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
  head: readonly [number, string, string, number],
  placeOf: ReadonlyMap<string, number>,
  width: number,
): void {
  const { columns } = run.stream;
  const timeAt = columns.findIndex(({ type }) => type === 'timeNs');
  const places = columns.map(({ name }) => placeOf.get(columnName(name)) ?? width);
  for (let call = 0; call < slice.callCount; call += 1) {
    const row: RowValue[] = ['call', ...head, undefined, slice.calls[timeAt]?.[call], undefined, undefined];
    for (const [position, column] of columns.entries()) {
      const value = slice.calls[position]?.[call];
      if (value !== undefined) row[places[position] ?? width] = callValue(column, value, run.texts);
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
