import { ensure } from '@faultline/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ReadPacket, readPerfetto } from '../../test/fakes/perfetto-schema.ts';
import { evil, recordStackedSession } from '../../test/fakes/stacked-session.ts';
import { openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { openExportSource } from '../sessions/export-source.ts';
import { PacketSequence, PerfettoBytes } from './perfetto-packets.ts';
import { kernelTimeOf } from './timeline.ts';
import { exportPerfetto } from './perfetto.ts';

let temp: TempStore;
let packets: readonly ReadPacket[];

beforeAll(async () => {
  temp = await openTempStore();
  await recordStackedSession(temp);
  const found = temp.store.library.findReadable('s');
  if (!found.ok) throw new Error(found.error.message);
  packets = readPerfetto(Buffer.concat(await Array.fromAsync(exportPerfetto(openExportSource(found.value)))));
});

afterAll(() => temp[Symbol.asyncDispose]());

const on = (track: string): readonly ReadPacket[] => packets.filter((one) => one.on === track);

describe('a Perfetto trace', () => {
  it('ties the kernel clock to the wall clock, and says of which kernel and session it is', () => {
    // READY was at 1,300 ms of the wall clock and 1 ms of the kernel's; the session began 300 ms before.
    expect(packets[0]?.clocks).toEqual({ 1: 1_000_000_000, 6: 0 });
    expect(on('session s')).toMatchObject([
      { event: 'instant', args: { id: 's', kernel: '6.18.0-test', 'ledger.lostCount': 12 } },
    ]);
  });

  it('has rates by each word of the key, which fall to 0 when nothing more comes, and at the end', () => {
    const counter = on('busy stacked › violations, mode mmap-read (1/s)');
    expect(counter.map(({ atNs, value, event }) => [event, atNs, value])).toEqual([
      ['counter', 1_000_000, 14],
      ['counter', 501_000_000, 0],
      ['counter', 1_001_000_000, 2],
      ['counter', 1_501_000_000, 0],
    ]);
  });

  it('has each call as a slice with its arguments, words for numbers', () => {
    const calls = on('busy detail › busy detail');
    expect(calls.map(({ event, atNs, name }) => [event, atNs, name])).toEqual([
      ['slice_begin', 1_750_000, 'busy mmap-write'],
      ['slice_end', 2_000_000, undefined],
      ['slice_begin', 3_000_499, 'busy unknown:9'],
      ['slice_end', 3_000_500, undefined],
    ]);
    expect(calls[0]?.args).toEqual({ endedAtNs: 2_000_000, cpu: 0, comm: evil, holdNs: 250_000, mode: 'mmap-write' });
  });

  it('has what was counted by stack with its callstack, outermost first, also after a loss', () => {
    expect(on('busy stacked › violations')).toMatchObject([
      {
        atNs: 501_000_000,
        name: 'violations',
        args: { count: 7, mode: 'mmap-read', comm: evil },
        frames: ['handle_mm_fault', 'vfio_pci_mmap_fault', 'remap_pfn_range'],
      },
      {
        atNs: 1_501_000_000,
        args: { count: 1 },
        frames: ['handle_mm_fault', 'vfio_pci_mmap_fault', 'remap_pfn_range'],
      },
    ]);
  });

  it('says where events were lost, in the sequence of the run that lost them, and nowhere else', () => {
    const lossy = packets.filter(({ isAfterLoss }) => isAfterLoss === true);
    expect(lossy).toMatchObject([{ on: 'busy stacked', name: 'events lost', atNs: 1_001_000_000, args: { lost: 12 } }]);
    expect(
      new Set(packets.filter((one) => one.on?.startsWith('busy stacked')).map(({ sequence }) => sequence)).size,
    ).toBe(1);
  });

  it('has the marks on a track of their own, in kernel time', () => {
    expect(on('marks')).toMatchObject([{ event: 'instant', name: 'unbound', atNs: 101_000_000 }]);
  });
});

describe('calls of one thread that overlap', () => {
  it('go on tracks beside each other', async () => {
    const found = temp.store.library.findReadable('s');
    if (!found.ok) throw new Error(found.error.message);
    const source = openExportSource(found.value);
    const events = async function* (): ReturnType<typeof source.events> {
      for await (const event of source.events()) {
        if (event.kind !== 'tick') yield event;
        else {
          // The second begins before the first ends; the third fits behind the first again.
          const slices = event.tick.slices.map((slice) =>
            slice.run === 1
              ? {
                  ...slice,
                  calls: [
                    [100, 150, 300],
                    [0, 0, 0],
                    [1, 1, 1],
                    [50, 60, 10],
                    [1, 1, 1],
                  ].map((one) => Float64Array.from(one)),
                  callCount: 3,
                }
              : slice,
          );
          yield { kind: 'tick', tick: { ...event.tick, slices } };
        }
      }
    };
    const read = readPerfetto(Buffer.concat(await Array.fromAsync(exportPerfetto({ ...source, events }))));
    const begun = read.filter(({ event }) => event === 'slice_begin').map(({ atNs, on: track }) => [atNs, track]);
    expect(begun.slice(0, 3)).toEqual([
      [50, 'busy detail › busy detail'],
      [90, 'busy detail › busy detail (2)'],
      [290, 'busy detail › busy detail'],
    ]);
  });
});

describe('the kernel clock at a moment of the wall clock', () => {
  it('is what the target says; else the least late READY decides, as it does for a replay', () => {
    const found = temp.store.library.findReadable('s');
    if (!found.ok) throw new Error(found.error.message);
    const { manifest } = found.value;
    const [first, second] = manifest.runs;
    if (first === undefined || second === undefined) throw new Error('there are two runs');
    // Both said READY at 1 ms; of the first we heard 7 ms after that of the second.
    const late = { ...first, view: { ...first.view, readyAtMs: 1_307 } };
    const session = { ...manifest, runs: [late, second] };
    expect(kernelTimeOf(session, 1_310)).toBe(11_000_000);
    const identity = { ...ensure(manifest.target.identity, 'a kernel that is known'), clockOffsetMs: 1_290 };
    const told = { ...session, target: { ...manifest.target, identity } };
    expect(kernelTimeOf(told, 1_310)).toBe(20_000_000);
    expect(kernelTimeOf({ ...told, target: { ...told.target, kind: 'replay' } }, 1_310)).toBe(11_000_000);
    expect(kernelTimeOf({ ...session, runs: [] }, 1_310)).toBeUndefined();
  });
});

describe('numbers that no kernel would say', () => {
  it('are written as what the fields can hold', () => {
    const bytes = new PerfettoBytes();
    const sequence = new PacketSequence(bytes, 1);
    sequence.track({ uuid: 1, name: 't' });
    sequence.instant(-5, 1, { name: 'n', category: 'c', args: { a: -5, b: 1e300, c: 0.5 }, frames: [] });
    sequence.instant(1e300, 1, { name: 'n', category: 'c' });
    expect(readPerfetto(bytes.take()).slice(1)).toMatchObject([
      { atNs: 0, args: { a: -5, b: 1e300, c: 0.5 } },
      { atNs: 2 ** 63 - 1024 },
    ]);
  });
});
