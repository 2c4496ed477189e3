import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketIndex, bucketQuantiles, bucketsMax } from '../buckets.ts';
import type { CellEntry, SessionView } from '../protocol.ts';
import { addCalls, callValue, callsKept, createCallRing, freezeCalls, selectCalls } from './call-ring.ts';
import { denseMax, denseQuantiles, latencyColumns, latencyDistributions, rowBounds } from './latency.ts';
import { fixtureFrame, fixtureManifests, fixtureRun, fixtureSnapshot } from './live-fixture.ts';
import { openLiveSession } from './live-session.ts';
import { isLossy, lossSpansBetween, lostOf } from './losses.ts';
import { meanRates, niceCeiling, rateSeries } from './rate-series.ts';
import { runShiftNs, sessionClock } from './session-clock.ts';
import { type Source, dimensionValues, hasDimension, runsWithMetric, sourcesOf } from './source.ts';
import { whoTable } from './who.ts';

const acquisitions = (cell: number, mode: string, comm: string): CellEntry => ({
  cell,
  metric: 'acquisitions',
  dims: { mode, comm },
});
const cells = [
  acquisitions(0, 'mmap-read', 'a'),
  acquisitions(1, 'mmap-write', 'a'),
  acquisitions(2, 'mmap-read', 'b'),
];

function source(
  entries: readonly CellEntry[],
  bins: readonly (readonly [fromMs: number, toMs: number, deltas: readonly (readonly [number, number])[]])[],
): Source {
  const totals = new Float64Array(entries.length);
  for (const [, , deltas] of bins) for (const [cell, delta] of deltas) totals[cell] = (totals[cell] ?? 0) + delta;
  return {
    cells: entries,
    totals,
    bins: bins.map(([fromMs, toMs, deltas]) => ({
      fromNs: fromMs * 1e6,
      toNs: toMs * 1e6,
      cells: Uint32Array.from(deltas, ([cell]) => cell),
      deltas: Float64Array.from(deltas, ([, delta]) => delta),
    })),
  };
}

const byMode = {
  metric: 'acquisitions',
  groupCount: 2,
  groupOf: ({ dims }: CellEntry) => (dims['mode'] === 'mmap-write' ? 1 : 0),
};

describe('rates', () => {
  const sources = [
    source(cells, [
      [
        0,
        250,
        [
          [0, 10],
          [1, 5],
          [2, 15],
        ],
      ],
      [250, 1250, [[0, 100]]],
      [9000, 9250, [[2, 1]]],
    ]),
  ];

  test('are the counts by the length of the bin itself', () => {
    const points = rateSeries(sources, { ...byMode, filter: {} });
    expect(points.map(({ perSec }) => perSec)).toEqual([
      [100, 20],
      [100, 0],
      [4, 0],
    ]);
  });

  test('are narrowed by process and by mode', () => {
    expect(rateSeries(sources, { ...byMode, filter: { process: 'b' } })[0]?.counts).toEqual([15, 0]);
    expect(rateSeries(sources, { ...byMode, filter: { mode: 'mmap-write' } })[0]?.counts).toEqual([0, 5]);
  });

  test('say where nothing is known in between', () => {
    expect(rateSeries(sources, { ...byMode, filter: {} }).map(({ isAfterGap }) => isAfterGap)).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('mean over a series weighs bins by their length', () => {
    expect(meanRates(rateSeries(sources, { ...byMode, filter: {} }), 2)).toEqual([126 / 1.5, 5 / 1.5]);
  });
});

test('an axis ends at a round number at or above its peak, never twice as high', () => {
  expect([0, 0.3, 1, 1.1, 999, 1_300_000].map(niceCeiling)).toEqual([1, 0.3, 1, 1.2, 1000, 1_600_000]);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e15, noNaN: true }), (peak) => {
      const top = niceCeiling(peak);
      expect(top).toBeGreaterThanOrEqual(peak * (1 - 1e-9));
      expect(top).toBeLessThan(peak * 1.51);
    }),
  );
});

describe('latencies', () => {
  const waits = [10, 100, 100_000].map(
    (ns, cell): CellEntry => ({ cell, metric: 'wait', dims: { mode: 'mmap-read', bucket: bucketIndex(ns) } }),
  );
  const sources = [
    source(waits, [
      [
        0,
        1000,
        [
          [0, 50],
          [1, 49],
          [2, 1],
        ],
      ],
      [1000, 2000, []],
    ]),
  ];

  test('become columns with exact counts and quantiles', () => {
    const { columns, peakPerSec, rowRange } = latencyColumns(sources, 'wait', {});
    expect(columns.map(({ count, p50 }) => [count, p50])).toEqual([
      [100, 10],
      [0, undefined],
    ]);
    expect(columns[0]?.rows.reduce((sum, count) => sum + count, 0)).toBe(100);
    expect(peakPerSec).toBe(50);
    expect(rowBounds(rowRange?.low ?? -1).lowNs).toBeLessThanOrEqual(10);
    expect(rowBounds(rowRange?.high ?? -1).highNs).toBeGreaterThan(100_000);
  });

  test('of all time come from the totals, those of the window from its bins', () => {
    const more = [{ ...sources[0], totals: Float64Array.of(1000, 0, 0) } as Source];
    const question = {
      metric: 'wait',
      filter: {},
      groups: ['mmap-read', 'mmap-write'],
      groupOf: ({ dims }: CellEntry) => String(dims['mode']),
    };
    expect(latencyDistributions(more, { ...question, span: 'all' }).map(({ count }) => count)).toEqual([1000, 0]);
    expect(latencyDistributions(more, { ...question, span: 'window' }).map(({ count }) => count)).toEqual([100, 0]);
  });

  test('have the same quantiles and maximum, dense or sparse', () => {
    const bucket = fc.tuple(fc.integer({ min: 0, max: 799 }), fc.integer({ min: 1, max: 1e6 }));
    fc.assert(
      fc.property(fc.array(bucket, { minLength: 1, maxLength: 40 }), (pairs) => {
        const sparse = new Map(pairs);
        const dense = new Float64Array(800);
        for (const [index, count] of sparse) dense[index] = count;
        expect(denseQuantiles(dense, [0.5, 0.9, 0.99, 1])).toEqual(bucketQuantiles(sparse, [0.5, 0.9, 0.99, 1]));
        expect(denseMax(dense)).toBe(bucketsMax(sparse));
      }),
    );
  });
});

describe('the table of processes', () => {
  const column = (name: string, mode: string) => ({
    name,
    metric: 'acquisitions',
    sources: [
      source(cells, [
        [
          0,
          250,
          [
            [0, 10],
            [1, 5],
            [2, 15],
          ],
        ],
      ]),
    ],
    counts: ({ dims }: CellEntry) => dims['mode'] === mode,
  });

  test('adds up by process, the largest first, and leaves unmeasured columns open', () => {
    const columns = [
      column('reads', 'mmap-read'),
      column('writes', 'mmap-write'),
      { ...column('wait', 'mmap-read'), metric: 'waitTotal' },
    ];
    const { rows, totals } = whoTable(columns, { filter: {}, span: 'window', sortBy: 0 });
    expect(rows).toEqual([
      { process: 'b', values: [15, 0, undefined] },
      { process: 'a', values: [10, 5, undefined] },
    ]);
    expect(totals).toEqual([25, 5, undefined]);
  });

  test('sorts by the first column that is measured when the chosen one is not', () => {
    const columns = [{ ...column('wait', 'mmap-read'), metric: 'waitTotal' }, column('writes', 'mmap-write')];
    expect(whoTable(columns, { filter: {}, span: 'all', sortBy: 0 }).rows.map(({ process }) => process)).toEqual(['a']);
  });
});

describe('sources', () => {
  const ended = fixtureRun(0, 'tally', { state: 'stopped', endedAtMs: 1250 });
  const running = fixtureRun(1, 'tally', { startedAtMs: 2000, readyAtMs: 2100 });
  const beside = fixtureRun(2, 'tally', { startedAtMs: 2200, readyAtMs: 2300 });
  const entry = acquisitions(0, 'mmap-read', 'a');

  test('are the newest run with the metric and those that ended before it began', () => {
    const session = openLiveSession(
      fixtureSnapshot(
        1,
        [ended, running, beside],
        [0, 1, 2].map((run) => ({ run, fromMs: 0, toMs: 0, newCells: [entry] })),
      ),
      fixtureManifests,
    );
    expect(runsWithMetric(session, 'acquisitions').map(({ index }) => index)).toEqual([2, 0]);
    expect(runsWithMetric(session, 'hold')).toEqual([]);
  });

  test('leave out what an older run did before the window', () => {
    const history = [
      fixtureFrame(1, [{ run: 0, fromMs: 0, toMs: 250, deltas: [[0, 1]] }]),
      fixtureFrame(2, [{ run: 1, fromMs: 50_000, toMs: 50_250, deltas: [[0, 1]] }]),
    ];
    const both = [0, 1].map((run) => ({ run, fromMs: 0, toMs: 0, newCells: [entry] }));
    const session = openLiveSession(fixtureSnapshot(2, [ended, running], both, history), fixtureManifests);
    expect(sourcesOf(session, 'acquisitions', '30s').map(({ bins }) => bins.length)).toEqual([0, 1]);
    expect(sourcesOf(session, 'acquisitions', '2min').map(({ bins }) => bins.length)).toEqual([1, 1]);
    expect(hasDimension(sourcesOf(session, 'acquisitions', '30s'), 'acquisitions', 'comm')).toBe(true);
    expect(dimensionValues(session, ['comm', 'mode'])).toEqual(['a', 'mmap-read']);
  });
});

describe('a ring of calls', () => {
  const columns = fixtureManifests[0]?.streams[1]?.columns ?? [];
  const batch = (from: number, count: number): readonly [Float64Array, Uint16Array] => [
    Float64Array.from({ length: count }, (_, index) => from + index),
    new Uint16Array(count),
  ];

  test('holds the newest calls, in order, however they came', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 12 }), (sizes) => {
        const ring = createCallRing(columns, 10);
        let added = 0;
        for (const size of sizes) {
          addCalls(ring, batch(added, size), size);
          added += size;
        }
        const newest = selectCalls(ring, () => true);
        expect(newest).toHaveLength(Math.min(10, added));
        expect(callsKept(ring)).toBe(newest.length);
        expect(newest.map((call) => callValue(ring, 0, call))).toEqual(newest.map((_, index) => added - 1 - index));
        expect(callValue(ring, 0, added - 11)).toBeUndefined();
        expect(callValue(ring, 0, added)).toBeUndefined();
      }),
    );
  });

  test('frozen, keeps what later calls overwrite', () => {
    const ring = createCallRing(columns, 3);
    addCalls(ring, batch(0, 3), 3);
    const frozen = freezeCalls(ring);
    addCalls(ring, batch(100, 3), 3);
    expect(selectCalls(frozen, () => true).map((call) => callValue(frozen, 0, call))).toEqual([2, 1, 0]);
  });
});

describe('the clock of a session', () => {
  const identity = {
    hostname: 'h',
    release: 'r',
    machine: 'm',
    cpuCount: 1,
    isEmulated: false,
    config: {},
    clockOffsetMs: -1500,
  };
  const ready = (index: number, readyAtMs: number, readyNs: number) =>
    fixtureRun(index, 'tally', { readyAtMs, readyNs });
  const view = { id: 's', startedAtMs: 4000, runs: [ready(0, 5000, 7e9), ready(1, 6000, 900e9)] };

  test('of a live target is the kernel clock, and knows the wall clock', () => {
    const live = { ...view, target: { id: 'host', kind: 'host', title: 't', identity } } as const;
    expect([sessionClock(live).sessionMs(7e9), sessionClock(live).wallMs(7e9)]).toEqual([1500, 5500]);
    expect([runShiftNs(live, 0, 1), runShiftNs(live, 1, 1)]).toEqual([0, 0]);
  });

  test('of a replay lays runs recorded at different times side by side', () => {
    const replay = { ...view, target: { id: 'replay', kind: 'replay', title: 't', identity } } as const;
    const { sessionMs, wallMs } = sessionClock(replay);
    expect([sessionMs(7e9 - runShiftNs(replay, 0, 1)), sessionMs(900e9 - runShiftNs(replay, 1, 1))]).toEqual([
      1000, 2000,
    ]);
    expect(wallMs(7e9)).toBeUndefined();
  });

  test('of a run whose READY is not known begins with its first figures', () => {
    const target = { id: 'host', kind: 'host', title: 't' } as const;
    const unready = {
      ...view,
      target,
      runs: [{ ...fixtureRun(0, 'tally'), readyNs: undefined, readyAtMs: undefined, startedAtMs: 4500 }],
    } as unknown as SessionView;
    expect(sessionClock(unready).sessionMs(33e9 - runShiftNs(unready, 0, 33e9))).toBe(500);
  });
});

test('what was lost is what is missing once that is known, and makes the run incomplete', () => {
  const run = fixtureRun(0, 'tally');
  const ledger = { ...run.ledger, lostCount: 3, missingCount: 5 };
  expect([lostOf(ledger), isLossy(run), isLossy({ ...run, ledger }), isLossy({ ...run, isComplete: false })]).toEqual([
    5,
    false,
    true,
    true,
  ]);
});

test('calls that have no time because they were under way when tracing began make no run incomplete', () => {
  const run = fixtureRun(0, 'tally');
  const unpaired = { ...run, ledger: { ...run.ledger, unpairedCount: 200 } };
  const view = {
    id: 's',
    target: { id: 'host', kind: 'host', title: 't' },
    startedAtMs: 0,
    serverMemoryBytes: 0,
  } as const;
  expect(isLossy(unpaired)).toBe(false);
  expect(lossSpansBetween({ ...view, runs: [run] }, { ...view, runs: [unpaired] }, 0, 1)).toEqual([]);
});
