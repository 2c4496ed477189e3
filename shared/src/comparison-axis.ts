/** Scales that a comparison is drawn on, the same for the page and for a report: logarithmic, 0..1 from left to right. */
import type { MetricComparison } from './compare/compare-metric.ts';
import type { OverlaidBucket } from './compare/shape.ts';

/** Candidate over baseline with its interval; of exact counts the interval has no length. */
export type RatioSpan = { readonly ratio: number; readonly low: number; readonly high: number };

/** A logarithmic axis. */
export type LogAxis = {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** Where a value stands, 0..1; what lies outside stands at the edge. */
  readonly at: (value: number) => number;
};

/** What a row has to draw: nothing where a side is zero, or where a difference was tested. */
export function ratioSpan({ test }: Pick<MetricComparison, 'test'>): RatioSpan | undefined {
  if (test.kind === 'ratio') return { ratio: test.ratio, low: test.low, high: test.high };
  if (test.kind !== 'exact' || test.from <= 0 || test.to <= 0) return undefined;
  const ratio = test.to / test.from;
  return { ratio, low: ratio, high: ratio };
}

/** The axis for the ratios of a table: 1 in the middle, as far to either side as the farthest estimate and twice that at most. */
export function ratioAxis(spans: readonly RatioSpan[]): LogAxis {
  const reach = (pick: (span: RatioSpan) => readonly number[]): number =>
    Math.max(0, ...spans.flatMap(pick).map((value) => Math.abs(Math.log10(value))));
  // Of two runs an interval may reach over decades: it is cut at the edge, or nothing else could be seen.
  const decades = Math.min(
    reach(({ low, high }) => [low, high]),
    2 * reach(({ ratio }) => [ratio]) + 0.3,
  );
  const half = Math.max(0.1, decades * 1.05);
  return logAxis(10 ** -half, 10 ** half);
}

/** The axis for both sides' latencies, ns. Undefined where there are none. */
export function latencyAxis(buckets: readonly OverlaidBucket[]): LogAxis | undefined {
  const [first, last] = [buckets[0], buckets.at(-1)];
  return first === undefined || last === undefined
    ? undefined
    : logAxis(Math.max(1, first.lowNs * 0.8), Math.max(2, last.highNs * 1.25));
}

/** An axis between two values above 0. */
export function logAxis(low: number, high: number): LogAxis {
  const [from, span] = [Math.log10(low), Math.log10(high) - Math.log10(low)];
  const at = (value: number): number => Math.min(1, Math.max(0, (Math.log10(value) - from) / span));
  return { low, high, ticks: ticksBetween(low, high), at };
}

/** At most so many ticks have room. */
const ticksMax = 7;

/** Powers of ten; between fewer than two of them 2 and 5, then steps of a tenth. */
function ticksBetween(low: number, high: number): readonly number[] {
  const inside = (values: readonly number[]): readonly number[] =>
    values.filter((value) => value >= low && value <= high);
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, at) => first + at);
  const tens = inside(decades.map((decade) => 10 ** decade));
  if (tens.length > ticksMax) {
    const step = Math.ceil(tens.length / ticksMax);
    return tens.filter((value) => Math.round(Math.log10(value)) % step === 0);
  }
  if (tens.length >= 3) return tens;
  const finer = inside(decades.flatMap((decade) => [1, 2, 5].map((digit) => digit * 10 ** decade)));
  if (finer.length >= 3) return finer;
  return inside([0.8, 0.9, 1, 1.1, 1.25]);
}
