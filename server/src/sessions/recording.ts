/** What a session knows of the one who writes it down. */
import type { RecordingView } from '@faultline/shared';

/** The recording of one session, from its first event to its end. */
export interface Recording {
  /** Undefined as long as nothing was traced. */
  view(): RecordingView | undefined;
  /** Ends recording before tracing ends. */
  stop(kind: 'store-bytes', message: string): void;
  /** Writes what waits, and how the session ended. Called after the last tick. */
  close(): Promise<void>;
}
