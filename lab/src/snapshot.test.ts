import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labKeptMax } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pruneSnapshots } from './snapshot.ts';

let cache = '';

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'faultline-cache-'));
  vi.stubEnv('FAULTLINE_CACHE', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

/** A snapshot that was last used so many seconds after the epoch. */
function place(name: string, usedSec: number): void {
  const folder = join(cache, 'snapshots', name);
  mkdirSync(folder, { recursive: true });
  utimesSync(folder, usedSec, usedSec);
}

describe('snapshots', () => {
  it('are no more than the bound, the least recently used removed', async () => {
    for (let at = 0; at < labKeptMax.snapshots + 3; at += 1) place(`s${at}`, 1000 - at);
    await pruneSnapshots();
    const kept = Array.from({ length: labKeptMax.snapshots }, (_, at) => `s${at}`);
    expect(readdirSync(join(cache, 'snapshots')).toSorted()).toEqual(kept.toSorted());
  });

  it('that somebody is still writing are left alone', async () => {
    for (let at = 0; at < labKeptMax.snapshots; at += 1) place(`s${at}`, 1000);
    place('s9.draft-abc', 1);
    await pruneSnapshots();
    expect(readdirSync(join(cache, 'snapshots'))).toHaveLength(labKeptMax.snapshots + 1);
  });

  it('need not be there', async () => {
    await expect(pruneSnapshots()).resolves.toBeUndefined();
  });
});
