import type { ReactNode } from 'react';
import { useCursor } from '../../store/use-store.ts';

/** Reads out what stands at the cursor, when keys moved it in this panel; or what a copy said. */
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
  const isHere = cursor?.by === 'keys' && cursor.panel === panel;
  return (
    <p className="unseen" aria-live="polite">
      {isHere && describe !== undefined ? describe(cursor.atNs) : said}
    </p>
  );
}
