/** The store for components: the only file of the store that knows React. */
import { createContext, useCallback, useContext, useMemo, useSyncExternalStore } from 'react';
import { assert } from '@faultline/shared';
import type { Shown } from './app-state.ts';
import type { AppStore } from './app-store.ts';
import type { Rank } from './cadence.ts';
import { type Cursor, type CursorStore, cursorIn } from './cursor-store.ts';
import type { PageState } from './page-state.ts';
import type { LiveColumn } from './side-by-side.ts';

/** The stores, made by main and given to the page. */
export type Stores = { readonly app: AppStore; readonly cursor: CursorStore };

/** Where components find the stores. */
export const StoresContext = createContext<Stores | undefined>(undefined);

/** In which column a component stands; without a second target everything is in the left one. */
export const LiveColumnContext = createContext<LiveColumn>('left');

/** The column that a component stands in. */
export function useColumn(): LiveColumn {
  return useContext(LiveColumnContext);
}

/** The stores; for actions. What is drawn comes from useShown. */
export function useStores(): Stores {
  const stores = useContext(StoresContext);
  assert(stores !== undefined, 'the page is inside StoresContext');
  return stores;
}

/** What a selector makes of the moment shown, anew at every round of its rank. The selector is a module's function. */
export function useShown<T>(select: (shown: Shown) => T, rank: Rank): T {
  const { app } = useStores();
  const column = useColumn();
  const subscribe = useCallback((listener: () => void) => app.cadence.subscribe(rank, listener), [app, rank]);
  const shown = useSyncExternalStore(subscribe, app.shownIn[column]);
  return useMemo(() => select(shown), [select, shown]);
}

/** Whether a panel is in sight: one that is not need not be drawn. `onEnter` is called when it comes into sight. */
export type Sight = { isInSight: boolean; onEnter: (() => void) | undefined };

/** What a panel is drawn from: all of one moment. */
export type PanelShown<T> = { readonly view: T; readonly page: PageState; readonly targetId: string | undefined };

/** As useShown, for a panel: with the address and the target of the same moment, and only while it is in sight. */
export function usePanelShown<T>(select: (shown: Shown) => T, rank: Rank, sight: Sight): PanelShown<T> {
  const { app } = useStores();
  const column = useColumn();
  const subscribe = useCallback(
    (listener: () => void) => {
      Object.assign(sight, { onEnter: listener });
      return app.cadence.subscribe(rank, () => {
        if (sight.isInSight) listener();
      });
    },
    [app, rank, sight],
  );
  const shown = useSyncExternalStore(subscribe, app.shownIn[column]);
  return useMemo(() => ({ view: select(shown), page: shown.page, targetId: shown.target?.id }), [select, shown]);
}

/** What the address says, at once. */
export function usePage(): PageState {
  const { app } = useStores();
  return useSyncExternalStore(app.page.subscribe, app.page.get);
}

/** The instant that charts point at, by the clock of the column's target. */
export function useCursor(): Cursor | undefined {
  const { app, cursor } = useStores();
  const column = useColumn();
  const at = useSyncExternalStore(cursor.subscribe, cursor.get);
  return cursorIn(column, at, app.shownIn[column]());
}

/** Moves the instant that charts point at, of the column's target; undefined takes it away. */
export function usePointing(panel: string): (atNs: number | undefined, by: Cursor['by']) => void {
  const { cursor } = useStores();
  const column = useColumn();
  return (atNs, by) => cursor.set(atNs === undefined ? undefined : { atNs, column, by, panel });
}
