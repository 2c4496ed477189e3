import type { MouseEvent, ReactNode } from 'react';
import { type Stretch, type TimeTick, plotMargin } from './plot-geometry.ts';
import { useSize } from './use-size.ts';

type Props = {
  readonly ticks: readonly TimeTick[];
  /** Where events were lost: hatched. */
  readonly losses: readonly Stretch[];
  /** The cursor, drawn over the chart. */
  readonly cursor: ReactNode;
  /** The mouse points at a place, 0..1 from the left edge; undefined when it leaves. */
  readonly onPoint: (share: number | undefined) => void;
  readonly children: (size: { readonly width: number; readonly height: number }) => ReactNode;
};

/** The frame of a chart over time: axis, hatching of losses, cursor. What is drawn in it comes as children. */
export function TimePlot({ ticks, losses, cursor, onPoint, children }: Props): ReactNode {
  const { ref, width, height } = useSize<HTMLDivElement>();
  const point = (event: MouseEvent<HTMLDivElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    onPoint((event.clientX - box.left) / box.width);
  };
  return (
    <div className="plot" ref={ref}>
      {width > 0 && height > 0 ? children({ width, height }) : null}
      <div
        className="plot-area"
        style={{ left: plotMargin.left, right: plotMargin.right, top: plotMargin.top, bottom: plotMargin.bottom }}
        onMouseMove={point}
        onMouseLeave={() => onPoint(undefined)}
        aria-hidden="true"
      >
        {losses.map(({ key, from, to }) => (
          <div
            key={key}
            className="plot-loss"
            style={{ left: `${from * 100}%`, width: `max(3px, ${(to - from) * 100}%)` }}
          />
        ))}
        {cursor}
      </div>
      <div className="plot-time" style={{ left: plotMargin.left, right: plotMargin.right }} aria-hidden="true">
        {ticks.map(({ share, label }) => (
          <span key={label} style={{ left: `${share * 100}%` }}>
            {label}
          </span>
        ))}
      </div>
    </div>
  );
}

/** The line at the instant pointed at; nothing where it lies outside. */
export function PlotCursor({ share }: { readonly share: number | undefined }): ReactNode {
  return share === undefined ? null : <div className="plot-cursor" style={{ left: `${share * 100}%` }} />;
}
