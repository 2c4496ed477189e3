import { type ReactNode, memo } from 'react';
import { Area, AreaChart, CartesianGrid, XAxis, YAxis } from 'recharts';
import { formatCount } from '@faultline/shared';
import { plotMargin } from './plot-geometry.ts';

/** One point: where (0..1 of the window), and one value a series by its key; undefined breaks the line. */
export type RateDatum = { readonly at: number } & Readonly<Record<string, number | undefined>>;

/** One area of the stack; a faint one is too thin for an outline. */
export type RateSeries = {
  readonly key: string;
  readonly color: string;
  readonly isHatched: boolean;
  readonly isFaint?: boolean;
};

type Props = {
  readonly width: number;
  readonly height: number;
  readonly data: readonly RateDatum[];
  readonly series: readonly RateSeries[];
  /** The top of the axis: a round number, so that the axis moves in steps. */
  readonly top: number;
};

const wholeWindow = [0, 1];
const margin = { top: plotMargin.top, right: plotMargin.right, bottom: plotMargin.bottom, left: 0 };

/** Stacked rates over time. Steps, because a rate holds for its whole bin. */
export const RateChart = memo(function RateChart({ width, height, data, series, top }: Props): ReactNode {
  return (
    <AreaChart width={width} height={height} data={[...data]} margin={margin} accessibilityLayer={false} tabIndex={-1}>
      <defs>
        {series.map(({ key, color }) => (
          <pattern
            key={key}
            id={`hatch-${key}`}
            width="6"
            height="6"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect width="6" height="6" fill={color} fillOpacity="0.25" />
            <rect width="2.5" height="6" fill={color} fillOpacity="0.9" />
          </pattern>
        ))}
      </defs>
      <CartesianGrid vertical={false} stroke="var(--grid)" />
      <XAxis dataKey="at" type="number" domain={wholeWindow} allowDataOverflow hide />
      <YAxis
        width={plotMargin.left}
        domain={[0, top]}
        ticks={[0, top / 2, top]}
        tickFormatter={formatCount}
        axisLine={false}
        tickLine={false}
        tick={{ fill: 'var(--text-quiet)', fontSize: 11 }}
        interval={0}
      />
      {series.map(({ key, color, isHatched, isFaint }) => (
        <Area
          key={key}
          dataKey={key}
          stackId="all"
          type="stepBefore"
          stroke={color}
          strokeWidth={isFaint === true ? 0 : 1.25}
          fill={isHatched ? `url(#hatch-${key})` : color}
          fillOpacity={isHatched ? 1 : 0.45}
          isAnimationActive={false}
          dot={false}
          activeDot={false}
          connectNulls={false}
        />
      ))}
    </AreaChart>
  );
});
