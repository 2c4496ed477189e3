/** When events were lost, as far as a page can tell: what its charts hatch. */
import type { SessionView } from '../protocol.ts';
import type { Ledger, RunView } from '../run.ts';

/** Events of a run went missing at some instant of [fromMs, toMs] (epoch ms). */
export type LossSpan = { readonly run: number; readonly fromMs: number; readonly toMs: number };

/** How many spans a page keeps; older ones lie outside its windows in all but the worst of cases. */
export const lossSpansMax = 500;

/** A finding says only when it was first seen; this much around it is hatched, ms. */
const findingSpanMs = 1000;

/** The stages of a ledger in which events or their times can go missing, in the order in which events meet them. */
export const lossStages = [
  {
    field: 'unpairedCount',
    title: 'unpaired',
    meaning: 'returns whose entry was not seen, such as those of calls under way when tracing began; they have no time',
  },
  { field: 'lostCount', title: 'lost', meaning: "bpftrace's buffer overflowed, as bpftrace reports it" },
  {
    field: 'missingCount',
    title: 'missing',
    meaning: 'emitted in the kernel but never arrived; exact, known once a run has ended',
  },
  { field: 'malformedCount', title: 'malformed', meaning: 'lines that could not be decoded' },
  { field: 'droppedCount', title: 'dropped', meaning: 'shed by the server because its queue was full' },
] as const satisfies readonly { field: keyof Ledger; title: string; meaning: string }[];

/** Events that a run lost for good: what never came (the exact figure once known, bpftrace's own until then). */
export function lostOf(ledger: Ledger): number {
  return Math.max(ledger.lostCount, ledger.missingCount);
}

/** Spans in which a run's losses grew between two views of its session. */
export function lossSpansBetween(
  before: SessionView,
  after: SessionView,
  fromMs: number,
  toMs: number,
): readonly LossSpan[] {
  const spans: LossSpan[] = [];
  for (const run of after.runs) {
    const earlier = before.runs.find(({ id }) => id === run.id);
    if (lossSum(run) > (earlier === undefined ? 0 : lossSum(earlier))) spans.push({ run: run.index, fromMs, toMs });
  }
  return spans;
}

/** Spans around the findings of a session that a page did not watch from its start. */
export function findingSpans(view: SessionView): readonly LossSpan[] {
  return view.runs.flatMap((run) =>
    run.findings
      .filter(({ level }) => level === 'lossy')
      .map(({ atMs }) => ({ run: run.index, fromMs: atMs - findingSpanMs, toMs: atMs })),
  );
}

/** The first gap that is drawn over where there are too many spans, ms; doubled until they are few enough. */
const joinGapMs = 1000;

/** The same stretches, those of a run that touch as one, the oldest first; joined further where they are more than `max`. */
export function joinLossSpans(spans: readonly LossSpan[], max: number = lossSpansMax): readonly LossSpan[] {
  let joined = joinWithin(spans, 0);
  for (let gapMs = joinGapMs; joined.length > max; gapMs *= 2) joined = joinWithin(joined, gapMs);
  return joined.toSorted((left, right) => left.fromMs - right.fromMs);
}

function joinWithin(spans: readonly LossSpan[], gapMs: number): readonly LossSpan[] {
  const all: LossSpan[] = [];
  for (const span of spans.toSorted((left, right) => left.run - right.run || left.fromMs - right.fromMs)) {
    const last = all.at(-1);
    if (last?.run === span.run && span.fromMs <= last.toMs + gapMs)
      all[all.length - 1] = { ...last, toMs: Math.max(last.toMs, span.toMs) };
    else all.push(span);
  }
  return all;
}

/** Whether anything keeps a run's figures from being whole: its own claim, or a loss counted. */
export function isLossy(run: RunView): boolean {
  return !run.isComplete || lossSum(run) > 0;
}

/**
 * Only to see growth: stages are never shown summed. Unpaired ones are shown, and are no loss: their events are counted, they have no time.
 * On a busy machine some calls are always under way while probes attach.
 */
function lossSum(run: RunView): number {
  return lossStages.reduce((sum, { field }) => (field === 'unpairedCount' ? sum : sum + run.ledger[field]), 0);
}
