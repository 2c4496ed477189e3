/** CSV after RFC 4180. A text that a spreadsheet would take for a formula begins with an apostrophe. */
import { type RowValue, rowColumns, sessionRows } from './rows.ts';
import { type ExportSource, Pieces } from './source.ts';

/** One header line, then the rows of the table. */
export async function* exportCsv(source: ExportSource): AsyncGenerator<string> {
  const pieces = new Pieces();
  yield `${rowColumns(source.manifest)
    .map(({ name }) => csvCell(name))
    .join(',')}\r\n`;
  for await (const rows of sessionRows(source)) {
    for (const row of rows) {
      const piece = pieces.add(`${row.map(csvCell).join(',')}\r\n`);
      if (piece !== undefined) yield piece;
    }
  }
  yield pieces.take();
}

/** One cell. Numbers are never altered; a text with =, +, -, @, a tab or a line break in front is made harmless. */
export function csvCell(value: RowValue): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const harmless = /^[\s]*[=+\-@|%]|^[\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
