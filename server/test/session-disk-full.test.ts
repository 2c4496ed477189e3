import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Derivation } from '../src/queries/derivation.ts';
import { SessionQueries } from '../src/queries/session-queries.ts';
import { Library, type ReadableEntry } from '../src/sessions/library.ts';
import { readFigures } from '../src/sessions/recorded-figures.ts';
import { busyProbe } from './fakes/busy-probe.ts';
import { busySession, openTempStore, pushBusyTick, type TempStore } from './fakes/temp-store.ts';
import { until } from './until.ts';

const isRoot = process.getuid?.() === 0;
let disk: string;

beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), 'faultline-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { encoding: 'utf8' });
  if (mounted.status !== 0) throw new Error(`mount: ${mounted.stderr}`);
});

afterEach(() => {
  spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

function readable({ store }: TempStore, id: string): ReadableEntry {
  const found = store.library.findReadable(id);
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}

describe.runIf(isRoot)('a disk that gets full while a session is recorded', () => {
  it('stops recording and says so; tracing goes on, and what was written is whole', async () => {
    await using temp = await openTempStore({ folder: disk });
    const session = busySession('full');
    const recording = temp.store.record(session, [busyProbe]);
    let ticks = 0;
    session.onTick(() => void (ticks += 1));
    await until(() => {
      pushBusyTick(session, 7, 500);
      return recording.view()?.state === 'stopped';
    });
    const stoppedAt = ticks;
    pushBusyTick(session, 7, 500);
    expect(ticks).toBe(stoppedAt + 1);
    const problem = 'recording stopped: the disk is full; tracing goes on, what was written stays';
    expect(recording.view()).toMatchObject({ state: 'stopped', problem });
    expect(temp.reports).toEqual([`full: ${problem}`]);
    await recording.close();

    const { manifest, folder } = readable(temp, 'full');
    expect(manifest).toMatchObject({ state: 'closed', stop: { kind: 'disk-full' } });
    const { figures, end } = await readFigures(join(folder, 'journal.jsonl'));
    expect(end).toMatchObject({ tornBytes: 0, damage: undefined });
    expect(figures.held(end.wholeBytes)).toEqual(manifest.held);
    expect(manifest.held.tickCount).toBeGreaterThan(10);
    expect(manifest.held).toMatchObject({
      callCount: manifest.held.tickCount * 500,
      eventCount: manifest.held.tickCount * 7,
    });
    expect(manifest.ledger.recordedCount).toBe(manifest.held.callCount + manifest.held.eventCount);
  });

  it('leaves no store without its sessions: they can be listed and removed, and recording works again', async () => {
    {
      await using temp = await openTempStore({ folder: disk });
      const session = busySession('full');
      const recording = temp.store.record(session, [busyProbe]);
      await until(() => {
        pushBusyTick(session, 7, 500);
        return recording.view()?.state === 'stopped';
      });
    }
    const opened = await Library.open(disk);
    if (!opened.ok) throw new Error(opened.error.message);
    expect(opened.value.library.list()).toMatchObject([{ id: 'full', manifest: { state: 'closed' } }]);
    expect(opened.value.library.remove('full')).toEqual({ ok: true, value: 'full' });
    const { bavail, blocks } = statfsSync(disk);
    expect(bavail / blocks).toBeGreaterThan(0.5);
    await using temp = await openTempStore({ folder: disk });
    const again = busySession('again');
    const recording = temp.store.record(again, [busyProbe]);
    pushBusyTick(again, 1, 1);
    await recording.close();
    expect(temp.store.library.findReadable('again')).toMatchObject({
      ok: true,
      value: { manifest: { state: 'closed', held: { tickCount: 1 } } },
    });
  });

  it('traces on where not even the first line found room', async () => {
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k'], { stdio: 'ignore' });
    await using temp = await openTempStore({ folder: disk });
    const session = busySession('none');
    const recording = temp.store.record(session, [busyProbe]);
    pushBusyTick(session, 1, 1);
    expect(recording.view()).toMatchObject({ state: 'stopped', problem: expect.stringContaining('the disk is full') });
    await recording.close();
    expect(temp.store.library.list()).toEqual([]);
  });
});

describe.runIf(isRoot)('a full disk when totals and tables of a closed session are to be made', () => {
  it('leaves the session closed and whole, which is said, and has them made when there is room', async () => {
    // Closing gives up the store's reserve, so the disk is filled behind it.
    const derivation = {
      derive: async (folder: string): Promise<string | undefined> => {
        spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k'], { stdio: 'ignore' });
        await using real = new Derivation();
        return await real.derive(folder);
      },
      [Symbol.asyncDispose]: async () => {},
    };
    await using temp = await openTempStore({ folder: disk, derivation });
    const session = busySession('a');
    const recording = temp.store.record(session, [busyProbe]);
    for (let tick = 0; tick < 20; tick += 1) pushBusyTick(session, 7, 100);
    await recording.close();
    await until(() => temp.reports.length > 0);
    expect(temp.reports).toEqual([
      'a: its totals and tables were not made (the disk is full); they are made when they are wanted',
    ]);
    const found = readable(temp, 'a');
    expect(found.manifest).toMatchObject({ state: 'closed', held: { callCount: 2_000 } });
    expect(readdirSync(found.folder).toSorted()).toEqual(['journal.jsonl', 'manifest.json']);
    await using queries = new SessionQueries(disk);
    expect(await queries.calls(found, {})).toMatchObject({ ok: false, error: { kind: 'store-problem' } });
    rmSync(join(disk, 'filler'));
    expect(await queries.calls(found, {})).toMatchObject({ ok: true, value: { total: 2_000 } });
  });
});
