/** Which instant of the session, and of the wall clock, a kernel time is. */
import type { SessionView } from '../protocol.ts';

/** Kernel ns to ms since the session began, and to epoch ms where the target's clock is known. */
export type SessionClock = {
  readonly sessionMs: (ns: number) => number;
  readonly wallMs: (ns: number) => number | undefined;
};

/**
 * The clock of a session. A live target says how its kernel clock stands to the wall clock; a replay's says when it
 * was recorded, so its place in the session comes from when its first run was ready.
 */
export function sessionClock(view: SessionView): SessionClock {
  const offsetMs = view.target.identity?.clockOffsetMs;
  const wallMs = (ns: number): number | undefined => (offsetMs === undefined ? undefined : ns / 1e6 + offsetMs);
  if (offsetMs !== undefined && view.target.kind !== 'replay') {
    return { sessionMs: (ns) => ns / 1e6 + offsetMs - view.startedAtMs, wallMs };
  }
  const ready = view.runs.find((run) => run.readyNs !== undefined && run.readyAtMs !== undefined);
  const readyNs = ready?.readyNs ?? 0;
  const readyMs = (ready?.readyAtMs ?? view.startedAtMs) - view.startedAtMs;
  return { sessionMs: (ns) => (ns - readyNs) / 1e6 + readyMs, wallMs };
}
