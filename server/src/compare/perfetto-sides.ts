/** The runs of all sides as one Perfetto trace, each run under the name of its side and its build. */
import { exportPerfettoRuns } from '../exports/perfetto.ts';
import { openExportSource } from '../sessions/export-source.ts';
import type { RecordedFolder } from './recorded-run.ts';

/** The trace piece by piece; whoever takes the pieces sets the pace. The first side is the baseline. */
export function perfettoOfSides(
  sides: readonly { readonly title: string; readonly folders: readonly RecordedFolder[] }[],
): AsyncGenerator<Uint8Array> {
  return exportPerfettoRuns(
    sides.flatMap(({ title, folders }, side) =>
      folders.map((one, at) => ({
        source: openExportSource({ id: one.manifest.id, bytes: 0, ...one }),
        name: `${sideWord(side, sides.length)} ${title}, run ${String(one.manifest.setup?.runNumber ?? at + 1)}`,
      })),
    ),
  );
}

function sideWord(side: number, count: number): string {
  if (side === 0) return 'baseline';
  return count === 2 ? 'candidate' : `candidate ${String(side)}`;
}
