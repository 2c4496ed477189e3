/** totals.json: what a closed session's journal adds up to, so that nobody has to read all of it for a sum. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  derivedFiles,
  protocolVersion,
  type SessionManifest,
  type SessionTotals,
  SessionTotalsSchema,
  sessionFiles,
  sessionTotalsBytesMax,
} from '@faultline/shared';
import { Compile } from 'typebox/compile';
import type { FinalFigures, LiveFigures } from './live-figures.ts';
import { readFigures, RecordedFigures } from './recorded-figures.ts';

const validator = Compile(SessionTotalsSchema);

/** A closed session's folder with its manifest. */
type Closed = { readonly folder: string; readonly manifest: SessionManifest };

/** The totals, if they are there, whole, and of this very journal. They say nothing of the tables beside them. */
export function readTotals({ folder, manifest }: Closed): SessionTotals | undefined {
  if (manifest.state === 'live') return undefined;
  const path = join(folder, derivedFiles.totals);
  if (sizeOf(path) > sessionTotalsBytesMax) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
  if (!validator.Check(value)) return undefined;
  const { journalBytes, runs } = value;
  const isOfThis = journalBytes === sizeOf(join(folder, sessionFiles.journal)) && runs.length === manifest.runs.length;
  return isOfThis && runs.every(({ cells, totals }) => cells.length === totals.length) ? value : undefined;
}

/** Whether totals, both tables and the page's view are there and whole, and the view speaks as pages do today. */
export function isDerived(closed: Closed): boolean {
  const totals = readTotals(closed);
  if (totals === undefined) return false;
  const { tables, view } = totals;
  const isWhole = (name: keyof typeof derivedFiles, bytes: number): boolean =>
    bytes === sizeOf(join(closed.folder, derivedFiles[name]));
  return (
    isWhole('calls', tables.callsBytes) &&
    isWhole('counters', tables.countersBytes) &&
    isWhole('view', view.bytes) &&
    view.protocolVersion === protocolVersion
  );
}

/**
 * All cumulative figures of a session at its end: of its totals, or of its journal where there are none. Of one that is being recorded
 * `live` knows how far its journal has been read; without it all of it is. Texts and calls are not among them.
 */
export async function readFinalFigures(session: Closed, live?: LiveFigures): Promise<FinalFigures> {
  if (session.manifest.state === 'live' && live !== undefined) return live.read(session.folder);
  const totals = readTotals(session);
  if (totals !== undefined)
    return { figures: RecordedFigures.restored(session.manifest, totals), damage: totals.damage };
  const { figures, end } = await readFigures(join(session.folder, sessionFiles.journal));
  figures.settle(session.manifest);
  return { figures, damage: end.damage };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
