import { type ReactNode, memo } from 'react';
import { type LinksView, selectLinks } from '../../store/select-fault-path.ts';
import type { TableData } from '../../store/table-data.ts';
import { Panel } from '../../widgets/panel.tsx';
import { Spoken } from '../live/spoken.tsx';
import { StatusBody } from '../live/status-body.tsx';
import { TextTable } from '../live/text-table.tsx';
import { usePanel } from '../live/use-panel.ts';

const title = 'inside MAP_DMA';

function tableOf(view: LinksView): TableData {
  return view.table;
}

/** The chain of a MAP_DMA: how often each link is called, how long it takes. */
export const LinksPanel = memo(function LinksPanel(): ReactNode {
  const panel = usePanel({ id: 'links', title, select: selectLinks, rank: 'slow', tableOf });
  const { status, table } = panel.view;
  return (
    <Panel
      id="links"
      title={title}
      unit="calls of each link since the start; a link’s time holds that of those it calls"
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      frameRef={panel.frameRef}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="links" said={panel.said} />}
    >
      <StatusBody status={status} shape="table" targetId={panel.targetId}>
        {() => <TextTable label={title} table={table} />}
      </StatusBody>
    </Panel>
  );
});
