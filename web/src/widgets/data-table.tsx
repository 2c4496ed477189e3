import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type MouseEvent, type ReactNode, type RefObject, useEffect, useRef } from 'react';

/** A column: how wide (a CSS track), which side its cells stand on. */
export type TableColumn = {
  readonly id: string;
  readonly title: string;
  readonly unit?: string | undefined;
  readonly hint?: string | undefined;
  readonly align: 'start' | 'end';
  readonly track: string;
  readonly isSortable?: boolean;
};

/** One cell: its text, what to say on hover, and a bar behind it (0..1) with its colour. */
export type TableCell = {
  readonly text: string;
  readonly exact?: string | undefined;
  readonly bar?: { readonly share: number; readonly color: string } | undefined;
  readonly mark?: ReactNode;
  /** Shown instead of the text; what is pressed in it is no pick of the row. */
  readonly content?: ReactNode;
};

/** One row; the key is the same as long as the thing is. */
export type TableRow = { readonly key: string; readonly cells: readonly TableCell[] };

type Props = {
  readonly label: string;
  readonly columns: readonly TableColumn[];
  readonly rowCount: number;
  /** Called for the rows in sight only. */
  readonly rowAt: (index: number) => TableRow;
  readonly sortedBy?: string | undefined;
  readonly onSort?: ((column: string) => void) | undefined;
  readonly selectedKey?: string | undefined;
  readonly onPick?: ((key: string) => void) | undefined;
  readonly onScrolled?: ((isAtTop: boolean) => void) | undefined;
  readonly scrollRef?: RefObject<HTMLDivElement | null>;
  /** `streaming`: rows are other ones each time, so a place in the table keeps its elements instead of a row. */
  readonly flow?: 'streaming' | 'steady';
  /** Told which rows are in sight, first and last. */
  readonly onSight?: ((first: number, last: number) => void) | undefined;
  /** px; 22 where none is given. */
  readonly rowHeight?: number;
  /** Whether the sorting is from the smallest on. */
  readonly isAscending?: boolean;
};

const usualRowHeight = 22;

/** A table of any length: only the rows in sight are in the document. */
export function DataTable(props: Props): ReactNode {
  const { label, columns, rowCount, rowAt, sortedBy, onSort, onScrolled, isAscending = false } = props;
  const sorting = isAscending ? 'ascending' : 'descending';
  const rowHeight = props.rowHeight ?? usualRowHeight;
  const ownRef = useRef<HTMLDivElement>(null);
  const scrollRef = props.scrollRef ?? ownRef;
  const virtual = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => rowHeight,
    overscan: 6,
  });
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  const { onSight } = props;
  useEffect(() => onSight?.(first, last), [onSight, first, last]);
  const tracks = { gridTemplateColumns: columns.map(({ track }) => track).join(' '), height: rowHeight };
  return (
    <div
      className="table"
      ref={scrollRef}
      role="table"
      aria-label={label}
      aria-rowcount={rowCount + 1}
      tabIndex={-1}
      onScroll={onScrolled === undefined ? undefined : (event) => onScrolled(event.currentTarget.scrollTop < rowHeight)}
    >
      <div className="table-row table-head" role="row" aria-rowindex={1} style={tracks}>
        {columns.map((column) => (
          <ColumnHead
            key={column.id}
            column={column}
            sorting={column.id === sortedBy ? sorting : undefined}
            onSort={onSort}
          />
        ))}
      </div>
      <div className="table-body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rowAt(item.index);
          const key = props.flow === 'streaming' ? item.key : row.key;
          return <Row key={key} {...props} index={item.index} top={item.start} row={row} tracks={tracks} />;
        })}
      </div>
    </div>
  );
}

const arrows = { ascending: ' ↑', descending: ' ↓' } as const;

function ColumnHead({
  column,
  sorting,
  onSort,
}: {
  readonly column: TableColumn;
  readonly sorting: 'ascending' | 'descending' | undefined;
  readonly onSort: ((column: string) => void) | undefined;
}): ReactNode {
  const { id, title, unit, hint, align } = column;
  const words = (
    <>
      {title}
      {unit === undefined ? null : <small> {unit}</small>}
    </>
  );
  return (
    <div role="columnheader" className={`table-cell align-${align}`} title={hint} aria-sort={sorting}>
      {column.isSortable === true && onSort !== undefined ? (
        <button type="button" className="table-sort" onClick={() => onSort(id)}>
          {words}
          <span aria-hidden="true">{sorting === undefined ? '' : arrows[sorting]}</span>
        </button>
      ) : (
        words
      )}
    </div>
  );
}

type RowProps = Props & {
  readonly index: number;
  readonly top: number;
  readonly row: TableRow;
  readonly tracks: { readonly gridTemplateColumns: string; readonly height: number };
};

function Row({ columns, index, top, row, tracks, selectedKey, onPick }: RowProps): ReactNode {
  const isSelected = selectedKey !== undefined && row.key === selectedKey;
  const pick = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.key !== 'Enter' || event.target !== event.currentTarget) return;
    event.preventDefault();
    onPick?.(row.key);
  };
  const click = (event: MouseEvent<HTMLDivElement>): void => {
    if (!(event.target instanceof Element && event.target.closest('button, [popover], dialog') !== null))
      onPick?.(row.key);
  };
  const picking = onPick === undefined ? {} : { onClick: click, onKeyDown: pick, tabIndex: 0 };
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={onPick === undefined ? undefined : isSelected}
      className={`table-row${isSelected ? ' is-selected' : ''}${onPick === undefined ? '' : ' is-pickable'}`}
      style={{ ...tracks, transform: `translateY(${top}px)` }}
      {...picking}
    >
      {columns.map(({ id, align }, column) => (
        <Cell key={id} align={align} cell={row.cells[column]} />
      ))}
    </div>
  );
}

function Cell({ align, cell }: { readonly align: 'start' | 'end'; readonly cell: TableCell | undefined }): ReactNode {
  return (
    <div role="cell" className={`table-cell align-${align}`} title={cell?.exact}>
      {cell?.bar === undefined ? null : (
        <span className="table-bar" style={{ width: `${cell.bar.share * 100}%`, background: cell.bar.color }} />
      )}
      {cell?.mark}
      {cell?.content === undefined ? (
        <span className="table-text">{cell?.text}</span>
      ) : (
        <span className="table-content">{cell.content}</span>
      )}
    </div>
  );
}
