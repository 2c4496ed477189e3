import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensure, sessionFiles } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { busyProbe } from '../../test/fakes/busy-probe.ts';
import { type FakeSession, fakeLedger, fakeSlice } from '../../test/fakes/fake-session.ts';
import { busySession, openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { readFigures } from '../sessions/recorded-figures.ts';
import { RunCut } from './run-cut.ts';

let temp: TempStore;
let whole: FakeSession;

beforeEach(async () => {
  temp = await openTempStore();
  whole = busySession('whole');
  whole.runs = whole.runs.slice(0, 1);
});

afterEach(() => temp[Symbol.asyncDispose]());

const dims = (comm: string): Record<string, string> => ({ mode: 'mmap-read', success: 'yes', comm });

/** A snapshot that ends at `toNs`: how much each cell grew. New cells are named. */
function grow(
  toNs: number,
  deltas: Readonly<Record<number, number>>,
  newComms: Readonly<Record<number, string>> = {},
): void {
  whole.push([
    fakeSlice(0, {
      fromNs: toNs - 1_000,
      toNs,
      newCells: Object.entries(newComms).map(([cell, comm]) => ({
        cell: Number(cell),
        metric: 'acquisitions',
        dims: dims(comm),
      })),
      cells: Uint32Array.from(Object.keys(deltas).map(Number)),
      deltas: Float64Array.from(Object.values(deltas)),
    }),
  ]);
}

async function countsOf(id: string): Promise<Readonly<Record<string, number>>> {
  const { figures } = await readFigures(join(temp.folder, id, sessionFiles.journal));
  const { cells, totals } = ensure(figures.runs[0], 'one run').totalsOf(0);
  return Object.fromEntries(cells.map((one) => [String(one.dims['comm']), totals[one.cell] ?? 0]));
}

describe('a run cut out of a session', () => {
  it('holds what was counted between its ends and nothing else, and the cells that changed', async () => {
    grow(1_000, { 0: 5, 1: 7 }, { 0: 'idle', 1: 'load' });
    const cut = new RunCut(whole, 'cut', 1_000);
    const recording = temp.store.record(cut, [busyProbe]);
    grow(2_000, { 1: 3 });
    grow(3_000, { 1: 1, 2: 4 }, { 2: 'late' });
    cut.end(3_000);
    await recording.close();
    grow(4_000, { 0: 100, 1: 100, 2: 100 });
    expect(await countsOf('cut')).toEqual({ load: 4, late: 4 });
    expect(whole.listenerCount).toBe(0);
  });

  it('together with the next one holds all that the session does', async () => {
    const parts: Record<string, number>[] = [];
    for (const [at, name] of ['a', 'b', 'c'].entries()) {
      const cut = new RunCut(whole, name, 1_000);
      const recording = temp.store.record(cut, [busyProbe]);
      grow(1_000 * (at + 1), { 0: at + 1 }, at === 0 ? { 0: 'load' } : {});
      cut.end(2_000);
      await recording.close();
      parts.push({ ...(await countsOf(name)) });
    }
    expect(parts).toEqual([{ load: 1 }, { load: 2 }, { load: 3 }]);
    expect(whole.totals()[0]?.totals[0]).toBe(6);
  });

  it('has settled only when every run has told of a moment after the work', () => {
    const cut = new RunCut(whole, 'cut', 1_000);
    expect(cut.hasSettled(1_500)).toBe(false);
    grow(1_500, { 0: 1 }, { 0: 'load' });
    expect(cut.hasSettled(1_500)).toBe(false);
    grow(2_000, { 0: 1 });
    expect(cut.hasSettled(1_500)).toBe(true);
  });

  it('has the ledger and the findings of its own time, and ends stopped', async () => {
    const finding = { code: 'events-lost', level: 'lossy', message: 'lost', atMs: 1, count: 2 } as const;
    const run = ensure(whole.runs[0], 'one run');
    whole.runs = [
      { ...run, isComplete: false, ledger: fakeLedger({ seenCount: 10, lostCount: 2 }), findings: [finding] },
    ];
    grow(1_000, { 0: 1 }, { 0: 'load' });
    const cut = new RunCut(whole, 'cut', 1_000);
    const recording = temp.store.record(cut, [busyProbe]);
    whole.runs = [
      { ...run, isComplete: false, ledger: fakeLedger({ seenCount: 14, lostCount: 2 }), findings: [finding] },
    ];
    grow(2_000, { 0: 4 });
    cut.end(2_500);
    await recording.close();
    const manifest: { readonly state: string; readonly runs: readonly { readonly view: Record<string, unknown> }[] } =
      JSON.parse(readFileSync(join(temp.folder, 'cut', sessionFiles.manifest), 'utf8'));
    expect(manifest.state).toBe('closed');
    expect(manifest.runs[0]?.view).toMatchObject({
      state: 'stopped',
      isComplete: true,
      findings: [],
      ledger: { seenCount: 4, lostCount: 0 },
    });
  });

  it('is of the kernel as it was set when it began, otherwise as the session found it', () => {
    const { identity } = whole.view().target;
    expect(new RunCut(whole, 'cut', 1_000, 'never').view().target).toMatchObject({
      id: whole.view().target.id,
      identity: { ...identity, thpMode: 'never' },
    });
    expect(new RunCut(whole, 'cut', 1_000).view().target).toEqual(whole.view().target);
  });

  it('is incomplete where something was lost in its time', () => {
    const run = ensure(whole.runs[0], 'one run');
    const cut = new RunCut(whole, 'cut', 1_000);
    const finding = { code: 'map-full', level: 'lossy', message: 'full', atMs: 1, count: 1 } as const;
    whole.runs = [{ ...run, findings: [finding], isComplete: false }];
    expect(cut.view().runs[0]).toMatchObject({ isComplete: false, findings: [finding] });
  });
});
