import { type ReactNode, memo } from 'react';
import { devicesTable, selectDevices } from '../../store/select-devices.ts';
import { DataTable } from '../../widgets/data-table.tsx';
import { Panel } from '../../widgets/panel.tsx';
import { ScopeNote } from '../live/scope-note.tsx';
import { Spoken } from '../live/spoken.tsx';
import { StatusBody } from '../live/status-body.tsx';
import { usePanel } from '../live/use-panel.ts';

const title = 'devices and BARs';

/** How much of each BAR faults have mapped. */
export const DevicesPanel = memo(function DevicesPanel(): ReactNode {
  const panel = usePanel({ id: 'devices', title, select: selectDevices, rank: 'slow', tableOf: devicesTable });
  const { view } = panel;
  const { status, rows } = view;
  return (
    <Panel
      id={panel.elementId}
      title={title}
      unit="mapped by faults since the start"
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      controls={<ScopeNote scope={view.scope} />}
      frameRef={panel.frameRef}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="devices" said={panel.said} />}
    >
      <StatusBody status={status} shape="table" targetId={panel.targetId}>
        {() => (
          <DataTable
            label={title}
            columns={[
              { id: 'device', title: 'device', align: 'start', track: 'minmax(104px, 1.2fr)' },
              { id: 'bar', title: 'BAR', align: 'start', track: 'minmax(108px, 0.9fr)' },
              { id: 'size', title: 'size', align: 'end', track: 'minmax(60px, 0.7fr)' },
              { id: 'mapped', title: 'mapped', align: 'end', track: 'minmax(90px, 1.6fr)' },
              { id: 'times', title: 'times its size', align: 'end', track: 'minmax(84px, 0.8fr)' },
            ]}
            rowCount={rows.length}
            rowAt={(index) => {
              const row = rows[index];
              const bar =
                row?.times === undefined ? undefined : { share: Math.min(1, row.times), color: 'var(--accent)' };
              return {
                key: row?.key ?? '',
                cells: [
                  { text: row?.device ?? '' },
                  { text: row?.bar ?? '', exact: row?.barHint },
                  { text: row?.size ?? '' },
                  { text: row?.mapped ?? '', exact: row?.exact, bar },
                  { text: row?.timesWords ?? '' },
                ],
              };
            }}
          />
        )}
      </StatusBody>
    </Panel>
  );
});
