/** The ticks a session keeps, bounded in number and in cells. */
import { sessionTickCellsMax, sessionTicksMax } from '@faultline/shared';
import type { Tick } from './tick.ts';

export class TickRing {
  private ticks: Tick[] = [];
  private cellCount = 0;
  /** Number of the newest tick; 0 before the first. */
  seq = 0;

  /** Adds the next tick and forgets the oldest beyond the bounds. */
  push(tick: Tick): void {
    this.seq = tick.seq;
    this.ticks.push(tick);
    this.cellCount += cellsOf(tick);
    let excess = 0;
    while (
      this.ticks.length - excess > sessionTicksMax ||
      (this.cellCount > sessionTickCellsMax && excess < this.ticks.length - 1)
    ) {
      const oldest = this.ticks[excess];
      this.cellCount -= oldest === undefined ? 0 : cellsOf(oldest);
      excess += 1;
    }
    if (excess > 0) this.ticks = this.ticks.slice(excess);
  }

  /** Ticks from a number on, oldest first; undefined when the first of them is no longer kept. */
  from(seq: number): readonly Tick[] | undefined {
    const oldest = this.ticks[0]?.seq;
    if (oldest === undefined) return seq > this.seq ? [] : undefined;
    return seq < oldest ? undefined : this.ticks.slice(seq - oldest);
  }

  /** Ticks not older than `sinceMs` (wall clock), oldest first. */
  since(sinceMs: number): readonly Tick[] {
    const first = this.ticks.findIndex((tick) => tick.atMs >= sinceMs);
    return first === -1 ? [] : this.ticks.slice(first);
  }
}

/** What a tick weighs: cells, and calls at their number of columns (a history with calls is the heavy one). */
function cellsOf(tick: Tick): number {
  return tick.slices.reduce((sum, slice) => sum + 8 + slice.cells.length + slice.callCount * slice.calls.length, 0);
}
