/** A session that makes calls up, as many as wanted: the columns of mmap-lock's detail stream, 38 bytes a call. */
import { err, type RecordSummary, type Result, type RunSummary, type SessionView } from '@faultline/shared';
import type { Refusal } from '../src/sessions/refusal.ts';
import type { RunTotals, Tick } from '../src/sessions/tick.ts';
import type { SessionSource } from '../src/sessions/tracing.ts';

/** Types of the columns of mmap-lock's detail stream: endedAt, cpu, pid, tid, mode, end, waitNs, holdNs, comm. */
export const detailTypes = ['timeNs', 'u16', 'u32', 'u32', 'u8', 'u8', 'f64', 'f64', 'text'] as const;

const ticksKept = 20;

/** Implements SessionSource; every tick holds the same number of calls. */
export class SyntheticSession implements SessionSource {
  readonly id = 'synthetic';
  seq = 0;
  readonly #callsPerTick: number;
  readonly #listeners = new Set<(tick: Tick) => void>();
  readonly #calls: Tick['slices'][number]['calls'];
  #ticks: Tick[] = [];

  constructor(callsPerTick: number) {
    this.#callsPerTick = callsPerTick;
    const row = (value: (at: number) => number) => Array.from({ length: callsPerTick }, (_, at) => value(at));
    this.#calls = [
      Float64Array.from(row((at) => 2_170_523_606_142 + at * 1_000)),
      Uint16Array.from(row((at) => at % 2)),
      Uint32Array.from(row((at) => 1_000 + (at % 50))),
      Uint32Array.from(row((at) => 1_000 + (at % 400))),
      Uint8Array.from(row((at) => at % 2)),
      Uint8Array.from(row((at) => (at % 100 === 0 ? 1 : 0))),
      Float64Array.from(row((at) => 200 + (at % 977))),
      Float64Array.from(row((at) => 900 + (at % 4_999))),
      Uint16Array.from(row((at) => at % 40)),
    ];
  }

  /** The calls as a server without binary columns would send them. */
  callsAsObjects(): readonly object[] {
    const names = ['endedAt', 'cpu', 'pid', 'tid', 'mode', 'end', 'waitNs', 'holdNs', 'comm'];
    return Array.from({ length: this.#callsPerTick }, (_, at) =>
      Object.fromEntries(names.map((name, column) => [name, this.#calls[column]?.[at]])),
    );
  }

  push(): Tick {
    this.seq += 1;
    const slice = {
      run: 0,
      fromNs: this.seq,
      toNs: this.seq,
      newCells: [],
      cells: new Uint32Array(0),
      deltas: new Float64Array(0),
      firstText: 0,
      newTexts: [],
      calls: this.#calls,
      callCount: this.#callsPerTick,
    };
    const tick = { seq: this.seq, atMs: Date.now(), slices: [slice], hasStateChange: false };
    this.#ticks = [...this.#ticks.slice(1 - ticksKept), tick];
    for (const listener of this.#listeners) listener(tick);
    return tick;
  }

  view(): SessionView {
    const target = { id: 'host', kind: 'host', title: 'synthetic' } as const;
    return { id: this.id, target, startedAtMs: 0, runs: [] };
  }

  ticksFrom(fromSeq: number): readonly Tick[] | undefined {
    const oldest = this.#ticks[0]?.seq ?? 0;
    return fromSeq < oldest ? undefined : this.#ticks.filter(({ seq }) => seq >= fromSeq);
  }

  recentTicks(): readonly Tick[] {
    return [];
  }

  totals(): readonly RunTotals[] {
    return [];
  }

  callTypes(): typeof detailTypes {
    return detailTypes;
  }

  onTick(listener: (tick: Tick) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  summary(): RecordSummary {
    throw new Error('a synthetic session has no summary');
  }

  runSummary(runId: string): Result<RunSummary, Refusal> {
    return err({ kind: 'unknown-run', message: `no run ${runId}`, remedy: 'none' });
  }
}
