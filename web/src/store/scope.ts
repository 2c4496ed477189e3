/** What a filter cannot do for a panel, in words, and what could be done instead. */
import {
  type LiveSession,
  type RunView,
  callValue,
  callsKept,
  hasDimension,
  modeDimensions,
  processDimension,
  runsWithMetric,
  sourcesOf,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';

/** The words, and the run that could be started again for one process where its pid is known. */
export type Scope = {
  readonly why: string;
  readonly narrow:
    | { readonly targetId: string; readonly run: RunView; readonly process: string; readonly pid: number }
    | undefined;
};

/** What a filter cannot do for a metric; undefined where it does what it says. */
export function scopeOf(shown: Shown, metric: string): Scope | undefined {
  const { session, page } = shown;
  if (session === undefined) return undefined;
  const sources = sourcesOf(session, metric, page.window);
  if (page.process !== undefined && !hasDimension(sources, metric, processDimension)) {
    return { why: 'all processes: not counted by process', narrow: narrowing(session, metric, page.process) };
  }
  if (page.mode !== undefined && !modeDimensions.some((name) => hasDimension(sources, metric, name))) {
    return { why: 'all modes: not counted by lock mode', narrow: undefined };
  }
  return undefined;
}

function narrowing(session: LiveSession, metric: string, process: string): Scope['narrow'] {
  const run = runsWithMetric(session, metric).find(({ state }) => state === 'running');
  const takesPid =
    run !== undefined && session.runs.get(run.index)?.stream?.parameters.some(({ name }) => name === 'pid') === true;
  if (!takesPid) return undefined;
  const pid = pidOf(session, process);
  if (pid === undefined || run.parameters['pid'] === pid) return undefined;
  return { targetId: session.view.target.id, run, process, pid };
}

/** The pid of a process by its newest call; undefined where no call of it is kept. */
function pidOf(session: LiveSession, process: string): number | undefined {
  for (const { calls, texts } of session.runs.values()) {
    const pidColumn = calls.columns.findIndex(({ name }) => name === 'pid');
    const nameColumn = calls.columns.findIndex(({ name }) => name === processDimension);
    if (pidColumn < 0 || nameColumn < 0) continue;
    for (let call = calls.addedCount - 1; call >= calls.addedCount - callsKept(calls); call -= 1) {
      if (texts[callValue(calls, nameColumn, call) ?? -1] === process) return callValue(calls, pidColumn, call);
    }
  }
  return undefined;
}
