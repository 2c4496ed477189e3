import { useCallback, useState } from 'react';
import { type TableData, tableText } from '../../store/table-data.ts';
import { usePage, useStores } from '../../store/use-store.ts';

/** What a panel needs to open its table and to copy itself. */
export type PanelTools = {
  readonly isTableOpen: boolean;
  readonly onTable: () => void;
  readonly onCopy: () => void;
  /** What a copy said: read out. */
  readonly said: string | undefined;
};

/** The table switch (in the address) and the copy key of a panel. */
export function usePanel(id: string, title: string, tableOf: () => TableData): PanelTools {
  const { app } = useStores();
  const { table } = usePage();
  const [said, setSaid] = useState<string>();
  const isTableOpen = table === id;
  const onTable = useCallback(() => app.page.set({ table: isTableOpen ? undefined : id }), [app, id, isTableOpen]);
  const onCopy = (): void => {
    navigator.clipboard.writeText(tableText(title, tableOf())).then(
      () => setSaid(`${title}: copied as text`),
      () => setSaid('the browser did not allow copying'),
    );
  };
  return { isTableOpen, onTable, onCopy, said };
}
