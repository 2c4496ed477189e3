/** How the interface finds recorded sessions, and shows them. */
import type { RecordedSessionView } from '@faultline/shared';
import { Type } from 'typebox';
import { isLive, type Library, type LibraryEntry, type ReadableEntry } from '../sessions/library.ts';
import { accepted, RefusedError } from './errors.ts';

/** Path parameters of routes about one session. */
export const IdSchema = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: 120 }) },
  { additionalProperties: false },
);

/** The session of this very id: what is convenient at a terminal would be a trap for a program that removes. */
export function exactly(library: Library, wanted: string): LibraryEntry {
  const entry = accepted(library.find(wanted));
  if (entry.id === wanted) return entry;
  throw new RefusedError({
    kind: 'unknown-session',
    message: `There is no recorded session ${JSON.stringify(wanted)} here.`,
    remedy: 'GET /api/v1/recordings lists them.',
  });
}

/** What the interface says of it. */
export function viewOf(entry: LibraryEntry): RecordedSessionView {
  const { id: own, bytes, manifest, problem } = entry;
  return {
    id: own,
    bytes,
    isLive: isLive(entry),
    ...(manifest === undefined ? {} : { manifest }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** The session of this very id, with its manifest. Throws the refusal where it can't be read. */
export function readable(library: Library, wanted: string): ReadableEntry {
  const entry = exactly(library, wanted);
  const { manifest, problem } = entry;
  if (manifest === undefined) throw new RefusedError(unreadable(entry.id, problem));
  return { ...entry, manifest };
}

function unreadable(own: string, problem: string): ConstructorParameters<typeof RefusedError>[0] {
  return { kind: 'session-unreadable', message: `Session ${own}: ${problem}.`, remedy: 'Nothing was changed.' };
}
