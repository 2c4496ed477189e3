import { type ReactNode, useState } from 'react';
import { type TableData, tableText } from '../../store/table-data.ts';
import { usePage, useStores } from '../../store/use-store.ts';
import { Panel } from '../../widgets/panel.tsx';
import { TextTable } from '../live/text-table.tsx';

type Props = {
  readonly id: string;
  readonly title: string;
  readonly unit?: string;
  readonly note?: string | undefined;
  readonly controls?: ReactNode;
  readonly legend?: ReactNode;
  /** The table behind the picture; undefined where the panel has nothing to draw. */
  readonly table: TableData | undefined;
  /** A table that stands in the panel anyway is only copied. */
  readonly isTable?: boolean;
  readonly children: ReactNode;
};

/** A panel of a comparison: its picture or the table behind it (in the address), and its copy key. */
export function ComparePanel({
  id,
  title,
  unit,
  note,
  controls,
  legend,
  table,
  isTable = false,
  children,
}: Props): ReactNode {
  const { app } = useStores();
  const page = usePage();
  const [said, setSaid] = useState<string>();
  const isTableOpen = page.table === id && table !== undefined && !isTable;
  const copy = (): void => {
    if (table === undefined) return;
    navigator.clipboard.writeText(tableText(title, table)).then(
      () => setSaid(`${title}: copied as text`),
      () => setSaid('the browser did not allow copying'),
    );
  };
  return (
    <Panel
      id={id}
      title={title}
      unit={unit}
      note={note}
      controls={controls}
      legend={legend}
      isTableOpen={isTableOpen}
      onTable={table === undefined || isTable ? undefined : () => app.page.set({ table: isTableOpen ? undefined : id })}
      onCopy={table === undefined ? undefined : copy}
      spoken={
        <p className="unseen" aria-live="polite">
          {said}
        </p>
      }
    >
      {isTableOpen ? <TextTable label={title} table={table} /> : children}
    </Panel>
  );
}
