import { type Problem, type RecordedSessionView, type RecordedView, type Result, err, ok } from '@faultline/shared';
import { expect, test, vi } from 'vitest';
import type { Recordings } from '../api/recordings.ts';
import { RecordingsStore } from './recordings-store.ts';

// What is drawn of a session is no matter here: only what was written on it.
vi.mock(import('@faultline/shared'), async (original) => ({
  ...(await original()),
  openRecorded: () => ({}) as never,
}));

const refuse = (): Promise<Result<never, Problem>> => Promise.resolve(err({ error: 'no', message: 'No.' }));

/** A session that is open, with so many marks. */
function withMarks(count: number): RecordedSessionView {
  const manifest = { runs: [], marks: Array.from({ length: count }, (_, atMs) => ({ atMs, text: 'a mark' })) };
  return {
    id: 's',
    bytes: 0,
    isLive: false,
    manifest: manifest as unknown as RecordedSessionView['manifest'] & object,
  };
}

/** A store with a session open, and a server that answers what is asked of it when it is told to. */
async function openStore() {
  const answers: ((view: RecordedSessionView) => void)[] = [];
  const port = {
    overview: refuse,
    recording: () => Promise.resolve(ok(withMarks(0))),
    view: () => Promise.resolve(ok({} as RecordedView)),
    mark: () => Promise.resolve(ok(withMarks(0))),
  } as unknown as Recordings;
  const asked = { ...port };
  const store = new RecordingsStore({ port: asked, nowMs: () => 0, changed: () => undefined });
  await store.open('s');
  Object.assign(asked, {
    recording: () => new Promise((resolve) => answers.push((view) => resolve(ok(view)))),
  });
  const mark = async (): Promise<void> => {
    store.writing.beginMark('s', 0, '0 s');
    await store.writing.finishMark('a mark');
  };
  const marks = (): number | undefined => {
    const { opened } = store.state;
    return opened?.kind === 'ready' ? opened.recording.manifest?.marks.length : undefined;
  };
  return { answers, mark, marks };
}

test.each([
  ['in their order', [0, 1]],
  ['the other way round', [1, 0]],
])('two marks at once are both there, when what is asked after each is answered %s', async (_, order) => {
  const { answers, mark, marks } = await openStore();
  await mark();
  await mark();
  await expect.poll(() => answers.length).toBe(2);
  for (const at of order) {
    answers[at]?.(withMarks(at + 1));
    await Promise.resolve();
  }
  await expect.poll(marks).toBe(2);
});
