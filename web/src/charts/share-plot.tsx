import type { ReactNode } from 'react';
import { useSize } from './use-size.ts';

/** What a plot of shares draws in: shares of the axes (0..1) in px of the drawing, and how large all of it is. */
export type SharePlotFrame = {
  readonly x: (share: number) => number;
  readonly y: (share: number) => number;
  readonly plotWidth: number;
  /** Where words below the axis stand, px. */
  readonly wordsY: number;
};

type Props = {
  readonly margin: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };
  readonly children: (frame: SharePlotFrame) => ReactNode;
};

/** A drawing of a comparison as large as there is room for, whose axes go from 0 to 1; nothing where there is no room. */
export function SharePlot({ margin, children }: Props): ReactNode {
  const { ref, width, height } = useSize<HTMLDivElement>();
  const [plotWidth, plotHeight] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
  return (
    <div className="plot" ref={ref} aria-hidden="true">
      {plotWidth <= 0 || plotHeight <= 0 ? null : (
        <svg width={width} height={height} className="compare-plot">
          {children({
            x: (share) => margin.left + share * plotWidth,
            y: (share) => margin.top + (1 - share) * plotHeight,
            plotWidth,
            wordsY: height - 6,
          })}
        </svg>
      )}
    </div>
  );
}
