import type { ReactNode } from 'react';
import type { TableData } from '../../store/table-data.ts';
import { DataTable } from '../../widgets/data-table.tsx';

/** The table behind a chart. */
export function TextTable({ label, table }: { readonly label: string; readonly table: TableData }): ReactNode {
  const columns = table.columns.map(({ id, title, align }, index) => ({
    id,
    title,
    align,
    track: index === 0 ? 'minmax(150px, 1.6fr)' : 'minmax(70px, 1fr)',
  }));
  return (
    <DataTable
      label={label}
      columns={columns}
      rowCount={table.rows.length}
      rowAt={(index) => {
        const row = table.rows[index];
        return { key: row?.key ?? String(index), cells: (row?.cells ?? []).map((text) => ({ text })) };
      }}
    />
  );
}
