/** Which instant of the session, and of the wall clock, a time of the page's shared clock is. */
import type { SessionView } from '../protocol.ts';

/** Shared ns to ms since the session began (or what else it counts from) and back, and to epoch ms where the target's clock is known. */
export type SessionClock = {
  /** What sessionMs counts from, epoch ms. */
  readonly zeroAtMs: number;
  readonly sessionMs: (ns: number) => number;
  /** The inverse of sessionMs. */
  readonly nsAt: (sessionMs: number) => number;
  readonly wallMs: (ns: number) => number | undefined;
};

/**
 * The clock of a session. On a live target the shared clock is the kernel's, and the target says how it stands to the
 * wall clock. In a replay it is the session's own: the wall clock of a recording is not that of the reader. `zeroAtMs` is
 * what it counts from: the session's beginning, or for sessions on one axis that of the first of them.
 */
export function sessionClock(view: SessionView, zeroAtMs: number = view.startedAtMs): SessionClock {
  const offsetMs = clockOffsetMs(view);
  const aheadMs = (offsetMs ?? view.startedAtMs) - zeroAtMs;
  return {
    zeroAtMs,
    sessionMs: (ns) => ns / 1e6 + aheadMs,
    nsAt: (sessionMs) => (sessionMs - aheadMs) * 1e6,
    wallMs: (ns) => (offsetMs === undefined ? undefined : ns / 1e6 + offsetMs),
  };
}

/**
 * What to take off a run's kernel times (see RunData.shiftNs): nothing where the kernel's clock is known; otherwise what
 * makes its READY fall on the moment the server saw it, or its first figures (at firstNs) on the session's beginning.
 */
export function runShiftNs(view: SessionView, index: number, firstNs: number): number {
  if (clockOffsetMs(view) !== undefined) return 0;
  const run = view.runs.find((one) => one.index === index);
  const readyAtMs = run?.readyAtMs ?? run?.startedAtMs ?? view.startedAtMs;
  return (run?.readyNs ?? firstNs) - (readyAtMs - view.startedAtMs) * 1e6;
}

function clockOffsetMs(view: SessionView): number | undefined {
  return view.target.kind === 'replay' ? undefined : view.target.identity?.clockOffsetMs;
}
