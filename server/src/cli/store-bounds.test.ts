import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeTerminal } from '../../test/fakes/fake-terminal.ts';
import { openTempStore, recordBusySession, type TempStore } from '../../test/fakes/temp-store.ts';
import { boundsName } from '../sessions/store-bounds.ts';
import { sessions } from './sessions.ts';
import type { StoreOptions } from '../sessions/store.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-bounds-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Opens the store, has something done to it, and closes it: a server from its start to its end. */
async function served<T>(options: Partial<StoreOptions>, work: (temp: TempStore) => T): Promise<T> {
  await using temp = await openTempStore({ folder, ...options });
  return work(temp);
}

describe('the bounds of a store', () => {
  it('last when they were set, each by itself', async () => {
    await served({}, ({ store }) => {
      expect(existsSync(join(folder, boundsName))).toBe(false);
      expect(store.bound({ bytesMax: 5_000 })).toEqual({ ok: true, value: undefined });
      store.bound({ ageMaxMs: 7_000 });
    });
    await served({}, ({ store }) => {
      expect(store.limits).toMatchObject({ bytesMax: 5_000, ageMaxMs: 7_000, sessionBytesMax: 2 ** 40 });
      expect(store.view().fixed).toEqual([]);
    });
    expect(JSON.parse(readFileSync(join(folder, boundsName), 'utf8'))).toEqual({ bytesMax: 5_000, ageMaxMs: 7_000 });
  });

  it('give way to what was said at the start, which is told and cannot be set then', async () => {
    await served({}, ({ store }) => store.bound({ bytesMax: 5_000 }));
    await served({ chosen: { bytesMax: 9_000 } }, ({ store, reports }) => {
      expect(store.limits.bytesMax).toBe(9_000);
      expect(store.view().fixed).toEqual(['bytesMax']);
      expect(reports).toEqual(['--store-max goes before the bytesMax of 5,000 that was set for this store']);
      const refused = store.bound({ bytesMax: 6_000, ageMaxMs: 1_000 });
      expect(refused).toMatchObject({ ok: false, error: { kind: 'store-fixed' } });
      expect(store.limits.ageMaxMs).toBe(2 ** 40);
      expect(store.bound({ ageMaxMs: 3_000 }).ok).toBe(true);
    });
    await served({}, ({ store }) => expect(store.limits).toMatchObject({ bytesMax: 5_000, ageMaxMs: 3_000 }));
  });

  it('are in the list of sessions, which says what the store holds of them', async () => {
    await served({}, async (temp) => {
      await recordBusySession(temp, 'host-1');
      temp.store.bound({ bytesMax: 3 * 1024 ** 3, sessionAgeMaxMs: 7_200_000 });
    });
    const terminal = fakeTerminal({ width: 120 });
    await sessions({ command: 'list', store: folder, isJson: false }, terminal, () => 0);
    expect(terminal.printed.out).toContain(`1 in ${folder}, `);
    expect(terminal.printed.out).toContain(
      'it may hold 3 GiB, each session unless pinned for 30 days; one session 1 GiB and 2 hours',
    );
  });

  it.each(['{ "bytesMax": "much" }', '{ "bytesMax": 5000, "other": 1 }', '{ "bytesMax": 0 }', 'nonsense'])(
    'that cannot be believed are said and left alone: %s',
    async (text) => {
      writeFileSync(join(folder, boundsName), text);
      await served({}, ({ store, reports }) => {
        expect(store.limits.bytesMax).toBe(2 ** 40);
        expect(reports.join()).toContain(boundsName);
      });
      expect(readFileSync(join(folder, boundsName), 'utf8')).toBe(text);
    },
  );
});
