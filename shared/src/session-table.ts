/**
 * A session as one long table, in CSV and Parquet: a row for each counter that changed in a tick, and a row for each call.
 * Here is what its writers and its reader must agree on: the columns, and how CSV keeps texts from being formulas.
 */
import type { KeyPart, MapSpec } from './probe-manifest.ts';
import type { SessionManifest } from './session-file.ts';

/** A cell of the table. */
export type RowValue = string | number | undefined;

/** A column of the table. */
export type RowColumn = { readonly name: string; readonly type: 'text' | 'number' };

/** The columns that every session has. Times: kernel clock, ns; server's wall clock, epoch ms. */
export const fixedColumns = [
  { name: 'kind', type: 'text' },
  { name: 'run', type: 'number' },
  { name: 'probe', type: 'text' },
  { name: 'stream', type: 'text' },
  { name: 'tick', type: 'number' },
  { name: 'atMs', type: 'number' },
  { name: 'fromNs', type: 'number' },
  { name: 'toNs', type: 'number' },
  { name: 'metric', type: 'text' },
  { name: 'value', type: 'number' },
] as const satisfies readonly RowColumn[];

/** CSV's last column: the manifest as JSON, in the first row, whose kind is `session`. */
export const manifestColumn = 'manifest';

/** All columns: the fixed ones, then dimensions and columns of calls by their names; one of them under one name. */
export function rowColumns(manifest: Pick<SessionManifest, 'runs'>): readonly RowColumn[] {
  const types = new Map<string, RowColumn['type']>();
  const add = (name: string, type: RowColumn['type']): void => {
    const column = columnName(name);
    types.set(column, types.get(column) === 'text' ? 'text' : type);
  };
  for (const { stream } of manifest.runs) {
    for (const spec of stream.maps) for (const { name, type } of dimensionsOf(spec)) add(name, type);
    for (const { name, type, values } of stream.columns)
      add(name, type === 'text' || values !== undefined ? 'text' : 'number');
  }
  return [...fixedColumns, ...[...types].map(([name, type]) => ({ name, type }))];
}

/** The dimensions of a metric: what its key is decoded to, or those of it that are kept, in that order. */
export function dimensionsOf({ key, keep }: MapSpec): readonly RowColumn[] {
  const all = key.flatMap(partColumns);
  return keep?.map((name) => all.find((one) => one.name === name) ?? { name, type: 'text' }) ?? all;
}

function partColumns(part: KeyPart): readonly RowColumn[] {
  switch (part.kind) {
    case 'packed':
      return part.fields.map(({ name, values }) => ({ name, type: values === undefined ? 'number' : 'text' }));
    case 'uint':
    case 'bucket':
      return [{ name: part.name, type: 'number' }];
    case 'enum':
    case 'text':
    case 'stack':
    case 'named':
      return [{ name: part.name, type: 'text' }];
  }
}

/** The column of a dimension or of a call's column, which must not be taken for a fixed one. */
export function columnName(name: string): string {
  return name === manifestColumn || fixedColumns.some((column) => column.name === name) ? `${name}_` : name;
}

/**
 * A text that no spreadsheet takes for a formula: one with =, +, -, @, |, %, a tab or a line break in front gets an
 * apostrophe; so do one that has one already, and one of no characters, which is something else than no text.
 */
export function guardText(text: string): string {
  return /^$|^'|^\s*[=+\-@|%]|^[\t\r\n]/.test(text) ? `'${text}` : text;
}

/** The text that was guarded. */
export function unguardText(text: string): string {
  return text.startsWith("'") ? text.slice(1) : text;
}
