import { type ReactNode, memo, useCallback, useRef, useState } from 'react';
import { type Column, formatExact, formatPlural } from '@faultline/shared';
import {
  type CallRows,
  type CallsView,
  callCells,
  callsTable,
  columnTitle,
  freezeCallRows,
  isNumber,
} from '../../store/select-calls.ts';
import type { Shown } from '../../store/app-state.ts';
import { usePage, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { DataTable, type TableCell, type TableColumn } from '../../widgets/data-table.tsx';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';
import { Panel } from '../../widgets/panel.tsx';
import { EmptyState } from '../../widgets/panel-states.tsx';
import { Segmented } from '../../widgets/segmented.tsx';
import { Spoken } from './spoken.tsx';
import { StatusBody } from './status-body.tsx';
import { usePanel } from './use-panel.ts';

/** Rows that a copy carries. */
const copiedRowsMax = 1000;

type Props = {
  readonly title: string;
  /** A module's function, the same at every render. */
  readonly select: (shown: Shown) => CallsView;
};

/** Calls, one by one, newest first. Scrolling down holds the table still; the top lets it go on. */
export const CallsPanel = memo(function CallsPanel({ title, select }: Props): ReactNode {
  const scrollRef = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState<CallRows>();
  const panel = usePanel({
    id: 'calls',
    title,
    select,
    rank: 'first',
    tableOf: (view) => callsTable({ ...view, rows: held ?? view.rows }, copiedRowsMax),
  });
  const { view } = panel;
  const { status } = view;
  const isRecorded = panel.page.page === 'sessions';
  const rows = held ?? view.rows;
  const hold = useCallback((current: CallRows | undefined) => {
    setHeld((known) => known ?? (current === undefined ? undefined : freezeCallRows(current)));
  }, []);
  const goOn = (): void => {
    setHeld(undefined);
    scrollRef.current?.scrollTo({ top: 0 });
  };
  return (
    <Panel
      id="calls"
      title={title}
      unit={view.stream === undefined ? 'one by one, newest first' : `${view.stream.title}, newest first`}
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      frameRef={panel.frameRef}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="calls" said={panel.said} />}
      controls={<CallsControls view={view} held={held} onHold={() => hold(view.rows)} onGoOn={goOn} />}
    >
      <StatusBody status={status} shape="table" targetId={panel.targetId}>
        {() =>
          rows === undefined || rows.calls.length === 0 ? (
            <FilteredAway keptCount={view.keptCount} wanted={panel.page.process ?? panel.page.mode ?? 'this'} />
          ) : (
            <DataTable
              label={title}
              scrollRef={scrollRef}
              flow="streaming"
              columns={view.columns.map(tableColumn)}
              rowCount={rows.calls.length}
              rowAt={(index) => ({ key: String(rows.calls[index]), cells: rowCells(rows, index) })}
              onScrolled={(isAtTop) => (isAtTop || isRecorded ? setHeld(undefined) : hold(view.rows))}
            />
          )
        }
      </StatusBody>
    </Panel>
  );
});

function CallsControls({
  view,
  held,
  onHold,
  onGoOn,
}: {
  readonly view: CallsView;
  readonly held: CallRows | undefined;
  readonly onHold: () => void;
  readonly onGoOn: () => void;
}): ReactNode {
  const { app } = useStores();
  const isRecorded = usePage().page === 'sessions';
  const newer = held === undefined || view.rows === undefined ? 0 : view.rows.ring.addedCount - held.ring.addedCount;
  const shownCount = (held ?? view.rows)?.calls.length;
  return (
    <>
      {view.rows === undefined ? null : (
        <>
          <span className="calls-kept">{keptWords(view, shownCount)}</span>
          {isRecorded ? null : (
            <HoldButton newerCount={held === undefined ? undefined : newer} onHold={onHold} onGoOn={onGoOn} />
          )}
        </>
      )}
      {view.streams.length > 1 ? (
        <Segmented
          label="stream"
          value={view.stream?.key ?? ''}
          options={view.streams.map(({ key, title }) => ({ value: key, label: title }))}
          onChange={(calls) => {
            onGoOn();
            app.page.set({ calls });
          }}
        />
      ) : null}
    </>
  );
}

/** Holds the table still, or lets it go on; how many calls came meanwhile. */
function HoldButton({
  newerCount,
  onHold,
  onGoOn,
}: {
  readonly newerCount: number | undefined;
  readonly onHold: () => void;
  readonly onGoOn: () => void;
}): ReactNode {
  if (newerCount === undefined)
    return <Button look="icon" icon="pause" label="Hold this table" onClick={onHold} isPressed={false} />;
  return <Button icon="up" label={`Go on, ${formatExact(newerCount)} newer`} onClick={onGoOn} />;
}

/** Calls in the table, and those there are: kept by a live page, or in the part of a recorded session. */
function keptWords({ keptCount, olderCount }: CallsView, shownCount: number | undefined): string {
  const kept = `${formatExact(shownCount)} of ${formatPlural(keptCount, 'call')} kept`;
  return olderCount === 0 ? kept : `${kept}, the newest; ${formatExact(olderCount)} of the session are older`;
}

function FilteredAway({ keptCount, wanted }: { readonly keptCount: number; readonly wanted: string }): ReactNode {
  const { app } = useStores();
  return (
    <EmptyState why={`Filtered away: none of the ${formatPlural(keptCount, 'call')} kept is of ${wanted}.`}>
      <Button label="Clear filters" onClick={() => app.page.set({ process: undefined, mode: undefined })} />
    </EmptyState>
  );
}

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

function rowCells(rows: CallRows, index: number): readonly TableCell[] {
  return callCells(rows, index).map(({ text, exact, mark }) => ({
    text,
    exact,
    ...(mark === undefined ? {} : { mark: <MarkGlyph {...mark} /> }),
  }));
}
