import { type ReactNode, memo, useCallback, useRef, useState } from 'react';
import { type Column, formatExact, formatPlural } from '@faultline/shared';
import type { Shown } from '../../store/app-state.ts';
import {
  type CallRows,
  callCells,
  callsTable,
  columnTitle,
  freezeCallRows,
  isNumber,
  selectCallsView,
} from '../../store/select-calls.ts';
import { usePage, useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { DataTable, type TableColumn } from '../../widgets/data-table.tsx';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';
import { Panel } from '../../widgets/panel.tsx';
import { EmptyState } from '../../widgets/panel-states.tsx';
import { Segmented } from '../../widgets/segmented.tsx';
import { StatusBody } from './status-body.tsx';
import { usePanel } from './use-panel.ts';

const selectTargetId = (shown: Shown): string | undefined => shown.target?.id;

/** Rows that a copy carries. */
const copiedRowsMax = 1000;

/** Slow calls, one by one, newest first. Scrolling down holds the table still; the top lets it go on. */
export const CallsPanel = memo(function CallsPanel(): ReactNode {
  const { app } = useStores();
  const page = usePage();
  const view = useShown(selectCallsView, 'first');
  const targetId = useShown(selectTargetId, 'first');
  const scrollRef = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState<CallRows>();
  const rows = held ?? view.rows;
  const tools = usePanel('calls', `slow calls: ${view.stream?.title ?? ''}`, () =>
    callsTable({ ...view, rows }, copiedRowsMax),
  );
  const hold = useCallback((isAtTop: boolean, current: CallRows | undefined) => {
    if (isAtTop) setHeld(undefined);
    else setHeld((known) => known ?? (current === undefined ? undefined : freezeCallRows(current)));
  }, []);
  const goOn = (): void => {
    setHeld(undefined);
    scrollRef.current?.scrollTo({ top: 0 });
  };
  const newer = held === undefined || view.rows === undefined ? 0 : view.rows.ring.addedCount - held.ring.addedCount;
  const { status } = view;
  return (
    <Panel
      id="calls"
      title="slow calls"
      unit={view.stream === undefined ? 'one by one, newest first' : `${view.stream.title}, newest first`}
      note={status.kind === 'ready' ? status.note : undefined}
      isLossy={status.kind === 'ready' && status.isLossy}
      onCopy={tools.onCopy}
      spoken={tools.said}
      controls={
        <>
          {status.kind === 'ready' ? (
            <span className="calls-kept">{`${formatExact(rows?.calls.length)} of ${formatPlural(view.keptCount, 'call')} kept`}</span>
          ) : null}
          {held === undefined ? null : <Button icon="up" label={`${formatExact(newer)} newer`} onClick={goOn} />}
          {view.rows === undefined ? null : (
            <Button
              look="icon"
              icon={held === undefined ? 'pause' : 'play'}
              label={held === undefined ? 'Hold this table' : 'Let this table go on'}
              isPressed={held !== undefined}
              onClick={() => (held === undefined ? hold(false, view.rows) : goOn())}
            />
          )}
          {view.streams.length > 1 ? (
            <Segmented
              label="stream"
              value={view.stream?.key ?? ''}
              options={view.streams.map(({ key, title }) => ({ value: key, label: title }))}
              onChange={(calls) => {
                setHeld(undefined);
                app.page.set({ calls });
              }}
            />
          ) : null}
        </>
      }
    >
      <StatusBody status={status} shape="table" targetId={targetId}>
        {() =>
          rows === undefined || rows.calls.length === 0 ? (
            <EmptyState
              why={`Filtered away: none of the ${formatPlural(view.keptCount, 'call')} kept is of ${page.process ?? page.mode ?? 'this'}.`}
            >
              <Button label="Clear filters" onClick={() => app.page.set({ process: undefined, mode: undefined })} />
            </EmptyState>
          ) : (
            <DataTable
              label="slow calls"
              scrollRef={scrollRef}
              columns={view.columns.map(tableColumn)}
              rowCount={rows.calls.length}
              rowAt={(index) => ({ key: String(rows.calls[index]), cells: rowCells(rows, index) })}
              onScrolled={(isAtTop) => hold(isAtTop, view.rows)}
            />
          )
        }
      </StatusBody>
    </Panel>
  );
});

function tableColumn(column: Column): TableColumn {
  return {
    id: column.name,
    title: columnTitle(column),
    hint: column.description,
    align: isNumber(column) ? 'end' : 'start',
    track: trackOf(column),
  };
}

function trackOf({ type, unit }: Column): string {
  if (type === 'text') return 'minmax(120px, 2fr)';
  if (type === 'timeNs') return 'minmax(96px, 1fr)';
  return unit === 'id' ? 'minmax(60px, 0.7fr)' : 'minmax(84px, 1fr)';
}

function rowCells(rows: CallRows, index: number): readonly { text: string; exact: string; mark?: ReactNode }[] {
  return callCells(rows, index).map(({ text, exact, mark }) => ({
    text,
    exact,
    ...(mark === undefined ? {} : { mark: <MarkGlyph {...mark} /> }),
  }));
}
