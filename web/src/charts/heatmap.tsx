import { type ReactNode, memo, useLayoutEffect, useRef } from 'react';
import { type HeatPicture, drawHeatmap } from './draw-heatmap.ts';
import { heatRamp } from './heat-ramp.ts';
import { plotMargin } from './plot-geometry.ts';

type Props = {
  readonly width: number;
  readonly height: number;
  readonly picture: HeatPicture;
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
};

/** A heatmap of latencies over time, with its axis of latency. */
export const Heatmap = memo(function Heatmap({ width, height, picture, ticks }: Props): ReactNode {
  const ref = useRef<HTMLCanvasElement>(null);
  const ramp = useRef<{ readonly stops: string; readonly pixels: Uint32Array }>(undefined);
  useLayoutEffect(() => {
    const context = ref.current?.getContext('2d');
    if (context === null || context === undefined) return;
    const scale = devicePixelRatio;
    const style = getComputedStyle(context.canvas);
    const stops = style.getPropertyValue('--heat-stops');
    if (ramp.current?.stops !== stops) ramp.current = { stops, pixels: heatRamp(stops) };
    const ink = {
      line: style.getPropertyValue('--text'),
      halo: style.getPropertyValue('--surface'),
      grid: style.getPropertyValue('--grid'),
      ramp: ramp.current.pixels,
    };
    const box = {
      left: Math.round(plotMargin.left * scale),
      top: Math.round(plotMargin.top * scale),
      width: Math.round((width - plotMargin.left - plotMargin.right) * scale),
      height: Math.round((height - plotMargin.top - plotMargin.bottom) * scale),
    };
    drawHeatmap(context, picture, box, ink, scale);
  }, [width, height, picture]);
  return (
    <>
      <canvas
        ref={ref}
        className="heatmap"
        width={Math.round(width * devicePixelRatio)}
        height={Math.round(height * devicePixelRatio)}
        style={{ width, height }}
        aria-hidden="true"
      />
      <div
        className="plot-latency"
        style={{ top: plotMargin.top, bottom: plotMargin.bottom, width: plotMargin.left }}
        aria-hidden="true"
      >
        {ticks.map(({ share, label }) => (
          <span key={label} style={{ bottom: `${share * 100}%` }}>
            {label}
          </span>
        ))}
      </div>
    </>
  );
});
