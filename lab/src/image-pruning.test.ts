import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labKeptMax } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noteImages, pruneImages } from './image-pruning.ts';

let cache = '';

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'faultline-images-'));
  vi.stubEnv('FAULTLINE_CACHE', cache);
  // The bound is full of what was used later than all that a test looks at.
  for (let at = 0; at < labKeptMax.tools; at += 1) place(`newer${at}`, 1000);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

/** A disk that was last used so many seconds after the epoch. */
function place(name: string, usedSec: number): string {
  const folder = join(cache, 'tools', name);
  mkdirSync(folder, { recursive: true });
  utimesSync(folder, usedSec, usedSec);
  return join(folder, 'tools.ext4');
}

async function placeSnapshot(name: string, images: readonly string[] | undefined): Promise<void> {
  const folder = join(cache, 'snapshots', name);
  mkdirSync(folder, { recursive: true });
  if (images !== undefined) await noteImages(folder, images);
}

const isThere = (name: string): boolean => existsSync(join(cache, 'tools', name));

describe('disks of guests beyond the bound', () => {
  it('go, the least recently used first, but for what is being built', async () => {
    place('old', 10);
    place('old.draft-x', 5);
    await pruneImages();
    expect(['old', 'old.draft-x', 'newer0'].map(isThere)).toEqual([false, true, true]);
  });

  it('stay while a snapshot needs them', async () => {
    await placeSnapshot('s', [place('needed', 10)]);
    place('old', 20);
    await pruneImages();
    expect(['needed', 'old'].map(isThere)).toEqual([true, false]);
  });

  it.each([
    ['of before this was noted', undefined],
    ['whose note is torn', '["/x'],
    ['whose note is of another form', '{}'],
  ])('stay while there is a snapshot %s', async (_, text) => {
    place('old', 10);
    await placeSnapshot('s', undefined);
    if (text !== undefined) writeFileSync(join(cache, 'snapshots', 's', 'images.json'), text);
    await pruneImages();
    expect(isThere('old')).toBe(true);
  });

  it('stay while a guest runs from them', async () => {
    const disk = place('runs', 10);
    const words = ['-e', 'process.stdin.resume()', '--', `file=${disk.replaceAll(',', ',,')},format=raw`];
    const guest = spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(guest, 'spawn');
    await pruneImages();
    expect(isThere('runs')).toBe(true);
    guest.stdin.end();
    await once(guest, 'exit');
    await pruneImages();
    expect(isThere('runs')).toBe(false);
  });
});
