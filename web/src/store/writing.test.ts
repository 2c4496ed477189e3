import { type Problem, type RecordedSessionView, type Result, type SessionNote, err, ok } from '@faultline/shared';
import { expect, test } from 'vitest';
import { emptyAppState } from './app-state.ts';
import { readPageState } from './page-state.ts';
import { markPlace } from './select-writing.ts';
import { Writing } from './writing.ts';

/** A server that keeps notes of one session, and refuses where it is told to. */
function server() {
  let notes: SessionNote[] = [];
  const marks: object[] = [];
  const written: string[] = [];
  const refusal: { problem: Problem | undefined } = { problem: undefined };
  const view = (): Promise<Result<RecordedSessionView, Problem>> => {
    if (refusal.problem !== undefined) return Promise.resolve(err(refusal.problem));
    const manifest = { notes } as unknown as NonNullable<RecordedSessionView['manifest']>;
    return Promise.resolve(ok({ id: 's', bytes: 0, isLive: false, manifest }));
  };
  const port = {
    recording: view,
    mark: (id: string, mark: object) => {
      marks.push({ id, ...mark });
      return view();
    },
    note: (_: string, text: string) => {
      if (refusal.problem === undefined) notes = [...notes, { atMs: notes.length, text }];
      return view();
    },
    editNote: (_: string, { atMs, text }: { readonly atMs: number; readonly text: string | null }) => {
      notes = notes.flatMap((note) => {
        if (note.atMs !== atMs) return [note];
        return text === null ? [] : [{ atMs, text }];
      });
      return view();
    },
  };
  const writing = new Writing({
    port,
    nowMs: () => 50,
    changed: () => undefined,
    written: (id) => written.push(id),
  });
  return { writing, marks, written, refusal };
}

const texts = (writing: Writing): readonly string[] | undefined => {
  const list = writing.state.notes?.list;
  return list?.kind === 'ready' ? list.value.map(({ text }) => text) : undefined;
};

test('a mark is sent with the moment it was begun at; a refused one stays open with the reason', async () => {
  const { writing, marks, written, refusal } = server();
  writing.beginMark('s', 12, '1.2 s');
  refusal.problem = { error: 'bad-parameter', message: 'too much' };
  await writing.finishMark('here');
  expect(writing.state.mark).toMatchObject({ atMs: 12, problem: { message: 'too much' } });
  refusal.problem = undefined;
  await writing.finishMark('here');
  expect(writing.state).toMatchObject({ mark: undefined, marked: { words: '1.2 s', doneAtMs: 50 } });
  expect(marks.at(-1)).toEqual({ id: 's', text: 'here', atMs: 12 });
  expect(written).toEqual(['s']);
  writing.beginMark('s', 13, '1.3 s');
  await writing.finishMark('');
  expect(marks).toHaveLength(2);
  expect(writing.state.mark).toBeUndefined();
});

test('notes are read, added, changed and taken away; what is refused leaves the list', async () => {
  const { writing, refusal } = server();
  await writing.openNotes('s', 'a session');
  expect(texts(writing)).toEqual([]);
  expect(await writing.addNote('one')).toBe(true);
  expect(await writing.addNote('two')).toBe(true);
  expect(await writing.editNote(0, 'first')).toBe(true);
  expect(texts(writing)).toEqual(['first', 'two']);
  refusal.problem = { error: 'session-unreadable', message: 'gone' };
  expect(await writing.addNote('three')).toBe(false);
  expect(texts(writing)).toEqual(['first', 'two']);
  expect(writing.state.notes?.problem?.message).toBe('gone');
  refusal.problem = undefined;
  await writing.editNote(0, null);
  expect(texts(writing)).toEqual(['two']);
  expect(writing.state.notes?.problem).toBeUndefined();
  writing.closeNotes();
  expect(writing.state.notes).toBeUndefined();
});

test('a mark goes to the cursor, else to now of what is recorded, and nowhere where nothing is', () => {
  const live = { view: { startedAtMs: 1_000, recording: { id: 'r' } } };
  const clock = { sessionMs: (ns: number) => ns / 1e6, wallMs: () => undefined };
  const shown = { app: emptyAppState, page: readPageState(''), live, clock } as unknown as Parameters<
    typeof markPlace
  >[0];
  expect(markPlace(shown, undefined, 3_500.4)).toEqual({ session: 'r', atMs: 3_500, words: '2.50 s' });
  expect(markPlace(shown, 750e6, 3_500)).toEqual({ session: 'r', atMs: 1_750, words: '0.75 s' });
  const recorded = { manifest: { id: 'old', createdAtMs: 100 }, toMs: 20 };
  const open = { ...shown, recorded } as unknown as Parameters<typeof markPlace>[0];
  expect(markPlace(open, undefined, 3_500)).toMatchObject({ session: 'old', atMs: 120 });
  const unrecorded = { ...shown, live: { view: { startedAtMs: 1_000 } } } as unknown as typeof shown;
  expect(markPlace(unrecorded, undefined, 3_500)).toBeUndefined();
});
