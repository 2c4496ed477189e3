/** The table behind a chart, ready to be shown or copied. */

/** Words only: every number already in all its digits. */
export type TableData = {
  readonly columns: readonly { readonly id: string; readonly title: string; readonly align: 'start' | 'end' }[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly string[] }[];
};

/** The table as text, columns lined up with spaces: for a mail or a commit message. */
export function tableText(title: string, table: TableData): string {
  const lines = [table.columns.map(({ title: head }) => head), ...table.rows.map(({ cells }) => cells)];
  const widths = table.columns.map((_, column) => Math.max(0, ...lines.map((cells) => (cells[column] ?? '').length)));
  const text = lines.map((cells) =>
    table.columns
      .map(({ align }, column) => {
        const cell = cells[column] ?? '';
        const width = widths[column] ?? 0;
        return align === 'end' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return `${title}\n\n${text.join('\n')}\n`;
}

/** A table of columns and rows; columns are aligned at their start unless they say otherwise. */
export function tableOf(
  columns: readonly (readonly [title: string, align?: 'start' | 'end'])[],
  rows: readonly (readonly [key: string, cells: readonly string[]])[],
): TableData {
  return {
    columns: columns.map(([title, align = 'start'], at) => ({ id: `${String(at)} ${title}`, title, align })),
    rows: rows.map(([key, cells]) => ({ key, cells })),
  };
}
