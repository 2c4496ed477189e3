import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { busyProbe, wideLimits } from '../../test/fakes/busy-probe.ts';
import {
  busySession,
  openTempStore,
  pushBusyTick,
  recordBusySession,
  type TempStore,
} from '../../test/fakes/temp-store.ts';
import { Library } from './library.ts';
import { ownProcess } from './process-owner.ts';
import { readSessionManifest, writeSessionManifest } from './session-folder.ts';
import { Store } from './store.ts';
import { lockName } from './store-lock.ts';

let temp: TempStore;

beforeEach(async () => {
  temp = await openTempStore();
});

afterEach(() => temp[Symbol.asyncDispose]());

const ids = (): readonly string[] => temp.store.library.list().map(({ id }) => id);

function manifestOf(id: string) {
  const manifest = readSessionManifest(join(temp.folder, id));
  if (!manifest.ok) throw new Error(manifest.error.message);
  return manifest.value;
}

/** Makes a session look as its recorder left it when it was killed. */
function abandon(id: string): void {
  const owner = { ...ownProcess(), startTicks: 1 };
  writeSessionManifest(join(temp.folder, id), { ...manifestOf(id), state: 'live', owner });
}

describe('a store', () => {
  it('holds what was traced, with the runs, their streams and an exact account', async () => {
    const id = await recordBusySession(temp, 'host-1');
    expect(manifestOf(id)).toMatchObject({
      id: 'host-1',
      state: 'closed',
      held: { tickCount: 3, callCount: 12, eventCount: 15 },
      runs: [{ view: { stream: 'counts' } }, { view: { stream: 'detail' }, stream: busyProbe.manifest.streams[1] }],
    });
    expect(manifestOf(id).owner).toBeUndefined();
  });

  it('has no folder for a session in which nothing was traced', async () => {
    const recording = temp.store.record(busySession('idle'), [busyProbe]);
    await recording.close();
    expect(ids()).toEqual([]);
  });

  it('gives sessions of one name folders of their own, and names that lead nowhere none', async () => {
    const made = [
      await recordBusySession(temp, 'ssh:root@box'),
      await recordBusySession(temp, 'ssh:root@box'),
      await recordBusySession(temp, '../../etc/passwd'),
      await recordBusySession(temp, '..'),
    ];
    expect(made).toEqual(['ssh_root_box', 'ssh_root_box-2', 'etc_passwd', 'session']);
    expect([...ids()].toSorted()).toEqual([...made].toSorted());
  });

  it('finds a session by its id, its beginning, its name, its label, and the last one', async () => {
    await recordBusySession(temp, 'host-abc');
    await recordBusySession(temp, 'host-abd');
    const { library } = temp.store;
    library.edit('host-abc', () => ({ name: 'first' }));
    for (const word of ['host-abc', 'first']) expect(library.find(word)).toMatchObject({ value: { id: 'host-abc' } });
    expect(library.find('host-abd')).toMatchObject({ value: { id: 'host-abd' } });
    expect(library.find('host-')).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('2 recorded') },
    });
    for (const word of ['', 'nothing', '../host-abc']) expect(library.find(word)).toMatchObject({ ok: false });
    expect(library.find('last')).toMatchObject({ ok: true });
  });

  it('keeps what a person wrote on a live session when its recorder writes', async () => {
    const session = busySession('host-1');
    const recording = temp.store.record(session, [busyProbe]);
    pushBusyTick(session, 1, 1);
    temp.store.library.edit('host-1', () => ({ isPinned: true, name: 'mine', marks: [{ atMs: 5, text: 'unbound' }] }));
    pushBusyTick(session, 1, 1);
    await recording.close();
    expect(manifestOf('host-1')).toMatchObject({
      isPinned: true,
      name: 'mine',
      marks: [{ text: 'unbound' }],
      state: 'closed',
    });
  });

  it('does not remove a session that is being recorded', async () => {
    const session = busySession('host-1');
    const recording = temp.store.record(session, [busyProbe]);
    pushBusyTick(session, 1, 1);
    expect(temp.store.library.remove('host-1')).toMatchObject({ ok: false, error: { kind: 'session-live' } });
    await recording.close();
    expect(temp.store.library.remove('host-1')).toEqual({ ok: true, value: 'host-1' });
    expect(readdirSync(temp.folder)).toEqual(['.reserve']);
  });

  it('takes no link and no stray file for a session, and says what of a session it cannot read', async () => {
    await recordBusySession(temp, 'host-1');
    symlinkSync(join(temp.folder, 'host-1'), join(temp.folder, 'linked'));
    writeFileSync(join(temp.folder, 'stray'), '');
    mkdirSync(join(temp.folder, 'newer'));
    writeFileSync(
      join(temp.folder, 'newer', 'manifest.json'),
      readFileSync(join(temp.folder, 'host-1', 'manifest.json'), 'utf8').replace(
        '"formatVersion": 2',
        '"formatVersion": 3',
      ),
    );
    expect([...ids()].toSorted()).toEqual(['host-1', 'newer']);
    expect(temp.store.library.findReadable('newer')).toMatchObject({
      ok: false,
      error: { kind: 'session-unreadable', message: expect.stringMatching(/version 3.*up to 2/) },
    });
  });
});

describe('an abandoned session', () => {
  it('is closed at the next start, its torn line cut off and said', async () => {
    const id = await recordBusySession(temp, 'host-1');
    const journal = join(temp.folder, id, 'journal.jsonl');
    const lines = readFileSync(journal, 'utf8').split('\n');
    const whole = `${lines.filter((line) => !line.startsWith('{"kind":"end"') && line !== '').join('\n')}\n`;
    writeFileSync(journal, `${whole}{"kind":"tick","seq":4,"at`);
    abandon(id);
    const opened = await Library.open(temp.folder);
    expect(opened).toMatchObject({ ok: true, value: { interrupted: ['host-1'] } });
    expect(manifestOf(id)).toMatchObject({
      state: 'interrupted',
      interruption: { discardedBytes: 26, message: expect.stringContaining('26 bytes were cut off') },
      held: { tickCount: 3, callCount: 12, eventCount: 15, journalBytes: whole.length },
      runs: [{ view: { state: 'failed', ledger: { recordedCount: 15 } } }, { view: { ledger: { recordedCount: 12 } } }],
    });
    expect(readFileSync(journal, 'utf8')).toBe(whole);
  });

  it('whose journal ends in order is a closed one', async () => {
    const id = await recordBusySession(temp, 'host-1');
    abandon(id);
    await Library.open(temp.folder);
    expect(manifestOf(id)).toMatchObject({ state: 'closed' });
    expect(manifestOf(id).interruption).toBeUndefined();
  });

  it('keeps a journal with a damaged place, and says where reading ends', async () => {
    const id = await recordBusySession(temp, 'host-1');
    const journal = join(temp.folder, id, 'journal.jsonl');
    const damaged = readFileSync(journal, 'utf8').replace('"seq":3', '"seq":x');
    writeFileSync(journal, damaged);
    abandon(id);
    await Library.open(temp.folder);
    expect(manifestOf(id)).toMatchObject({
      state: 'interrupted',
      held: { tickCount: 2 },
      interruption: { discardedBytes: 0, message: expect.stringContaining("can't be read beyond") },
    });
    expect(readFileSync(journal, 'utf8')).toBe(damaged);
  });
});

describe('the bounds of a store', () => {
  it('remove the oldest first, never a pinned, a live or an unreadable one', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await recordBusySession(temp, id);
    const { library } = temp.store;
    for (const [at, id] of ['a', 'b', 'c', 'd'].entries())
      writeSessionManifest(join(temp.folder, id), { ...manifestOf(id), createdAtMs: at + 1 });
    library.edit('b', () => ({ isPinned: true }));
    const live = busySession('old-live');
    const recording = temp.store.record(live, [busyProbe]);
    pushBusyTick(live, 1, 1);
    mkdirSync(join(temp.folder, 'unreadable'));
    const bytes = library.list().reduce((sum, one) => sum + one.bytes, 0);
    expect(library.prune({ ...wideLimits, bytesMax: bytes - 1 }, 1_000)).toEqual({ removed: ['a'], excessBytes: 0 });
    const { removed, excessBytes } = library.prune({ ...wideLimits, bytesMax: 1 }, 1_000);
    expect(removed).toEqual(['c', 'd']);
    expect(excessBytes).toBeGreaterThan(0);
    expect([...ids()].toSorted()).toEqual(['b', 'old-live', 'unreadable']);
    await recording.close();
  });

  it('remove what is too old', async () => {
    await recordBusySession(temp, 'a');
    const lastAtMs = manifestOf('a').lastAtMs;
    const limits = { ...wideLimits, ageMaxMs: 60_000 };
    expect(temp.store.library.prune(limits, lastAtMs + 60_000).removed).toEqual([]);
    expect(temp.store.library.prune(limits, lastAtMs + 60_001).removed).toEqual(['a']);
  });

  it('stop the recording of a session that outgrows them, tracing going on', async () => {
    await using small = await openTempStore({ limits: { ...wideLimits, sessionBytesMax: 20_000 } });
    const session = busySession('big');
    const recording = small.store.record(session, [busyProbe]);
    while (recording.view()?.state !== 'stopped' && session.seq < 1_000) pushBusyTick(session, 1, 100);
    expect(recording.view()?.problem).toContain('this session has reached its 19.5 KiB');
    const heldTicks = session.seq;
    pushBusyTick(session, 1, 100);
    await recording.close();
    const [entry] = small.store.library.list();
    expect(entry?.manifest).toMatchObject({
      state: 'closed',
      stop: { kind: 'session-bytes' },
      held: { tickCount: heldTicks },
    });
  });

  it('stop the recording of a session that lasts longer than they allow', async () => {
    await using small = await openTempStore({ limits: { ...wideLimits, sessionAgeMaxMs: 500 } });
    const session = busySession('long');
    const recording = small.store.record(session, [busyProbe]);
    session.push([], { atMs: 1_499 });
    expect(recording.view()?.state).toBe('recording');
    session.push([], { atMs: 1_500 });
    expect(recording.view()?.state).toBe('stopped');
    await recording.close();
  });

  it('stop what is live where everything else is pinned', async () => {
    const id = await recordBusySession(temp, 'a');
    temp.store.library.edit(id, () => ({ isPinned: true }));
    const { folder } = temp;
    await using small = await openTempStore({ folder, limits: { ...wideLimits, bytesMax: 100 } });
    const session = busySession('b');
    const recording = small.store.record(session, [busyProbe]);
    pushBusyTick(session, 1, 1);
    small.store.prune();
    expect(recording.view()).toMatchObject({ state: 'stopped', problem: expect.stringContaining('pinned or live') });
  });
});

describe('two servers on one store', () => {
  const server = { role: 'server', limits: wideLimits, faultline: '0', clock: () => 0, report: () => {} } as const;

  it('are one too many: the second is refused, naming the first', async () => {
    await using first = await openTempStore({ role: 'server' });
    const second = await Store.open({ ...server, folder: first.folder });
    expect(second).toMatchObject({
      ok: false,
      error: { kind: 'store-in-use', remedy: expect.stringContaining('--store') },
    });
    if (!second.ok) expect(second.error.message).toContain(`process ${process.pid}`);
  });

  it('take turns, and a lock of one that died is taken over', async () => {
    for (const stale of [
      { ...ownProcess(), startTicks: 1 },
      { ...ownProcess(), bootId: 'another boot' },
      { ...ownProcess(), pid: 4_194_304 },
      'not a lock',
    ]) {
      writeFileSync(join(temp.folder, lockName), JSON.stringify(stale));
      const opened = await Store.open({ ...server, folder: temp.folder });
      if (!opened.ok) throw new Error(opened.error.message);
      await opened.value[Symbol.asyncDispose]();
      expect(readdirSync(temp.folder)).not.toContain(lockName);
    }
  });

  it('do not hinder single recordings beside them', async () => {
    await using first = await openTempStore({ role: 'server' });
    await using beside = await openTempStore({ folder: first.folder });
    await recordBusySession(beside, 'a');
    expect(first.store.library.list()).toHaveLength(1);
  });
});
