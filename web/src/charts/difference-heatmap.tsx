import type { ReactNode } from 'react';
import { SharePlot } from './share-plot.tsx';

/** A cell, 0..1 from the left and from the bottom. */
export type DifferenceCell = {
  readonly key: string;
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
  /** -1 to 1: by how much the one or the other is more. */
  readonly heat: number;
  readonly words: string;
};

type Ticks = readonly { readonly share: number; readonly label: string }[];
type Props = {
  readonly cells: readonly DifferenceCell[];
  readonly timeTicks: Ticks;
  readonly latencyTicks: Ticks;
  /** Colours of either end. */
  readonly less: string;
  readonly more: string;
};

const margin = { left: 64, right: 18, top: 8, bottom: 20 } as const;
/** Cells smaller than this have no room for a sign, px. */
const signSizeMin = 9;

/** Differences over time and latency: two colours with nothing in the middle, and a dash in what is less, so that colour is not alone. */
export function DifferenceHeatmap({ cells, timeTicks, latencyTicks, less, more }: Props): ReactNode {
  return (
    <SharePlot margin={margin}>
      {({ x, y, wordsY }) => (
        <>
          {latencyTicks.map(({ share, label }) => (
            <g key={label}>
              <line className="plot-grid" x1={x(0)} x2={x(1)} y1={y(share)} y2={y(share)} />
              <text x={x(0) - 6} y={y(share) + 4} textAnchor="end">
                {label}
              </text>
            </g>
          ))}
          {timeTicks.map(({ share, label }) => (
            <text key={share} x={x(share)} y={wordsY} textAnchor={share === 1 ? 'end' : 'middle'}>
              {label}
            </text>
          ))}
          <line className="plot-axis" x1={x(0)} x2={x(1)} y1={y(0)} y2={y(0)} />
          {cells.map((cell) => (
            <Cell
              key={cell.key}
              cell={cell}
              color={cell.heat < 0 ? less : more}
              box={{
                left: x(cell.left),
                top: y(cell.top),
                width: Math.max(1.5, x(cell.right) - x(cell.left) - 0.5),
                height: Math.max(1.5, y(cell.bottom) - y(cell.top) - 0.5),
              }}
            />
          ))}
        </>
      )}
    </SharePlot>
  );
}

function Cell({
  cell: { heat, words },
  color,
  box: { left, top, width, height },
}: {
  readonly cell: DifferenceCell;
  readonly color: string;
  readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}): ReactNode {
  const hasSign = heat < 0 && Math.min(width, height) >= signSizeMin;
  return (
    <g>
      <title>{words}</title>
      <rect
        className={heat === 0 ? 'difference-none' : undefined}
        x={left}
        y={top}
        width={width}
        height={height}
        {...(heat === 0 ? {} : { fill: color, fillOpacity: Math.abs(heat) })}
      />
      {hasSign ? (
        <line
          className="difference-sign"
          x1={left + width / 2 - 3}
          x2={left + width / 2 + 3}
          y1={top + height / 2}
          y2={top + height / 2}
        />
      ) : null}
    </g>
  );
}
