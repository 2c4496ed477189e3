/** The lab's own folder: everything it downloads or builds, by content, so that nothing is made twice or mixed up. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { err, ok, type Result } from '@faultline/shared';
import type { LabError } from './lab-error.ts';

/** $FAULTLINE_CACHE, or faultline/ below the user's cache folder. */
export function cacheFolder(): string {
  const { FAULTLINE_CACHE: own, XDG_CACHE_HOME: caches } = process.env;
  if (own !== undefined && own !== '') return own;
  return join(caches === undefined || caches === '' ? join(homedir(), '.cache') : caches, 'faultline');
}

/** A short digest of everything that decides what is built: 16 hex digits. */
export function digestOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(String(part.length)).update('\0').update(part);
  return hash.digest('hex').slice(0, 16);
}

/** Where the thing of this kind and key is, or would be. */
export function cachedPath(kind: string, key: string): string {
  return join(cacheFolder(), kind, key);
}

/** Whether it has been built. */
export async function isCached(kind: string, key: string): Promise<boolean> {
  return (await stat(cachedPath(kind, key)).catch(() => undefined)) !== undefined;
}

/**
 * The folder `kind/key`, built first if it is not there: `build` fills a folder of its own, which then takes the name at
 * once, so that a build that was interrupted leaves nothing that looks whole. Fails where that folder cannot be written:
 * the disk is full, as a rule.
 */
export async function cached(
  kind: string,
  key: string,
  build: (folder: string) => Promise<Result<void, LabError>>,
): Promise<Result<string, LabError>> {
  const path = cachedPath(kind, key);
  if (await isCached(kind, key)) return ok(path);
  let draft: string | undefined;
  try {
    await mkdir(join(cacheFolder(), kind), { recursive: true });
    draft = await mkdtemp(`${path}.draft-`);
    const built = await build(draft);
    if (!built.ok) {
      await removeDraft(draft);
      return built;
    }
    // Somebody else may have built the same meanwhile: theirs is as good.
    await rename(draft, path).catch(() => removeDraft(draft));
    return ok(path);
  } catch (cause) {
    await removeDraft(draft);
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    return err(notWritten(cause));
  }
}

async function removeDraft(draft: string | undefined): Promise<void> {
  if (draft !== undefined) await rm(draft, { recursive: true, force: true });
}

function notWritten(cause: Error): LabError {
  const isFull = /^(?:ENOSPC|EDQUOT)/.test(cause.message);
  return {
    kind: 'broken',
    message: isFull
      ? `the disk of the lab's folder ${cacheFolder()} is full`
      : `the lab's folder ${cacheFolder()} cannot be used: ${cause.message}`,
    remedy: isFull ? roomRemedy : 'Mend that, or name another folder in FAULTLINE_CACHE.',
  };
}

/** What to do where the lab's folder has no room. */
export const roomRemedy = 'Make room there, type faultline lab clean, or name another folder in FAULTLINE_CACHE.';

/** The names of a kind beyond so many, the most recently used being kept; what is still being built is not among them. */
export async function beyondNewest(kind: string, max: number): Promise<readonly string[]> {
  const folder = cachedPath(kind, '');
  const names = (await readdir(folder).catch(() => [])).filter((name) => !name.includes('.draft-'));
  const used = await Promise.all(
    names.map(async (name) => ({ name, atMs: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  return used
    .toSorted((left, right) => right.atMs - left.atMs)
    .slice(max)
    .map(({ name }) => name);
}

/** Says that something of the lab's folder is used now: the least recently used go first. */
export async function noteUse(folder: string): Promise<void> {
  const now = new Date();
  // Where that fails it is only taken for older than it is.
  await utimes(folder, now, now).catch(() => undefined);
}

/** What the lab keeps, by kind, and how many bytes it takes. */
export async function cacheUsage(): Promise<readonly { readonly kind: string; readonly bytes: number }[]> {
  const kinds = await readdir(cacheFolder(), { withFileTypes: true }).catch(() => []);
  const usage = [];
  for (const entry of kinds) {
    if (entry.isDirectory()) usage.push({ kind: entry.name, bytes: await bytesBelow(join(cacheFolder(), entry.name)) });
  }
  return usage;
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}
