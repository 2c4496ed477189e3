/** The instant that all charts point at: moved by the mouse or by the arrow keys. */
import { Listeners } from './listeners.ts';

/** Kernel ns pointed at; `keys` is read out, `mouse` is only drawn. */
export type Cursor = { readonly atNs: number; readonly by: 'mouse' | 'keys'; readonly panel: string };

/** Holds the cursor. */
export class CursorStore {
  private readonly listeners = new Listeners();
  private cursor: Cursor | undefined;

  readonly subscribe = this.listeners.subscribe;
  readonly get = (): Cursor | undefined => this.cursor;
  readonly set = (cursor: Cursor | undefined): void => {
    if (this.cursor?.atNs === cursor?.atNs && this.cursor?.by === cursor?.by) return;
    this.cursor = cursor;
    this.listeners.notify();
  };
}
