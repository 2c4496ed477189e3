/** What one recorded run counted, asked by probe, metric and key: the ground that metrics stand on. */
import { addBuckets, type Buckets } from '../buckets.ts';
import type { Dims } from '../protocol.ts';
import type { CellTotals } from '../summary.ts';

/** The totals of one stream of a session. */
export type StreamTotals = CellTotals & { readonly probe: string; readonly stream: string };

/** What must hold of a key: each named dimension is one of these words. */
export type Where = Readonly<Record<string, readonly string[]>>;

/** Asks the totals of one run. Undefined: the probe was not traced; 0 or empty: it was, and nothing happened. */
export class Readings {
  private readonly streams: readonly StreamTotals[];

  constructor(streams: readonly StreamTotals[]) {
    this.streams = streams;
  }

  /** Sum of a metric over all keys that fit. */
  sum(probe: string, metric: string, where: Where = {}): number | undefined {
    let total: number | undefined;
    for (const { cells, totals } of this.of(probe)) {
      total ??= 0;
      for (const one of cells) if (one.metric === metric && fits(one.dims, where)) total += totals[one.cell] ?? 0;
    }
    return total;
  }

  /** Buckets of a metric, added up over all keys that fit. */
  buckets(probe: string, metric: string, where: Where = {}): Buckets | undefined {
    let whole: Map<number, number> | undefined;
    for (const { cells, totals } of this.of(probe)) {
      whole ??= new Map();
      for (const one of cells) {
        if (one.metric === metric && fits(one.dims, where))
          addBuckets(whole, new Map([[Number(one.dims['bucket']), totals[one.cell] ?? 0]]));
      }
    }
    return whole;
  }

  private of(probe: string): readonly StreamTotals[] {
    return this.streams.filter((one) => one.probe === probe);
  }
}

function fits(dims: Dims, where: Where): boolean {
  return Object.entries(where).every(([name, words]) => words.includes(String(dims[name])));
}
