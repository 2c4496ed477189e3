import { type ReactNode, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { plotMargin } from './plot-geometry.ts';

/** A line: values at seconds of the session; it is drawn to its own height. */
export type PlotLine = {
  readonly key: string;
  readonly color: string;
  readonly atSec: readonly number[];
  readonly perSec: readonly number[];
};

type Props = {
  readonly width: number;
  readonly height: number;
  readonly lines: readonly PlotLine[];
  readonly fromSec: number;
  readonly toSec: number;
  /** Colours are read anew when it changes. */
  readonly theme: string;
};

/** Thousands of points, as they are: a picture of when something happened. Without axes; the frame around has them. */
export function LinePlot({ width, height, lines, fromSec, toSec, theme }: Props): ReactNode {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = ref.current;
    if (element === null || lines.length === 0) return undefined;
    const plot = new uPlot(optionsOf({ width, height, lines, fromSec, toSec }, element), dataOf(lines), element);
    return () => plot.destroy();
  }, [width, height, lines, fromSec, toSec, theme]);
  return <div ref={ref} className="line-plot" aria-hidden="true" />;
}

function dataOf(lines: readonly PlotLine[]): uPlot.AlignedData {
  return uPlot.join(lines.map(({ atSec, perSec }): uPlot.AlignedData => [[...atSec], [...perSec]]));
}

function optionsOf(
  { width, height, lines, fromSec, toSec }: Omit<Props, 'theme'>,
  element: HTMLElement,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colorOf = (token: string): string => style.getPropertyValue(token.slice('var('.length, -1)).trim();
  const scales: uPlot.Scales = { x: { time: false, range: [fromSec, toSec] } };
  for (const { key, perSec } of lines) {
    const peak = perSec.reduce((most, rate) => Math.max(most, rate), 0);
    scales[`y${key}`] = { range: [0, Math.max(1e-9, peak * 1.05)] };
  }
  return {
    width,
    height,
    padding: [plotMargin.top, plotMargin.right, plotMargin.bottom, plotMargin.left],
    cursor: { show: false },
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    scales,
    series: [
      {},
      ...lines.map(({ key, color }) => ({
        scale: `y${key}`,
        stroke: colorOf(color),
        fill: `color-mix(in srgb, ${colorOf(color)} 12%, transparent)`,
        width: 1.2,
        spanGaps: true,
        points: { show: false },
      })),
    ],
  };
}
