import { type ReactNode, memo, useMemo } from 'react';
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
  readonly isFaint: boolean;
};

type Props = {
  readonly width: number;
  readonly height: number;
  readonly data: readonly RateDatum[];
  readonly series: readonly RateSeries[];
  /** The top of the axis: a round number, so that the axis moves in steps. */
  readonly top: number;
};

// All of these stay the same objects: recharts works everything out again for a prop that is another object.
const wholeWindow = [0, 1];
const margin = { top: plotMargin.top, right: plotMargin.right, bottom: plotMargin.bottom, left: 0 };
const tickLook = { fill: 'var(--text-quiet)', fontSize: 11 };
const timeAxis = <XAxis dataKey="at" type="number" domain={wholeWindow} allowDataOverflow hide />;
const grid = <CartesianGrid vertical={false} stroke="var(--grid)" />;

/** Stacked rates over time. Steps, because a rate holds for its whole bin. */
export const RateChart = memo(function RateChart({ width, height, data, series, top }: Props): ReactNode {
  const looks = JSON.stringify(series);
  // The series come as a new list each time; what is drawn of them changes rarely.
  // oxlint-disable-next-line react/exhaustive-deps
  const areas = useMemo(() => series.map(areaOf), [looks]);
  const rateAxis = useMemo(() => rateAxisOf(top), [top]);
  const points = useMemo(() => [...data], [data]);
  return (
    <AreaChart width={width} height={height} data={points} margin={margin} accessibilityLayer={false} tabIndex={-1}>
      {grid}
      {timeAxis}
      {rateAxis}
      {areas}
    </AreaChart>
  );
});

function rateAxisOf(top: number): ReactNode {
  return (
    <YAxis
      width={plotMargin.left}
      domain={[0, top]}
      ticks={[0, top / 2, top]}
      tickFormatter={formatCount}
      axisLine={false}
      tickLine={false}
      tick={tickLook}
      interval={0}
    />
  );
}

function areaOf({ key, color, isHatched, isFaint }: RateSeries): ReactNode {
  return [
    isHatched ? (
      <defs key={`defs-${key}`}>
        <pattern id={`hatch-${key}`} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="6" height="6" fill={color} fillOpacity="0.25" />
          <rect width="2.5" height="6" fill={color} fillOpacity="0.9" />
        </pattern>
      </defs>
    ) : null,
    <Area
      key={key}
      dataKey={key}
      stackId="all"
      type="stepBefore"
      stroke={color}
      strokeWidth={isFaint ? 0 : 1.25}
      fill={isHatched ? `url(#hatch-${key})` : color}
      fillOpacity={isHatched ? 1 : 0.45}
      isAnimationActive={false}
      dot={false}
      activeDot={false}
      connectNulls={false}
    />,
  ];
}
