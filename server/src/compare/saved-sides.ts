/** The sides of a saved comparison among the sessions that are there now. */
import {
  type Comparison,
  err,
  ok,
  type Result,
  type SavedComparison,
  type SavedComparisonView,
} from '@faultline/shared';
import type { Library } from '../sessions/library.ts';
import type { Refusal } from '../sessions/refusal.ts';
import { digestOfJournal } from '../sessions/journal-digest.ts';
import type { RecordedFolder } from './recorded-run.ts';

/** A side with the sessions of it that are there. */
export type SavedSide = { readonly title: string; readonly folders: readonly RecordedFolder[] };

type Found = { readonly id: string; readonly digest: string; readonly session: RecordedFolder | undefined };

/** What is told of it. */
export function viewOfSaved(saved: SavedComparison, library: Library): SavedComparisonView {
  const { id, name, createdAtMs, notes } = saved;
  const sides = foundOf(saved, library).map(({ title, sessions }) => ({
    title,
    sessions: sessions.map((one) => ({ id: one.id, state: stateOf(one) })),
  }));
  return { id, name, createdAtMs, notes, sides };
}

/** Its sides, and in sentences what is no longer as it was. Error: of a side nothing is left. */
export function sidesOfSaved(
  saved: SavedComparison,
  library: Library,
): Result<{ readonly sides: readonly SavedSide[]; readonly remarks: readonly string[] }, Refusal> {
  const sides = foundOf(saved, library);
  const empty = sides.find(({ sessions }) => sessions.every(({ session }) => session === undefined));
  if (empty !== undefined)
    return err({
      kind: 'unknown-session',
      message: `of the comparison ${JSON.stringify(saved.name)} no session of ${empty.title} is in the store any more`,
      remedy: 'Import them again (faultline import), or remove the comparison.',
    });
  // A session may be of two sides.
  const idsOf = (state: 'missing' | 'changed'): readonly string[] => [
    ...new Set(sides.flatMap(({ sessions }) => sessions.filter((one) => stateOf(one) === state).map(({ id }) => id))),
  ];
  return ok({
    sides: sides.map(({ title, sessions }) => ({
      title,
      folders: sessions.flatMap(({ session }) => (session === undefined ? [] : [session])),
    })),
    remarks: [
      ...remark(idsOf('missing'), 'is no longer in the store and left out', 'are no longer in the store and left out'),
      ...remark(idsOf('changed'), 'is not the one that was compared then', 'are not those that were compared then'),
    ],
  });
}

/** What is to be said of the sides stands at the gate of every candidate, so that every format says it. */
export function withRemarks(comparison: Comparison, remarks: readonly string[]): Comparison {
  const notes = remarks.map((message) => ({ name: 'saved', level: 'note', message }) as const);
  return {
    ...comparison,
    candidates: comparison.candidates.map((one) => ({ ...one, gate: [...one.gate, ...notes] })),
  };
}

/** So many ids are named. */
const namedMax = 5;

function remark(ids: readonly string[], one: string, many: string): readonly string[] {
  if (ids.length === 0) return [];
  const named = ids.slice(0, namedMax).join(', ');
  const more = ids.length > namedMax ? ` and ${String(ids.length - namedMax)} more` : '';
  return [`saved comparison: ${named}${more} ${ids.length === 1 ? one : many}`];
}

function foundOf(
  { sides }: SavedComparison,
  library: Library,
): readonly { readonly title: string; readonly sessions: readonly Found[] }[] {
  const there = new Map(
    library.list().flatMap(({ id, folder, manifest }) => (manifest === undefined ? [] : [[id, { folder, manifest }]])),
  );
  return sides.map(({ title, sessions }) => ({
    title,
    sessions: sessions.map(({ id, digest }) => ({ id, digest, session: there.get(id) })),
  }));
}

function stateOf({ session, digest }: Found): SavedComparisonView['sides'][number]['sessions'][number]['state'] {
  if (session === undefined) return 'missing';
  return digestOfJournal(session.folder) === digest ? 'here' : 'changed';
}
