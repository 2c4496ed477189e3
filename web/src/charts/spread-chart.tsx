import { type ReactNode, memo, useMemo } from 'react';
import { Area, AreaChart, XAxis, YAxis } from 'recharts';
import { formatCount } from '@faultline/shared';
import type { RateDatum } from './rate-chart.tsx';
import { useSize } from './use-size.ts';

/** One outlined area. */
export type SpreadSeries = { readonly key: string; readonly color: string };

type Props = {
  readonly data: readonly RateDatum[];
  readonly series: readonly SpreadSeries[];
  readonly topCount: number;
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
};

// All of these stay the same objects: recharts works everything out again for a prop that is another object.
const margin = { top: 6, right: 18, bottom: 16, left: 0 };
const axisWidth = 40;
const wholeAxis = [0, 1];
const tickLook = { fill: 'var(--text-quiet)', fontSize: 11 };
const latencyAxis = <XAxis dataKey="at" type="number" domain={wholeAxis} hide />;

/** How latencies are spread: log counts over log latency, one outlined area a group. */
export const SpreadChart = memo(function SpreadChart({ data, series, topCount, ticks }: Props): ReactNode {
  const { ref, width, height } = useSize<HTMLDivElement>();
  const looks = JSON.stringify(series);
  // The series come as a new list each time; what is drawn of them changes rarely.
  // oxlint-disable-next-line react/exhaustive-deps
  const areas = useMemo(() => series.map(areaOf), [looks]);
  const countAxis = useMemo(() => countAxisOf(topCount), [topCount]);
  const points = useMemo(() => [...data], [data]);
  return (
    <div className="plot" ref={ref} aria-hidden="true">
      {width === 0 || height === 0 ? null : (
        <AreaChart width={width} height={height} data={points} margin={margin} accessibilityLayer={false} tabIndex={-1}>
          {latencyAxis}
          {countAxis}
          {areas}
        </AreaChart>
      )}
      <div className="plot-time" style={{ left: axisWidth, right: margin.right, bottom: 0 }}>
        {ticks.map(({ share, label }) => (
          <span key={label} style={{ left: `${share * 100}%` }}>
            {label}
          </span>
        ))}
      </div>
    </div>
  );
});

function countAxisOf(topCount: number): ReactNode {
  const countAt = (share: number): string => formatCount(Math.max(1, Math.round((topCount * 2) ** share / 2)));
  return (
    <YAxis
      width={axisWidth}
      domain={wholeAxis}
      ticks={[Math.log(2) / Math.log(topCount * 2), 1]}
      tickFormatter={countAt}
      axisLine={false}
      tickLine={false}
      tick={tickLook}
      interval={0}
    />
  );
}

function areaOf({ key, color }: SpreadSeries): ReactNode {
  return (
    <Area
      key={key}
      dataKey={key}
      type="stepAfter"
      stroke={color}
      strokeWidth={1.5}
      fill={color}
      fillOpacity={0.16}
      isAnimationActive={false}
      dot={false}
      activeDot={false}
    />
  );
}
