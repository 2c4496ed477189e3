/** The ticks of a whole session, added up so that there are never more than a page can hold. Exact, whatever is added up. */
import { recordedCellsMax, recordedTicksMax } from '@faultline/shared';
import type { Tick, TickSlice } from '../sessions/tick.ts';
import { mergeTicks } from './merge-ticks.ts';

/** Figures only, without calls and dictionaries. Grown by add, read by ticks. */
export class TickHistory {
  private merged: Tick[] = [];
  private pending: Tick[] = [];
  private pendingCount = 0;
  private cellCount = 0;
  private width = 1;
  private readonly bounds: { readonly ticksMax: number; readonly cellsMax: number };

  constructor(bounds: { readonly ticksMax: number; readonly cellsMax: number } = defaultBounds) {
    this.bounds = bounds;
  }

  /** So many ticks make up one of those answered; the last may be of fewer. */
  get ticksMerged(): number {
    return this.width;
  }

  /** Takes in the next tick. */
  add(tick: Tick): void {
    const slices = tick.slices.filter(hasSpan).map(figuresOnly);
    if (slices.length === 0) return;
    this.pending.push({ ...tick, slices });
    this.pendingCount += 1;
    if (this.pendingCount < this.width) return;
    this.close();
    while (this.isTooMuch()) this.halve();
  }

  /** All of it, the oldest first. */
  ticks(): readonly Tick[] {
    return this.pending.length === 0 ? this.merged : [...this.merged, joined(this.pending)];
  }

  private isTooMuch(): boolean {
    return (
      this.merged.length >= this.bounds.ticksMax || (this.cellCount > this.bounds.cellsMax && this.merged.length > 1)
    );
  }

  private close(): void {
    const tick = joined(this.pending);
    this.pending = [];
    this.pendingCount = 0;
    this.merged.push(tick);
    this.cellCount += cellsOf(tick);
  }

  private halve(): void {
    const halved: Tick[] = [];
    for (let at = 0; at + 1 < this.merged.length; at += 2) halved.push(joined(this.merged.slice(at, at + 2)));
    const odd = this.merged.length % 2 === 1 ? this.merged.at(-1) : undefined;
    this.merged = halved;
    // The one left over is half of a wider one: the next ticks fill it up.
    this.pending = odd === undefined ? [] : [odd];
    this.pendingCount = odd === undefined ? 0 : this.width;
    this.width *= 2;
    this.cellCount = halved.reduce((sum, tick) => sum + cellsOf(tick), 0);
  }
}

const defaultBounds = { ticksMax: recordedTicksMax, cellsMax: recordedCellsMax };

/** Whether a slice closes a span of kernel time, be it one in which nothing happened; one of calls alone does not. */
export function hasSpan(slice: TickSlice): boolean {
  return slice.toNs > slice.fromNs;
}

/** The figures of a slice alone: dictionaries and calls are sent once for all ticks. */
export function figuresOnly(slice: TickSlice): TickSlice {
  return {
    ...slice,
    newCells: [],
    newTexts: [],
    calls: slice.calls.map((column) => column.subarray(0, 0)),
    callCount: 0,
  };
}

function joined(ticks: readonly Tick[]): Tick {
  const [first] = ticks;
  const last = ticks.at(-1) ?? first;
  if (first === undefined || last === undefined) throw new Error('broken invariant: ticks to join');
  return ticks.length === 1 ? first : { ...last, slices: mergeTicks(ticks, () => [], 0).slices };
}

function cellsOf(tick: Tick): number {
  return tick.slices.reduce((sum, slice) => sum + 8 + slice.cells.length, 0);
}
