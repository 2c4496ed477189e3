/**
 * Initramfs and disks that guests boot from: each version of a kernel, a program or bpftrace leaves one behind. The least recently
 * used go, and never one that a snapshot or a guest needs: a guest goes on with the very disk that it had, not with one like it.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { labKeptMax } from '@faultline/shared';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { beyondNewest, cachedPath } from './cache.ts';

const imagesFile = 'images.json';
const validator = Compile(Type.Array(Type.String()));

/** Notes in a snapshot's folder which files its guest was booted from. Where that fails nothing is removed at all. */
export async function noteImages(snapshot: string, images: readonly string[]): Promise<void> {
  await writeFile(join(snapshot, imagesFile), JSON.stringify(images)).catch(() => undefined);
}

/** Removes those beyond the bounds that nothing needs; none while there is a snapshot that does not say what it needs. */
export async function pruneImages(): Promise<void> {
  const needed = await ofSnapshots();
  const running = await commandLines();
  if (needed === undefined || running === undefined) return;
  for (const kind of ['initramfs', 'tools'] as const) {
    for (const name of await beyondNewest(kind, labKeptMax[kind])) {
      const folder = cachedPath(kind, name);
      const isNeeded = [...needed, ...running].some((words) => words.includes(`${folder}/`));
      if (!isNeeded) await rm(folder, { recursive: true, force: true });
    }
  }
}

/** The files that the snapshots need; undefined where one does not say. */
async function ofSnapshots(): Promise<readonly string[] | undefined> {
  const all: string[] = [];
  for (const name of await beyondNewest('snapshots', 0)) {
    try {
      const images: unknown = JSON.parse(await readFile(join(cachedPath('snapshots', name), imagesFile), 'utf8'));
      if (!validator.Check(images)) return undefined;
      all.push(...images);
    } catch {
      return undefined;
    }
  }
  return all;
}

/** The words of every process, as QEMU writes a path into them: with a comma twice. */
async function commandLines(): Promise<readonly string[] | undefined> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^[0-9]+$/.test(name));
  if (pids.length === 0) return undefined;
  const words = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(words)).map((text) => text.replaceAll(',,', ','));
}
