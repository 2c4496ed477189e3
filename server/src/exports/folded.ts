/** Folded stacks, one line each with a count, for flamegraph.pl, inferno and speedscope. */
import type { Dims, Stream } from '@faultline/shared';
import { type ExportSource, Pieces } from './source.ts';

/**
 * Where stacks were counted: process, then the frames, outermost first. Where none were: process, probe, metric and the
 * words of each event counter, which shows who does what.
 */
export async function* exportFolded(source: ExportSource): AsyncGenerator<string> {
  const pieces = new Pieces();
  const figures = await source.figures();
  const hasStacks = figures.runs.some(({ run }) => stackMetrics(run.stream).size > 0);
  for (const [index, { run }] of figures.runs.entries()) {
    const { cells, totals } = figures.runs[index]?.totalsOf(index) ?? { cells: [], totals: [] };
    const metrics = hasStacks ? stackMetrics(run.stream) : eventMetrics(run.stream);
    for (const { cell, metric, dims } of cells) {
      const count = totals[cell] ?? 0;
      if (count <= 0 || !metrics.has(metric)) continue;
      const frames = hasStacks ? stackFrames(run.stream, metric, dims) : wordFrames(run.view.probe, metric, dims);
      const piece = pieces.add(`${frames.map(frame).join(';')} ${count}\n`);
      if (piece !== undefined) yield piece;
    }
  }
  yield pieces.take();
}

function stackMetrics({ maps }: Stream): ReadonlySet<string> {
  const withStack = maps.filter(({ kind, key }) => kind === 'count' && key.some((part) => part.kind === 'stack'));
  return new Set(withStack.map(({ metric }) => metric));
}

function eventMetrics({ maps }: Stream): ReadonlySet<string> {
  return new Set(maps.filter(({ kind, role }) => kind === 'count' && role === 'events').map(({ metric }) => metric));
}

function stackFrames({ maps }: Stream, metric: string, dims: Dims): readonly string[] {
  const key = maps.find((spec) => spec.metric === metric)?.key ?? [];
  const names = key.flatMap((part) => (part.kind === 'stack' ? [part.name] : []));
  // Of several stacks the last is the longest: the first ones say where the probe sits.
  const stack = String(dims[names.at(-1) ?? ''] ?? '');
  return [
    String(dims['comm'] ?? 'all'),
    ...stack
      .split(';')
      .filter((name) => name !== '')
      .toReversed(),
    metric,
  ];
}

function wordFrames(probe: string, metric: string, dims: Dims): readonly string[] {
  const { comm, ...rest } = dims;
  const words = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  return [String(comm ?? 'all'), probe, metric, ...words];
}

/** Semicolons part frames and line feeds lines, so no frame may have any. */
function frame(text: string): string {
  return text.replaceAll(/[;\r\n]/g, '_');
}
