/** When faults took how long in recorded runs, from the buckets of their journals: what a difference heatmap is made of. */
import { join } from 'node:path';
import { statSync } from 'node:fs';
import {
  bucketIndexMax,
  compareHeatBytesMax,
  differenceHeat,
  type DifferenceHeatAnswer,
  type HeatRun,
  heatSnapshotsMax,
  isFaultLatency,
  sessionFiles,
  type TimedBuckets,
} from '@faultline/shared';
import { readJournal } from '../sessions/journal-reader.ts';
import type { RecordedFolder } from './recorded-run.ts';

/** Reads heatmaps, and remembers what was read of journals that nothing is written to any more. */
export class HeatBook {
  /** By folder; the one that was asked for last is the last. */
  private readonly known = new Map<string, { readonly stamp: string; readonly run: HeatRun }>();

  /** The heatmap of two sides, or in a sentence why there is none. */
  async difference(
    baseline: readonly RecordedFolder[],
    candidate: readonly RecordedFolder[],
  ): Promise<DifferenceHeatAnswer> {
    const unread = [...baseline, ...candidate].filter((one) => this.known.get(one.folder)?.stamp !== stampOf(one));
    if (unread.reduce((sum, one) => sum + journalBytes(one), 0) > compareHeatBytesMax)
      return {
        why: 'The journals of these runs are too large to be read while somebody waits: choose fewer of them, one by one.',
      };
    const heat = differenceHeat(await this.runsOf(baseline), await this.runsOf(candidate));
    return heat === undefined ? { why: 'No fault of vfio was measured on either side.' } : { heat };
  }

  private async runsOf(folders: readonly RecordedFolder[]): Promise<readonly HeatRun[]> {
    const runs: HeatRun[] = [];
    for (const one of folders) runs.push(await this.runOf(one));
    return runs;
  }

  private async runOf(recorded: RecordedFolder): Promise<HeatRun> {
    const { folder, manifest } = recorded;
    const stamp = stampOf(recorded);
    const known = this.known.get(folder);
    const run = known?.stamp === stamp ? known.run : await readHeatRun(recorded);
    this.known.delete(folder);
    if (manifest.state !== 'live' && run.length <= heatSnapshotsMax) this.known.set(folder, { stamp, run });
    let kept = [...this.known.values()].reduce((sum, one) => sum + one.run.length, 0);
    for (const [oldest, { run: old }] of this.known) {
      if (kept <= heatSnapshotsMax) break;
      this.known.delete(oldest);
      kept -= old.length;
    }
    return run;
  }
}

/** Changes when another journal stands there. */
function stampOf({ folder, manifest }: RecordedFolder): string {
  const found = statSync(join(folder, sessionFiles.journal), { throwIfNoEntry: false });
  return `${String(manifest.createdAtMs)} ${String(found?.size)}@${String(found?.mtimeMs)}`;
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
