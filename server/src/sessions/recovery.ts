/** Sessions whose recorder died: closed as interrupted, with an exact account of what they hold. */
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { addLedgers, type RecordedRun, type SessionManifest, sessionFiles } from '@faultline/shared';
import { isAlive } from './process-owner.ts';
import { interruptedView, readFigures } from './recorded-figures.ts';
import { readSessionManifest, writeSessionManifest } from './session-folder.ts';

/** Whether a session says that it is live, and nobody records it. */
export function isAbandoned(manifest: SessionManifest): boolean {
  return manifest.state === 'live' && (manifest.owner === undefined || !isAlive(manifest.owner));
}

/**
 * Closes an abandoned session. A torn last line is cut off, and said; nothing else of the journal is changed. Two
 * processes may do this at once: both find and write the same. Throws what the file system throws.
 */
export async function closeAbandoned(folder: string, manifest: SessionManifest): Promise<SessionManifest> {
  const journal = join(folder, sessionFiles.journal);
  const { figures, end } = await readFigures(journal);
  if (end.tornBytes > 0) truncateSync(journal, end.wholeBytes);
  const lastAtMs = Math.max(manifest.createdAtMs, figures.lastAtMs);
  const why = 'Faultline was killed while it recorded';
  const runs: readonly RecordedRun[] = figures.runs.map((run) => ({
    ...run.run,
    view: interruptedView(run, lastAtMs, why),
  }));
  const closed: SessionManifest = {
    ...manifest,
    state: end.isEnded ? 'closed' : 'interrupted',
    lastAtMs,
    runs: [...runs],
    ledger: addLedgers(runs.map(({ view }) => view.ledger)),
    held: figures.held(end.wholeBytes),
    ...(end.isEnded
      ? {}
      : { interruption: { message: interruptionOf(end.tornBytes, end.damage), discardedBytes: end.tornBytes } }),
  };
  delete closed.owner;
  // It may have been closed, renamed or pinned by another process in the meantime.
  const now = readSessionManifest(folder);
  if (now.ok && !isAbandoned(now.value)) return now.value;
  writeSessionManifest(folder, closed);
  return closed;
}

function interruptionOf(tornBytes: number, damage: string | undefined): string {
  const cut = tornBytes > 0 ? `; its last line was torn, and its ${tornBytes} bytes were cut off` : '';
  const broken = damage === undefined ? '' : `; the journal can't be read beyond this place: ${damage}`;
  return `Faultline ended without closing this session${cut}${broken}`;
}
