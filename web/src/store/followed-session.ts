/** The session of one target as the page follows it: its feed, its figures, the moment of a pause, and how it stands with the server. */
import {
  type FrameHeader,
  type LiveSession,
  type Problem,
  type ProbeManifest,
  type SessionView,
  type Snapshot,
  freezeLiveSession,
  openLiveSession,
  protocolVersion,
  takeFrame,
} from '@faultline/shared';
import type { Link } from './app-state.ts';
import type { FeedPort, Ports } from './ports.ts';

/** Problems that asking again does not solve. */
const reloadCures: readonly string[] = ['other-version', 'undecodable'];

type Feed = { readonly port: FeedPort; isResyncing: boolean };

/** What it needs, and whom it tells. */
export type FollowedOptions = {
  readonly ports: Pick<Ports, 'openFeed' | 'nowMs'>;
  readonly manifests: () => readonly ProbeManifest[];
  /** The link has changed: everything is to be drawn. */
  readonly linked: () => void;
  /** A frame was taken in. */
  readonly came: (session: LiveSession, header: FrameHeader) => void;
};

/** What is to be followed: a target, whether there is such a one, and its session where something was traced on it. */
export type Followable = {
  readonly targetId: string;
  readonly isThere: boolean;
  readonly session: SessionView | undefined;
};

/** Owns the feed from follow() to disposal. */
export class FollowedSession implements Disposable {
  link: Link = { kind: 'loading' };
  live: LiveSession | undefined;
  /** When figures last came, epoch ms; undefined before the first. */
  dataAtMs: number | undefined;
  private readonly options: FollowedOptions;
  targetId: string | undefined;
  private sessionId: string | undefined;
  private feed: Feed | undefined;
  private frozen: LiveSession | undefined;

  constructor(options: FollowedOptions) {
    this.options = options;
  }

  [Symbol.dispose](): void {
    this.feed?.port.close();
    this.feed = undefined;
  }

  /** Follows this from now on; what is followed already goes on. */
  follow({ targetId, isThere, session }: Followable): void {
    const isOther = targetId !== this.targetId;
    this.targetId = targetId;
    if (!isThere) return this.lose(isOther, targetId);
    if (session !== undefined && session.id === this.sessionId) return;
    this.forget();
    if (session === undefined) {
      if (isOther || this.link.kind !== 'no-session') this.setLink({ kind: 'no-session' });
      return;
    }
    this.setLink({ kind: 'connecting' });
    this.open(session.id);
  }

  /** Follows nothing any more. */
  leave(): void {
    if (this.targetId === undefined) return;
    this.targetId = undefined;
    this.forget();
    this.link = { kind: 'loading' };
  }

  /** The session whose figures are drawn: that of now, or of the moment of the pause. */
  figures(isPaused: boolean): LiveSession | undefined {
    if (!isPaused) this.frozen = undefined;
    else if (this.frozen === undefined && this.live !== undefined) this.frozen = freezeLiveSession(this.live);
    return this.frozen ?? this.live;
  }

  /** A refusal may pass (too many pages open, the session ended); one that only a reload cures does not. */
  forgetRefused(): void {
    if (this.link.kind !== 'refused' || reloadCures.includes(this.link.problem.error)) return;
    this.feed?.port.close();
    this.feed = undefined;
    this.sessionId = undefined;
  }

  /** The server can't be asked: worth a word only where there is nothing to show yet. */
  unreachable(problem: Problem): void {
    if (this.live === undefined) this.setLink({ kind: 'unreachable', problem });
  }

  private setLink(link: Link): void {
    this.link = link;
    this.options.linked();
  }

  /** The target is not there, or not any more: what it showed stays. */
  private lose(isOther: boolean, targetId: string): void {
    if (isOther) this.forget();
    this.feed?.port.close();
    this.feed = undefined;
    this.sessionId = undefined;
    if (isOther || this.link.kind !== 'no-target') this.setLink({ kind: 'no-target', targetId });
  }

  private forget(): void {
    this.feed?.port.close();
    this.feed = undefined;
    this.sessionId = undefined;
    this.live = undefined;
    this.frozen = undefined;
    this.dataAtMs = undefined;
  }

  private open(sessionId: string): void {
    const { ports } = this.options;
    const isStale = (): boolean => this.sessionId !== sessionId;
    this.sessionId = sessionId;
    const port = ports.openFeed(sessionId, {
      connected: () => undefined,
      disconnected: () => {
        if (isStale() || this.link.kind === 'lost' || this.link.kind === 'refused') return;
        this.setLink({ kind: 'lost', sinceMs: ports.nowMs() });
      },
      snapshot: (snapshot, received) => {
        if (!isStale()) this.takeSnapshot(snapshot);
        received();
      },
      frame: (header, bytes, received) => {
        if (!isStale()) this.takeFrame(header, bytes);
        received();
      },
      refused: (problem) => {
        if (!isStale()) this.setLink({ kind: 'refused', problem });
      },
    });
    this.feed = { port, isResyncing: false };
  }

  private takeSnapshot(snapshot: Snapshot): void {
    if (snapshot.protocolVersion !== protocolVersion) {
      const message = `The server was updated (${snapshot.serverVersion}) and speaks another version than this page.`;
      const problem = { error: 'other-version', message, remedy: 'Reload the page.' };
      return this.setLink({ kind: 'refused', problem });
    }
    try {
      this.live = openLiveSession(snapshot, this.options.manifests(), this.live);
    } catch (error) {
      return this.setLink({ kind: 'refused', problem: undecodable(error) });
    }
    if (this.feed !== undefined) this.feed.isResyncing = false;
    this.dataAtMs = this.options.ports.nowMs();
    this.setLink({ kind: 'live' });
  }

  private takeFrame(header: FrameHeader, bytes: ArrayBuffer | Uint8Array): void {
    const { live, feed } = this;
    if (live === undefined || feed === undefined || feed.isResyncing) return;
    try {
      const outcome = takeFrame(live, this.options.manifests(), header, bytes);
      if (outcome === 'gap') {
        feed.isResyncing = true;
        feed.port.resync();
      }
      if (outcome !== 'taken') return;
    } catch (error) {
      return this.setLink({ kind: 'refused', problem: undecodable(error) });
    }
    if (header.slices.length > 0) this.dataAtMs = this.options.ports.nowMs();
    this.options.came(live, header);
  }
}

function undecodable(error: unknown): Problem {
  return {
    error: 'undecodable',
    message: `The server sent something that this page cannot decode (${String(error)}).`,
    remedy: 'Reload the page: its probes may have changed while it was open.',
  };
}
