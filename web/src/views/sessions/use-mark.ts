import { useCallback } from 'react';
import { markPlace } from '../../store/select-writing.ts';
import { useStores } from '../../store/use-store.ts';

/** Asks what to mark, at the cursor, at the end of the part, or now; does nothing where nothing is recorded. */
export function useMark(): () => void {
  const { app, cursor } = useStores();
  return useCallback(() => {
    const place = markPlace(app.get(), cursor.get()?.atNs, Date.now());
    if (place !== undefined) app.recorded.recordings.writing.beginMark(place.session, place.atMs, place.words);
  }, [app, cursor]);
}
