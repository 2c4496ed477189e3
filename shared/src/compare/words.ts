/** Verdicts and figures of a comparison in words: one sentence a maintainer can quote. */
import { formatCount, formatExact, formatNs, formatPlural, formatRatio, formatShare } from '../format.ts';
import { compareRunsNeededMax } from './limits.ts';
import type { MetricComparison } from './compare-metric.ts';
import type { GateFinding } from './gate.ts';
import type { Metric } from './metrics.ts';
import type { Verdict } from './verdict.ts';
import { mean } from './welch.ts';

/** A verdict as it is written. */
export const verdictWords: Readonly<Record<Verdict, string>> = {
  regressed: 'regressed',
  improved: 'improved',
  same: 'same',
  different: 'different',
  'need-more-runs': 'need more runs',
  'not-comparable': 'not comparable',
};

/** A verdict as one sign, where a table of many builds has no room for the word; it never stands without its word beside or behind it. */
export const verdictSigns: Readonly<Record<Verdict, string>> = {
  regressed: '▲',
  improved: '▼',
  same: '=',
  different: '≠',
  'need-more-runs': '?',
  'not-comparable': '✕',
};

/** A value of a metric, shortened. */
export function formatMetric(value: number | undefined, unit: Metric['unit']): string {
  if (unit === 'ns') return formatNs(value);
  if (unit === 'share') return formatShare(value);
  return value !== undefined && Number.isInteger(value) ? formatExact(value) : formatCount(value);
}

/** What stands for a side in a table: the mean that is tested, geometric under a ratio and plain under a difference. */
export function meanOf(row: MetricComparison, side: 'baseline' | 'candidate'): number | undefined {
  const values = row[side];
  if (values.length === 0) return undefined;
  const isPlain = row.test.kind !== 'ratio' || values.some((value) => value <= 0);
  return isPlain ? mean(values) : Math.exp(mean(values.map(Math.log)));
}

/** How the candidate differs, as it stands in a table: "1 → 32", "0.4 × [0.35–0.46]", "+3 [+1, +5]". */
export function formatTest({ test, metric }: Pick<MetricComparison, 'test' | 'metric'>): string {
  switch (test.kind) {
    case 'exact':
      return test.from === test.to
        ? `always ${formatMetric(test.from, metric.unit)}`
        : `${formatMetric(test.from, metric.unit)} → ${formatMetric(test.to, metric.unit)}`;
    case 'ratio':
      return `${formatRatio(test.ratio)} [${bound(test.low)}–${bound(test.high)}]`;
    case 'difference': {
      const [difference, low, high] = [test.difference, test.low, test.high].map((value) => signed(value, metric.unit));
      return `${difference} [${low}, ${high}]`;
    }
    case 'none':
      return '';
  }
}

/** The same without its interval, for a table of many builds: a count that is the same in all runs, "0.4 ×", "+3"; else the mean. */
export function formatBrief(row: MetricComparison): string {
  const { test, metric } = row;
  switch (test.kind) {
    case 'exact':
      return formatMetric(test.to, metric.unit);
    case 'ratio':
      return formatRatio(test.ratio);
    case 'difference':
      return signed(test.difference, metric.unit);
    case 'none':
      return formatMetric(meanOf(row, 'candidate'), metric.unit);
  }
}

function bound(ratio: number): string {
  return ratio < 0.001 ? '<0.001' : formatCount(ratio);
}

/** So many runs, or more than anybody makes. */
export function formatRunsNeeded(count: number): string {
  return count >= compareRunsNeededMax ? `${formatExact(compareRunsNeededMax)}+` : formatExact(count);
}

function signed(value: number, unit: Metric['unit']): string {
  return `${value < 0 ? '−' : '+'}${formatMetric(Math.abs(value), unit)}`;
}

/** What a sentence is made of. */
type SentenceFacts = {
  readonly title: string;
  readonly verdict: Verdict;
  readonly runsNeeded?: number;
  readonly gate: readonly GateFinding[];
  readonly metrics: readonly MetricComparison[];
};

/** The verdict as a sentence: the verdict first, then what it rests on. */
export function sentence(baselineTitle: string, candidate: SentenceFacts): string {
  const { title, verdict, gate, metrics, runsNeeded } = candidate;
  const head = `${title} against ${baselineTitle}: ${verdictWords[verdict]}`;
  if (verdict === 'not-comparable') {
    const reasons = gate.filter(({ level }) => level === 'blocking').map(({ message }) => message);
    return `${head}, since ${reasons.length === 0 ? 'they have no metric in common' : reasons.join('; ')}.`;
  }
  const clauses = [
    faultClause(metrics, baselineTitle),
    timeClause(metrics),
    mapClause(metrics),
    violationClause(metrics, baselineTitle),
  ];
  const told = clauses.filter((clause) => clause !== undefined);
  const facts = told.length === 0 ? otherClauses(metrics) : told;
  const more =
    runsNeeded === undefined ? '' : ` About ${formatRunsNeeded(runsNeeded)} runs a side would probably decide it.`;
  return facts.length === 0 ? `${head}.${more}` : `${head}. It ${inWords(facts)}.${more}`;
}

function rowOf(rows: readonly MetricComparison[], id: string): MetricComparison | undefined {
  return rows.find(({ metric }) => metric.id === id);
}

function faultClause(rows: readonly MetricComparison[], baselineTitle: string): string | undefined {
  const row = rowOf(rows, 'faults');
  if (row === undefined) return undefined;
  const { test } = row;
  if (test.kind === 'exact')
    return test.from === test.to
      ? `takes ${formatPlural(test.to, 'fault')} as ${baselineTitle} does`
      : `takes ${formatPlural(test.to, 'fault')} where ${baselineTitle} took ${formatExact(test.from)}`;
  if (test.kind === 'ratio') return `takes ${formatTest(row)} the faults`;
  return undefined;
}

function timeClause(rows: readonly MetricComparison[]): string | undefined {
  const row = rowOf(rows, 'faultTime');
  return row?.test.kind === 'ratio' ? `spends ${formatTest(row)} the time in them` : undefined;
}

function mapClause(rows: readonly MetricComparison[]): string | undefined {
  const row = rowOf(rows, 'mapTime');
  return row?.test.kind === 'ratio' ? `spends ${formatTest(row)} the time in MAP_DMA` : undefined;
}

function violationClause(rows: readonly MetricComparison[], baselineTitle: string): string | undefined {
  const row = rowOf(rows, 'violations');
  if (row === undefined) return undefined;
  const [from, to] = [row.baseline, row.candidate].map((values) => values.filter((value) => value > 0).length);
  if (from === undefined || to === undefined || row.baseline.length === 0 || row.candidate.length === 0)
    return undefined;
  const assertion = 'the lock assertion';
  if (to === 0)
    return from === 0
      ? undefined
      : `never breaks ${assertion}, which ${baselineTitle} does (${valuesOf(row.baseline)} a run)`;
  const often = `breaks ${assertion} in ${formatExact(to)} of ${formatPlural(row.candidate.length, 'run')} (${valuesOf(row.candidate)} a run)`;
  return from === 0 ? `${often}, which ${baselineTitle} never does` : `${often}, as ${baselineTitle} does`;
}

function valuesOf(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? formatExact(low) : `${formatExact(low)} to ${formatExact(high)}`;
}

/** Where none of the fault path was traced: what differs, at most three. */
function otherClauses(rows: readonly MetricComparison[]): readonly string[] {
  return rows
    .filter(({ verdict }) => verdict === 'regressed' || verdict === 'improved')
    .slice(0, 3)
    .map((row) => `has ${formatTest(row)} of ${row.metric.title.toLowerCase()}`);
}

function inWords(clauses: readonly string[]): string {
  const last = clauses.at(-1);
  const rest = clauses.slice(0, -1);
  return rest.length === 0 ? (last ?? '') : `${rest.join(', ')} and ${last}`;
}
