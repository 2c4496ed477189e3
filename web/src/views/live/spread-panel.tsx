import { type ReactNode, memo } from 'react';
import { formatCount, formatExact, formatNs, formatNsExact, shownQuantiles } from '@faultline/shared';
import { SpreadChart } from '../../charts/spread-chart.tsx';
import { type SpreadPart, bucketTable, quantileTitle, selectSpread, spreadTable } from '../../store/select-latency.ts';
import type { PageState } from '../../store/page-state.ts';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';
import { Panel } from '../../widgets/panel.tsx';
import { ScopeNote } from './scope-note.tsx';
import { Spoken } from './spoken.tsx';
import { StatusBody } from './status-body.tsx';
import { TextTable } from './text-table.tsx';
import { usePanel } from './use-panel.ts';

/** How waits and holds are spread, by mode, with their quantiles. */
export const SpreadPanel = memo(function SpreadPanel(): ReactNode {
  const title = 'wait and hold';
  const panel = usePanel({ id: 'spread', title, select: selectSpread, rank: 'calm', tableOf: spreadTable });
  const { view } = panel;
  const { status } = view;
  return (
    <Panel
      id={panel.elementId}
      title={title}
      unit={`distribution ${spanWords(panel.page)}, by mode`}
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      frameRef={panel.frameRef}
      isTableOpen={panel.isTableOpen}
      onTable={status.kind === 'ready' ? panel.onTable : undefined}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="spread" said={panel.said} />}
      controls={<ScopeNote scope={view.scope} />}
    >
      <StatusBody status={status} shape="chart" targetId={panel.targetId}>
        {() =>
          panel.isTableOpen ? (
            <TextTable label={title} table={bucketTable(view)} />
          ) : (
            <div className="spread">
              {view.parts.map((part) => (
                <SpreadHalf key={part.metric} part={part} />
              ))}
            </div>
          )
        }
      </StatusBody>
    </Panel>
  );
});

function spanWords({ page, span }: PageState): string {
  if (page === 'sessions') return 'in the part';
  return span === 'window' ? 'in the window' : 'since the start';
}

function SpreadHalf({ part }: { readonly part: SpreadPart }): ReactNode {
  const series = part.groups.map(({ key, mark }) => ({ key, color: mark.color }));
  return (
    <div className="spread-half">
      <SpreadChart data={part.data} series={series} topCount={part.topCount} ticks={part.axis.ticks} />
      <table className="spread-table">
        <thead>
          <tr>
            <th scope="col">{part.title}</th>
            {shownQuantiles.map((quantile) => (
              <th key={quantile} scope="col">
                {quantileTitle(quantile)}
              </th>
            ))}
            <th scope="col">max</th>
            <th scope="col">count</th>
          </tr>
        </thead>
        <tbody>
          {part.groups.map(({ key, mark, distribution }) => (
            <tr key={key}>
              <th scope="row">
                <MarkGlyph {...mark} /> {mark.name}
              </th>
              {shownQuantiles.map((quantile, index) => (
                <td key={quantile} title={formatNsExact(distribution.quantiles[index])}>
                  {formatNs(distribution.quantiles[index])}
                </td>
              ))}
              <td title={formatNsExact(distribution.max)}>{formatNs(distribution.max)}</td>
              <td title={formatExact(distribution.count)}>{formatCount(distribution.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
