/** A session as things on a time line, for the formats of trace viewers. Times are ns of the target's kernel clock. */
import type { Ledger, MapSpec, SessionManifest, Stream } from '@faultline/shared';
import type { TickSlice } from '../sessions/tick.ts';
import { callValue } from './rows.ts';
import type { ExportSource } from './source.ts';

/** How often a second something was counted, by the words of one dimension of its key; `all` where the key has none. */
export type Rate = {
  readonly metric: string;
  readonly dimension: string;
  readonly word: string;
  /** Whether the dimension is the first of its metric: for formats that show one only. */
  readonly isFirst: boolean;
  readonly perSec: number;
};

/** One printed event. */
export type TimelineCall = {
  readonly fromNs: number;
  /** What it took, one after the other (wait, then hold); empty for an event without a duration. */
  readonly parts: readonly { readonly title: string; readonly lastedNs: number }[];
  readonly pid: number | undefined;
  readonly tid: number | undefined;
  readonly comm: string | undefined;
  /** The words of its enums: mmap-write, NOPAGE. */
  readonly words: readonly string[];
  readonly args: Readonly<Record<string, string | number>>;
};

/** What happens, in the order of the journal. */
export type TimelineItem =
  | { readonly kind: 'run'; readonly run: number; readonly probe: string; readonly stream: Stream }
  /** All series of the run that have appeared; one that fell silent is 0, not what it was. */
  | { readonly kind: 'rates'; readonly run: number; readonly fromNs: number; readonly rates: readonly Rate[] }
  | { readonly kind: 'call'; readonly run: number; readonly call: TimelineCall }
  /** What was counted by stack up to `atNs`; frames innermost first. */
  | {
      readonly kind: 'stack';
      readonly run: number;
      readonly atNs: number;
      readonly metric: string;
      readonly count: number;
      readonly frames: readonly string[];
      readonly dims: Readonly<Record<string, string | number>>;
    }
  /** Events that are in no figure, found out at `atNs`: they were lost since the last ledger, at most a second before. */
  | {
      readonly kind: 'lost';
      readonly run: number;
      readonly atNs: number;
      readonly stages: Readonly<Record<string, number>>;
    }
  /** A run's last snapshot; what comes later is not known. */
  | { readonly kind: 'end'; readonly run: number; readonly atNs: number };

/** Reads a session from its beginning. Holds the dictionaries of its runs and one tick. */
export async function* timelineOf(source: ExportSource): AsyncGenerator<TimelineItem> {
  const runs: RunTimeline[] = [];
  for await (const event of source.events()) {
    if (event.kind === 'run') {
      const { view, stream } = event.run;
      runs.push(new RunTimeline(event.index, stream));
      yield { kind: 'run', run: event.index, probe: view.probe, stream };
    }
    if (event.kind === 'tick') for (const slice of event.tick.slices) yield* runs[slice.run]?.slice(slice) ?? [];
    if (event.kind === 'views') for (const view of event.runs) yield* runs[view.index]?.losses(view.ledger) ?? [];
  }
  for (const run of runs) yield* run.end(source.manifest);
}

/**
 * A moment of the wall clock (epoch ms) on the kernel's clock, ns; undefined where nobody knows. What a target says of its own
 * clock is exact. A READY was seen some time after it was said, that of a guest's snapshot seconds later: the least late counts.
 */
export function kernelTimeOf({ runs, target }: SessionManifest, atMs: number): number | undefined {
  const seenMs = runs.flatMap(({ view: { readyAtMs, readyNs } }) =>
    readyAtMs === undefined || readyNs === undefined ? [] : [readyAtMs - readyNs / 1e6],
  );
  const leastMs = seenMs.length === 0 ? undefined : Math.min(...seenMs);
  // A replayed recording has the clock of another day.
  const offsetMs = (target.kind === 'replay' ? undefined : target.identity?.clockOffsetMs) ?? leastMs;
  return offsetMs === undefined ? undefined : (atMs - offsetMs) * 1e6;
}

type Cell = {
  readonly metric: string;
  readonly series: readonly string[];
  readonly stack:
    | { readonly frames: readonly string[]; readonly dims: Readonly<Record<string, string | number>> }
    | undefined;
};

class RunTimeline {
  private readonly run: number;
  private readonly stream: Stream;
  private readonly shape: CallShape;
  private readonly cells: Cell[] = [];
  private readonly texts: string[] = [];
  private readonly series = new Map<string, Omit<Rate, 'perSec'>>();
  private known: Readonly<Partial<Ledger>> = {};
  private toNs = 0;

  constructor(run: number, stream: Stream) {
    this.run = run;
    this.stream = stream;
    this.shape = shapeOf(stream);
  }

  *slice(slice: TickSlice): Generator<TimelineItem> {
    const { run } = this;
    for (const text of slice.newTexts) this.texts.push(text);
    for (const entry of slice.newCells) this.cells.push(this.cellOf(entry.metric, entry.dims));
    if (slice.toNs > slice.fromNs) {
      this.toNs = slice.toNs;
      yield { kind: 'rates', run, fromNs: slice.fromNs, rates: this.rates(slice) };
    }
    for (const [at, cell] of slice.cells.entries()) {
      const { stack, metric } = this.cells[cell] ?? {};
      const count = slice.deltas[at] ?? 0;
      if (stack === undefined || metric === undefined || count <= 0) continue;
      yield { kind: 'stack', run, atNs: slice.toNs, metric, count, ...stack };
    }
    for (let call = 0; call < slice.callCount; call += 1) yield { kind: 'call', run, call: this.call(slice, call) };
  }

  *losses(ledger: Ledger): Generator<TimelineItem> {
    const stages = Object.fromEntries(
      lossStages
        .map((stage) => [stage.replace(/Count$/, ''), ledger[stage] - (this.known[stage] ?? 0)] as const)
        .filter(([, count]) => count > 0),
    );
    this.known = ledger;
    if (Object.keys(stages).length > 0) yield { kind: 'lost', run: this.run, atNs: this.toNs, stages };
  }

  /** The manifest knows most of a run that was interrupted. */
  *end(manifest: SessionManifest): Generator<TimelineItem> {
    const ledger = manifest.runs[this.run]?.view.ledger;
    if (ledger !== undefined && manifest.state !== 'live') yield* this.losses(ledger);
    if (this.toNs > 0) yield { kind: 'end', run: this.run, atNs: this.toNs };
  }

  private cellOf(metric: string, dims: Readonly<Record<string, string | number>>): Cell {
    const spec = this.stream.maps.find((one) => one.metric === metric);
    if (spec?.kind !== 'count') return { metric, series: [], stack: undefined };
    const names = wordDimensions(spec).filter((name) => dims[name] !== undefined);
    const series = (names.length === 0 ? ['all'] : names).map((dimension, at) => {
      const word = names.length === 0 ? 'all' : String(dims[dimension] ?? '');
      const key = `${metric}\n${dimension}\n${word}`;
      if (!this.series.has(key)) this.series.set(key, { metric, dimension, word, isFirst: at === 0 });
      return key;
    });
    // Of several stacks the last is the longest: the first ones say where the probe sits.
    const stackName = spec.key.findLast((part) => part.kind === 'stack')?.name;
    if (stackName === undefined) return { metric, series, stack: undefined };
    const { [stackName]: printed, ...rest } = dims;
    const frames = String(printed ?? '')
      .split(';')
      .filter((frame) => frame !== '');
    return { metric, series, stack: { frames, dims: rest } };
  }

  private rates(slice: TickSlice): readonly Rate[] {
    const seconds = (slice.toNs - slice.fromNs) / 1e9;
    const counts = new Map<string, number>();
    for (const [at, cell] of slice.cells.entries()) {
      for (const key of this.cells[cell]?.series ?? [])
        counts.set(key, (counts.get(key) ?? 0) + (slice.deltas[at] ?? 0));
    }
    return [...this.series].map(([key, series]) => ({ ...series, perSec: (counts.get(key) ?? 0) / seconds }));
  }

  private call(slice: TickSlice, call: number): TimelineCall {
    const { timeAt, isEnd, durations, pidAt, tidAt, commAt, wordsAt } = this.shape;
    const value = (position: number): number => slice.calls[position]?.[call] ?? 0;
    const args: Record<string, string | number> = {};
    for (const [position, column] of this.stream.columns.entries())
      args[column.name] = callValue(column, value(position), this.texts);
    const parts = durations.map(({ at, title }) => ({ title, lastedNs: Math.max(0, value(at)) }));
    const lastedNs = parts.reduce((sum, part) => sum + part.lastedNs, 0);
    const atNs = timeAt === undefined ? slice.toNs : value(timeAt);
    return {
      fromNs: isEnd ? atNs - lastedNs : atNs,
      parts,
      pid: pidAt === undefined ? undefined : value(pidAt),
      tid: tidAt === undefined ? undefined : value(tidAt),
      comm: commAt === undefined ? undefined : String(args['comm'] ?? ''),
      words: wordsAt.map((name) => String(args[name] ?? '')),
      args,
    };
  }
}

/** Stages of the ledger at which events went missing. */
const lossStages = ['lostCount', 'missingCount', 'malformedCount', 'droppedCount'] as const;

/** The parts of a key that are words of a manifest: few, and from no process. */
function wordDimensions({ key, keep }: MapSpec): readonly string[] {
  const names = key.flatMap((part) => {
    if (part.kind === 'enum') return [part.name];
    return part.kind === 'packed'
      ? part.fields.flatMap(({ name, values }) => (values === undefined ? [] : [name]))
      : [];
  });
  return names.filter((name) => keep?.includes(name) ?? true);
}

type CallShape = {
  readonly timeAt: number | undefined;
  /** The time is that of the return. */
  readonly isEnd: boolean;
  readonly durations: readonly { readonly at: number; readonly title: string }[];
  readonly pidAt: number | undefined;
  readonly tidAt: number | undefined;
  readonly commAt: number | undefined;
  readonly wordsAt: readonly string[];
};

/** How long a call took is its latency, or its wait and its hold one after the other. */
function shapeOf({ columns }: Stream): CallShape {
  const place = (name: string): number | undefined => {
    const position = columns.findIndex((column) => column.name === name);
    return position === -1 ? undefined : position;
  };
  const durations = (names: readonly string[]): CallShape['durations'] =>
    names.flatMap((name) => {
      const at = place(name);
      return at === undefined ? [] : [{ at, title: columns[at]?.title ?? name }];
    });
  const own = durations(['latencyNs']);
  const timeAt = columns.findIndex(({ type }) => type === 'timeNs');
  return {
    timeAt: timeAt === -1 ? undefined : timeAt,
    isEnd: columns[timeAt]?.name.startsWith('ended') === true,
    durations: own.length > 0 ? own : durations(['waitNs', 'holdNs']),
    pidAt: place('pid'),
    tidAt: place('tid'),
    commAt: place('comm'),
    wordsAt: columns.flatMap(({ name, values }) => (values === undefined ? [] : [name])),
  };
}
