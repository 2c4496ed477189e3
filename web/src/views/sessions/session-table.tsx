import { type ReactNode, memo } from 'react';
import { formatBytes, formatCount, formatExact } from '@faultline/shared';
import { type SessionOrder, type SessionRow, type SessionsPage, sessionOrders } from '../../store/select-sessions.ts';
import { useStores } from '../../store/use-store.ts';
import { DataTable, type TableCell, type TableColumn } from '../../widgets/data-table.tsx';
import { EndText } from '../../widgets/end-text.tsx';
import { Icon } from '../../widgets/icon.tsx';
import { SessionMenu } from './session-menu.tsx';

const rowHeight = 30;

const tracks: Readonly<Record<SessionOrder, readonly [title: string, track: string, hint?: string]>> = {
  title: ['session', 'minmax(160px, 2.4fr)'],
  kernel: ['kernel', 'minmax(120px, 1.3fr)'],
  build: ['build', 'minmax(136px, 1.7fr)', 'as comparisons name it, and its module where that is one of its own'],
  target: ['target', 'minmax(102px, 1fr)'],
  workload: ['workload', 'minmax(80px, 0.8fr)'],
  label: ['label', 'minmax(80px, 1fr)'],
  when: ['when', 'minmax(146px, 1.1fr)'],
  duration: ['duration', 'minmax(70px, 0.7fr)'],
  events: ['events', 'minmax(58px, 0.6fr)', 'what the figures hold'],
  faults: ['faults', 'minmax(58px, 0.6fr)', 'of vfio where it was traced, page faults otherwise'],
  violations: ['violations', 'minmax(72px, 0.7fr)', 'a dash where nobody checked'],
  lost: ['lost', 'minmax(54px, 0.5fr)'],
  bytes: ['size', 'minmax(66px, 0.7fr)', 'on disk'],
};

const numbers: readonly SessionOrder[] = ['duration', 'events', 'faults', 'violations', 'lost', 'bytes'];

const columns: readonly TableColumn[] = [
  ...sessionOrders.map((id): TableColumn => {
    const [title, track, hint] = tracks[id];
    return { id, title, track, hint, align: numbers.includes(id) ? 'end' : 'start', isSortable: true };
  }),
  { id: 'more', title: '', align: 'end', track: '34px' },
];

/** Sessions, one a row; a row opens. Hundreds of them cost what is in sight. */
export const SessionTable = memo(function SessionTable({ page }: { readonly page: SessionsPage }): ReactNode {
  const { app } = useStores();
  const { rows, order, isAscending } = page;
  const sort = (column: string): void => {
    const isText = !numbers.some((name) => name === column) && column !== 'when';
    // A first press sorts as one expects of the column: words from A on, numbers from the largest on; a second one turns it.
    const turned = column === order ? !isAscending : isText;
    app.page.set({ order: column === 'when' && !turned ? undefined : `${turned ? '' : '-'}${column}` });
  };
  return (
    <div className="session-table">
      <DataTable
        label="recorded sessions"
        columns={columns}
        rowCount={rows.length}
        rowHeight={rowHeight}
        rowAt={(index) => tableRow(rows[index])}
        sortedBy={order}
        isAscending={isAscending}
        onSort={sort}
        onPick={(session) => app.page.set({ session, ...wholeSession })}
      />
    </div>
  );
});

/** What a session that is opened anew shows: all of it, without the filters of what was looked at before. */
const wholeSession = { fromMs: undefined, toMs: undefined, process: undefined, mode: undefined, view: undefined };

function tableRow(row: SessionRow | undefined): { readonly key: string; readonly cells: readonly TableCell[] } {
  if (row === undefined) return { key: '', cells: [] };
  const badge = row.badge === undefined ? '' : ` (${row.badge})`;
  return {
    key: row.id,
    cells: [
      {
        text: row.title,
        exact: [row.id, row.endWords].filter((part) => part !== undefined).join('\n'),
        content: <Title row={row} />,
      },
      plain(row.kernel),
      {
        text: row.build,
        exact: [row.build, row.module].filter((part) => part !== undefined).join('\n'),
        content: <Build row={row} />,
      },
      { text: row.target + badge, exact: `${row.target}${badge}\n${row.probes}` },
      ended(row.workload),
      ended(row.label),
      plain(row.when),
      plain(row.lengthWords),
      number(row.events),
      row.isCounting ? counting : { ...number(row.faults), exact: `${formatExact(row.faults)}: ${row.faultsHint}` },
      row.isCounting ? counting : { ...number(row.violations), content: <Violations count={row.violations} /> },
      { ...number(row.lost), content: <Lost row={row} /> },
      { text: formatBytes(row.bytes), exact: `${formatExact(row.bytes)} bytes` },
      { text: '', content: <SessionMenu row={row} /> },
    ],
  };
}

function Title({ row }: { readonly row: SessionRow }): ReactNode {
  return (
    <>
      {row.isPinned ? (
        <span className="session-pin" title="pinned: it stays">
          <Icon name="pin" />
        </span>
      ) : null}
      <b className="table-text">
        <EndText text={row.title} />
      </b>
      {row.notesWords === undefined ? null : <span className="tag">{row.notesWords}</span>}
      {row.isLive ? <span className="tag tag-live">recording</span> : null}
      {row.endWords === undefined ? null : <span className="tag tag-lossy">cut short</span>}
    </>
  );
}

function Build({ row }: { readonly row: SessionRow }): ReactNode {
  return (
    <>
      <EndText text={row.build} />
      {row.module === undefined ? null : <small className="session-module table-text">{row.module}</small>}
    </>
  );
}

function Violations({ count }: { readonly count: number | undefined }): ReactNode {
  return count === undefined || count === 0 ? (
    formatCount(count)
  ) : (
    <b className="session-violation">✕ {formatCount(count)}</b>
  );
}

/** Zero only where nothing is missing; what is incomplete for another reason says so. */
function Lost({ row }: { readonly row: SessionRow }): ReactNode {
  if (row.lost > 0) return <b className="session-lost">{formatCount(row.lost)}</b>;
  return row.isComplete ? (
    '0'
  ) : (
    <span className="session-lost" title="not lost, but not whole either">
      0, incomplete
    </span>
  );
}

function ended(text: string): TableCell {
  return { text, exact: text, content: <EndText text={text} /> };
}

function plain(text: string): TableCell {
  return { text, exact: text };
}

/** What the list asks for again until it is known. */
const counting: TableCell = { text: '…', exact: 'being counted' };

function number(value: number | undefined): TableCell {
  return { text: formatCount(value), exact: formatExact(value) };
}
