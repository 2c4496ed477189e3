import type { ComparableSession } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { compareQuery } from './comparisons-store.ts';
import { readPageState, writePageState } from './page-state.ts';
import { baselineWith, candidatesWith, candidatesWithout, choicesOf, offersOf, swapped } from './select-compare.ts';

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

it('of the baseline a build stands alone and sessions add up, none twice', () => {
  const [build, first, second] = choicesOf([session('a', '6.1'), session('b', '6.1')]);
  if (build === undefined || first === undefined || second === undefined) throw new Error('three choices');
  expect(baselineWith(['a'], build)).toEqual(['build:6.1']);
  expect(baselineWith(['build:6.1'], first)).toEqual(['a']);
  expect(baselineWith(['a'], second)).toEqual(['a', 'b']);
  expect(baselineWith(['a', 'b'], second)).toEqual(['a', 'b']);
});

describe('candidates', () => {
  const choices = choicesOf([session('a', '6.1'), session('b', '6.1'), session('c', '6.12')]);
  const choice = (word: string): (typeof choices)[number] => {
    const found = choices.find((one) => one.word === word);
    if (found === undefined) throw new Error(`${word} can be chosen`);
    return found;
  };

  it('are a build each; sessions of one build are runs of one candidate', () => {
    expect(candidatesWith(['build:6.1'], choice('build:6.12'), choices)).toEqual(['build:6.1', 'build:6.12']);
    expect(candidatesWith(['build:6.1'], choice('build:6.1'), choices)).toEqual(['build:6.1']);
    expect(candidatesWith(['c', 'a'], choice('b'), choices)).toEqual(['c', 'a,b']);
    expect(candidatesWith(['a,b'], choice('b'), choices)).toEqual(['a,b']);
    expect(candidatesWith(['build:6.1'], choice('a'), choices)).toEqual(['build:6.1', 'a']);
  });

  it('lose a session, and are gone with the last one', () => {
    expect(candidatesWithout(['c', 'a,b'], 1, 'a')).toEqual(['c', 'b']);
    expect(candidatesWithout(['c', 'b'], 1, 'b')).toEqual(['c']);
    expect(candidatesWithout(['build:x,workload:y', 'b'], 0, 'build:x,workload:y')).toEqual(['b']);
  });

  it('change places with the baseline, the picked one', () => {
    const state = readPageState('?baseline=a&baseline=b&candidate=build:x&candidate=c,d&pick=2');
    expect(swapped(state)).toEqual({ baseline: ['c', 'd'], candidate: ['build:x', 'a,b'], pick: 2 });
    expect(swapped({ ...state, pick: undefined })).toMatchObject({ baseline: ['build:x'], candidate: ['a,b', 'c,d'] });
    expect(swapped({ ...state, ...swapped(state) })).toMatchObject({
      baseline: ['a', 'b'],
      candidate: ['build:x', 'c,d'],
    });
    expect(swapped({ ...state, candidate: [] })).toMatchObject({ baseline: [], candidate: ['a,b'] });
  });

  it('are offered all at once where more than two builds ran the same workload', () => {
    const of = (builds: readonly string[]): readonly (readonly string[])[] =>
      offersOf(choicesOf(builds.map((build) => session(build, build, 'touch')))).map(({ baseline, candidates }) => [
        baseline.build,
        ...candidates.map(({ build }) => build),
      ]);
    expect(of(['6.12', '6.1'])).toEqual([['6.1', '6.12']]);
    expect(of(['v3', 'v0', 'v2'])).toEqual([
      ['v0', 'v2'],
      ['v0', 'v2', 'v3'],
    ]);
    expect(of(['6.1'])).toEqual([]);
  });
});

it.each(['0', '10', 'x', '-1'])('a picked candidate %s is none', (word) => {
  expect(readPageState(`?page=compare&pick=${word}`).pick).toBeUndefined();
});

it('both sides stand in the address and come back from it', () => {
  const search =
    '?page=compare&baseline=build%3A6.1%2Cworkload%3Atouch&candidate=one&candidate=two&pick=2&layout=overlaid&metric=faults';
  const state = readPageState(search);
  expect(state).toMatchObject({
    page: 'compare',
    baseline: ['build:6.1,workload:touch'],
    candidate: ['one', 'two'],
    pick: 2,
    layout: 'overlaid',
    metric: 'faults',
  });
  expect(writePageState(state)).toBe(search);
  expect(compareQuery(state)).toBe('baseline=build%3A6.1%2Cworkload%3Atouch&candidate=one&candidate=two');
  expect(compareQuery({ ...state, candidate: [] })).toBeUndefined();
  expect(compareQuery({ ...state, saved: '0123456789ab' })).toBe('saved=0123456789ab');
});
