/** Folded stacks, one line each with a count, for flamegraph.pl, inferno and speedscope. */
import { type ExportSource, Pieces } from './source.ts';
import { countedStacks, countedWords } from './weighted-stacks.ts';

/**
 * Where stacks were counted: process, then the frames, outermost first. Where none were: process, probe, metric and the
 * words of each event counter, which shows who does what.
 */
export async function* exportFolded(source: ExportSource): AsyncGenerator<string> {
  const pieces = new Pieces();
  const figures = await source.figures();
  const stacks = [...countedStacks(figures)];
  for (const { frames, value } of stacks.length > 0 ? stacks : countedWords(figures, 'events')) {
    const piece = pieces.add(`${frames.map(frame).join(';')} ${value}\n`);
    if (piece !== undefined) yield piece;
  }
  yield pieces.take();
}

/** Semicolons part frames and line feeds lines, so no frame may have any. */
function frame(text: string): string {
  return text.replaceAll(/[;\r\n]/g, '_');
}
