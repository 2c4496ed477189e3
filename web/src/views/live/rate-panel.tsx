import { type ReactNode, memo } from 'react';
import { formatExact, formatRate } from '@faultline/shared';
import { RateChart } from '../../charts/rate-chart.tsx';
import { PlotCursor, TimePlot } from '../../charts/time-plot.tsx';
import type { Shown } from '../../store/app-state.ts';
import type { Rank } from '../../store/cadence.ts';
import { type RateView, describeRates, pointAt, rateTable } from '../../store/select-rates.ts';
import { instantAt, instantWords, shareOf } from '../../store/time-frame.ts';
import { useCursor, usePointing } from '../../store/use-store.ts';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';
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
  readonly unit: string;
  /** A module's function, the same at every render. */
  readonly select: (shown: Shown) => RateView;
  readonly rank: Rank;
};

/** A panel of stacked rates over time. */
export const RatePanel = memo(function RatePanel({ id, title, unit, select, rank }: Props): ReactNode {
  const panel = usePanel({ id, title, select, rank, tableOf: rateTable });
  const { view } = panel;
  const onStep = useCursorSteps(id, view.points);
  const { status } = view;
  return (
    <Panel
      id={panel.elementId}
      title={title}
      unit={unit}
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      controls={<ScopeNote scope={view.scope} />}
      legend={<RateLegend view={view} />}
      frameRef={panel.frameRef}
      isTableOpen={panel.isTableOpen}
      onTable={status.kind === 'ready' ? panel.onTable : undefined}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      onStep={onStep}
      spoken={<Spoken panel={id} said={panel.said} describe={(ns) => describeRates(view, ns)} />}
    >
      <StatusBody status={status} shape="chart" targetId={panel.targetId}>
        {() =>
          panel.isTableOpen ? <TextTable label={title} table={rateTable(view)} /> : <RatePlot id={id} view={view} />
        }
      </StatusBody>
    </Panel>
  );
});

function RatePlot({ id, view }: { readonly id: string; readonly view: RateView }): ReactNode {
  const point = usePointing(id);
  return (
    <TimePlot
      ticks={view.frame.ticks}
      losses={view.losses}
      cursor={<FrameCursor view={view} />}
      onPoint={(share) => point(share === undefined ? undefined : instantAt(view.frame, share), 'mouse')}
    >
      {({ width, height }) => (
        <RateChart width={width} height={height} data={view.data} series={view.series} top={view.top} />
      )}
    </TimePlot>
  );
}

function FrameCursor({ view }: { readonly view: RateView }): ReactNode {
  const cursor = useCursor();
  const share = cursor === undefined ? undefined : shareOf(view.frame, cursor.atNs);
  return <PlotCursor share={share !== undefined && share >= 0 && share <= 1 ? share : undefined} />;
}

function RateLegend({ view }: { readonly view: RateView }): ReactNode {
  const cursor = useCursor();
  if (view.status.kind !== 'ready') return <span className="quiet">&nbsp;</span>;
  const point = pointAt(view.points, cursor?.atNs);
  const { aside } = view;
  const asidePoint = aside === undefined ? undefined : pointAt(aside.points, cursor?.atNs);
  return (
    <>
      {view.groups.map(({ key, mark }, group) => (
        <span key={key} className="readout" title={`${formatExact(point?.counts[group])} in this bin`}>
          <MarkGlyph {...mark} />
          {mark.name} <b>{formatRate(point?.perSec[group])}</b>
          {aside?.group === group && (asidePoint?.counts[0] ?? 0) > 0 ? (
            <small>
              {' '}
              of which {aside.title} {formatRate(asidePoint?.perSec[0])}
            </small>
          ) : null}
        </span>
      ))}
      <span className="readout-time">
        {cursor === undefined || point === undefined ? view.frame.nowWord : instantWords(view.frame.clock, point.toNs)}
      </span>
    </>
  );
}
