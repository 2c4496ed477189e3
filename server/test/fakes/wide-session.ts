/** A session as wide as a page takes one: mmap-lock's latency stream with many processes, a snapshot every 250 ms, every latency in use. */
import { type CellEntry, type RunView, type SessionView } from '@faultline/shared';
import type { Tick } from '../../src/sessions/tick.ts';
import type { SessionSource } from '../../src/sessions/tracing.ts';
import { FakeSession, fakeRun, fakeSlice } from './fake-session.ts';

const processCount = 100;
const modes = ['mmap-read', 'mmap-write', 'vma-read'] as const;
/** From 100 ns to some ms, as real ones are. */
const buckets = { low: 60, high: 260 };

export class WideSession extends FakeSession implements SessionSource {
  private readonly takers = new Set<(tick: Tick) => void>();
  private readonly cells: readonly CellEntry[] = cellsOfAll();
  private readonly run: RunView;
  private readonly startedAtMs: number;
  private number = 0;

  constructor(id: string, startedAtMs: number) {
    super({ id });
    this.startedAtMs = startedAtMs;
    const times = { startedAtMs, readyAtMs: startedAtMs, readyNs: 0 };
    this.run = fakeRun(0, { probe: 'mmap-lock', stream: 'latency', script: 'tracepoint.bt', ...times });
  }

  override view(): SessionView {
    return { id: this.id, target: this.target, startedAtMs: this.startedAtMs, runs: [this.run] };
  }

  override onTick(listener: (tick: Tick) => void): () => void {
    this.takers.add(listener);
    return () => this.takers.delete(listener);
  }

  /** One snapshot, in which `changedCount` cells changed. */
  pass(changedCount: number): void {
    const toNs = (this.number + 1) * 250e6;
    const first = (this.number * 37) % this.cells.length;
    const slice = fakeSlice(0, {
      fromNs: toNs - 250e6,
      toNs,
      newCells: this.number === 0 ? [...this.cells] : [],
      cells: Uint32Array.from({ length: changedCount }, (_, at) => (first + at * 7) % this.cells.length),
      deltas: Float64Array.from({ length: changedCount }, (_, at) => 1 + (at % 97)),
    });
    this.number += 1;
    const atMs = this.startedAtMs + this.number * 250;
    const tick: Tick = { seq: this.number, atMs, slices: [slice], hasStateChange: this.number === 1 };
    for (const listener of this.takers) listener(tick);
  }
}

function cellsOfAll(): readonly CellEntry[] {
  const all: Omit<CellEntry, 'cell'>[] = [];
  for (const mode of modes) {
    for (const metric of ['wait', 'hold'])
      for (let bucket = buckets.low; bucket < buckets.high; bucket += 1) all.push({ metric, dims: { mode, bucket } });
    for (let at = 0; at < processCount; at += 1) {
      const comm = `worker-${at}`;
      all.push({ metric: 'acquisitions', dims: { mode, success: 'yes', comm } });
      for (const metric of ['waitTotal', 'holdTotal']) all.push({ metric, dims: { mode, comm } });
    }
  }
  return all.map((one, cell) => ({ cell, ...one }));
}
