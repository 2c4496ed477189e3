/** A recorded session as one run of a comparison. */
import { type ComparedRun, comparedRun, err, ok, type Result, type SessionManifest } from '@faultline/shared';
import type { LiveFigures } from '../sessions/live-figures.ts';
import type { RecordedFigures } from '../sessions/recorded-figures.ts';
import { readFinalFigures } from '../sessions/session-totals.ts';
import type { Refusal } from '../sessions/refusal.ts';

/** A session on disk. */
export type RecordedFolder = { readonly folder: string; readonly manifest: SessionManifest };

/** The build of a session: what it was recorded as, otherwise the kernel's own name. */
export function buildOf({ setup, target }: SessionManifest): string {
  const name = setup?.build ?? target.identity?.release ?? target.title;
  // It comes from a file, and begins lines of reports.
  return name.replaceAll(/\p{Cc}/gu, ' ').slice(0, 200);
}

/** Reads what a session adds up to, as one run. Error: its journal is damaged; a torn end is none, and shows as an incomplete run. */
export async function readRun(recorded: RecordedFolder): Promise<Result<ComparedRun, Refusal>> {
  const read = await readRecorded(recorded);
  return read.ok ? ok(read.value.run) : read;
}

/** As readRun, with the figures that the run was made of. `live` reads on where it was in sessions that are being recorded. */
export async function readRecorded(
  { folder, manifest }: RecordedFolder,
  live?: LiveFigures,
): Promise<Result<{ readonly run: ComparedRun; readonly figures: RecordedFigures }, Refusal>> {
  const { figures, damage } = await readFinalFigures({ folder, manifest }, live);
  if (damage !== undefined) {
    const message = `session ${manifest.id}: its journal can't be read beyond this place: ${damage}`;
    return err({ kind: 'session-unreadable', message, remedy: 'Leave it out, or record that run again.' });
  }
  const { setup, target, id, createdAtMs, state } = manifest;
  const streams = figures.runs.map((run, index) => {
    const { cells, totals } = run.totalsOf(index);
    const { view, scriptDigest } = run.run;
    const durationNs = Math.max(0, run.span.toNs - run.span.fromNs);
    return { probe: view.probe, stream: view.stream, view, cells, totals, durationNs, scriptDigest };
  });
  const run = comparedRun({
    id,
    build: buildOf(manifest),
    startedAtMs: createdAtMs,
    identity: target.identity,
    accelerator: setup?.accelerator,
    device: setup?.device,
    work: setup?.workload,
    runNumber: setup?.runNumber,
    isLive: state === 'live',
    streams,
  });
  return ok({ run, figures });
}
