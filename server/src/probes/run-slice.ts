/** What one run has to tell: what is new since it was last asked, and everything so far. */
import type { CallColumn, CellEntry } from '@faultline/shared';

/** One run's part of a tick. */
export type TickSlice = {
  readonly run: number;
  /** Kernel clock, ns: the deltas happened in (fromNs, toNs]. Equal where only calls came. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly newCells: readonly CellEntry[];
  /** Cells that changed and by how much, same length, each cell once. */
  readonly cells: Uint32Array;
  readonly deltas: Float64Array;
  /** Texts first used here; the first has number firstText. */
  readonly firstText: number;
  readonly newTexts: readonly string[];
  /** Columns of calls in manifest order; text columns hold numbers of texts. Empty for a tally stream. */
  readonly calls: readonly CallColumn[];
  readonly callCount: number;
};

/** Everything one run knows so far: what a late joiner needs. */
export type RunTotals = {
  readonly run: number;
  readonly fromNs: number;
  readonly toNs: number;
  readonly cells: readonly CellEntry[];
  /** Cumulative value of each cell, by cell number. */
  readonly totals: Float64Array;
  readonly texts: readonly string[];
  /** The calls still kept, oldest first. */
  readonly calls: readonly CallColumn[];
  readonly callCount: number;
};
