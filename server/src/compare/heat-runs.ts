/** When faults took how long in recorded runs, from the buckets of their journals: what a difference heatmap is made of. */
import { join } from 'node:path';
import { statSync } from 'node:fs';
import {
  bucketIndexMax,
  compareHeatBytesMax,
  differenceHeat,
  type DifferenceHeatAnswer,
  type HeatRun,
  isFaultLatency,
  sessionFiles,
  type TimedBuckets,
} from '@faultline/shared';
import { readJournal } from '../sessions/journal-reader.ts';
import type { RecordedFolder } from './recorded-run.ts';

/** The heatmap of two sides, or in a sentence why there is none. */
export async function readDifferenceHeat(
  baseline: readonly RecordedFolder[],
  candidate: readonly RecordedFolder[],
): Promise<DifferenceHeatAnswer> {
  const bytes = [...baseline, ...candidate].reduce((sum, one) => sum + journalBytes(one), 0);
  if (bytes > compareHeatBytesMax)
    return {
      why: 'The journals of these runs are too large to be read while somebody waits: choose fewer of them, one by one.',
    };
  const heat = differenceHeat(await readHeatRuns(baseline), await readHeatRuns(candidate));
  return heat === undefined ? { why: 'No fault of vfio was measured on either side.' } : { heat };
}

async function readHeatRuns(folders: readonly RecordedFolder[]): Promise<readonly HeatRun[]> {
  const runs: HeatRun[] = [];
  for (const one of folders) runs.push(await readHeatRun(one));
  return runs;
}

/** The snapshots of the stream that traces the fault handler, times from the first on. What can't be read on ends it. */
async function readHeatRun({ folder }: RecordedFolder): Promise<HeatRun> {
  const path = join(folder, sessionFiles.journal);
  if (journalBytes({ folder }) === 0) return [];
  const faultRuns = new Set<number>();
  /** By run and cell: the bucket of a time in the fault handler. */
  const buckets = new Map<string, number>();
  const snapshots: TimedBuckets[] = [];
  for await (const event of readJournal(path)) {
    if (event.kind === 'run' && event.run.view.probe === 'vfio-fault') faultRuns.add(event.index);
    if (event.kind !== 'tick') continue;
    for (const slice of event.tick.slices) {
      if (!faultRuns.has(slice.run) || slice.toNs <= slice.fromNs) continue;
      for (const { cell, metric, dims } of slice.newCells) {
        const { bucket } = dims;
        if (isFaultLatency(metric, dims) && typeof bucket === 'number' && bucket <= bucketIndexMax)
          buckets.set(`${String(slice.run)} ${String(cell)}`, bucket);
      }
      const counts = new Map<number, number>();
      for (const [at, cell] of slice.cells.entries()) {
        const bucket = buckets.get(`${String(slice.run)} ${String(cell)}`);
        if (bucket !== undefined) counts.set(bucket, (counts.get(bucket) ?? 0) + (slice.deltas[at] ?? 0));
      }
      snapshots.push({ fromNs: slice.fromNs, toNs: slice.toNs, buckets: counts });
    }
  }
  const zeroNs = Math.min(...snapshots.map(({ fromNs }) => fromNs));
  return snapshots.map(({ fromNs, toNs, buckets: counts }) => ({
    fromNs: fromNs - zeroNs,
    toNs: toNs - zeroNs,
    buckets: counts,
  }));
}

function journalBytes({ folder }: Pick<RecordedFolder, 'folder'>): number {
  return statSync(join(folder, sessionFiles.journal), { throwIfNoEntry: false })?.size ?? 0;
}
