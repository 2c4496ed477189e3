import type { ReactNode } from 'react';
import type { Scope } from '../../store/scope.ts';
import { useStores } from '../../store/use-store.ts';

/** Says what a filter cannot do for a panel, and offers to trace only that process where its pid is known. */
export function ScopeNote({ scope }: { readonly scope: Scope | undefined }): ReactNode {
  const { app } = useStores();
  if (scope === undefined) return null;
  const { why, narrow } = scope;
  return (
    <span className="scope" title={why}>
      {why}
      {narrow === undefined ? null : (
        <button
          type="button"
          className="link"
          title={`stops ${narrow.run.probe} ${narrow.run.stream} and starts it again for pid ${narrow.pid} (${narrow.process}) alone`}
          onClick={() => void app.restart(narrow.targetId, narrow.run, { pid: narrow.pid })}
        >
          trace only pid {narrow.pid}
        </button>
      )}
    </span>
  );
}
