/** Tables of plain text: columns as wide as needed, one that wraps when there is not enough room for all. */

/** What a kernel list takes. */
export const listColumns = 72;

/** One column. At most one of a table wraps; its cells may hold line breaks of their own. */
export type TextColumn = {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly wraps?: boolean;
};

/** What stands between two columns. */
const gap = '  ';
/** A wrapping column is never made narrower than this, even when lines grow too long. */
const wrappedMin = 16;

/** The lines of a table, header first (unless all titles are empty), each without blanks at its end. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly string[] {
  const titles = columns.map(({ title }) => title);
  const natural = columns.map((_, at) => Math.max(...[titles, ...rows].map((row) => longestLine(row[at] ?? ''))));
  const excess = natural.reduce((sum, one) => sum + one, gap.length * (columns.length - 1)) - width;
  const widths = columns.map(({ wraps }, at) => {
    const whole = natural[at] ?? 0;
    return wraps === true && excess > 0 ? Math.min(whole, Math.max(wrappedMin, whole - excess)) : whole;
  });
  const hasHeader = titles.some((title) => title !== '');
  return [...(hasHeader ? [titles] : []), ...rows].flatMap((row) => tableRow(columns, row, widths));
}

/** Breaks a text at blanks into lines of at most `width`; longer words are cut, between the frames of a stack where they are one. Line breaks in it stay. */
export function wrapText(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((paragraph) => wrapParagraph(paragraph, width));
}

function wrapParagraph(paragraph: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (line.length > width) {
      const frames = line.lastIndexOf(';', width - 1) + 1;
      const cut = frames > 0 ? frames : width;
      lines.push(line.slice(0, cut));
      line = line.slice(cut);
    }
  }
  lines.push(line);
  return lines;
}

function tableRow(
  columns: readonly TextColumn[],
  row: readonly string[],
  widths: readonly number[],
): readonly string[] {
  const cells = columns.map((_, at) => wrapText(row[at] ?? '', Math.max(1, widths[at] ?? 1)));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, level) =>
    columns
      .map(({ align }, at) => {
        const text = cells[at]?.[level] ?? '';
        const room = widths[at] ?? 0;
        return align === 'right' ? text.padStart(room) : text.padEnd(room);
      })
      .join(gap)
      .trimEnd(),
  );
}

function longestLine(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}
