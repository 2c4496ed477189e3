/** What the page knows of recorded sessions: their list, the open one, what is under way. */
import type {
  Problem,
  RecordedData,
  RecordedSessionView,
  RecordingsOverview,
  SessionManifest,
} from '@faultline/shared';
import type { BoundsState } from './bounds-desk.ts';
import type { AskedCalls } from './calls-asker.ts';
import type { Command, Loaded } from './loaded.ts';
import { type WritingState, nothingWritten } from './writing.ts';

/** A big answer on its way: bytes that have come, and all of them where that is known. */
export type Transfer = { readonly doneBytes: number; readonly allBytes: number | undefined };

/** The session that is open. */
export type Opened =
  | ({ readonly kind: 'loading'; readonly id: string } & Transfer)
  | { readonly kind: 'failed'; readonly id: string; readonly problem: Problem }
  | {
      readonly kind: 'ready';
      readonly id: string;
      readonly recording: RecordedSessionView;
      readonly data: RecordedData;
    };

/** What the page knows of recorded sessions. */
export type RecordingsState = {
  /** Undefined before it was asked for. */
  readonly overview: Loaded<RecordingsOverview> | undefined;
  readonly opened: Opened | undefined;
  /** What the server was last asked about the calls of the open session. */
  readonly calls: AskedCalls | undefined;
  /** What is being written on sessions. */
  readonly writing: WritingState;
  /** The form of the store's bounds; undefined while it is closed. */
  readonly bounds: BoundsState | undefined;
  /** Removed here, by id: what it was called, and until when (epoch ms) it can be had back. */
  readonly removed: ReadonlyMap<string, { readonly title: string; readonly untilMs: number }>;
  /** By session: what is under way, or why it was refused. */
  readonly commands: ReadonlyMap<string, Command>;
  /** Exports on their way, by `session format`. */
  readonly exports: ReadonlyMap<string, Transfer>;
  /** Imports on their way, by the name of the file. */
  readonly imports: ReadonlyMap<string, Transfer>;
};

/** Before anything is known. */
export const emptyRecordings: RecordingsState = {
  overview: undefined,
  opened: undefined,
  calls: undefined,
  writing: nothingWritten,
  bounds: undefined,
  removed: new Map(),
  commands: new Map(),
  exports: new Map(),
  imports: new Map(),
};

/** What the brush covers, ms since the session began, and of what. */
export type RecordedShown = {
  readonly manifest: SessionManifest;
  readonly data: RecordedData;
  readonly fromMs: number;
  readonly toMs: number;
  /** The ends of the session. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly isPlaying: boolean;
};
