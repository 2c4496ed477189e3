import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ReadPacket, readPerfetto } from '../../test/fakes/perfetto-schema.ts';
import { recordStackedSession } from '../../test/fakes/stacked-session.ts';
import { openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { exportPerfetto } from '../exports/perfetto.ts';
import { openExportSource } from '../sessions/export-source.ts';
import { perfettoOfSides } from './perfetto-sides.ts';

let temp: TempStore;
let alone: readonly ReadPacket[];
let packets: readonly ReadPacket[];

beforeAll(async () => {
  temp = await openTempStore();
  await recordStackedSession(temp);
  const found = temp.store.library.findReadable('s');
  if (!found.ok) throw new Error(found.error.message);
  const read = async (pieces: AsyncIterable<Uint8Array>): Promise<readonly ReadPacket[]> =>
    readPerfetto(Buffer.concat(await Array.fromAsync(pieces)));
  alone = await read(exportPerfetto(openExportSource(found.value)));
  const folders = [found.value];
  packets = await read(
    perfettoOfSides([
      { title: '6.1', folders },
      { title: '6.12', folders: [found.value, found.value] },
    ]),
  );
});

afterAll(() => temp[Symbol.asyncDispose]());

const groups = ['baseline 6.1, run 1', 'candidate 6.12, run 1', 'candidate 6.12, run 2'];
/** What its reader calls a track of the run at this place. */
const rootOf = (at: number): string => `process ${String(at + 1)} ${groups[at] ?? '?'} › `;

/** What a trace says of a run, but who it was and what it was marked with: those times are of the wall clock. */
function told(all: readonly ReadPacket[], root: string): readonly ReadPacket[] {
  return all.flatMap(({ event, on, name, atNs, value, args, frames }) => {
    if (event === undefined || on?.startsWith(root) !== true) return [];
    const track = on.slice(root.length);
    if (track === 'marks' || track.startsWith('session')) return [];
    return [{ sequence: 0, event, on: track, name, atNs, value, args, frames } as ReadPacket];
  });
}

it('names a process for each run by its side, its build and its number, and puts all of the run under it', () => {
  const processes = packets.flatMap(({ process }) => (process === undefined ? [] : [process]));
  expect(processes).toEqual(groups.map((name, at) => ({ pid: at + 1, process_name: name })));
  const events = packets.filter(({ event }) => event !== undefined);
  expect(events.every(({ on }) => groups.some((_, at) => on?.startsWith(rootOf(at))))).toBe(true);
});

it('has everything of each run that its own trace has, from a common zero', () => {
  const own = told(alone, '');
  const runs = groups.map((_, at) => told(packets, rootOf(at)));
  expect(own.length).toBeGreaterThan(8);
  // The first snapshot of that session begins at 1 ms of its kernel's clock.
  const expected = own.map((one) => ({ ...one, atNs: (one.atNs ?? 0) - 1_000_000 }));
  for (const run of runs) expect(run).toEqual(expected);
});

it('gives no number of a track or of a sequence to two runs', () => {
  const sequences = new Map<number, Set<number>>();
  for (const { sequence, on } of packets) {
    const at = groups.findIndex((_, place) => on?.startsWith(rootOf(place)));
    if (at >= 0) sequences.set(sequence, (sequences.get(sequence) ?? new Set()).add(at));
  }
  expect(sequences.size).toBeGreaterThan(groups.length);
  expect([...sequences.values()].every((own) => own.size === 1)).toBe(true);
  const uuids = packets.flatMap(({ uuid }) => (uuid === undefined ? [] : [uuid]));
  expect(new Set(uuids).size).toBe(uuids.length);
});
