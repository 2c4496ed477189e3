/** One server a store: a file with the process that holds it. A lock whose process has died is taken over. */
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type ProcessOwner, ProcessOwnerSchema, type Result } from '@faultline/shared';
import { Compile } from 'typebox/compile';
import { isAlive, ownProcess } from './process-owner.ts';

/** Name of the lock in the store's folder. */
export const lockName = '.server-lock';

/** Somebody else serves this store. */
export type LockRefusal = { readonly holder: ProcessOwner };

const validator = Compile(ProcessOwnerSchema);

/** Takes the lock. The answer gives it back. Error: a living process holds it. */
export function lockStore(folder: string): Result<() => void, LockRefusal> {
  const path = join(folder, lockName);
  const own = ownProcess();
  const draft = `${path}.${own.pid}`;
  writeFileSync(draft, JSON.stringify(own));
  try {
    // A link is made whole or not at all: nobody ever reads a half-written lock.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (tryLink(draft, path)) return ok(() => unlock(path, own));
      const holder = readOwner(path);
      if (holder !== undefined && isAlive(holder)) return err({ holder });
      const usurper = moveAway(path, `${path}.stale.${own.pid}`);
      if (usurper !== undefined) return err({ holder: usurper });
    }
    return err({ holder: readOwner(path) ?? own });
  } finally {
    unlinkSync(draft);
  }
}

/** Removes a stale lock. What is found behind the name may be newer than what was read: a living one is put back. */
function moveAway(path: string, aside: string): ProcessOwner | undefined {
  try {
    renameSync(path, aside);
  } catch {
    return undefined;
  }
  const holder = readOwner(aside);
  const isLive = holder !== undefined && isAlive(holder);
  if (isLive) tryLink(aside, path);
  unlinkSync(aside);
  return isLive ? holder : undefined;
}

function unlock(path: string, own: ProcessOwner): void {
  const holder = readOwner(path);
  if (holder?.pid === own.pid && holder.startTicks === own.startTicks) unlinkSync(path);
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readOwner(path: string): ProcessOwner | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return validator.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
