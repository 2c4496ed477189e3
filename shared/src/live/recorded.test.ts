import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RecordedView, decodeRecordedView, encodeRecordedView } from '../recorded-view.ts';
import { callValue } from './call-ring.ts';
import { rateSeries } from './rate-series.ts';
import { cutSection, openRecorded } from './recorded.ts';
import { sourcesOf, totalOf } from './source.ts';
import { fixtureFrame, fixtureManifests, fixtureRun, fixtureSnapshot } from './live-fixture.ts';

const cells = [
  { cell: 0, metric: 'acquisitions', dims: { comm: 'app' } },
  { cell: 1, metric: 'acquisitions', dims: { comm: 'other' } },
];
const runs = [fixtureRun(0, 'tally'), fixtureRun(1, 'detail')];

/** A session of snapshots 250 ms long, each with these deltas of the first cell, and a call at each snapshot's end. */
function recordedOf(deltas: readonly number[]): RecordedView {
  const history = deltas.map((delta, at) =>
    fixtureFrame(at + 1, [{ run: 0, fromMs: at * 250, toMs: (at + 1) * 250, deltas: [[0, delta]] }]),
  );
  const total = deltas.reduce((sum, delta) => sum + delta, 0);
  const calls = deltas.map((_, at) => [(at + 1) * 250e6, 0] as const);
  const snapshot = fixtureSnapshot(
    deltas.length,
    runs,
    [
      { run: 0, fromMs: 0, toMs: deltas.length * 250, newCells: cells, deltas: [[0, total]] },
      { run: 1, fromMs: 0, toMs: 0, newTexts: ['app'], calls },
    ],
    history,
  );
  const lossSpans = [{ run: 0, fromMs: 1_500, toMs: 2_000 }];
  return { snapshot, calls: 'held', lossSpans, ticksMerged: 1, olderCalls: [0, 7] };
}

function bodyOf(view: RecordedView): ArrayBuffer {
  const parts = encodeRecordedView(view);
  const body = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    body.set(part, offset);
    offset += part.byteLength;
  }
  return body.buffer;
}

const open = (deltas: readonly number[]) => openRecorded(recordedOf(deltas), fixtureManifests);

describe('a recorded session', () => {
  test('reads back as it was written, and is refused where it is cut off', () => {
    const view = recordedOf([1, 2, 3]);
    const body = bodyOf(view);
    expect(decodeRecordedView(body)).toEqual(view);
    for (const length of [0, 3, 20, body.byteLength - 1])
      expect(() => decodeRecordedView(body.slice(0, length))).toThrow(/cut off|has at least/);
    const newer = { ...view, snapshot: { ...view.snapshot, protocolVersion: 99 } };
    expect(() => decodeRecordedView(bodyOf(newer))).toThrow(/another version/);
  });

  test('is as long as what is known of it', () => {
    expect(open([1, 2, 3, 4, 5, 6])).toMatchObject({ fromNs: 0, toNs: 1_500e6, seq: 6 });
    expect(open([1])).toMatchObject({ fromNs: 0, toNs: 1e9 });
  });

  test('cut anywhere gives parts that add up to all of it, exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1e6 }), { minLength: 4, maxLength: 300 }), fc.nat(), (deltas, at) => {
        const data = open(deltas);
        const cutNs = at % data.toNs;
        const parts = [cutSection(data, data.fromNs, cutNs), cutSection(data, cutNs, data.toNs)];
        const whole = cutSection(data, data.fromNs, data.toNs);
        const total = deltas.reduce((sum, delta) => sum + delta, 0);
        expect(totalOf(whole, 'acquisitions', { comm: 'app' })).toBe(total);
        expect(parts.reduce((sum, part) => sum + totalOf(part, 'acquisitions', {}), 0)).toBe(total);
        for (const part of [...parts, whole]) {
          const points = rateSeries(sourcesOf(part, 'acquisitions', '30s'), {
            metric: 'acquisitions',
            filter: {},
            groupCount: 1,
            groupOf: () => 0,
          });
          expect(points.reduce((sum, { counts }) => sum + (counts[0] ?? 0), 0)).toBe(totalOf(part, 'acquisitions', {}));
          expect(points.length).toBeLessThanOrEqual(130);
        }
      }),
    );
  });

  test('has in a part the calls of its time alone', () => {
    const section = cutSection(open([1, 1, 1, 1, 1, 1, 1, 1]), 500e6, 1_250e6);
    const ring = section.runs.get(1)?.calls;
    expect(ring?.addedCount).toBe(3);
    expect([0, 1, 2].map((call) => ring && callValue(ring, 0, call))).toEqual([750e6, 1_000e6, 1_250e6]);
    expect(cutSection(open([1, 1, 1, 1, 1]), 10e6, 20e6).runs.get(1)?.calls.addedCount).toBe(0);
  });

  test('knows of calls that it was not given', () => {
    expect(open([1]).runs.map(({ olderCallCount }) => olderCallCount)).toEqual([0, 7]);
  });
});
