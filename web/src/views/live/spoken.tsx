import type { ReactNode } from 'react';
import { useColumn, useCursor, useStores } from '../../store/use-store.ts';

/** Reads out what stands at the cursor, when keys moved it in this panel, of both columns; or what a copy said. */
export function Spoken({
  panel,
  said,
  describe,
}: {
  readonly panel: string;
  readonly said: string | undefined;
  readonly describe?: (ns: number) => string;
}): ReactNode {
  const cursor = useCursor();
  const { app } = useStores();
  const { target, other } = app.shownIn[useColumn()]();
  const who = other === undefined ? '' : `${target?.id ?? ''}: `;
  const isHere = cursor?.by === 'keys' && cursor.panel === panel;
  return (
    <p className="unseen" aria-live="polite">
      {isHere && describe !== undefined ? `${who}${describe(cursor.atNs)}` : said}
    </p>
  );
}
