import { type ReactNode, memo } from 'react';
import { Area, AreaChart, XAxis, YAxis } from 'recharts';
import { formatCount } from '@faultline/shared';
import type { RateDatum, RateSeries } from './rate-chart.tsx';
import { useSize } from './use-size.ts';

type Props = {
  readonly data: readonly RateDatum[];
  readonly series: readonly RateSeries[];
  readonly topCount: number;
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
};

const margin = { top: 6, right: 18, bottom: 16, left: 0 };
const axisWidth = 40;
const wholeAxis = [0, 1];

/** How latencies are spread: log counts over log latency, one outlined area a group. */
export const SpreadChart = memo(function SpreadChart({ data, series, topCount, ticks }: Props): ReactNode {
  const { ref, width, height } = useSize<HTMLDivElement>();
  const countAt = (share: number): string => formatCount(Math.max(1, Math.round((topCount * 2) ** share / 2)));
  return (
    <div className="plot" ref={ref} aria-hidden="true">
      {width === 0 || height === 0 ? null : (
        <AreaChart
          width={width}
          height={height}
          data={[...data]}
          margin={margin}
          accessibilityLayer={false}
          tabIndex={-1}
        >
          <XAxis dataKey="at" type="number" domain={wholeAxis} hide />
          <YAxis
            width={axisWidth}
            domain={wholeAxis}
            ticks={[Math.log(2) / Math.log(topCount * 2), 1]}
            tickFormatter={countAt}
            axisLine={false}
            tickLine={false}
            tick={{ fill: 'var(--text-quiet)', fontSize: 11 }}
            interval={0}
          />
          {series.map(({ key, color }) => (
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
          ))}
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
