import { type ReactNode, memo } from 'react';
import { formatExact, formatNs, formatRate } from '@faultline/shared';
import { lineDashes } from '../../charts/draw-heatmap.ts';
import { Heatmap } from '../../charts/heatmap.tsx';
import { PlotCursor, TimePlot } from '../../charts/time-plot.tsx';
import type { Shown } from '../../store/app-state.ts';
import { type HeatView, columnAt, describeLatency, heatTable } from '../../store/select-latency.ts';
import { instantAt, instantWords, shareOf } from '../../store/time-frame.ts';
import { useCursor, usePointing } from '../../store/use-store.ts';
import { Panel } from '../../widgets/panel.tsx';
import { ScopeNote } from './scope-note.tsx';
import { Spoken } from './spoken.tsx';
import { StatusBody } from './status-body.tsx';
import { TextTable } from './text-table.tsx';
import { useCursorSteps } from './use-cursor-steps.ts';
import { usePanel } from './use-panel.ts';

type Props = {
  readonly id: string;
  readonly title: string;
  /** A module's function, the same at every render. */
  readonly select: (shown: Shown) => HeatView;
};

/** A panel of latencies over time. */
export const HeatPanel = memo(function HeatPanel({ id, title, select }: Props): ReactNode {
  const panel = usePanel({ id, title, select, rank: 'chart', tableOf: heatTable });
  const { view } = panel;
  const onStep = useCursorSteps(id, view.columns);
  const { status } = view;
  return (
    <Panel
      id={panel.elementId}
      title={title}
      unit="latency over time"
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      controls={<ScopeNote scope={view.scope} />}
      legend={<HeatLegend view={view} />}
      frameRef={panel.frameRef}
      isTableOpen={panel.isTableOpen}
      onTable={status.kind === 'ready' ? panel.onTable : undefined}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      onStep={onStep}
      spoken={<Spoken panel={id} said={panel.said} describe={(ns) => describeLatency(view, ns)} />}
    >
      <StatusBody status={status} shape="chart" targetId={panel.targetId}>
        {() =>
          panel.isTableOpen ? <TextTable label={title} table={heatTable(view)} /> : <HeatPlot id={id} view={view} />
        }
      </StatusBody>
    </Panel>
  );
});

function HeatPlot({ id, view }: { readonly id: string; readonly view: HeatView }): ReactNode {
  const point = usePointing(id);
  const { frame, axis, columns, floorPerSec, topPerSec } = view;
  const gridShares = axis.ticks.map(({ share }) => share);
  const picture = {
    columns,
    floorPerSec,
    topPerSec,
    gridShares,
    fromNs: frame.fromNs,
    toNs: frame.toNs,
    lowNs: axis.lowNs,
    highNs: axis.highNs,
  };
  return (
    <TimePlot
      ticks={frame.ticks}
      losses={view.losses}
      cursor={<HeatCursor view={view} />}
      onPoint={(share) => point(share === undefined ? undefined : instantAt(frame, share), 'mouse')}
    >
      {({ width, height }) => <Heatmap width={width} height={height} picture={picture} ticks={axis.ticks} />}
    </TimePlot>
  );
}

function HeatCursor({ view }: { readonly view: HeatView }): ReactNode {
  const cursor = useCursor();
  const share = cursor === undefined ? undefined : shareOf(view.frame, cursor.atNs);
  return <PlotCursor share={share !== undefined && share >= 0 && share <= 1 ? share : undefined} />;
}

function HeatLegend({ view }: { readonly view: HeatView }): ReactNode {
  const cursor = useCursor();
  if (view.status.kind !== 'ready') return <span className="quiet">&nbsp;</span>;
  const column = columnAt(view.columns, cursor?.atNs);
  return (
    <>
      {(['p50', 'p99', 'max'] as const).map((name) => (
        <span
          key={name}
          className="readout"
          title={name === 'max' ? 'upper end of the highest bucket in use' : 'within 3.2 %'}
        >
          <svg className="mark" width="18" height="8" aria-hidden="true">
            <line
              x1="0"
              x2="18"
              y1="4"
              y2="4"
              stroke="var(--text)"
              strokeWidth="1.5"
              strokeDasharray={lineDashes[name].join(' ')}
            />
          </svg>
          {name} <b>{formatNs(column?.[name])}</b>
        </span>
      ))}
      <span className="heat-scale" title="colour of a cell: events a second, log scale">
        {formatRate(view.floorPerSec)} <i /> {formatRate(view.topPerSec)}
      </span>
      <span className="readout-time" title={`${formatExact(column?.count)} events in this bin`}>
        {cursor === undefined || column === undefined
          ? view.frame.nowWord
          : instantWords(view.frame.clock, column.toNs)}
      </span>
    </>
  );
}
