import type { ReactNode } from 'react';
import { SharePlot } from './share-plot.tsx';

/** One distribution: bars and how much lies up to each, all 0..1. */
export type OverlaySeries = {
  readonly key: string;
  readonly color: string;
  readonly bars: readonly {
    readonly from: number;
    readonly to: number;
    readonly height: number;
    readonly upTo: number;
  }[];
};

type Props = {
  readonly series: readonly OverlaySeries[];
  /** What a bar of full height is. */
  readonly topWords: string;
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
};

const margin = { left: 44, right: 40, top: 8, bottom: 20 } as const;

/** Distributions over a log axis, laid over each other: bars of shares, and a line of how much lies up to there. */
export function OverlayChart({ series, topWords, ticks }: Props): ReactNode {
  return (
    <SharePlot margin={margin}>
      {({ x, y, wordsY }) => (
        <>
          {ticks.map((tick) => (
            <g key={tick.label}>
              <line className="plot-grid" x1={x(tick.share)} x2={x(tick.share)} y1={y(1)} y2={y(0)} />
              <text x={x(tick.share)} y={wordsY} textAnchor="middle">
                {tick.label}
              </text>
            </g>
          ))}
          <line className="plot-axis" x1={x(0)} x2={x(1)} y1={y(0)} y2={y(0)} />
          <text x={x(0) - 6} y={y(1) + 8} textAnchor="end">
            {topWords}
          </text>
          <text x={x(0) - 6} y={y(0)} textAnchor="end">
            0
          </text>
          <text x={x(1) + 6} y={y(1) + 8}>
            100 %
          </text>
          {series.map(({ key, color, bars }) => (
            <g key={key} fill={color} fillOpacity={0.55}>
              {bars.map(({ from, to, height: share }) =>
                share === 0 ? null : (
                  <rect
                    key={from}
                    x={x(from)}
                    width={Math.max(2, x(to) - x(from))}
                    y={y(share)}
                    height={Math.max(1, y(0) - y(share))}
                  />
                ),
              )}
            </g>
          ))}
          {series.map(({ key, color, bars }) => (
            <path key={key} className="plot-up-to" stroke={color} d={stepsOf(bars, x, y)} />
          ))}
        </>
      )}
    </SharePlot>
  );
}

function stepsOf(bars: OverlaySeries['bars'], x: (share: number) => number, y: (share: number) => number): string {
  const steps = bars.map(({ to, upTo }) => `H${x(to)}V${y(upTo)}`);
  return `M${x(0)} ${y(0)}${steps.join('')}H${x(1)}`;
}
