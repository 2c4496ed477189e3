/** A recorded session as the page looks at it: the part under the brush, as the session that all panels are drawn from. */
import { type LiveSession, type RecordedData, type SessionClock, cutSection, sessionClock } from '@faultline/shared';
import type { AppState, Shown } from './app-state.ts';
import type { PageState } from './page-state.ts';
import type { Opened } from './recordings-state.ts';

/** The shortest part that can be looked at, ms: four heartbeats. */
export const brushMsMin = 1_000;

/** The ends of a session, whole ms around everything that is known of it. */
export function endsOf(data: RecordedData): { readonly firstMs: number; readonly lastMs: number } {
  const { sessionMs } = sessionClock(data.view);
  return { firstMs: Math.floor(sessionMs(data.fromNs)), lastMs: Math.ceil(sessionMs(data.toNs)) };
}

/** A brush within the session, not shorter than can be looked at. Undefined is an end of the session. */
export function brushWithin(
  { firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number },
  fromMs: number | undefined,
  toMs: number | undefined,
): { readonly fromMs: number; readonly toMs: number } {
  const from = Math.max(firstMs, Math.min(fromMs ?? firstMs, lastMs - brushMsMin));
  return { fromMs: from, toMs: Math.min(lastMs, Math.max(toMs ?? lastMs, from + brushMsMin)) };
}

/** Looks at a recorded session; cuts out a part anew only when the brush has moved. */
export class RecordedLook {
  private cut: { readonly data: RecordedData; readonly key: string; readonly session: LiveSession } | undefined;

  /** The moment shown, of the part under the brush instead of what is live; `live` as it is where nothing is open yet. */
  over(live: Shown, opened: Opened | undefined, isPlaying: boolean): Shown {
    const { page } = live;
    if (page.page !== 'sessions' || page.session === undefined) return live;
    const nothing = { ...live, live: undefined, session: undefined, target: undefined, clock: undefined };
    if (opened?.kind !== 'ready' || opened.id !== page.session) return nothing;
    const { data, recording } = opened;
    const { manifest } = recording;
    if (manifest === undefined) return nothing;
    const ends = endsOf(data);
    const brush = brushWithin(ends, page.fromMs, page.toMs);
    const clock = sessionClock(data.view);
    const session = this.section(data, clock, brush);
    return {
      ...live,
      app: withoutTarget(live.app),
      page: asRecorded(page),
      target: data.view.target,
      live: session,
      session,
      clock,
      untilNs: session.section?.toNs ?? data.toNs,
      dataAtMs: undefined,
      recorded: { manifest, data, ...brush, ...ends, isPlaying },
    };
  }

  private section(
    data: RecordedData,
    clock: SessionClock,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  ): LiveSession {
    const key = `${fromMs} ${toMs}`;
    if (this.cut?.data !== data || this.cut.key !== key) {
      this.cut = { data, key, session: cutSection(data, clock.nsAt(fromMs), clock.nsAt(toMs)) };
    }
    return this.cut.session;
  }
}

/** What is known of targets is of today's: a guest of the same name may be another machine by now. */
function withoutTarget(app: AppState): AppState {
  return { ...app, plans: new Map(), preflights: new Map(), devices: new Map() };
}

/** What a live page can do and a recorded session cannot. */
function asRecorded(page: PageState): PageState {
  return { ...page, isPaused: false, span: 'window' };
}
