/** What tells whether a session is the one that was compared: a closed journal never changes, and another one differs in its beginning. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { journalEndBytes, sessionFiles } from '@faultline/shared';

/** SHA-256, in hex, of the length of a session's journal and of its first and last journalEndBytes; of nothing where there is none. */
export function digestOfJournal(folder: string): string {
  const hash = createHash('sha256');
  let file: number;
  try {
    file = openSync(join(folder, sessionFiles.journal), 'r');
  } catch {
    return hash.digest('hex');
  }
  try {
    const { size } = fstatSync(file);
    hash.update(`${String(size)}\n`);
    for (const from of [0, Math.max(0, size - journalEndBytes)]) {
      const bytes = Buffer.alloc(Math.min(size, journalEndBytes));
      hash.update(bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from)));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}
