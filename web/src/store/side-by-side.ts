/** Two targets at once: which stands in which column, and both moments of them on one axis of time and on one scale. */
import { type SessionClock, sessionClock } from '@faultline/shared';
import { type AppState, type Shown, chooseTarget } from './app-state.ts';
import type { PageState } from './page-state.ts';

/** The columns of the live page; without a second target there is only the left one. */
export const liveColumns = ['left', 'right'] as const;
/** A column's word. */
export type LiveColumn = (typeof liveColumns)[number];

/** Whether two targets are looked at. */
export function isSideBySide({ page, beside }: PageState): boolean {
  return page === 'live' && beside !== undefined;
}

/** The id of the target of a column, also where there is no such target (any more); undefined while none is known, or there is no such column. */
export function targetIdIn(column: LiveColumn, app: AppState, page: PageState): string | undefined {
  if (column === 'right') return isSideBySide(page) && app.targets.length > 0 ? page.beside : undefined;
  if (!isSideBySide(page)) return chooseTarget(app, page.target)?.id;
  if (page.target !== undefined) return app.targets.length > 0 ? page.target : undefined;
  const others = {
    ...app,
    targets: app.targets.filter(({ id }) => id !== page.beside),
    sessions: app.sessions.filter(({ target }) => target.id !== page.beside),
  };
  return chooseTarget(others, undefined)?.id;
}

/**
 * Two moments as one: both columns end at the newest instant that any target still running has told of, and count seconds from the
 * beginning of the session that began first. Clocks of two kernels meet at the wall clock.
 */
export function sideBySide(one: Shown, two: Shown): Readonly<Record<LiveColumn, Shown>> {
  const both = [one, two];
  const zeroAtMs = Math.min(
    ...both.flatMap(({ session }) => (session === undefined ? [] : [session.view.startedAtMs])),
  );
  const ends = both.filter(({ session, untilNs }) => session !== undefined && untilNs > 0);
  const alive = ends.filter(({ session }) => isAlive(session));
  const untilMs = Math.max(
    ...(alive.length > 0 ? alive : ends).map((shown) => clockOf(shown, zeroAtMs)?.sessionMs(shown.untilNs) ?? 0),
  );
  const left = onAxis(one, zeroAtMs, untilMs);
  const right = { ...onAxis(two, zeroAtMs, untilMs), other: left };
  Object.assign(left, { other: right });
  return { left, right };
}

/** A moment on an axis that ends at `untilMs` after its zero; as it is before anything is known of it, or of any. */
function onAxis(shown: Shown, zeroAtMs: number, untilMs: number): Shown {
  const clock = clockOf(shown, zeroAtMs);
  return clock === undefined || !Number.isFinite(untilMs)
    ? { ...shown }
    : { ...shown, clock, untilNs: clock.nsAt(untilMs) };
}

function clockOf({ session }: Shown, zeroAtMs: number): SessionClock | undefined {
  return session === undefined ? undefined : sessionClock(session.view, zeroAtMs);
}

function isAlive(session: Shown['session']): boolean {
  return session?.view.runs.some(({ state }) => state === 'running') === true;
}

/**
 * A selector whose view has the same scale in both columns, where that is wanted: `join` draws its own view on a scale that has room for the
 * other one's too.
 * Each column's view is made once a moment, whoever asks for it.
 */
export function onOneScale<T>(select: (shown: Shown) => T, join: (own: T, other: T) => T): (shown: Shown) => T {
  const made = new WeakMap<Shown, { readonly view: T }>();
  const viewOf = (shown: Shown): T => {
    const known = made.get(shown) ?? { view: select(shown) };
    made.set(shown, known);
    return known.view;
  };
  return (shown) => {
    const { other, page } = shown;
    return other === undefined || page.scales === 'own' ? select(shown) : join(viewOf(shown), viewOf(other));
  };
}
