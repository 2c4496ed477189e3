/** What people write on recorded sessions, live ones too: a mark at a moment, and notes. */
import { type Problem, type RecordedSessionView, type Result, type SessionNote } from '@faultline/shared';
import type { Recordings } from '../api/recordings.ts';
import type { Loaded } from './loaded.ts';

/** A mark that is being written: of which session, at which moment (epoch ms), and what that moment is called. */
export type MarkDraft = {
  readonly session: string;
  readonly atMs: number;
  readonly words: string;
  /** Why it was refused when it was last sent. */
  readonly problem: Problem | undefined;
};

/** What is being written. */
export type WritingState = {
  readonly mark: MarkDraft | undefined;
  /** The moment that was marked last, and where (epoch ms) that was. */
  readonly marked: { readonly words: string; readonly doneAtMs: number } | undefined;
  /** The session whose notes are open. */
  readonly notes:
    | {
        readonly session: string;
        readonly title: string;
        readonly list: Loaded<readonly SessionNote[]>;
        /** Why the last change was refused. */
        readonly problem: Problem | undefined;
      }
    | undefined;
};

/** Nothing is being written. */
export const nothingWritten: WritingState = { mark: undefined, marked: undefined, notes: undefined };

type Port = Pick<Recordings, 'recording' | 'mark' | 'note' | 'editNote'>;

type World = {
  readonly port: Port;
  readonly nowMs: () => number;
  /** Told when what is being written has changed. */
  readonly changed: () => void;
  /** Told when something was written down. */
  readonly written: (session: string) => void;
};

/** Sends what was written; what is refused stays open with the reason. */
export class Writing {
  private readonly world: World;
  private known: WritingState = nothingWritten;

  constructor(world: World) {
    this.world = world;
  }

  get state(): WritingState {
    return this.known;
  }

  /** Begins a mark at a moment, epoch ms. */
  beginMark(session: string, atMs: number, words: string): void {
    this.change({ mark: { session, atMs, words, problem: undefined } });
  }

  /** Sends the mark; nothing written is no mark. */
  async finishMark(text: string): Promise<void> {
    const { mark } = this.known;
    if (mark === undefined) return;
    if (text === '') return this.dropMark();
    const answer = await this.world.port.mark(mark.session, { text, atMs: mark.atMs });
    if (this.known.mark !== mark) return;
    if (!answer.ok) return this.change({ mark: { ...mark, problem: answer.error } });
    this.change({ mark: undefined, marked: { words: mark.words, doneAtMs: this.world.nowMs() } });
    this.world.written(mark.session);
  }

  /** Forgets the mark that was begun. */
  dropMark(): void {
    this.change({ mark: undefined });
  }

  /** Opens the notes of a session. */
  async openNotes(session: string, title: string): Promise<void> {
    this.change({ notes: { session, title, list: { kind: 'loading' }, problem: undefined } });
    this.takeNotes(session, await this.world.port.recording(session), 'instead');
  }

  /** Closes the notes. */
  closeNotes(): void {
    this.change({ notes: undefined });
  }

  /** Adds a note to the session whose notes are open. True where it was written down. */
  addNote(text: string): Promise<boolean> {
    return this.write((session) => this.world.port.note(session, text));
  }

  /** Changes what a note says; null takes it away. True where it was written down. */
  editNote(atMs: number, text: string | null): Promise<boolean> {
    return this.write((session) => this.world.port.editNote(session, { atMs, text }));
  }

  private async write(send: (session: string) => ReturnType<Port['note']>): Promise<boolean> {
    const session = this.known.notes?.session;
    if (session === undefined) return false;
    const answer = await send(session);
    this.takeNotes(session, answer, 'beside');
    if (answer.ok) this.world.written(session);
    return answer.ok;
  }

  /** A refusal stands instead of the list where there is none, and beside it where a change was refused. */
  private takeNotes(
    session: string,
    answer: Result<RecordedSessionView, Problem>,
    refusal: 'instead' | 'beside',
  ): void {
    const { notes } = this.known;
    if (notes?.session !== session) return;
    if (answer.ok) {
      const list = { kind: 'ready', value: answer.value.manifest?.notes ?? [] } as const;
      this.change({ notes: { ...notes, list, problem: undefined } });
    } else if (refusal === 'beside') this.change({ notes: { ...notes, problem: answer.error } });
    else this.change({ notes: { ...notes, list: { kind: 'failed', problem: answer.error } } });
  }

  private change(part: Partial<WritingState>): void {
    this.known = { ...this.known, ...part };
    this.world.changed();
  }
}
