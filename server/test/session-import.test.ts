import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { busyProbe } from './fakes/busy-probe.ts';
import { evil, recordStackedSession } from './fakes/stacked-session.ts';
import { busySession, pushBusyTick, recordBusySession } from './fakes/temp-store.ts';
import { filesOf, summaryOf, TwoStores } from './fakes/two-stores.ts';

let two: TwoStores;

beforeEach(async () => {
  two = await TwoStores.open();
});

afterEach(() => two[Symbol.asyncDispose]());

describe('an exported session', () => {
  it.each(['archive', 'jsonl'] as const)('as %s is imported again, equal to the byte', async (format) => {
    const id = await recordBusySession(two.origin, 'host-1');
    two.origin.store.library.edit(id, () => ({
      name: '<img src=x onerror=alert(1)>',
      notes: [{ atMs: 1, text: 'a\nb' }],
      isPinned: true,
    }));
    expect(await two.importBytes(await two.exported(id, format))).toMatchObject({ ok: true, value: { id } });
    expect(filesOf(two.other, id)).toEqual(filesOf(two.origin, id));
    const again = await two.importBytes(await two.exported(id, format));
    expect(again).toMatchObject({ ok: false, error: { kind: 'session-exists' } });
  });

  it('as csv is imported again: the same figures, calls and rows, of a journal made anew', async () => {
    await recordStackedSession(two.origin);
    const said = { name: evil, notes: [{ atMs: 1, text: '\'a\n"b"' }] };
    two.origin.store.library.edit('s', () => said);
    const csv = await two.exported('s', 'csv');
    expect(await two.importBytes(csv)).toMatchObject({
      ok: true,
      value: { id: 's', ...said, marks: [{ text: 'unbound' }] },
    });
    expect(await summaryOf(two.other, 's')).toEqual(await summaryOf(two.origin, 's'));
    const rowsOf = (bytes: Buffer): string[] => bytes.toString().split('\r\n').slice(2);
    expect(rowsOf(csv).length).toBeGreaterThan(8);
    expect(rowsOf(await two.exported('s', 'csv', two.other))).toEqual(rowsOf(csv));
    for (const format of ['folded', 'openmetrics', 'text'] as const)
      expect((await two.exported('s', format, two.other)).toString()).toBe(
        (await two.exported('s', format)).toString(),
      );
  });

  it('as csv with line feeds alone and a byte order mark, as an editor may leave it, is imported too', async () => {
    const csv = (await two.exported(await recordBusySession(two.origin, 'host-1'), 'csv')).toString();
    expect(await two.importBytes(`\ufeff${csv.replaceAll('\r\n', '\n')}`)).toMatchObject({ ok: true });
  });

  it.each(['archive', 'jsonl', 'csv'] as const)(
    'as %s while it was recorded goes as far as it went',
    async (format) => {
      const session = busySession('live');
      const recording = two.origin.store.record(session, [busyProbe]);
      pushBusyTick(session, 5, 4);
      await recording.close();
      // What a live session looks like to an export: a manifest that says live, a journal without an end, a torn line.
      const [manifest = '', journal = ''] = filesOf(two.origin, 'live');
      const live = manifest.replace('"state": "closed"', '"state": "live"');
      writeFileSync(join(two.origin.folder, 'live', 'manifest.json'), live);
      writeFileSync(
        join(two.origin.folder, 'live', 'journal.jsonl'),
        `${journal.replace(/\{"kind":"end".*\n$/, '')}{"kind":"ti`,
      );
      expect(await two.importBytes(await two.exported('live', format))).toMatchObject({
        ok: true,
        value: {
          state: 'interrupted',
          held: { tickCount: 1, callCount: 4, eventCount: 5 },
          // A CSV has rows of whole lines only.
          interruption: { discardedBytes: format === 'csv' ? 0 : 11 },
        },
      });
    },
  );

  it('is unpacked by the system tar, and what that packs is imported', async () => {
    const id = await recordBusySession(two.origin, 'host-1');
    writeFileSync(two.path('a.tar.gz'), await two.exported(id, 'archive'));
    expect(spawnSync('tar', ['-xzf', 'a.tar.gz'], { cwd: two.folder }).status).toBe(0);
    expect(readdirSync(two.path(id)).toSorted()).toEqual(['journal.jsonl', 'manifest.json']);
    expect(spawnSync('tar', ['-czf', 'b.tar.gz', '--format=ustar', id], { cwd: two.folder }).status).toBe(0);
    expect(await two.importFile('b.tar.gz')).toMatchObject({ ok: true });
    expect(filesOf(two.other, id)).toEqual(filesOf(two.origin, id));
  });
});
