import type { ComparableSession } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { compareQuery } from './comparisons-store.ts';
import { readPageState, writePageState } from './page-state.ts';
import { choicesOf, withChoice } from './select-compare.ts';

function session(id: string, build: string, workload?: string): ComparableSession {
  return {
    ...{ id, build, startedAtMs: 0, durationMs: 2_000, probes: ['vfio-fault'] },
    ...(workload === undefined ? {} : { workload }),
  };
}

describe('what can be chosen', () => {
  it('is all runs of a build under a workload, those with the most runs first, then single sessions', () => {
    const choices = choicesOf([
      session('a1', '6.1', 'touch'),
      session('b1', '6.12', 'touch'),
      session('b2', '6.12', 'touch'),
      session('c1', '6.12'),
    ]);
    expect(choices.filter(({ kind }) => kind === 'build').map(({ word, runCount }) => [word, runCount])).toEqual([
      ['build:6.12,workload:touch', 2],
      ['build:6.1,workload:touch', 1],
      ['build:6.12', 1],
    ]);
    expect(choices.filter(({ kind }) => kind === 'session').map(({ word }) => word)).toEqual(['a1', 'b1', 'b2', 'c1']);
  });

  it('is single sessions alone where a name would break the selection', () => {
    expect(choicesOf([session('a1', '6.1,evil', 'touch')]).map(({ word }) => word)).toEqual(['a1']);
  });
});

it('a build stands alone on a side, sessions add up, none twice', () => {
  const [build, first, second] = choicesOf([session('a', '6.1'), session('b', '6.1')]);
  if (build === undefined || first === undefined || second === undefined) throw new Error('three choices');
  expect(withChoice(['a'], build)).toEqual(['build:6.1']);
  expect(withChoice(['build:6.1'], first)).toEqual(['a']);
  expect(withChoice(['a'], second)).toEqual(['a', 'b']);
  expect(withChoice(['a', 'b'], second)).toEqual(['a', 'b']);
});

it('both sides stand in the address and come back from it', () => {
  const search =
    '?page=compare&baseline=build%3A6.1%2Cworkload%3Atouch&candidate=one&candidate=two&layout=overlaid&metric=faults';
  const state = readPageState(search);
  expect(state).toMatchObject({
    page: 'compare',
    baseline: ['build:6.1,workload:touch'],
    candidate: ['one', 'two'],
    layout: 'overlaid',
    metric: 'faults',
  });
  expect(writePageState(state)).toBe(search);
  expect(compareQuery(state)).toBe('baseline=build%3A6.1%2Cworkload%3Atouch&candidate=one&candidate=two');
  expect(compareQuery({ ...state, candidate: [] })).toBeUndefined();
});
