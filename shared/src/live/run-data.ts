/** What a page holds of one run: its dictionary, the exact totals, the changes over time, the newest calls. */
import type { SliceColumns } from '../frame.ts';
import { runCellsMax, runTextsMax } from '../limits.ts';
import type { Stream } from '../probe-manifest.ts';
import type { CellEntry, FrameSlice } from '../protocol.ts';
import { type CallRing, addCalls, createCallRing } from './call-ring.ts';
import { type Timeline, addToTimeline, createTimeline } from './timeline.ts';

/** One run's data. Grown by the functions below; everything in it is bounded. */
export type RunData = {
  readonly run: number;
  readonly stream: Stream | undefined;
  /** By cell number. */
  readonly cells: (CellEntry | undefined)[];
  /** Cumulative values by cell number; room for more cells than there are. */
  totals: Float64Array;
  readonly texts: string[];
  timeline: Timeline;
  readonly calls: CallRing;
  /**
   * What is taken off the run's kernel times, ns. 0 on a live target, where all runs share one clock; the runs of a
   * replay were recorded at different times and are laid side by side by when each was ready.
   */
  shiftNs: number;
  /** The shared clock at the last whole snapshot. */
  lastNs: number | undefined;
  /** The server's clock when figures last came, epoch ms. */
  lastAtMs: number | undefined;
};

/** A run of which nothing has come yet. The stream is that of the manifest; unknown where the probe is not in it. */
export function createRunData(run: number, stream: Stream | undefined): RunData {
  return {
    run,
    stream,
    cells: [],
    totals: new Float64Array(256),
    texts: [],
    timeline: createTimeline(),
    calls: createCallRing(stream?.columns ?? []),
    shiftNs: 0,
    lastNs: undefined,
    lastAtMs: undefined,
  };
}

/** Takes in the run's part of a frame: totals grow by the deltas, exactly. */
export function addSlice(data: RunData, slice: FrameSlice, columns: SliceColumns): void {
  addTotals(data, slice, columns);
  addHistory(data, slice, columns);
}

/** Takes in the run's part of a snapshot: as a frame, but it says nothing about when. */
export function addTotals(data: RunData, slice: FrameSlice, columns: SliceColumns): void {
  for (const entry of slice.newCells) if (entry.cell < runCellsMax) data.cells[entry.cell] = entry;
  for (const [index, text] of slice.newTexts.entries()) {
    if (slice.firstText + index < runTextsMax) data.texts[slice.firstText + index] = text;
  }
  for (let index = 0; index < columns.cells.length; index += 1) {
    const cell = columns.cells[index] ?? 0;
    if (cell >= data.totals.length) data.totals = grown(data.totals, cell + 1);
    data.totals[cell] = (data.totals[cell] ?? 0) + (columns.deltas[index] ?? 0);
  }
  if (slice.callCount > 0) addCalls(data.calls, columns.calls, slice.callCount);
  if (slice.toNs > 0) data.lastNs = Math.max(data.lastNs ?? 0, slice.toNs - data.shiftNs);
}

/** Takes in the run's part of a tick of the past: for the charts, the totals have it already. */
export function addHistory(data: RunData, slice: FrameSlice, columns: SliceColumns): void {
  const { cells, deltas } = columns;
  const change = { fromNs: slice.fromNs - data.shiftNs, toNs: slice.toNs - data.shiftNs, cells, deltas };
  addToTimeline(data.timeline, change, Math.max(change.toNs, data.lastNs ?? 0));
}

function grown(totals: Float64Array, length: number): Float64Array {
  const larger = new Float64Array(Math.max(length, totals.length * 2));
  larger.set(totals);
  return larger;
}
