/** Several ticks as one: what a slow client gets instead of a queue. Figures stay exact; calls are cut to a bound. */
import { type CallColumn, type CellEntry, ensure, makeColumn, type SliceShape } from '@faultline/shared';
import type { Tick, TickSlice } from '../sessions/tick.ts';

/** The types of a run's call columns, in order. */
export type CallTypes = (run: number) => SliceShape['types'];

/** Slices that hold all of several ticks, and how many of their calls found no room. */
export type MergedTicks = { readonly slices: readonly TickSlice[]; readonly droppedCalls: number };

/** A part of one slice's calls that is kept: rows from `start` to the end. */
type KeptCalls = { readonly calls: readonly CallColumn[]; readonly start: number; readonly end: number };

type RunParts = {
  readonly first: TickSlice;
  last: TickSlice;
  readonly newCells: CellEntry[];
  readonly deltas: Map<number, number>;
  readonly newTexts: string[];
  firstText: number;
  /** Oldest first. */
  readonly kept: KeptCalls[];
};

/**
 * Merges ticks (oldest first, without gaps). Deltas of one cell are added, exactly; dictionaries are joined; the
 * newest `callsMax` calls of all runs together are kept.
 */
export function mergeTicks(ticks: readonly Tick[], callTypes: CallTypes, callsMax: number): MergedTicks {
  const runs = new Map<number, RunParts>();
  for (const tick of ticks) for (const slice of tick.slices) addFigures(runs, slice);
  const droppedCalls = keepNewestCalls(runs, ticks, callsMax);
  return { slices: [...runs].map(([run, parts]) => joinParts(run, parts, callTypes(run))), droppedCalls };
}

function addFigures(runs: Map<number, RunParts>, slice: TickSlice): void {
  let parts = runs.get(slice.run);
  if (parts === undefined) {
    const { firstText } = slice;
    parts = { first: slice, last: slice, newCells: [], deltas: new Map(), newTexts: [], firstText, kept: [] };
    runs.set(slice.run, parts);
  }
  parts.last = slice;
  for (const entry of slice.newCells) parts.newCells.push(entry);
  for (const [position, cell] of slice.cells.entries()) {
    const delta = ensure(slice.deltas[position], 'a delta for each cell');
    parts.deltas.set(cell, (parts.deltas.get(cell) ?? 0) + delta);
  }
  if (slice.newTexts.length === 0) return;
  if (parts.newTexts.length === 0) parts.firstText = slice.firstText;
  for (const text of slice.newTexts) parts.newTexts.push(text);
}

/** Walks from the newest tick back until the room is used up; returns how many calls found none. */
function keepNewestCalls(runs: ReadonlyMap<number, RunParts>, ticks: readonly Tick[], callsMax: number): number {
  let room = callsMax;
  let dropped = 0;
  for (const tick of ticks.toReversed()) {
    for (const slice of tick.slices.toReversed()) {
      const count = Math.min(slice.callCount, room);
      room -= count;
      dropped += slice.callCount - count;
      const { calls, callCount: end } = slice;
      if (count > 0) ensure(runs.get(slice.run), 'parts of each run').kept.push({ calls, start: end - count, end });
    }
  }
  for (const parts of runs.values()) parts.kept.reverse();
  return dropped;
}

function joinParts(run: number, parts: RunParts, types: SliceShape['types']): TickSlice {
  const callCount = parts.kept.reduce((sum, { start, end }) => sum + end - start, 0);
  return {
    run,
    fromNs: parts.first.fromNs,
    toNs: parts.last.toNs,
    newCells: parts.newCells,
    cells: Uint32Array.from(parts.deltas.keys()),
    deltas: Float64Array.from(parts.deltas.values()),
    firstText: parts.firstText,
    newTexts: parts.newTexts,
    calls: types.map((type, position) => {
      const column = makeColumn(type, callCount);
      let offset = 0;
      for (const { calls, start, end } of parts.kept) {
        column.set(ensure(calls[position], 'a column for each type').subarray(start, end), offset);
        offset += end - start;
      }
      return column;
    }),
    callCount,
  };
}
