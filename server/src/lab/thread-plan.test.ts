import { describe, expect, it } from 'vitest';
import { groupByGuest, planThread, requestOf, threadVariants, threadWorkloads, workOf } from './thread-plan.ts';

const words = (runs: ReturnType<typeof planThread>): readonly string[] =>
  runs.map(({ variant, workload, number, isAlone }) => `${variant} ${workload} ${number}${isAlone ? ' alone' : ''}`);

describe('the runs of the thread', () => {
  it('go round by round through all builds, and those that may kill their guest come once, last', () => {
    const selection = { variants: ['v1', 'v2'], workloads: ['touch', 'race'], runCount: 2 } as const;
    expect(words(planThread(selection))).toEqual([
      ...['v1 touch 1', 'v2 touch 1', 'v2 race 1'],
      ...['v1 touch 2', 'v2 touch 2', 'v2 race 2'],
      'v1 race 1 alone',
    ]);
  });

  it('are alone for race, futex and kill of the handlers that drop the lock, and for nothing else', () => {
    const all = planThread({ variants: threadVariants, workloads: threadWorkloads, runCount: 1 });
    expect(all).toHaveLength(threadVariants.length * threadWorkloads.length);
    const alone = ['race', 'futex', 'kill'].map((workload) => `${workload} 1 alone`);
    expect(words(all).filter((word) => word.endsWith('alone'))).toEqual([
      ...alone.map((word) => `v1 ${word}`),
      ...alone.map((word) => `v1d ${word}`),
    ]);
  });

  it('share a guest where they are neighbours of one build and round, and none where one may kill it', () => {
    const runs = planThread({ variants: ['v0', 'v1'], workloads: ['touch', 'zap', 'futex', 'kill'], runCount: 2 });
    expect(groupByGuest(runs).map(words)).toEqual([
      ['v0 touch 1', 'v0 zap 1', 'v0 futex 1', 'v0 kill 1'],
      ['v1 touch 1', 'v1 zap 1'],
      ['v0 touch 2', 'v0 zap 2', 'v0 futex 2', 'v0 kill 2'],
      ['v1 touch 2', 'v1 zap 2'],
      ['v1 futex 1 alone'],
      ['v1 kill 1 alone'],
    ]);
  });

  it('take longer the more guests they need', () => {
    const together = planThread({ variants: ['v0'], workloads: ['touch', 'futex', 'kill'], runCount: 1 });
    const apart = planThread({ variants: ['v1'], workloads: ['touch', 'futex', 'kill'], runCount: 1 });
    expect(workOf(together)).toBe(4 + 3);
    expect(workOf(apart)).toBe(3 * (4 + 1));
    expect(workOf([])).toBe(0);
  });

  it('race much longer where the race is to be lost', () => {
    expect(requestOf({ variant: 'v2', workload: 'race' }).repetitions).toBe(100);
    expect(requestOf({ variant: 'v1d', workload: 'race' }).repetitions).toBe(3_000);
    expect(requestOf({ variant: 'v1', workload: 'touch' })).toMatchObject({ barBytes: 67_108_864, repetitions: 1 });
  });
});
