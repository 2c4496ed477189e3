import { useCallback } from 'react';
import { cursorIn } from '../../store/cursor-store.ts';
import { markPlace } from '../../store/select-writing.ts';
import type { LiveColumn } from '../../store/side-by-side.ts';
import { useStores } from '../../store/use-store.ts';

/** Asks what to mark of a column's session, at the cursor, at the end of the part, or now; does nothing where nothing is recorded. */
export function useMark(): (column: LiveColumn) => void {
  const { app, cursor } = useStores();
  return useCallback(
    (column) => {
      const shown = app.shownIn[column]();
      const place = markPlace(shown, cursorIn(column, cursor.get(), shown)?.atNs, Date.now());
      if (place !== undefined) app.recorded.recordings.writing.beginMark(place.session, place.atMs, place.words);
    },
    [app, cursor],
  );
}
