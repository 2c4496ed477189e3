import type { ReactNode } from 'react';

type Props = {
  /** Where the ends of the interval, its estimate and 1 stand, 0..1. */
  readonly low: number;
  readonly high: number;
  readonly at: number;
  readonly one: number;
  readonly color: string;
  /** What the baseline shows against itself, 0..1; absent where it has too few runs. */
  readonly noise?: { readonly low: number; readonly high: number } | undefined;
};

/** A ratio with its interval on an axis that all rows of a table share; an exact one is a diamond without length. */
export function IntervalMark({ low, high, at, one, color, noise }: Props): ReactNode {
  const isExact = low === high;
  return (
    <svg className="interval" preserveAspectRatio="none" viewBox="0 0 1 1" aria-hidden="true">
      {noise === undefined ? null : (
        <rect className="interval-noise" x={noise.low} width={noise.high - noise.low} y="0" height="1" />
      )}
      <line className="interval-one" x1={one} x2={one} y1="0" y2="1" />
      {isExact ? null : <line className="interval-span" stroke={color} x1={low} x2={high} y1=".5" y2=".5" />}
      {/* A line of no length with round or square ends keeps its shape where the picture is stretched. */}
      <line
        className={isExact ? 'interval-exact' : 'interval-estimate'}
        stroke={color}
        x1={at}
        x2={at}
        y1=".5"
        y2=".5"
      />
    </svg>
  );
}
