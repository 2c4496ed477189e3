import { expect, test } from 'vitest';
import { Cadence } from './cadence.ts';

/** Frames that come when the test says so; every listener costs `costMs` of the clock. */
function fakeFrames() {
  let nowMs = 0;
  const due: (() => void)[] = [];
  return {
    clock: { nextFrame: (run: () => void) => void due.push(run), nowMs: () => nowMs },
    spend: (costMs: number) => {
      nowMs += costMs;
    },
    /** Runs one frame and lets its promises settle. */
    frame: async (): Promise<boolean> => {
      const run = due.shift();
      run?.();
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      return run !== undefined;
    },
  };
}

test('tells words first, then charts until the frame is used up, then goes on in the next frame', async () => {
  const frames = fakeFrames();
  const told: string[] = [];
  const cadence = new Cadence(frames.clock, () => told.push('drawn'));
  for (const name of ['a', 'b', 'c']) {
    cadence.subscribe('chart', () => {
      told.push(name);
      frames.spend(5);
    });
  }
  cadence.subscribe('first', () => told.push('words'));
  cadence.publish('usual');
  await frames.frame();
  expect(told).toEqual(['words', 'drawn', 'a', 'b']);
  await frames.frame();
  expect(told).toEqual(['words', 'drawn', 'a', 'b', 'c']);
  expect(await frames.frame()).toBe(false);
});

test('a round that is not finished goes on when the next comes, and tells nobody twice', async () => {
  const frames = fakeFrames();
  const told: string[] = [];
  const cadence = new Cadence(frames.clock, () => undefined);
  for (const name of ['a', 'b', 'c']) {
    cadence.subscribe('chart', () => {
      told.push(name);
      frames.spend(20);
    });
  }
  cadence.publish('usual');
  await frames.frame();
  cadence.publish('usual');
  while (await frames.frame());
  expect(told).toEqual(['a', 'b', 'c', 'a']);
});

test('tells slow ones every second round, calm ones every fourth, and all of them when somebody waits', async () => {
  const frames = fakeFrames();
  const counts = { slow: 0, calm: 0 };
  const cadence = new Cadence(frames.clock, () => undefined);
  cadence.subscribe('slow', () => (counts.slow += 1));
  cadence.subscribe('calm', () => (counts.calm += 1));
  for (let round = 0; round < 8; round += 1) {
    cadence.publish('usual');
    while (await frames.frame());
  }
  expect(counts).toEqual({ slow: 4, calm: 2 });
  cadence.publish('all');
  while (await frames.frame());
  expect(counts).toEqual({ slow: 5, calm: 3 });
});

test('one who left is not told', async () => {
  const frames = fakeFrames();
  const told: string[] = [];
  const cadence = new Cadence(frames.clock, () => undefined);
  const leave = cadence.subscribe('chart', () => told.push('gone'));
  cadence.publish('usual');
  leave();
  while (await frames.frame());
  expect(told).toEqual([]);
});
