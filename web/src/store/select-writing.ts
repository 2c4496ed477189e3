/** Where a mark would go, what is being marked, and the notes that are open. */
import { type Problem, formatInstant, formatSeconds } from '@faultline/shared';
import type { Shown } from './app-state.ts';
import type { MarkDraft, WritingState } from './writing.ts';

/** How long it is said that a moment was marked, ms. */
const markedWordsMs = 6_000;

/** Where a mark would go: a session, a moment (epoch ms), and what it is called. */
export type MarkPlace = Pick<MarkDraft, 'session' | 'atMs' | 'words'>;

/**
 * Where a mark would go: at the cursor of the charts (kernel ns, on the page's clock), else at the end of the part of a recorded session, or now
 * on a live page. Undefined where nothing is recorded.
 */
export function markPlace(
  { recorded, live, clock }: Shown,
  cursorNs: number | undefined,
  nowMs: number,
): MarkPlace | undefined {
  const session = recorded?.manifest.id ?? live?.view.recording?.id;
  const startedAtMs = recorded?.manifest.createdAtMs ?? live?.view.startedAtMs;
  if (session === undefined || startedAtMs === undefined) return undefined;
  // The seconds of the charts: side by side they count from the beginning of the session that began first.
  const zeroAtMs = clock?.zeroAtMs ?? startedAtMs;
  const usualMs = recorded === undefined ? nowMs : startedAtMs + recorded.toMs;
  const atMs = Math.round(
    cursorNs === undefined || clock === undefined ? usualMs : zeroAtMs + clock.sessionMs(cursorNs),
  );
  return { session, atMs, words: formatSeconds(atMs - zeroAtMs, 2) };
}

/** Whether the session that is traced can be marked: whether it is written down. */
export function selectCanMark({ live }: Shown): boolean {
  return live?.view.recording?.state === 'recording';
}

/** The mark that is being written. */
export function selectMarkDraft({ app }: Shown): MarkDraft | undefined {
  return app.recordings.writing.mark;
}

/** That a moment has just been marked. */
export function selectMarkedWords({ app, nowMs }: Shown): string | undefined {
  const { marked } = app.recordings.writing;
  return marked === undefined || nowMs > marked.doneAtMs + markedWordsMs ? undefined : `marked ${marked.words}`;
}

/** A note as it is listed. */
export type NoteRow = { readonly key: string; readonly atMs: number; readonly when: string; readonly text: string };

/** The notes that are open. */
export type NotesView = {
  readonly title: string;
  readonly state: 'loading' | 'ready' | 'failed';
  readonly rows: readonly NoteRow[];
  readonly problem: Problem | undefined;
};

/** The notes that are open, the oldest first; undefined while none are. */
export function selectNotes({ app }: Shown): NotesView | undefined {
  const { notes } = app.recordings.writing;
  return notes === undefined ? undefined : notesView(notes);
}

function notesView({ title, list, problem }: NonNullable<WritingState['notes']>): NotesView {
  const rows = list.kind === 'ready' ? list.value : [];
  return {
    title,
    state: list.kind,
    rows: rows.map(({ atMs, text }, at) => ({ key: `${at} ${atMs}`, atMs, when: formatInstant(atMs), text })),
    problem: list.kind === 'failed' ? list.problem : problem,
  };
}
