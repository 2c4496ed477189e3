import { type ReactNode, memo } from 'react';
import { formatCount, formatNs, formatPlural } from '@faultline/shared';
import { type WhoHead, exactOf, selectWho, whoTableData } from '../../store/select-who.ts';
import type { PageState } from '../../store/page-state.ts';
import { useStores } from '../../store/use-store.ts';
import { DataTable, type TableCell } from '../../widgets/data-table.tsx';
import { Panel } from '../../widgets/panel.tsx';
import { Segmented } from '../../widgets/segmented.tsx';
import { Spoken } from './spoken.tsx';
import { StatusBody } from './status-body.tsx';
import { usePanel } from './use-panel.ts';

/** Who does it: processes with bars in the cells; a click filters. */
export const WhoPanel = memo(function WhoPanel(): ReactNode {
  const { app } = useStores();
  const panel = usePanel({ id: 'who', title: 'who', select: selectWho, rank: 'slow', tableOf: whoTableData });
  const { view, page } = panel;
  const { status } = view;
  return (
    <Panel
      id={panel.elementId}
      title="who"
      unit={sumsWords(page)}
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      frameRef={panel.frameRef}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="who" said={panel.said} />}
      controls={
        page.page === 'sessions' ? null : (
          <Segmented
            label="sums over"
            value={page.span}
            options={[
              { value: 'window', label: 'window' },
              { value: 'all', label: 'since start' },
            ]}
            onChange={(span) => app.page.set({ span })}
          />
        )
      }
      legend={
        <span className="quiet">
          {status.kind === 'ready' ? `${formatPlural(view.rows.length, 'process', 'processes')}; a click filters` : ''}
          &nbsp;
        </span>
      }
    >
      <StatusBody status={status} shape="table" targetId={panel.targetId}>
        {() => (
          <DataTable
            label="processes"
            columns={[
              { id: 'process', title: 'process', align: 'start', track: 'minmax(110px, 1.4fr)' },
              ...view.heads.map((head) => ({
                id: head.name,
                title: head.title,
                hint: head.hint,
                align: 'end' as const,
                track: 'minmax(64px, 1fr)',
                isSortable: true,
              })),
            ]}
            rowCount={view.rows.length}
            rowAt={(index) => {
              const row = view.rows[index];
              const cells = view.heads.map((head, column) =>
                valueCell(head, row?.values[column], view.peaks[column] ?? 1),
              );
              return { key: row?.process ?? '', cells: [{ text: row?.process ?? '', exact: row?.process }, ...cells] };
            }}
            sortedBy={view.sortBy}
            onSort={(sort) => app.page.set({ sort })}
            selectedKey={page.process}
            onPick={(process) => app.page.set({ process: process === page.process ? undefined : process })}
          />
        )}
      </StatusBody>
    </Panel>
  );
});

function sumsWords({ page, span }: PageState): string {
  if (page === 'sessions') return 'sums in the part';
  return span === 'window' ? 'sums in the window' : 'sums since the start';
}

function valueCell(head: WhoHead, value: number | undefined, peak: number): TableCell {
  return {
    text: head.kind === 'ns' ? formatNs(value) : formatCount(value),
    exact: exactOf(head.kind, value),
    bar: value === undefined || value === 0 ? undefined : { share: value / peak, color: head.color },
  };
}
