/** What a session counted as stacks with a weight, for flame graphs. */
import type { Dims, MapSpec, Stream } from '@faultline/shared';
import type { RecordedFigures } from '../sessions/recorded-figures.ts';

/** Frames outermost first; the first is the process, the last what was counted. */
export type WeightedStack = {
  readonly comm: string;
  readonly probe: string;
  readonly frames: readonly string[];
  readonly value: number;
};

/** Counters whose key holds a kernel stack: violations, warnings. */
export function* countedStacks(figures: RecordedFigures): Generator<WeightedStack> {
  const isStacked = ({ kind, key }: MapSpec): boolean => kind === 'count' && key.some((part) => part.kind === 'stack');
  yield* weighed(figures, isStacked, (stream, _probe, metric, dims) => [...stackFrames(stream, metric, dims), metric]);
}

/** Counters and times without a stack, by the words of their key: events (how often), or ns spent. */
export function* countedWords(figures: RecordedFigures, what: 'events' | 'time'): Generator<WeightedStack> {
  const isWanted = ({ kind, role, unit, key }: MapSpec): boolean =>
    what === 'events'
      ? kind === 'count' && role === 'events'
      : kind === 'sum' && unit === 'ns' && key.some(({ kind: part }) => part === 'text');
  yield* weighed(figures, isWanted, (_stream, probe, metric, dims) => [
    probe,
    metric,
    ...Object.entries(dims).flatMap(([name, value]) => (name === 'comm' ? [] : [`${name}=${value}`])),
  ]);
}

function* weighed(
  figures: RecordedFigures,
  isWanted: (spec: MapSpec) => boolean,
  framesOf: (stream: Stream, probe: string, metric: string, dims: Dims) => readonly string[],
): Generator<WeightedStack> {
  for (const [index, run] of figures.runs.entries()) {
    const { stream, view } = run.run;
    const metrics = new Set(stream.maps.filter(isWanted).map(({ metric }) => metric));
    if (metrics.size === 0) continue;
    const { cells, totals } = run.totalsOf(index);
    for (const { cell, metric, dims } of cells) {
      const value = totals[cell] ?? 0;
      if (value <= 0 || !metrics.has(metric)) continue;
      const comm = String(dims['comm'] ?? 'all');
      yield { comm, probe: view.probe, frames: [comm, ...framesOf(stream, view.probe, metric, dims)], value };
    }
  }
}

function stackFrames({ maps }: Stream, metric: string, dims: Dims): readonly string[] {
  const key = maps.find((spec) => spec.metric === metric)?.key ?? [];
  // Of several stacks the last is the longest: the first ones say where the probe sits.
  const name = key.findLast((part) => part.kind === 'stack')?.name ?? '';
  const frames = String(dims[name] ?? '').split(';');
  return frames.filter((frame) => frame !== '').toReversed();
}
