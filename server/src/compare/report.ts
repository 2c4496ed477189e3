/** A comparison as text: for a terminal and a kernel list (72 columns), as Markdown, CSV, and lines for benchstat. */
import {
  type CandidateComparison,
  type ComparedRun,
  type Comparison,
  formatBytes,
  formatMetric,
  formatP,
  formatPlural,
  formatRunsNeeded,
  formatShare,
  formatTest,
  type MetricComparison,
  noValue,
  meanOf,
  type Side,
  verdictWords,
  eraTitle,
} from '@faultline/shared';
import { csvRow } from '../exports/csv.ts';
import { listColumns, textTable, wrapText } from '../exports/text-table.ts';
import { markdownRow, markdownText } from './markdown.ts';
import { overviewMarkdown, overviewText } from './overview-text.ts';

/** How a comparison can be printed. */
export const reportFormats = ['text', 'markdown', 'csv', 'benchstat', 'json'] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** Sides and what came of them. */
export type Compared = { readonly sides: readonly Side[]; readonly comparison: Comparison };

/** The whole text, with a line feed at its end. */
export function report(compared: Compared, format: ReportFormat): string {
  // Names of kernels and CPUs come from files that others made: nothing of them may steer a terminal or begin a line.
  return written(compared, format).replaceAll(/(?![\n\r])\p{Cc}/gu, '\u{fffd}');
}

function written(compared: Compared, format: ReportFormat): string {
  switch (format) {
    case 'text':
      return textReport(compared);
    case 'markdown':
      return markdownReport(compared);
    case 'csv':
      return csvReport(compared);
    case 'benchstat':
      return benchstatLines(compared);
    case 'json':
      return `${JSON.stringify(compared.comparison, undefined, 2)}\n`;
  }
}

function textReport({ sides, comparison }: Compared): string {
  const overview = comparison.candidates.length > 1 ? [overviewText(comparison)] : [];
  const blocks = comparison.candidates.map((candidate) => {
    const lines = [
      ...wrapText(candidate.sentence, listColumns),
      '',
      ...sides
        .filter(({ title }) => title === candidate.title || title === comparison.baseline.title)
        .flatMap(describeSide),
      ...remarks(candidate, comparison).flatMap((line) =>
        wrapText(line, listColumns - 2).map((part, at) => `${at === 0 ? '- ' : '  '}${part}`),
      ),
      '',
      ...tableOf(candidate),
      '',
      ...wrapText(legend(comparison), listColumns),
    ];
    return lines.join('\n');
  });
  return `${[...overview, ...blocks].join('\n\n')}\n`;
}

/** What stands under a table: how to read it. */
function legend({ thresholds }: Comparison): string {
  const { alpha, marginShare } = thresholds;
  return (
    'The unit is the run. Ratios are of geometric means with their ' +
    `${formatShare(1 - alpha)} interval (Welch, on logarithms); a verdict demands p < ${formatP(alpha)} after Holm's correction and more than ` +
    `${formatShare(marginShare)}; "same" demands the whole interval within ±${formatShare(marginShare)}. Counts that are the same in every run are ` +
    'compared exactly. Rows with * decide.'
  );
}

function describeSide({ title, runs }: Side): readonly string[] {
  const [first] = runs;
  const era = first?.era === undefined ? '' : `, ${eraTitle(first.era)}`;
  const release = first?.identity?.release;
  const work = first?.work === undefined ? '' : `, ${first.work.name}${workWords(first)}`;
  const kernel = release === undefined || release === title ? '' : ` (${release})`;
  return wrapText(`${title}${kernel}: ${formatPlural(runs.length, 'run')}${era}${work}`, listColumns);
}

function workWords({ work, accelerator }: ComparedRun): string {
  const size = work?.barBytes === undefined ? '' : ` of ${formatBytes(work.barBytes)}`;
  const alignment = work?.isMisaligned === true ? ', misaligned' : '';
  return `${size}${alignment}${accelerator === 'tcg' ? ', emulated' : ''}`;
}

/** Everything that is said beside the table. */
function remarks(candidate: CandidateComparison, { baseline }: Comparison): readonly string[] {
  const decisive = candidate.metrics.filter(({ metric }) => metric.decides).map(({ metric }) => metric.id);
  const noise = baseline.noise.filter(({ metric }) => decisive.includes(metric));
  return [
    ...candidate.findings,
    ...candidate.gate.map(({ level, message }) => (level === 'blocking' ? `BLOCKING: ${message}` : message)),
    ...candidate.drifts.map(
      ({ metric, side, drift }) =>
        `${metric} drifts over the runs of the ${side}: ${formatShare(Math.abs(drift.sharePerRun))} ${drift.sharePerRun > 0 ? 'more' : 'less'} with each (p ${formatP(drift.p)})`,
    ),
    ...noise.map(
      ({ metric, noise: floor }) =>
        `${baseline.title} against itself would show ${metric} within ±${formatShare(floor.halfWidthShare)}`,
    ),
  ];
}

function tableOf({ metrics }: CandidateComparison): readonly string[] {
  const columns = [
    { title: 'metric', align: 'left', wraps: true },
    { title: 'baseline', align: 'right' },
    { title: 'candidate', align: 'right' },
    { title: 'ratio or change', align: 'left' },
    { title: 'verdict', align: 'left' },
  ] as const;
  return textTable(
    columns,
    metrics.map((row) => [`${row.metric.title}${row.metric.decides ? ' *' : ''}`, ...narrow(cellsOf(row))]),
    listColumns,
  );
}

/** What is left of 72 columns for how a metric changed. */
const changeColumns = 23;

/** Under its title a ratio needs no sign, and 72 columns have no room for one. */
function narrow(cells: readonly string[]): readonly string[] {
  return cells.map((cell) => {
    const short = cell.replace(' × [', ' [');
    // An interval that has no room is one of little use: --format markdown and json have it.
    return short.length > changeColumns ? short.slice(0, short.indexOf(' [')) : short;
  });
}

function cellsOf(row: MetricComparison): readonly string[] {
  const { metric, verdict, runsNeeded } = row;
  const needed = runsNeeded === undefined ? '' : `${formatRunsNeeded(runsNeeded)} runs`;
  const words = { ...verdictWords, 'not-comparable': noValue, 'need-more-runs': needed };
  return [
    formatMetric(meanOf(row, 'baseline'), metric.unit),
    formatMetric(meanOf(row, 'candidate'), metric.unit),
    formatTest(row),
    words[verdict],
  ];
}

function markdownReport({ comparison }: Compared): string {
  const overview = comparison.candidates.length > 1 ? [overviewMarkdown(comparison)] : [];
  const blocks = comparison.candidates.map((candidate) => {
    const rows = candidate.metrics.map((row) => {
      const { test, metric, why } = row;
      const tested =
        test.kind === 'ratio' || test.kind === 'difference'
          ? [formatP(test.pAdjusted), formatP(test.permutation?.p)]
          : ['', ''];
      return [
        `${metric.title}${metric.decides ? ' \\*' : ''}`,
        ...cellsOf(row).slice(0, 3),
        ...tested,
        `${verdictWords[row.verdict]}${why === undefined ? '' : ` (${why})`}`,
      ];
    });
    const head = [
      'metric',
      comparison.baseline.title,
      candidate.title,
      'change',
      'p (Holm)',
      'p (permutation)',
      'verdict',
    ];
    return [
      `**${markdownText(candidate.sentence)}**`,
      '',
      ...remarks(candidate, comparison).map((line) => `- ${markdownText(line)}`),
      '',
      markdownRow(head.map(markdownText)),
      markdownRow(['---', '---:', '---:', '---', '---:', '---:', '---']),
      ...rows.map((cells) => markdownRow(cells.map((cell) => cell.replaceAll('|', '\\|')))),
      '',
      markdownText(legend(comparison)),
    ].join('\n');
  });
  return `${[...overview, ...blocks].join('\n\n')}\n`;
}

function csvReport({ comparison }: Compared): string {
  const head =
    'baseline,candidate,metric,unit,decides,baselineMean,candidateMean,test,estimate,low,high,p,pHolm,pPermutation,verdict,runsNeeded'.split(
      ',',
    );
  const rows = comparison.candidates.flatMap((candidate) =>
    candidate.metrics.map((row) => [
      ...[
        comparison.baseline.title,
        candidate.title,
        row.metric.id,
        row.metric.unit,
        String(row.metric.decides),
        meanOf(row, 'baseline'),
        meanOf(row, 'candidate'),
      ],
      ...testCells(row.test),
      ...[row.verdict, row.runsNeeded],
    ]),
  );
  return [head, ...rows].map((row) => csvRow(row)).join('');
}

function testCells(test: MetricComparison['test']): readonly (string | number | undefined)[] {
  if (test.kind === 'none') return [test.kind, undefined, undefined, undefined, undefined, undefined, undefined];
  if (test.kind === 'exact')
    return [test.kind, test.to - test.from, undefined, undefined, undefined, undefined, undefined];
  const estimate = test.kind === 'ratio' ? test.ratio : test.difference;
  return [test.kind, estimate, test.low, test.high, test.p, test.pAdjusted, test.permutation?.p];
}

/** A line a run, as `go test -bench` prints and benchstat reads: `benchstat -col build FILE`. */
function benchstatLines({ sides, comparison }: Compared): string {
  const known = comparison.candidates[0]?.metrics.map(({ metric }) => metric) ?? [];
  const lines = sides.flatMap(({ title, runs }) => [
    `build: ${title}`,
    ...runs.map(({ work, values }) => {
      const name = benchmarkName(work?.name ?? 'Run');
      const figures = known.flatMap(({ id, unit }) => {
        const value = values.get(id);
        return value === undefined ? [] : [`${value} ${unit === 'ns' ? `${id}-ns` : id}`];
      });
      return `Benchmark${name} 1 ${figures.join(' ')}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
}

/** benchstat wants a capital letter behind Benchmark, and no blanks. */
function benchmarkName(workload: string): string {
  return workload
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}
