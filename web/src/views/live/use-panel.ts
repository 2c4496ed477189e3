import { type RefCallback, useState } from 'react';
import type { Shown } from '../../store/app-state.ts';
import type { Rank } from '../../store/cadence.ts';
import { type TableData, tableText } from '../../store/table-data.ts';
import { isSideBySide } from '../../store/side-by-side.ts';
import { type PanelShown, useColumn, usePanelShown, useStores } from '../../store/use-store.ts';
import { useSight } from './use-sight.ts';

type Question<T> = {
  readonly id: string;
  readonly title: string;
  /** A module's function, the same at every render. */
  readonly select: (shown: Shown) => T;
  readonly rank: Rank;
  /** What a copy carries. */
  readonly tableOf: (view: T) => TableData;
};

/** What a panel is drawn from, and its tools. */
export type PanelTools<T> = PanelShown<T> & {
  readonly frameRef: RefCallback<HTMLElement>;
  readonly isTableOpen: boolean;
  readonly onTable: () => void;
  readonly onCopy: () => void;
  /** The panel in the document: in the right column another one than in the left. */
  readonly elementId: string;
  /** What a copy said: read out. */
  readonly said: string | undefined;
};

/** A panel's data, its table switch (in the address) and its copy key. */
export function usePanel<T>({ id, title, select, rank, tableOf }: Question<T>): PanelTools<T> {
  const { app } = useStores();
  const column = useColumn();
  const { sight, frameRef } = useSight();
  const shown = usePanelShown(select, rank, sight);
  const [said, setSaid] = useState<string>();
  const isTableOpen = shown.page.table === id;
  const onTable = (): void => app.page.set({ table: isTableOpen ? undefined : id });
  const onCopy = (): void => {
    const whole = isSideBySide(shown.page) ? `${title}, ${shown.targetId ?? column}` : title;
    navigator.clipboard.writeText(tableText(whole, tableOf(shown.view))).then(
      () => setSaid(`${title}: copied as text`),
      () => setSaid('the browser did not allow copying'),
    );
  };
  const elementId = column === 'left' ? id : `${id}-${column}`;
  return { ...shown, elementId, frameRef, isTableOpen, onTable, onCopy, said };
}
