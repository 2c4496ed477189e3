import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ProgressLine } from './progress-line.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is said of a command of which each step takes 10 s. */
function said(steps: readonly Parameters<ProgressLine['say']>[0][]): readonly string[] {
  const lines: string[] = [];
  const line = new ProgressLine({
    out: () => undefined,
    err: (text) => lines.push(text),
    isErrTty: false,
    errColumns: 80,
    width: 80,
  });
  for (const step of steps) {
    line.say(step);
    vi.advanceTimersByTime(10_000);
  }
  line.end();
  return lines;
}

it('says how long the other runs take, from those of this command: neither a boot nor earlier runs count', () => {
  const totalCount = 6;
  expect(
    said([
      { stage: 'v0: booting', doneCount: 2, totalCount },
      { stage: 'v0: run 1', doneCount: 2, totalCount },
      { stage: 'v1: run 1', doneCount: 3, totalCount },
      { stage: 'v0: run 2', doneCount: 4, totalCount },
    ]),
  ).toEqual([
    '2 of 6 runs · v0: booting\n',
    '2 of 6 runs · v0: run 1\n',
    '3 of 6 runs, 00:00:30 left · v1: run 1\n',
    '4 of 6 runs, 00:00:20 left · v0: run 2\n',
  ]);
});

it('goes by what runs take where that is told', () => {
  const progress = { totalCount: 2 };
  expect(
    said([
      { ...progress, stage: 'v0: run 1', doneCount: 0, work: { done: 0, total: 10 } },
      { ...progress, stage: 'v1: run 1', doneCount: 1, work: { done: 1, total: 10 } },
    ]).at(-1),
  ).toBe('1 of 2 runs, 00:01:30 left · v1: run 1\n');
});
