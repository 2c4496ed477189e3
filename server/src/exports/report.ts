/** A recording as plain text: what was counted, how long it took, who did it, and what was lost. */
import {
  type Dims,
  type Distribution,
  type Finding,
  formatExact,
  formatNs,
  formatRate,
  formatSeconds,
  formatUnit,
  formatUnitExact,
  type Ledger,
  type MapSpec,
  metricSpecs,
  type ProbeManifest,
  type RecordSummary,
  type RunSummary,
  type Stream,
  type Unit,
} from '@faultline/shared';
import { type TextColumn, textTable, wrapText } from './text-table.ts';

type Total = RunSummary['totals'][number];

/** A blank at which no line is broken; printed as a blank. */
const joined = '\u00a0';

/** How many processes are listed. */
const processesMax = 10;
/** Below this width, columns, the rarest quantile goes: a mail has 72. */
const narrowMax = 76;
/** Into how many columns the first figure is split by its first dimension. */
const splitMax = 4;

/** The lines of a report, at most `width` wide where words allow it. */
export function describeRecording(
  summary: RecordSummary,
  manifests: readonly ProbeManifest[],
  width: number,
): readonly string[] {
  const runs = summary.runs.flatMap((run) => {
    const probe = manifests.find(({ name }) => name === run.run.probe);
    const stream = probe?.streams.find(({ name }) => name === run.run.stream);
    return ['', ...describeRun(run, stream, width)];
  });
  return [describeRecorded(summary), ...runs, '', verdictOf(summary)];
}

/** Whether anything is missing from the figures: the difference between exit status 0 and 3. */
export function isWhole(summary: RecordSummary): boolean {
  const { lostCount, missingCount, malformedCount, droppedCount } = summary.ledger;
  const isLossy = summary.runs.some(({ run }) => run.findings.some(({ level }) => level === 'lossy'));
  return summary.isComplete && !isLossy && lostCount + missingCount + malformedCount + droppedCount === 0;
}

function describeRecorded({ target, faultline }: RecordSummary): string {
  const { identity } = target;
  const who = identity === undefined ? [] : [identity.hostname, identity.release, identity.machine];
  const badge = target.kind === 'replay' ? ['REPLAY of a recorded sample'] : [];
  return [`Faultline ${faultline}`, ...badge, target.id, ...who].join(' · ');
}

function verdictOf(summary: RecordSummary): string {
  const failed = summary.runs.filter(({ run }) => run.state === 'failed').length;
  if (failed > 0) return `FAILED: ${failed} of ${summary.runs.length} streams did not trace to the end.`;
  if (!isWhole(summary)) return 'INCOMPLETE: the figures above lack what the ledger says was lost.';
  return 'Complete: nothing was lost, dropped or malformed.';
}

function describeRun(summary: RunSummary, stream: Stream | undefined, width: number): readonly string[] {
  const { run, durationNs } = summary;
  const parameters = Object.entries(run.parameters)
    .filter(([name, value]) => stream?.parameters.find((one) => one.name === name)?.default !== value)
    .map(([name, value]) => `${name}=${value}`);
  const head = [
    `${run.probe}:${run.stream}`,
    run.variant,
    ...parameters,
    `${formatSeconds(durationNs / 1e6)} traced`,
    run.state,
  ];
  const failure = run.failure === undefined ? [] : [`FAILED: ${run.failure.message}`, `→ ${run.failure.remedy}`];
  // What else a script counts (seen, emitted, unpaired) is in the ledger.
  const specs = metricSpecs(stream ?? { maps: [] }).filter(({ role }) => role === 'events' || role === 'figure');
  const parts = [
    totalsTable(summary, specs, width - 2),
    distributionsTable(summary.distributions, specs, width - 2),
    processTable(summary.totals, specs, width - 2),
    describeLedger(run.ledger, run.findings, stream, width - 2),
  ].filter((lines) => lines.length > 0);
  return [
    head.join(' · '),
    ...failure.flatMap((text) => indented(wrapText(text, width - 2))),
    ...parts.flatMap((lines) => ['', ...indented(lines)]),
  ];
}

/** Every figure by its words (mode, outcome, cause), all processes together. */
function totalsTable({ totals, durationNs }: RunSummary, specs: readonly MapSpec[], width: number): readonly string[] {
  const rows = specs
    .filter(({ kind }) => kind !== 'buckets')
    .flatMap((spec) =>
      rolledUp(totals, spec, (dims) => wordsOf(dims, textDimension(spec))).map(([words, value]) => [
        inWords(spec.metric),
        words,
        formatUnitExact(value, spec.unit),
        spec.kind === 'count' && durationNs > 0 ? formatRate(value / (durationNs / 1e9)) : '',
      ]),
    );
  const columns: readonly TextColumn[] = [
    { title: 'figure', align: 'left' },
    { title: 'of', align: 'left', wraps: true },
    { title: 'total', align: 'right' },
    { title: 'rate', align: 'right' },
  ];
  return rows.length === 0 ? [] : textTable(columns, rows, width);
}

function distributionsTable(
  distributions: readonly Distribution[],
  specs: readonly MapSpec[],
  width: number,
): readonly string[] {
  if (distributions.length === 0) return [];
  const figures = { p50: 'p50', p90: 'p90', p99: 'p99', 'p99.9': 'p999', max: 'max' } as const;
  const table = (titles: readonly (keyof typeof figures)[]): readonly string[] => {
    const rows = distributions.map((one) => {
      const unit = specs.find(({ metric }) => metric === one.metric)?.unit ?? 'ns';
      const quantiles = titles.map((title) => formatQuantile(one[figures[title]], unit));
      return [inWords(one.metric), wordsOf(one.dims, undefined), formatExact(one.count), ...quantiles];
    });
    const columns: readonly TextColumn[] = [
      { title: 'distribution', align: 'left' },
      { title: 'of', align: 'left', wraps: true },
      { title: 'count', align: 'right' },
      ...titles.map((title) => ({ title, align: 'right' as const })),
    ];
    return textTable(columns, rows, width);
  };
  return firstThatFits(width, [
    ...(width < narrowMax ? [] : [() => table(['p50', 'p90', 'p99', 'p99.9', 'max'])]),
    () => table(['p50', 'p90', 'p99', 'max']),
    () => table(['p50', 'p99', 'max']),
    () => table(['p50', 'max']),
  ]);
}

/** The first text that is not too wide; the last one where none is. */
function firstThatFits(width: number, texts: readonly (() => readonly string[])[]): readonly string[] {
  let made: readonly string[] = [];
  for (const text of texts) {
    made = text();
    if (made.every((line) => line.length <= width)) return made;
  }
  return made;
}

function formatQuantile(value: number | undefined, unit: Unit): string {
  return unit === 'ns' ? formatNs(value) : formatUnit(value, unit);
}

/** The processes with the largest figures, by the first figure that knows processes, split by its first dimension. */
function processTable(totals: readonly Total[], specs: readonly MapSpec[], width: number): readonly string[] {
  const known = specs.filter((spec) => spec.kind !== 'buckets' && textDimension(spec) !== undefined);
  const [first, ...rest] = known;
  if (first === undefined) return [];
  const process = textDimension(first) ?? '';
  // A variant may count a figure for all processes together; then there is nothing to say of each.
  const others = rest.filter(
    (spec) =>
      textDimension(spec) === process &&
      totals.some(({ metric, dims }) => metric === spec.metric && dims[process] !== undefined),
  );
  const order = rolledUp(totals, first, (dims) => String(dims[process] ?? ''));
  const splitBy = Object.keys(totals.find(({ metric }) => metric === first.metric)?.dims ?? {}).find(
    (name) => name !== process,
  );
  const all = partsOf(totals, first, splitBy);
  const table = (parts: typeof all, figures: typeof others): readonly string[] => {
    const rows = order.slice(0, processesMax).map(([name, total]) => [
      name,
      formatUnit(total, first.unit),
      ...parts.map(([part]) => {
        const own = totals.filter(({ dims }) => dims[process] === name && String(dims[splitBy ?? '']) === part);
        return formatUnit(rolledUp(own, first, () => '')[0]?.[1] ?? 0, first.unit);
      }),
      ...figures.map((spec) => {
        const own = totals.filter(({ dims }) => dims[textDimension(spec) ?? ''] === name);
        return formatUnit(rolledUp(own, spec, () => '')[0]?.[1], spec.unit);
      }),
    ]);
    const titles = [
      inWords(first.metric),
      ...parts.map(([part]) => part),
      ...figures.map((one) => inWords(one.metric)),
    ];
    const columns = [
      { title: 'process', align: 'left' as const, wraps: true },
      ...titles.map((title) => ({ title, align: 'right' as const })),
    ];
    return textTable(columns, rows, width);
  };
  if (order.length === 0) return [];
  const lines = firstThatFits(width, [
    // Parts that are left out can be read above; without all of them none would be the whole.
    () => table(all, others),
    () => table([], others),
    () => table([], []),
  ]);
  const unlisted = order.length - Math.min(order.length, processesMax);
  return [...lines, ...(unlisted > 0 ? [`… and ${unlisted} more ${unlisted === 1 ? 'process' : 'processes'}`] : [])];
}

/** The values of a dimension with their totals, where there is more than one to tell apart. */
function partsOf(
  totals: readonly Total[],
  spec: MapSpec,
  dimension: string | undefined,
): readonly (readonly [string, number])[] {
  if (dimension === undefined) return [];
  const parts = rolledUp(totals, spec, (dims) => String(dims[dimension] ?? ''));
  return parts.length > 1 ? parts.slice(0, splitMax) : [];
}

/** Totals of one map added up (or their maximum, where the map holds maxima) by a text made of the key; largest first. */
function rolledUp(
  totals: readonly Total[],
  spec: MapSpec,
  keyOf: (dims: Dims) => string,
): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const { metric, dims, value } of totals) {
    if (metric !== spec.metric) continue;
    const key = keyOf(dims);
    const before = sums.get(key) ?? 0;
    sums.set(key, spec.kind === 'max' ? Math.max(before, value) : before + value);
  }
  return [...sums].toSorted(([, left], [, right]) => right - left);
}

function textDimension({ key }: MapSpec): string | undefined {
  return key.find((part) => part.kind === 'text')?.name;
}

function wordsOf(dims: Dims, except: string | undefined): string {
  const words = Object.entries(dims).flatMap(([name, value]) => {
    if (name === except) return [];
    if (typeof value === 'number') return [`${name} ${value}`];
    // "yes" alone says nothing: success, no downgrade.
    if (value === 'yes') return [name];
    return value === 'no' ? [`no ${name}`] : [value];
  });
  return words.join(', ');
}

/** `waitTotal` as `wait total`. */
function inWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function describeLedger(
  ledger: Ledger,
  findings: readonly Finding[],
  stream: Stream | undefined,
  width: number,
): readonly string[] {
  const always: readonly (readonly [string, number])[] = [
    ['seen', ledger.seenCount],
    ['recorded', ledger.recordedCount],
    ['lost', ledger.lostCount],
    ['missing', ledger.missingCount],
    ['malformed', ledger.malformedCount],
    ['dropped', ledger.droppedCount],
  ];
  const sometimes: readonly (readonly [string, number])[] = [
    ['suppressed', ledger.suppressedCount],
    ['unpaired', ledger.unpairedCount],
  ];
  const parts = [...always, ...sometimes.filter(([, count]) => count > 0)];
  // A name and its number stay together where the line is broken.
  const line = `ledger  ${parts.map(([name, count]) => `${name}${joined}${formatExact(count)}`).join(`${joined}· `)}`;
  const found = findings.map(
    ({ level, message, count }) => `${level}: ${message}${count > 1 ? ` (${formatExact(count)} times)` : ''}`,
  );
  const isLossy = findings.some(({ level }) => level === 'lossy');
  const meaning = isLossy && stream !== undefined ? [`what that means: ${stream.lossMeaning}`] : [];
  return [line, ...found, ...meaning]
    .flatMap((text) => wrapText(text, width))
    .map((one) => one.replaceAll(joined, ' '));
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}
