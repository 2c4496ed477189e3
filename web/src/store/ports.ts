/** What the store needs of the world; web/api has it for a real server, main.tsx puts the two together. */
import type { ServerEvents } from '@faultline/shared';
import type { Comparisons } from '../api/comparisons.ts';
import type { Http } from '../api/http.ts';
import type { Recordings } from '../api/recordings.ts';
import type { FrameClock } from './cadence.ts';

/** What a feed tells. */
export type FeedEvents = ServerEvents & {
  readonly connected: () => void;
  readonly disconnected: (reason: string) => void;
};

/** An open feed. */
export type FeedPort = { readonly resync: () => void; readonly close: () => void };

/** The world. */
export type Ports = {
  readonly http: Http;
  readonly recordings: Recordings;
  readonly comparisons: Comparisons;
  readonly openFeed: (sessionId: string, events: FeedEvents) => FeedPort;
  readonly nowMs: () => number;
  /** Calls back every so often; the answer stops it. */
  readonly every: (intervalMs: number, run: () => void) => () => void;
  readonly frames: FrameClock;
  /** Calls back once the coming frame has been painted. */
  readonly afterPaint: (run: () => void) => void;
};
