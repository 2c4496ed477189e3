import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeSession } from '../../test/fakes/fake-session.ts';
import { callTypesOf, intents, SliceMaker } from '../../test/fakes/random-slices.ts';
import { encodeSnapshot } from './encode-frame.ts';
import { mergeTicks } from './merge-ticks.ts';

const typesOf = (run: number) => callTypesOf.get(run) ?? [];

describe('merged ticks', () => {
  it('hold the exact sum of each cell, every new name, and the newest calls', () => {
    fc.assert(
      fc.property(fc.array(intents, { minLength: 1, maxLength: 12 }), fc.nat({ max: 30 }), (tickIntents, callsMax) => {
        const maker = new SliceMaker();
        const session = new FakeSession({ callTypes: callTypesOf });
        const ticks = tickIntents.map((tick) => session.push(maker.slices(tick)));
        const merged = mergeTicks(ticks, typesOf, callsMax);
        for (const slice of merged.slices) {
          const totals = session.totals().find(({ run }) => run === slice.run);
          const sums = new Float64Array(totals?.totals.length ?? 0);
          for (const [position, cell] of slice.cells.entries()) sums[cell] = slice.deltas[position] ?? Number.NaN;
          expect([...sums]).toEqual([...(totals?.totals ?? [])]);
          expect(new Set(slice.cells).size).toBe(slice.cells.length);
          expect(slice.newCells).toEqual(totals?.cells);
          expect(slice.newTexts).toEqual(totals?.texts);
        }
        const times = merged.slices.flatMap((slice) => [...(slice.calls[0] ?? [])]);
        const kept = Math.min(callsMax, maker.callCount);
        expect(times).toEqual(Array.from({ length: kept }, (_, at) => maker.callCount - kept + at));
        expect(merged.droppedCalls).toBe(maker.callCount - kept);
      }),
      { numRuns: 300 },
    );
  });

  it('span from the first tick to the last', () => {
    const maker = new SliceMaker();
    const session = new FakeSession({ callTypes: callTypesOf });
    const intent = { run: 1 as const, newCells: 1, changes: [[0, 1] as const], newTexts: 0, calls: 0 };
    const ticks = [1, 2, 3].map(() => session.push(maker.slices([intent])));
    expect(mergeTicks(ticks, typesOf, 0).slices).toMatchObject([{ run: 1, fromNs: 0, toNs: 3 }]);
  });
});

describe('a snapshot', () => {
  it('holds the past tick by tick, figures only, in one piece', () => {
    const maker = new SliceMaker();
    const session = new FakeSession({ callTypes: callTypesOf });
    const intent = { run: 0 as const, newCells: 1, changes: [[0, 7] as const], newTexts: 1, calls: 2 };
    for (let round = 0; round < 30; round += 1) session.push(maker.slices(round % 3 === 0 ? [intent] : []));
    const snapshot = encodeSnapshot(session, { serverVersion: '1.2.3', historyMs: 1_550, nowMs: 77 });
    expect(snapshot).toMatchObject({ serverVersion: '1.2.3', header: { seq: 30, fromSeq: 1, atMs: 77 } });
    expect(snapshot.history.map(({ header }) => header.seq)).toEqual([16, 19, 22, 25, 28]);
    for (const { header, byteLength } of snapshot.history) {
      expect(header.slices).toMatchObject([{ callCount: 0, newCells: [], newTexts: [], cellCount: 1 }]);
      expect(byteLength).toBe(4 + 8);
    }
    expect(snapshot.historyBytes.byteLength).toBe(5 * 12);
  });

  it('of a session in which nothing has happened is empty', () => {
    const snapshot = encodeSnapshot(new FakeSession(), { serverVersion: '1.2.3', historyMs: 1_000, nowMs: 0 });
    expect(snapshot.header).toMatchObject({ seq: 0, fromSeq: 0, slices: [] });
    expect([snapshot.bytes.byteLength, snapshot.history.length]).toEqual([0, 0]);
  });
});
