/** Plays a recorded session: moves the end of the brush on as time goes by. */
import { brushMsMin, brushWithin } from './recorded-look.ts';
import type { PageStore } from './page-store.ts';

type Ends = { readonly firstMs: number; readonly lastMs: number };

/** Moves the brush of a page. Owned by the page's store, which calls step. */
export class Player {
  private readonly page: PageStore;
  private readonly ends: () => Ends | undefined;
  private playing: { readonly session: string | undefined; atMs: number } | undefined;

  /** `ends` are those of the session that is open, undefined while none is. */
  constructor(page: PageStore, ends: () => Ends | undefined) {
    this.page = page;
    this.ends = ends;
  }

  get isPlaying(): boolean {
    return this.playing !== undefined;
  }

  /** Begins to play at the end of the brush; from its beginning where that is the end of the session. */
  play(nowMs: number): void {
    const ends = this.ends();
    if (ends === undefined) return;
    const { session, fromMs, toMs } = this.page.get();
    this.playing = { session, atMs: nowMs };
    const brush = brushWithin(ends, fromMs, toMs);
    if (brush.toMs >= ends.lastMs) this.page.move({ fromMs: brush.fromMs, toMs: brush.fromMs + brushMsMin });
  }

  /** Stands still; the brush stays where it is. */
  pause(): void {
    this.playing = undefined;
  }

  /** Moves the brush by the time that has gone by. True while it plays. */
  step(nowMs: number): boolean {
    const ends = this.ends();
    const page = this.page.get();
    if (this.playing === undefined) return false;
    if (ends === undefined || page.page !== 'sessions' || page.session !== this.playing.session) {
      this.pause();
      return false;
    }
    const { toMs } = brushWithin(ends, page.fromMs, page.toMs);
    const nextMs = Math.min(ends.lastMs, Math.round(toMs + (nowMs - this.playing.atMs) * Number(page.speed)));
    this.playing.atMs = nowMs;
    if (nextMs >= ends.lastMs) this.pause();
    this.page.move({ toMs: nextMs });
    return true;
  }
}
