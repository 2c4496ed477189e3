/** What a session learnt between two moments, ready to be sent, merged or kept. */
import type { TickSlice } from '../probes/run-slice.ts';

export type { RunTotals, TickSlice } from '../probes/run-slice.ts';

/** Ticks are numbered from 1, without gaps, as long as the session lives. */
export type Tick = {
  readonly seq: number;
  readonly atMs: number;
  readonly slices: readonly TickSlice[];
  /** A run's state, ledger or finding changed in this tick. */
  readonly hasStateChange: boolean;
};
