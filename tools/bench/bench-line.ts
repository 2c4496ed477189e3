/** One line of the benchmark: a figure, and where there is one the ratio to what a user would do instead. */
export type BenchLine = {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  readonly ratio?: number;
  /** What the ratio compares with, in words. */
  readonly against?: string;
  /** The bound that the project sets itself, in words ("≤ 1.2 ×"), and whether the figure keeps it. */
  readonly bound?: string;
  readonly isWithinBound?: boolean;
  readonly note?: string;
};

/** The middle value; of an even number of values the lower middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
