/** Several recorded sessions as one without time: what all of them add up to, for what is computed from a LiveSession. */
import type { CellTotals } from '../summary.ts';
import type { RecordedRun } from '../session-file.ts';
import type { TargetView } from '../target.ts';
import type { FaultPath } from './fault-path.ts';
import type { LiveSession } from './live-session.ts';
import { createRunData, type RunData } from './run-data.ts';

/** One probe run and its totals. */
export type GatheredRun = CellTotals & { readonly run: RecordedRun };

/** The runs as one session: totals add up over them; rates, calls and losses are not known. */
export function gatheredSession(target: TargetView, parts: readonly GatheredRun[]): LiveSession {
  const runs = parts.map(({ run, cells, totals }, index): [number, RunData] => {
    const data = createRunData(index, run.stream);
    for (const entry of cells) data.cells[entry.cell] = entry;
    return [index, { ...data, totals: Float64Array.from(totals) }];
  });
  return {
    view: { id: 'gathered', target, startedAtMs: 0, runs: parts.map(({ run }, index) => ({ ...run.view, index })) },
    runs: new Map(runs),
    seq: 0,
    atMs: 0,
    frameCount: 0,
    clientDroppedCalls: 0,
    clientMergedTicks: 0,
    lossSpans: [],
  };
}

/** A path with every count divided by a number of sessions: what happens on average in one of them. */
export function pathOfOne(path: FaultPath, sessionCount: number): FaultPath {
  const share = (count: number): number => count / Math.max(1, sessionCount);
  return {
    ...path,
    nodes: path.nodes.map((node) => ({
      ...node,
      total: node.total === undefined ? undefined : share(node.total),
      locks: node.locks.map(({ lock, count }) => ({ lock, count: share(count) })),
      violations: share(node.violations),
    })),
    edges: path.edges.map((edge) => ({ ...edge, count: share(edge.count) })),
  };
}
