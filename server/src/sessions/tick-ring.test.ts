import { sessionTickCellsMax, sessionTicksMax } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import type { Tick } from './tick.ts';
import { TickRing } from './tick-ring.ts';

const tick = (seq: number, cellCount = 0): Tick => ({
  seq,
  atMs: seq * 100,
  hasStateChange: false,
  slices:
    cellCount === 0
      ? []
      : [
          {
            run: 0,
            fromNs: 0,
            toNs: 1,
            newCells: [],
            cells: new Uint32Array(cellCount),
            deltas: new Float64Array(0),
            firstText: 0,
            newTexts: [],
            calls: [],
            callCount: 0,
          },
        ],
});

describe('the ticks a session keeps', () => {
  it('are no more than the bound, the oldest forgotten', () => {
    const ring = new TickRing();
    for (let seq = 1; seq <= sessionTicksMax + 5; seq += 1) ring.push(tick(seq));
    expect(ring.from(5)).toBeUndefined();
    expect(ring.from(6)).toHaveLength(sessionTicksMax);
    expect(ring.from(sessionTicksMax + 5)).toHaveLength(1);
    expect(ring.from(sessionTicksMax + 6)).toEqual([]);
  });

  it('hold no more cells than the bound, but always the newest', () => {
    const ring = new TickRing();
    const half = sessionTickCellsMax / 2 + 1;
    ring.push(tick(1, half));
    ring.push(tick(2, half));
    expect(ring.from(1)).toBeUndefined();
    expect(ring.from(2)).toHaveLength(1);
    expect(ring.seq).toBe(2);
  });

  it('are found by age', () => {
    const ring = new TickRing();
    for (let seq = 1; seq <= 10; seq += 1) ring.push(tick(seq));
    expect(ring.since(800).map((one) => one.seq)).toEqual([8, 9, 10]);
    expect(ring.since(2000)).toEqual([]);
  });
});
