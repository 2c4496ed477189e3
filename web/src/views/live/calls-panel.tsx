import { type ReactNode, memo, useCallback, useRef, useState } from 'react';
import { type Column, formatExact, formatPlural } from '@faultline/shared';
import type { CallRow, CallRows } from '../../store/call-rows.ts';
import { isNumber, orderWords } from '../../store/calls-question.ts';
import { type CallsView, callsTable, columnTitle } from '../../store/select-calls.ts';
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
import { useAskedCalls } from './use-asked-calls.ts';
import { usePanel } from './use-panel.ts';

/** Rows that a copy carries. */
const copiedRowsMax = 1000;

type Props = {
  readonly title: string;
  /** A module's function, the same at every render. */
  readonly select: (shown: Shown) => CallsView;
};

/**
 * Calls, one by one, newest first. Scrolling down holds the table still; the top lets it go on. Those of a closed session are asked for as
 * they come into sight, in the order of any column.
 */
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
    setHeld((known) => known ?? current?.freeze());
  }, []);
  const { asked } = view;
  const hasTable = rows !== undefined && rows.count > 0;
  const { see, sort, retry } = useAskedCalls(view, hasTable, scrollRef);
  const goOn = (): void => {
    setHeld(undefined);
    scrollRef.current?.scrollTo({ top: 0 });
  };
  return (
    <Panel
      id={panel.elementId}
      title={title}
      unit={`${view.stream?.title ?? 'one by one'}, ${view.asked === undefined ? 'newest first' : orderWords(view.columns, view.asked.order)}`}
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      frameRef={panel.frameRef}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="calls" said={panel.said} />}
      controls={<CallsControls view={view} held={held} onHold={() => hold(view.rows)} onGoOn={goOn} />}
    >
      <StatusBody
        status={status}
        shape="table"
        targetId={panel.targetId}
        onRetry={asked === undefined ? undefined : retry}
      >
        {() =>
          rows === undefined || !hasTable ? (
            <FilteredAway view={view} wanted={panel.page.process ?? panel.page.mode ?? 'this'} />
          ) : (
            <DataTable
              label={title}
              scrollRef={scrollRef}
              flow="streaming"
              columns={view.columns.map((column) => tableColumn(column, asked !== undefined))}
              sortedBy={asked?.order.column}
              isAscending={asked?.order.isAscending ?? false}
              onSort={asked === undefined ? undefined : sort}
              onSight={see}
              rowCount={rows.count}
              rowAt={(index) => tableRow(rows.rowAt(index))}
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
  const newer = held === undefined || view.rows === undefined ? 0 : view.rows.addedCount - held.addedCount;
  const shownCount = (held ?? view.rows)?.count;
  return (
    <>
      {view.rows === undefined ? null : (
        <>
          <span className="calls-kept" aria-busy={view.asked?.isOld === true}>
            {keptWords(view, shownCount)}
          </span>
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
function keptWords({ keptCount, olderCount, asked }: CallsView, shownCount: number | undefined): string {
  if (asked !== undefined) {
    const all = formatPlural(keptCount, 'call');
    return shownCount === keptCount ? all : `the first ${formatExact(shownCount)} of ${all}`;
  }
  const kept = `${formatExact(shownCount)} of ${formatPlural(keptCount, 'call')} kept`;
  return olderCount === 0 ? kept : `${kept}, the newest; ${formatExact(olderCount)} of the session are older`;
}

function FilteredAway({ view, wanted }: { readonly view: CallsView; readonly wanted: string }): ReactNode {
  const { app } = useStores();
  const which =
    view.asked === undefined ? `the ${formatPlural(view.keptCount, 'call')} kept` : 'the calls of this part';
  return (
    <EmptyState why={`Filtered away: none of ${which} is of ${wanted}.`}>
      <Button label="Clear filters" onClick={() => app.page.set({ process: undefined, mode: undefined })} />
    </EmptyState>
  );
}

function tableColumn(column: Column, isSortable: boolean): TableColumn {
  return {
    id: column.name,
    title: columnTitle(column),
    hint: column.description,
    align: isNumber(column) ? 'end' : 'start',
    track: trackOf(column),
    isSortable,
  };
}

function trackOf({ type, unit }: Column): string {
  if (type === 'text') return 'minmax(120px, 2fr)';
  if (type === 'timeNs') return 'minmax(96px, 1fr)';
  return unit === 'id' ? 'minmax(60px, 0.7fr)' : 'minmax(84px, 1fr)';
}

function tableRow({ key, cells }: CallRow): { readonly key: string; readonly cells: readonly TableCell[] } {
  // On its way.
  if (cells.length === 0) return { key, cells: [{ text: '…' }] };
  return {
    key,
    cells: cells.map(({ text, exact, mark }) => ({
      text,
      exact,
      ...(mark === undefined ? {} : { mark: <MarkGlyph {...mark} /> }),
    })),
  };
}
