/** Made-up but plausible figures: who does how much, and how latencies are spread. The same seed makes the same figures. */
import { type CellEntry, type Dims, bucketIndex } from '@faultline/shared';

/** A source of numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A normally distributed number. */
export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A cell that grows by about `perSec` a second. */
export type Growing = { readonly metric: string; readonly dims: Dims; readonly perSec: number };

/** How much of everything a scenario makes. */
export type Load = {
  readonly processes: readonly string[];
  readonly acquisitionsPerSec: number;
  readonly writeShare: number;
  readonly faultsPerSec: number;
};

/** Bucketed cells for a latency that is mostly around `typicalNs`, with a tail of a hundredth around `tailNs`. */
export function spread(
  metric: string,
  dims: Dims,
  perSec: number,
  around: { readonly typicalNs: number; readonly tailNs: number },
): readonly Growing[] {
  const random = seeded(around.typicalNs);
  const counts = new Map<number, number>();
  const samples = 4000;
  for (let sample = 0; sample < samples; sample += 1) {
    const isTail = sample % 100 === 0;
    const ns = Math.exp(Math.log(isTail ? around.tailNs : around.typicalNs) + gaussian(random) * (isTail ? 1 : 0.35));
    const bucket = bucketIndex(Math.max(0, Math.round(ns)));
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  return [...counts].map(([bucket, count]) => ({
    metric,
    dims: { ...dims, bucket },
    perSec: (perSec * count) / samples,
  }));
}

function shares(processes: readonly string[]): readonly (readonly [process: string, share: number])[] {
  const weights = processes.map((_, index) => 1 / (index + 1));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return processes.map((process, index) => [process, (weights[index] ?? 0) / sum]);
}

/** The cells of a stream under a load. */
export function growingCells(probe: string, stream: string, load: Load): readonly Growing[] {
  const { acquisitionsPerSec: all, writeShare } = load;
  const modes = [
    ['mmap-read', 1 - writeShare, 110, 700],
    ['mmap-write', writeShare, 190, 2600],
  ] as const;
  const perProcess = shares(load.processes);
  const acquisitions = perProcess.flatMap(([comm, share]) => [
    ...modes.map(([mode, part]) => ({
      metric: 'acquisitions',
      dims: { mode, success: 'yes', downgrade: 'no', comm },
      perSec: all * part * share,
    })),
    {
      metric: 'acquisitions',
      dims: { mode: 'mmap-read', success: 'yes', downgrade: 'yes', comm },
      perSec: all * writeShare * share * 0.04,
    },
    {
      metric: 'acquisitions',
      dims: { mode: 'mmap-read', success: 'no', downgrade: 'no', comm },
      perSec: all * share * 0.0006,
    },
  ]);
  if (probe === 'mmap-lock' && stream === 'counts') return acquisitions;
  if (probe === 'mmap-lock' && stream === 'latency') {
    return [
      ...acquisitions,
      ...modes.flatMap(([mode, part, waitNs, holdNs]) => [
        ...spread('wait', { mode }, all * part, { typicalNs: waitNs, tailNs: waitNs * 60 }),
        ...spread('hold', { mode }, all * part, { typicalNs: holdNs, tailNs: holdNs * 45 }),
        ...perProcess.map(([comm, share]) => ({
          metric: 'waitTotal',
          dims: { mode, comm },
          perSec: all * part * share * waitNs * 1.7,
        })),
        ...perProcess.map(([comm, share]) => ({
          metric: 'holdTotal',
          dims: { mode, comm },
          perSec: all * part * share * holdNs * 1.5,
        })),
      ]),
    ];
  }
  if (probe === 'page-fault' && stream === 'entries') return faultCells(perProcess, load.faultsPerSec);
  if (probe === 'page-fault' && stream === 'handled') return handledCells(perProcess, load.faultsPerSec);
  return [];
}

function faultCells(perProcess: ReturnType<typeof shares>, perSec: number): readonly Growing[] {
  const kinds = [
    ['read', 'not-present', 'user', 0.42],
    ['write', 'not-present', 'user', 0.33],
    ['write', 'protection', 'user', 0.17],
    ['instruction', 'not-present', 'user', 0.05],
    ['write', 'not-present', 'kernel', 0.03],
  ] as const;
  return perProcess.flatMap(([comm, share]) =>
    kinds.map(([access, cause, origin, part]) => ({
      metric: 'faults',
      dims: { access, cause, origin, comm },
      perSec: perSec * part * share,
    })),
  );
}

function handledCells(perProcess: ReturnType<typeof shares>, perSec: number): readonly Growing[] {
  const modes = [
    ['vma-read', 0.92, 620],
    ['mmap-read', 0.08, 1900],
  ] as const;
  return modes.flatMap(([lockMode, part, ns]) => [
    ...perProcess.map(([comm, share]) => ({
      metric: 'handled',
      dims: { access: 'write', lockMode, retried: 'no', comm },
      perSec: perSec * part * share,
    })),
    ...spread('handledLatency', { lockMode }, perSec * part, { typicalNs: ns, tailNs: ns * 40 }),
  ]);
}

/** Grows cells for a stretch of time: whole numbers, with what was left over kept for the next stretch. */
export class Growth {
  readonly entries: CellEntry[] = [];
  private readonly cells: readonly Growing[];
  private readonly random: () => number;
  private readonly due: Float64Array;
  private readonly isKnown: boolean[] = [];

  constructor(cells: readonly Growing[], seed: number) {
    this.cells = cells;
    this.random = seeded(seed);
    this.due = new Float64Array(cells.length);
  }

  /** What grew in `sec` seconds of a load `factor` times the usual one: new cells first, then pairs of cell and delta. */
  step(
    sec: number,
    factor: number,
  ): { readonly newCells: readonly CellEntry[]; readonly pairs: readonly (readonly [number, number])[] } {
    const newCells: CellEntry[] = [];
    const pairs: [number, number][] = [];
    for (const [cell, { metric, dims, perSec }] of this.cells.entries()) {
      const due = (this.due[cell] ?? 0) + Math.max(0, perSec * sec * factor * (1 + gaussian(this.random) * 0.12));
      const delta = Math.floor(due);
      this.due[cell] = due - delta;
      if (delta === 0) continue;
      if (this.isKnown[cell] !== true) {
        this.isKnown[cell] = true;
        const entry = { cell: this.entries.length, metric, dims };
        this.entries.push(entry);
        this.numbers.set(cell, entry.cell);
        newCells.push(entry);
      }
      pairs.push([this.numbers.get(cell) ?? 0, delta]);
    }
    return { newCells, pairs };
  }

  private readonly numbers = new Map<number, number>();
}
