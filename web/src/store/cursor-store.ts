/** The instant that all charts point at: moved by the mouse or by the arrow keys. */
import type { Shown } from './app-state.ts';
import { Listeners } from './listeners.ts';
import type { LiveColumn } from './side-by-side.ts';

/** Kernel ns pointed at, of the target in a column; `keys` is read out, `mouse` is only drawn. */
export type Cursor = {
  readonly atNs: number;
  readonly column: LiveColumn;
  readonly by: 'mouse' | 'keys';
  readonly panel: string;
};

/** Holds the cursor. */
export class CursorStore {
  private readonly listeners = new Listeners();
  private cursor: Cursor | undefined;

  readonly subscribe = this.listeners.subscribe;
  readonly get = (): Cursor | undefined => this.cursor;
  readonly set = (cursor: Cursor | undefined): void => {
    const { atNs, column, by } = this.cursor ?? {};
    if (atNs === cursor?.atNs && column === cursor?.column && by === cursor?.by) return;
    this.cursor = cursor;
    this.listeners.notify();
  };
}

/** The cursor as a column sees it: another kernel's instant is an instant of its own clock. Undefined where there is none. */
export function cursorIn(column: LiveColumn, cursor: Cursor | undefined, { clock, other }: Shown): Cursor | undefined {
  if (cursor === undefined || cursor.column === column) return cursor;
  if (clock === undefined || other?.clock === undefined) return undefined;
  return { ...cursor, atNs: clock.nsAt(other.clock.sessionMs(cursor.atNs)) };
}
