/** The newest calls of one run, in columns, bounded: what a table of calls shows. */
import { browserCallsMax } from '../limits.ts';
import { type CallColumn, makeColumn } from '../frame.ts';
import type { Column } from '../probe-manifest.ts';

/** Columns of room for `capacity` calls; grown by addCalls, the oldest overwritten. */
export type CallRing = {
  readonly columns: readonly Column[];
  readonly values: readonly CallColumn[];
  readonly capacity: number;
  /** Calls ever added; the newest is number addedCount - 1. */
  addedCount: number;
};

/** An empty ring for the columns of a manifest. */
export function createCallRing(columns: readonly Column[], capacity: number = browserCallsMax): CallRing {
  return { columns, values: columns.map((column) => makeColumn(column.type, capacity)), capacity, addedCount: 0 };
}

/** Adds calls, the oldest first. Columns come in the manifest's order. */
export function addCalls(ring: CallRing, calls: readonly CallColumn[], count: number): void {
  const skipped = Math.max(0, count - ring.capacity);
  for (const [index, values] of ring.values.entries()) {
    const from = calls[index];
    if (from === undefined) continue;
    for (let row = skipped; row < count; row += 1) {
      values[(ring.addedCount + row) % ring.capacity] = from[row] ?? 0;
    }
  }
  ring.addedCount += count;
}

/** How many calls the ring holds. */
export function callsKept(ring: CallRing): number {
  return Math.min(ring.addedCount, ring.capacity);
}

/** The value in a column of call number `call` (0-based since the run began); undefined once it was overwritten. */
export function callValue(ring: CallRing, column: number, call: number): number | undefined {
  if (call < ring.addedCount - ring.capacity || call >= ring.addedCount) return undefined;
  return ring.values[column]?.[call % ring.capacity];
}

/** A copy that later calls do not change: what a paused page looks at. */
export function freezeCalls(ring: CallRing): CallRing {
  return { ...ring, values: ring.values.map((values) => values.slice()) };
}

/** Which calls to show, the newest first: those for which `fits` holds, at most `limit`. */
export function selectCalls(
  ring: CallRing,
  fits: (call: number) => boolean,
  limit: number = ring.capacity,
): readonly number[] {
  const selected: number[] = [];
  const oldest = ring.addedCount - callsKept(ring);
  for (let call = ring.addedCount - 1; call >= oldest && selected.length < limit; call -= 1) {
    if (fits(call)) selected.push(call);
  }
  return selected;
}
