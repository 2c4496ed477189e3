import { removedKeptMs } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { planPruning } from './pruning.ts';

const session = (id: string, lastAtMs: number, mayGo = true) => ({ id, bytes: 10, lastAtMs, mayGo });
const sessions = [session('a', 1_000), session('b', 2_000, false), session('c', 3_000)];
const discarded = [{ id: 'gone', bytes: 10, removedAtMs: 9_000 }];
const wide = { bytesMax: 1_000, ageMaxMs: 1_000_000 };

function plan(limits: Partial<typeof wide>, nowMs = 10_000): readonly unknown[] {
  const { forgotten, removed, excessBytes } = planPruning({ sessions, discarded }, { ...wide, ...limits }, nowMs);
  return [forgotten.map(({ id }) => id), removed.map(({ id }) => id), excessBytes];
}

describe('a store within its bounds', () => {
  it('gives up nothing', () => {
    expect(plan({})).toEqual([[], [], 0]);
    expect(plan({ bytesMax: 40, ageMaxMs: 9_000 })).toEqual([[], [], 0]);
  });

  it('forgets what was removed when its time has come', () => {
    expect(plan({}, 9_000 + removedKeptMs)).toEqual([[], [], 0]);
    expect(plan({}, 9_001 + removedKeptMs)).toEqual([['gone'], [], 0]);
  });
});

describe('a store beyond its bounds', () => {
  it('gives up what was removed, then the oldest that may go, no more than it must', () => {
    expect(plan({ bytesMax: 39 })).toEqual([['gone'], [], 0]);
    expect(plan({ bytesMax: 29 })).toEqual([['gone'], ['a'], 0]);
    expect(plan({ bytesMax: 19 })).toEqual([['gone'], ['a', 'c'], 0]);
    expect(plan({ bytesMax: 9 })).toEqual([['gone'], ['a', 'c'], 1]);
  });

  it('gives up what is too old, however little it is', () => {
    expect(plan({ ageMaxMs: 8_999 })).toEqual([[], ['a'], 0]);
    expect(plan({ ageMaxMs: 6_999 })).toEqual([[], ['a', 'c'], 0]);
  });
});
