/** All that the page does with recorded sessions: their list, the open one, the brush over it, playing it. */
import type { Shown } from './app-state.ts';
import type { PageStore } from './page-store.ts';
import { Player } from './player.ts';
import type { Ports } from './ports.ts';
import { RecordedLook, endsOf } from './recorded-look.ts';
import { RecordingsStore } from './recordings-store.ts';

/** How often the list is asked for while it is looked at, ms: each time costs the server reading all their manifests. */
const listIntervalMs = 5_000;
/** How often is looked for what was removed long enough ago, ms. */
const settleIntervalMs = 1_000;
/** How often a session that is played moves on, ms: panels are drawn a few times a second anyway. */
const playStepMs = 100;

/** Owned by the page's store, which tells it when the address has changed. */
export class RecordedDesk {
  readonly recordings: RecordingsStore;
  readonly player: Player;
  private readonly look = new RecordedLook();
  private readonly page: PageStore;
  private readonly nowMs: () => number;
  private readonly changed: () => void;

  /** `changed` is called when anything is to be drawn anew. */
  constructor(ports: Pick<Ports, 'recordings' | 'nowMs'>, page: PageStore, changed: () => void) {
    this.page = page;
    this.nowMs = ports.nowMs;
    this.changed = changed;
    this.recordings = new RecordingsStore({ port: ports.recordings, nowMs: ports.nowMs, changed });
    this.player = new Player(page, () => {
      const { opened } = this.recordings.state;
      return opened?.kind === 'ready' ? endsOf(opened.data) : undefined;
    });
  }

  /** Begins its timers; the answers stop them. */
  start(every: Ports['every']): readonly (() => void)[] {
    this.follow();
    this.refreshList();
    return [
      every(playStepMs, () => this.player.step(this.nowMs())),
      every(listIntervalMs, () => this.refreshList()),
      every(settleIntervalMs, () => this.recordings.settleRemoved()),
    ];
  }

  /** Opens what the address says, and lists sessions where they are looked at. */
  follow(): void {
    void this.recordings.open(this.page.get().session);
    if (this.recordings.state.overview === undefined) this.refreshList();
  }

  /** Plays the open session, or stands still. */
  playOrPause(): void {
    if (this.player.isPlaying) this.player.pause();
    else this.player.play(this.nowMs());
    this.changed();
  }

  /** The moment shown, of the open session instead of what is live. */
  over(shown: Shown): Shown {
    return this.look.over(shown, this.recordings.state.opened, this.player.isPlaying);
  }

  private refreshList(): void {
    const { page, session } = this.page.get();
    if (page === 'sessions' && session === undefined) void this.recordings.refresh();
  }
}
