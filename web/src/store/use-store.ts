/** The store for components: the only file of the store that knows React. */
import { createContext, useCallback, useContext, useMemo, useSyncExternalStore } from 'react';
import { assert } from '@faultline/shared';
import type { Shown } from './app-state.ts';
import type { AppStore } from './app-store.ts';
import type { Rank } from './cadence.ts';
import type { Cursor, CursorStore } from './cursor-store.ts';
import type { PageState } from './page-state.ts';

/** The stores, made by main and given to the page. */
export type Stores = { readonly app: AppStore; readonly cursor: CursorStore };

/** Where components find the stores. */
export const StoresContext = createContext<Stores | undefined>(undefined);

/** The stores; for actions. What is drawn comes from useShown. */
export function useStores(): Stores {
  const stores = useContext(StoresContext);
  assert(stores !== undefined, 'the page is inside StoresContext');
  return stores;
}

/** What a selector makes of the moment shown, anew at every round of its rank. The selector is a module's function. */
export function useShown<T>(select: (shown: Shown) => T, rank: Rank): T {
  const { app } = useStores();
  const subscribe = useCallback((listener: () => void) => app.cadence.subscribe(rank, listener), [app, rank]);
  const shown = useSyncExternalStore(subscribe, app.get);
  return useMemo(() => select(shown), [select, shown]);
}

/** What the address says, at once. */
export function usePage(): PageState {
  const { app } = useStores();
  return useSyncExternalStore(app.page.subscribe, app.page.get);
}

/** The instant that charts point at. */
export function useCursor(): Cursor | undefined {
  const { cursor } = useStores();
  return useSyncExternalStore(cursor.subscribe, cursor.get);
}
