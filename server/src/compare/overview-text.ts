/** One baseline and many candidates on one table: as text in 72 columns, and as Markdown. */
import {
  type Comparison,
  formatBrief,
  type MetricComparison,
  noValue,
  type OverviewRow,
  overviewOf,
  overviewSentence,
  verdictSigns,
  verdictsWorstFirst,
  verdictWords,
} from '@faultline/shared';
import { listColumns, textTable, wrapText } from '../exports/text-table.ts';
import { markdownRow, markdownText } from './markdown.ts';

/** Longer names of builds than this lose their middle in a head of the text's table: sentences have them whole. */
const titleMax = 14;
/** What stays of their ends, where they differ most. */
const tailColumns = 5;
/** For the names of the metrics, which wrap. */
const metricColumns = 20;

const signWords = verdictsWorstFirst.map((verdict) => `${verdictSigns[verdict]} ${verdictWords[verdict]}`).join(', ');

/** The sentence and the table, without a line feed at the end. More builds than 72 columns hold are tables below each other. */
export function overviewText(comparison: Comparison): string {
  const rows = overviewOf(comparison);
  const heads = comparison.candidates.map(({ title }) => shortened(title));
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => cellOf(row, at).length)));
  const baseline = shortened(comparison.baseline.title);
  const first = metricColumns + 2 + Math.max(baseline.length, ...rows.map((row) => row.baseline.length));
  const tables = chunksOf(widths, listColumns - first).map((places) =>
    textTable(
      [
        { title: 'metric', align: 'left', wraps: true },
        { title: baseline, align: 'right' },
        ...places.map((at) => ({ title: heads[at] ?? '', align: 'right' }) as const),
      ],
      rows.map((row) => [titleOf(row), row.baseline, ...places.map((at) => cellOf(row, at))]),
      listColumns,
    ).join('\n'),
  );
  const legend = `${signWords}. A multiple (0.4 ×) is of the baseline. p is corrected over all candidates together. Rows with * decide.`;
  return [
    wrapText(overviewSentence(comparison), listColumns).join('\n'),
    ...tables,
    wrapText(legend, listColumns).join('\n'),
  ].join('\n\n');
}

/** The same as Markdown. */
export function overviewMarkdown(comparison: Comparison): string {
  const titles = [comparison.baseline.title, ...comparison.candidates.map(({ title }) => title)];
  return [
    `**${markdownText(overviewSentence(comparison))}**`,
    '',
    markdownRow(['metric', ...titles.map(markdownText)]),
    markdownRow(['---', ...titles.map(() => '---:')]),
    ...overviewOf(comparison).map((row) =>
      markdownRow([
        titleOf(row).replace('*', '\\*'),
        row.baseline,
        ...comparison.candidates.map((_, at) => cellOf(row, at)),
      ]),
    ),
    '',
    markdownText(`${signWords}.`),
  ].join('\n');
}

function titleOf({ metric }: OverviewRow): string {
  return `${metric.title}${metric.decides ? ' *' : ''}`;
}

function cellOf({ cells }: OverviewRow, at: number): string {
  const row: MetricComparison | undefined = cells[at];
  return row === undefined ? noValue : `${formatBrief(row)} ${verdictSigns[row.verdict]}`;
}

function shortened(title: string): string {
  if (title.length <= titleMax) return title;
  return `${title.slice(0, titleMax - tailColumns - 1)}…${title.slice(-tailColumns)}`;
}

/** Places of columns that fit beside each other, at least one a table. */
function chunksOf(widths: readonly number[], room: number): readonly (readonly number[])[] {
  const chunks: number[][] = [];
  let left = 0;
  for (const [at, width] of widths.entries()) {
    left -= width + 2;
    if (left < 0 || chunks.length === 0) {
      chunks.push([]);
      left = room - width - 2;
    }
    chunks.at(-1)?.push(at);
  }
  return chunks;
}
