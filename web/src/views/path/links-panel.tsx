import { type ReactNode, memo } from 'react';
import { linkColumns, linksTable, selectLinks } from '../../store/select-links.ts';
import { DataTable } from '../../widgets/data-table.tsx';
import { Panel } from '../../widgets/panel.tsx';
import { ScopeNote } from '../live/scope-note.tsx';
import { Spoken } from '../live/spoken.tsx';
import { StatusBody } from '../live/status-body.tsx';
import { usePanel } from '../live/use-panel.ts';

const title = 'inside MAP_DMA';

/** A panel at 1280 has room for all of them when durations get more of it than counts. */
const tracks = {
  calls: 'minmax(46px, 1fr)',
  each: 'minmax(46px, 1fr)',
  failed: 'minmax(46px, 1fr)',
  p50: 'minmax(64px, 1fr)',
  p99: 'minmax(64px, 1fr)',
  time: 'minmax(64px, 1fr)',
  share: 'minmax(46px, 1fr)',
} as const;

const columns = [
  { id: 'link', title: 'link', align: 'start', track: 'minmax(172px, 2fr)' },
  ...linkColumns.map((column) => ({ ...column, align: 'end' as const, track: tracks[column.id] })),
] as const;

/** The chain of a MAP_DMA: how often each link is called, how long it takes. */
export const LinksPanel = memo(function LinksPanel(): ReactNode {
  const panel = usePanel({ id: 'links', title, select: selectLinks, rank: 'slow', tableOf: linksTable });
  const { status, rows, scope } = panel.view;
  return (
    <Panel
      id={panel.elementId}
      title={title}
      unit="since the start; a link’s time holds that of those it calls"
      controls={<ScopeNote scope={scope} />}
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      frameRef={panel.frameRef}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="links" said={panel.said} />}
    >
      <StatusBody status={status} shape="table" targetId={panel.targetId}>
        {() => (
          <DataTable
            label={title}
            columns={columns}
            rowCount={rows.length}
            rowAt={(index) => {
              const { link = '', cells = [] } = rows[index] ?? {};
              return { key: link, cells: [{ text: link }, ...cells] };
            }}
          />
        )}
      </StatusBody>
    </Panel>
  );
});
