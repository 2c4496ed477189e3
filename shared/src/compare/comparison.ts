/** A comparison: a baseline against each candidate. Pure: what it is given decides what it says, to the last digit. */
import { compareAlpha, compareMarginShare } from './limits.ts';
import { compareMetrics, type MetricComparison, type MetricValues, type Thresholds } from './compare-metric.ts';
import { gate, type GateFinding, isBlocked } from './gate.ts';
import { type Metric, metrics } from './metrics.ts';
import type { ComparedRun } from './run.ts';
import {
  type Drift,
  drift,
  type NoiseFloor,
  noiseFloor,
  overlay,
  type OverlaidBucket,
  shiftFunction,
  type ShiftPoint,
} from './shape.ts';
import { overall, type Verdict } from './verdict.ts';
import { sentence } from './words.ts';

/** Runs of one build. */
export type Side = { readonly title: string; readonly runs: readonly ComparedRun[] };

export type ComparisonOptions = Partial<Thresholds> & {
  /** Ids of the metrics to look at, all of which decide; all metrics, and those that decide by themselves, where absent. */
  readonly metrics?: readonly string[] | undefined;
};

/** One candidate against the baseline. */
export type CandidateComparison = {
  readonly title: string;
  readonly runCount: number;
  readonly verdict: Verdict;
  /** The verdict in words. */
  readonly sentence: string;
  /** Runs a side that would probably decide it. */
  readonly runsNeeded?: number;
  readonly gate: readonly GateFinding[];
  /** Facts that need no statistics. */
  readonly findings: readonly string[];
  readonly metrics: readonly MetricComparison[];
  /** Time in the fault handler: shown, not tested. */
  readonly shift: readonly ShiftPoint[];
  readonly overlay: readonly OverlaidBucket[];
  /** By metric: what is said of runs' order on either side. */
  readonly drifts: readonly { readonly metric: string; readonly side: string; readonly drift: Drift }[];
};

export type Comparison = {
  readonly comparisonVersion: 1;
  readonly thresholds: Thresholds;
  readonly baseline: {
    readonly title: string;
    readonly runCount: number;
    /** The baseline against itself, by metric. */
    readonly noise: readonly { readonly metric: string; readonly noise: NoiseFloor }[];
  };
  readonly candidates: readonly CandidateComparison[];
  /** Of all candidates together: the worst. */
  readonly verdict: Verdict;
};

/** Compares every candidate with the baseline. */
export function compareSides(baseline: Side, candidates: readonly Side[], options: ComparisonOptions = {}): Comparison {
  const thresholds = {
    marginShare: options.marginShare ?? compareMarginShare,
    alpha: options.alpha ?? compareAlpha,
  };
  const chosen = chosenMetrics(options.metrics);
  const pairs = candidates.map((candidate) => pairOf(baseline, candidate, chosen));
  // What the gate keeps out is not tested, and makes no other candidate's test stricter.
  const tested = compareMetrics(
    pairs.map(({ isShut, table }) => (isShut ? [] : table)),
    thresholds,
  );
  const against = pairs.map((pair, at) => {
    const rows = pair.isShut ? pair.table.map(closed) : (tested[at] ?? []);
    return compareTwo(baseline.title, pair, rows, thresholds.alpha);
  });
  const noise = chosen
    .filter(({ unit }) => unit === 'ns')
    .flatMap((metric) => {
      const found = noiseFloor(valuesOf(baseline.runs, metric, false), thresholds.alpha);
      return found === undefined ? [] : [{ metric: metric.id, noise: found }];
    });
  return {
    comparisonVersion: 1,
    thresholds,
    baseline: { title: baseline.title, runCount: baseline.runs.length, noise },
    candidates: against,
    verdict: worst(against.map(({ verdict }) => verdict)),
  };
}

function worst(verdicts: readonly Verdict[]): Verdict {
  // A candidate that can't be compared hides behind no other.
  if (verdicts.includes('not-comparable') && !verdicts.includes('regressed')) return 'not-comparable';
  return overall(verdicts);
}

function chosenMetrics(ids: readonly string[] | undefined): readonly Metric[] {
  if (ids === undefined || ids.length === 0) return metrics;
  return metrics.filter(({ id }) => ids.includes(id)).map((metric) => ({ ...metric, decides: true }));
}

/** A candidate beside the baseline, before anything is tested. */
type Pair = {
  readonly title: string;
  readonly from: readonly ComparedRun[];
  readonly to: readonly ComparedRun[];
  readonly gate: readonly GateFinding[];
  readonly isShut: boolean;
  readonly table: readonly MetricValues[];
};

function pairOf(baseline: Side, candidate: Side, chosen: readonly Metric[]): Pair {
  const [from, to] = [inOrder(baseline.runs), inOrder(candidate.runs)];
  const findings = gate(from, to);
  const isPerSec = [...from, ...to].every(({ work }) => work === undefined);
  const table = chosen.map(described).flatMap((metric) => {
    const values = [from, to].map((runs) => valuesOf(runs, metric, isPerSec));
    const [left = [], right = []] = values;
    // Neither traced nor anything but zeros: there is nothing to say.
    return [...left, ...right].every((value) => value === 0)
      ? []
      : [{ metric: titled(metric, isPerSec), baseline: left, candidate: right }];
  });
  return { title: candidate.title, from, to, gate: findings, isShut: isBlocked(findings), table };
}

function compareTwo(
  baselineTitle: string,
  { title, from, to, gate: findings, isShut }: Pair,
  rows: readonly MetricComparison[],
  alpha: number,
): CandidateComparison {
  const facts = newViolations(rows, from, to);
  const deciding = decidingOf(rows);
  const verdict = verdictOf(isShut, facts, deciding);
  const runsNeeded = Math.max(0, ...deciding.map((row) => row.runsNeeded ?? 0));
  const latencies = [from, to].map((runs) => runs.map(({ faultBuckets }) => faultBuckets));
  const [left = [], right = []] = latencies;
  const without = {
    title,
    runCount: to.length,
    verdict,
    ...(verdict === 'need-more-runs' && runsNeeded > 0 ? { runsNeeded } : {}),
    gate: findings,
    findings: facts,
    metrics: rows,
    shift: isShut ? [] : shiftFunction(left, right, alpha),
    overlay: overlay(left, right),
    drifts: rows.flatMap((row) => driftsOf(row)),
  };
  return { ...without, sentence: sentence(baselineTitle, without) };
}

/** Values of a metric in run order; runs without one are left out. */
function valuesOf(
  runs: readonly ComparedRun[],
  metric: Pick<Metric, 'id' | 'kind'>,
  isPerSec: boolean,
): readonly number[] {
  return inOrder(runs).flatMap(({ values, durationSec }) => {
    const value = values.get(metric.id);
    if (value === undefined) return [];
    if (!isPerSec || metric.kind !== 'amount') return [value];
    return durationSec > 0 ? [value / durationSec] : [];
  });
}

/** A metric without the way it is read, which no file or browser needs. */
function described({ id, title, unit, kind, better, decides }: Metric): Omit<Metric, 'read'> {
  return { id, title, unit, kind, better, decides };
}

function titled(metric: Omit<Metric, 'read'>, isPerSec: boolean): Omit<Metric, 'read'> {
  return isPerSec && metric.kind === 'amount' ? { ...metric, title: `${metric.title} a second` } : metric;
}

function inOrder(runs: readonly ComparedRun[]): readonly ComparedRun[] {
  return runs.toSorted(
    (left, right) => (left.runNumber ?? 0) - (right.runNumber ?? 0) || left.startedAtMs - right.startedAtMs,
  );
}

/** Behind a shut gate the values are shown and nothing is said of them. */
function closed(values: MetricValues): MetricComparison {
  return { ...values, test: { kind: 'none' }, verdict: 'not-comparable', why: 'see the gate' };
}

/** A lock assertion that no run of the baseline broke and a run of the candidate did: one is enough. */
function newViolations(
  rows: readonly MetricComparison[],
  from: readonly ComparedRun[],
  to: readonly ComparedRun[],
): readonly string[] {
  if (from.length === 0 || to.length === 0) return [];
  return rows.flatMap(({ metric, baseline, candidate }) => {
    if (metric.id !== 'violations' && metric.id !== 'warns') return [];
    const broken = candidate.filter((value) => value > 0).length;
    if (broken === 0 || baseline.length === 0 || baseline.some((value) => value > 0)) return [];
    return [`${metric.title}: none in the baseline, some in ${broken} of ${candidate.length} runs of the candidate`];
  });
}

/** The rows that decide; where none of those is there, all of which one side is better. */
function decidingOf(rows: readonly MetricComparison[]): readonly MetricComparison[] {
  const own = rows.filter(({ metric, verdict }) => metric.decides && verdict !== 'not-comparable');
  return own.length > 0 ? own : rows.filter(({ metric }) => metric.better === 'lower');
}

function verdictOf(blocked: boolean, facts: readonly string[], deciding: readonly MetricComparison[]): Verdict {
  if (blocked) return 'not-comparable';
  if (facts.length > 0) return 'regressed';
  const verdicts = deciding.map(({ verdict }) => verdict);
  // Asked for by name, a metric that has no better side decides too: any difference is one too many.
  return overall(verdicts.map((verdict) => (verdict === 'different' ? 'regressed' : verdict)));
}

/** A trend over the runs of a side that is hardly chance: the machine warmed up, or something else went on. */
function driftsOf({ metric, baseline, candidate }: MetricComparison): CandidateComparison['drifts'] {
  if (!metric.decides) return [];
  const sides = [
    { side: 'baseline', values: baseline },
    { side: 'candidate', values: candidate },
  ];
  return sides.flatMap(({ side, values }) => {
    const found = drift(values);
    return found === undefined || found.p >= driftP ? [] : [{ metric: metric.id, side, drift: found }];
  });
}

/** A trend is told from this p on: of a hundred steady sides one is told to drift. */
const driftP = 0.01;
