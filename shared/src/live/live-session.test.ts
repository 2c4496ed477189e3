import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callValue, callsKept } from './call-ring.ts';
import {
  type FixtureSlice,
  fixtureFrame,
  fixtureManifests,
  fixtureRun,
  fixtureSnapshot,
  fixtureView,
} from './live-fixture.ts';
import { freezeLiveSession, openLiveSession, takeFrame } from './live-session.ts';
import { totalOf } from './source.ts';
import { timelineBins } from './timeline.ts';

const tally = fixtureRun(0, 'tally');
const read = { cell: 0, metric: 'acquisitions', dims: { mode: 'mmap-read', comm: 'load' } };
const write = { cell: 1, metric: 'acquisitions', dims: { mode: 'mmap-write', comm: 'load' } };

describe('a live session', () => {
  test('ends with the same totals whether one was there from the start or joined later', () => {
    const delta = fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 2 ** 40 }));
    fc.assert(
      fc.property(
        fc.array(fc.array(delta, { maxLength: 4 }), { minLength: 2, maxLength: 12 }),
        fc.nat(),
        (ticks, joinSeed) => {
          const sums = [0, 0];
          const early = openLiveSession(
            fixtureSnapshot(0, [tally], [{ run: 0, fromMs: 0, toMs: 0, newCells: [read, write] }]),
            fixtureManifests,
          );
          const joinAt = joinSeed % ticks.length;
          let late = early;
          for (const [index, pairs] of ticks.entries()) {
            const unique = [...new Map(pairs)];
            for (const [cell, value] of unique) sums[cell] = (sums[cell] ?? 0) + value;
            const { header, bytes } = fixtureFrame(index + 1, [
              { run: 0, fromMs: index * 250, toMs: index * 250 + 250, deltas: unique },
            ]);
            expect(takeFrame(early, fixtureManifests, header, bytes)).toBe('taken');
            if (late !== early) takeFrame(late, fixtureManifests, header, bytes);
            if (index === joinAt) {
              const cumulative: FixtureSlice = {
                run: 0,
                fromMs: 0,
                toMs: index * 250 + 250,
                newCells: [read, write],
                deltas: [
                  [0, sums[0] ?? 0],
                  [1, sums[1] ?? 0],
                ],
              };
              late = openLiveSession(fixtureSnapshot(index + 1, [tally], [cumulative]), fixtureManifests);
            }
          }
          for (const session of [early, late]) {
            expect(totalOf(session, 'acquisitions', { mode: 'mmap-read' })).toBe(sums[0]);
            expect(totalOf(session, 'acquisitions', {})).toBe((sums[0] ?? 0) + (sums[1] ?? 0));
          }
        },
      ),
    );
  });

  test('asks for a new snapshot where a frame is missing, and changes nothing until then', () => {
    const session = openLiveSession(
      fixtureSnapshot(4, [tally], [{ run: 0, fromMs: 0, toMs: 1000, newCells: [read], deltas: [[0, 9]] }]),
      fixtureManifests,
    );
    const { header, bytes } = fixtureFrame(6, [{ run: 0, fromMs: 1250, toMs: 1500, deltas: [[0, 1]] }]);
    expect(takeFrame(session, fixtureManifests, header, bytes)).toBe('gap');
    expect([session.seq, totalOf(session, 'acquisitions', {})]).toEqual([4, 9]);
  });

  test('takes a frame that merges ticks, and leaves out one it knows', () => {
    const session = openLiveSession(
      fixtureSnapshot(4, [tally], [{ run: 0, fromMs: 0, toMs: 1000, newCells: [read] }]),
      fixtureManifests,
    );
    const merged = fixtureFrame(7, [{ run: 0, fromMs: 1000, toMs: 1750, deltas: [[0, 3]] }], { fromSeq: 5 });
    expect(takeFrame(session, fixtureManifests, merged.header, merged.bytes)).toBe('taken');
    expect(takeFrame(session, fixtureManifests, merged.header, merged.bytes)).toBe('known');
    expect(totalOf(session, 'acquisitions', {})).toBe(3);
  });

  test('draws the past of a snapshot without adding it to the totals', () => {
    const history = [1, 2].map((seq) =>
      fixtureFrame(seq, [{ run: 0, fromMs: seq * 250 - 250, toMs: seq * 250, deltas: [[0, 5]] }]),
    );
    const session = openLiveSession(
      fixtureSnapshot(2, [tally], [{ run: 0, fromMs: 0, toMs: 500, newCells: [read], deltas: [[0, 10]] }], history),
      fixtureManifests,
    );
    const bins = timelineBins(session.runs.get(0)?.timeline ?? expect.fail('run 0 is there'), '30s');
    expect(bins.map(({ deltas }) => [...deltas])).toEqual([[5], [5]]);
    expect(totalOf(session, 'acquisitions', {})).toBe(10);
  });

  test('goes on with the charts of before after a snapshot asked for', () => {
    const before = openLiveSession(
      fixtureSnapshot(0, [tally], [{ run: 0, fromMs: 0, toMs: 0, newCells: [read] }]),
      fixtureManifests,
    );
    for (const seq of [1, 2]) {
      const { header, bytes } = fixtureFrame(seq, [
        { run: 0, fromMs: seq * 250 - 250, toMs: seq * 250, deltas: [[0, 1]] },
      ]);
      takeFrame(before, fixtureManifests, header, bytes);
    }
    const history = [fixtureFrame(3, [{ run: 0, fromMs: 500, toMs: 750, deltas: [[0, 1]] }])];
    const after = openLiveSession(
      fixtureSnapshot(3, [tally], [{ run: 0, fromMs: 0, toMs: 750, newCells: [read], deltas: [[0, 3]] }], history),
      fixtureManifests,
      before,
    );
    expect(timelineBins(after.runs.get(0)?.timeline ?? expect.fail('run 0 is there'), '30s')).toHaveLength(3);
    expect(totalOf(after, 'acquisitions', {})).toBe(3);
  });

  test('keeps its calls after a snapshot asked for, which carries none', () => {
    const detail = fixtureRun(0, 'detail');
    const slice = { run: 0, fromMs: 0, toMs: 0, newTexts: ['load'], calls: [] };
    const before = openLiveSession(fixtureSnapshot(0, [detail], [slice]), fixtureManifests);
    const frame = fixtureFrame(1, [
      {
        run: 0,
        fromMs: 0,
        toMs: 250,
        calls: [
          [5, 0],
          [7, 0],
        ],
      },
    ]);
    expect(takeFrame(before, fixtureManifests, frame.header, frame.bytes)).toBe('taken');
    const after = openLiveSession(fixtureSnapshot(4, [detail], [slice]), fixtureManifests, before);
    const next = fixtureFrame(5, [{ run: 0, fromMs: 1000, toMs: 1250, calls: [[1100, 0]] }]);
    expect(takeFrame(after, fixtureManifests, next.header, next.bytes)).toBe('taken');
    const ring = after.runs.get(0)?.calls ?? expect.fail('run 0 is there');
    expect([0, 1, 2].map((call) => callValue(ring, 0, call))).toEqual([5, 7, 1100]);
  });

  test('knows a run that begins in the frame that brings its first figures', () => {
    const session = openLiveSession(fixtureSnapshot(0, []), fixtureManifests);
    const { header, bytes } = fixtureFrame(
      1,
      [
        {
          run: 0,
          fromMs: 0,
          toMs: 250,
          newTexts: ['load'],
          calls: [
            [5, 0],
            [7, 0],
          ],
        },
      ],
      { session: fixtureView([fixtureRun(0, 'detail')]) },
    );
    expect(takeFrame(session, fixtureManifests, header, bytes)).toBe('taken');
    const ring = session.runs.get(0)?.calls ?? expect.fail('run 0 is there');
    expect([callsKept(ring), callValue(ring, 0, 1), callValue(ring, 1, 1)]).toEqual([2, 7, 0]);
    expect(session.runs.get(0)?.texts).toEqual(['load']);
  });

  test('refuses bytes that do not fit their header', () => {
    const session = openLiveSession(fixtureSnapshot(0, [tally]), fixtureManifests);
    const { header, bytes } = fixtureFrame(1, [{ run: 0, fromMs: 0, toMs: 250, deltas: [[0, 1]] }]);
    expect(() => takeFrame(session, fixtureManifests, header, bytes.subarray(1))).toThrow('ends before its columns do');
  });

  test('frozen, no longer changes', () => {
    const session = openLiveSession(
      fixtureSnapshot(0, [tally], [{ run: 0, fromMs: 0, toMs: 0, newCells: [read], deltas: [[0, 1]] }]),
      fixtureManifests,
    );
    const frozen = freezeLiveSession(session);
    const { header, bytes } = fixtureFrame(1, [
      {
        run: 0,
        fromMs: 0,
        toMs: 250,
        newCells: [write],
        deltas: [
          [0, 1],
          [1, 4],
        ],
      },
    ]);
    takeFrame(session, fixtureManifests, header, bytes);
    expect([totalOf(frozen, 'acquisitions', {}), totalOf(session, 'acquisitions', {})]).toEqual([1, 6]);
  });

  test('notes when a loss grew, and what was lost before it looked', () => {
    const finding = { code: 'events-lost', level: 'lossy', message: 'm', atMs: 900, count: 1 } as const;
    const session = openLiveSession(fixtureSnapshot(0, [{ ...tally, findings: [finding] }]), fixtureManifests);
    expect(session.lossSpans).toEqual([{ run: 0, fromMs: -100, toMs: 900 }]);
    const lossy = { ...tally, ledger: { ...tally.ledger, lostCount: 3 } };
    const { header, bytes } = fixtureFrame(1, [], { session: fixtureView([lossy]) });
    takeFrame(session, fixtureManifests, header, bytes);
    expect(session.lossSpans.at(-1)).toEqual({ run: 0, fromMs: 1000, toMs: 1250 });
  });
});
