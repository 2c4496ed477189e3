import type { ReactNode } from 'react';
import { SharePlot } from './share-plot.tsx';

/** A value at each of several places, 0..1 from the bottom, with its interval where it has one. */
export type PlacesSeries = {
  readonly key: string;
  readonly color: string;
  readonly shape: 'circle' | 'square';
  readonly isLine: boolean;
  readonly points: readonly {
    readonly at: number;
    readonly low?: number;
    readonly high?: number;
    readonly words: string;
  }[];
};

type Props = {
  readonly series: readonly PlacesSeries[];
  /** Words of the places, from left to right. */
  readonly places: readonly string[];
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
  /** Where nothing has changed, 0..1; undefined where that means nothing. */
  readonly one?: number;
};

const margin = { left: 64, right: 14, top: 8, bottom: 20 } as const;
const markSize = 8;
/** Words of places need about so much room, px. */
const placeWidthMin = 36;

/** Values at places that follow each other: runs in their order, or quantiles. */
export function PlacesChart({ series, places, ticks, one }: Props): ReactNode {
  const middleOf = (place: number): number => (place + 0.5) / Math.max(1, places.length);
  const everyAt = (widthPx: number): number => Math.max(1, Math.ceil((places.length * placeWidthMin) / widthPx));
  return (
    <SharePlot margin={margin}>
      {({ x, y, plotWidth, wordsY }) => (
        <>
          {ticks.map((tick) => (
            <g key={tick.label}>
              <line className="plot-grid" x1={x(0)} x2={x(1)} y1={y(tick.share)} y2={y(tick.share)} />
              <text x={x(0) - 6} y={y(tick.share) + 4} textAnchor="end">
                {tick.label}
              </text>
            </g>
          ))}
          {one === undefined ? null : <line className="interval-one" x1={x(0)} x2={x(1)} y1={y(one)} y2={y(one)} />}
          {places.map((place, at) =>
            at % everyAt(plotWidth) === 0 ? (
              <text key={place} x={x(middleOf(at))} y={wordsY} textAnchor="middle">
                {place}
              </text>
            ) : null,
          )}
          {series.map((own, index) => (
            <Series
              key={own.key}
              series={own}
              x={(place) => x(middleOf(place)) + (index - (series.length - 1) / 2) * 6}
              y={y}
            />
          ))}
        </>
      )}
    </SharePlot>
  );
}

function Series({
  series: { color, shape, isLine, points },
  x,
  y,
}: {
  readonly series: PlacesSeries;
  readonly x: (place: number) => number;
  readonly y: (share: number) => number;
}): ReactNode {
  return (
    <g fill={color} stroke={color}>
      {isLine ? (
        <path
          className="plot-up-to"
          d={points.map(({ at }, place) => `${place === 0 ? 'M' : 'L'}${x(place)} ${y(at)}`).join('')}
        />
      ) : null}
      {points.map(({ at, low, high, words }, place) => (
        // Places have no other name than their number.
        // oxlint-disable-next-line react/no-array-index-key
        <g key={place}>
          <title>{words}</title>
          {low === undefined || high === undefined ? null : (
            <line strokeWidth="2" x1={x(place)} x2={x(place)} y1={y(low)} y2={y(high)} />
          )}
          {shape === 'circle' ? (
            <circle cx={x(place)} cy={y(at)} r={markSize / 2} />
          ) : (
            <rect x={x(place) - markSize / 2} y={y(at) - markSize / 2} width={markSize} height={markSize} />
          )}
        </g>
      ))}
    </g>
  );
}
