import type { ReactNode } from 'react';
import type { LiveViewName } from '../../store/page-state.ts';
import { useStores } from '../../store/use-store.ts';
import { Segmented } from '../../widgets/segmented.tsx';

/** Locks, or the fault path. */
export function ViewSwitch({ view }: { readonly view: LiveViewName }): ReactNode {
  const { app } = useStores();
  return (
    <Segmented
      label="view"
      value={view}
      options={[
        { value: 'locks', label: 'Locks' },
        { value: 'path', label: 'Fault path' },
      ]}
      onChange={(chosen) => app.page.set({ view: chosen })}
    />
  );
}
