/** One run as a comparison takes it: who it was, under what conditions, and the value of every metric. */
import { type Buckets } from '../buckets.ts';
import { type Era, eraOfVariant } from '../era.ts';
import type { RunView } from '../run.ts';
import type { TargetIdentity } from '../target.ts';
import { faultLatency, metrics } from './metrics.ts';
import { Readings, type StreamTotals } from './readings.ts';

/** What was done in a run, in so far as it was written down. Runs with different work are not compared. */
export type RunWork = {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly barBytes?: number | undefined;
  readonly isMisaligned?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly repetitions?: number | undefined;
};

/** A recorded session and its totals, from which a run is made. */
export type RunSource = {
  readonly id: string;
  /** Name of the kernel build; runs of one side have the same. */
  readonly build: string;
  readonly startedAtMs: number;
  readonly identity: TargetIdentity | undefined;
  readonly accelerator?: 'kvm' | 'tcg' | undefined;
  readonly device?: string | undefined;
  readonly work?: RunWork | undefined;
  readonly runNumber?: number | undefined;
  /** It is still being recorded: its values are those of what has come. */
  readonly isLive?: boolean | undefined;
  readonly streams: readonly (StreamTotals & {
    readonly view: RunView;
    readonly durationNs: number;
    readonly scriptDigest?: string | undefined;
  })[];
};

/** One run, ready to be compared. */
export type ComparedRun = Omit<RunSource, 'streams'> & {
  readonly era: Era | undefined;
  /** Kernel time covered by its longest stream, s. */
  readonly durationSec: number;
  readonly streams: readonly Pick<RunSource['streams'][number], 'view' | 'scriptDigest'>[];
  /** By the metric's id; what was not traced, or could not be said, is absent. */
  readonly values: ReadonlyMap<string, number>;
  /** Time in the fault handler. */
  readonly faultBuckets: Buckets;
};

/** Reads every metric of a session. */
export function comparedRun(source: RunSource): ComparedRun {
  const { streams, ...rest } = source;
  const readings = new Readings(streams);
  const values = new Map<string, number>();
  for (const metric of metrics) {
    const value = metric.read(readings);
    if (value !== undefined) values.set(metric.id, value);
  }
  const variant = streams.find(({ probe }) => probe === 'vfio-fault')?.view.variant;
  return {
    ...rest,
    era: eraOfVariant(variant),
    durationSec: Math.max(0, ...streams.map(({ durationNs }) => durationNs)) / 1e9,
    streams: streams.map(({ view, scriptDigest }) => ({ view, scriptDigest })),
    values,
    faultBuckets: faultLatency(readings) ?? new Map(),
  };
}
