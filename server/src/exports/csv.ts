/** CSV after RFC 4180. A text that a spreadsheet would take for a formula begins with an apostrophe. */
import { guardText, manifestColumn, type RowValue, rowColumns } from '@faultline/shared';
import { sessionRows } from './rows.ts';
import { type ExportSource, Pieces } from './source.ts';

/** One header line, a row with the manifest, then the rows of the table: all that an import needs. */
export async function* exportCsv(source: ExportSource): AsyncGenerator<string> {
  const { manifest } = source;
  const pieces = new Pieces();
  const columns = [...rowColumns(manifest).map(({ name }) => name), manifestColumn];
  yield csvRow(columns);
  yield csvRow(['session', ...columns.slice(2).map(() => undefined), JSON.stringify(manifest)]);
  for await (const rows of sessionRows(source, 'everything')) {
    for (const row of rows) {
      const piece = pieces.add(csvRow([...row, undefined]));
      if (piece !== undefined) yield piece;
    }
  }
  yield pieces.take();
}

/** One line of cells, with its end. */
export function csvRow(values: readonly RowValue[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}

/** One cell. Numbers are never altered; a text with =, +, -, @, a tab or a line break in front is made harmless. */
export function csvCell(value: RowValue): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const harmless = guardText(value);
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
