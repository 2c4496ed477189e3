/** The time line of a recorded session: how much happened when, what was lost when, and what people noted. */
import {
  type LossSpan,
  type RecordedData,
  type RecordedRunData,
  formatElapsed,
  formatInstant,
  formatPlural,
  formatRate,
  formatSeconds,
  sessionClock,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import type { RecordedShown } from './recordings-state.ts';
import { type LossStretch, type TimeFrame, frameOf } from './time-frame.ts';

/** One line: events a second of a run, at the seconds of the session. */
export type TimeLine = {
  readonly key: string;
  readonly title: string;
  readonly color: string;
  readonly atSec: readonly number[];
  readonly perSec: readonly number[];
  readonly peakWords: string;
};

/** A moment that somebody wrote down. */
export type Moment = {
  readonly key: string;
  readonly kind: 'mark' | 'note';
  readonly text: string;
  readonly atMs: number;
  readonly share: number;
  readonly words: string;
};

/** The time line and the brush over it. */
export type TimeLineView = RecordedShown & {
  readonly lines: readonly TimeLine[];
  readonly frame: TimeFrame;
  readonly losses: readonly LossStretch[];
  readonly moments: readonly Moment[];
  readonly brushWords: string;
  readonly title: string;
  readonly noteCount: number;
  /** What of it is not as it was recorded: ticks added up, a journal that cannot be read to its end. */
  readonly caveats: readonly string[];
};

const colors = ['var(--mmap-read)', 'var(--fault-read)', 'var(--mmap-write)', 'var(--vma-read)', 'var(--fault-exec)'];
const linesMax = colors.length;

/** Of the session that is open; undefined while none is. */
export function selectTimeLine({ recorded }: Shown): TimeLineView | undefined {
  if (recorded === undefined) return undefined;
  const { data, manifest, fromMs, toMs, firstMs, lastMs } = recorded;
  const clock = sessionClock(data.view);
  const zeroMs = clock.sessionMs(0);
  const share = (ms: number): number => (ms - firstMs) / (lastMs - firstMs);
  const moment =
    (kind: Moment['kind']) =>
    ({ atMs, text }: { readonly atMs: number; readonly text: string }, at: number): Moment => {
      const sessionMs = atMs - manifest.createdAtMs;
      const words = `${formatSeconds(sessionMs, 1)} · ${text}`;
      return { key: `${kind} ${at}`, kind, text, atMs: sessionMs, share: share(sessionMs), words };
    };
  return {
    ...recorded,
    title: manifest.name ?? manifest.label ?? manifest.id,
    noteCount: manifest.notes.length,
    lines: linesOf(data),
    frame: frameOf({ fromNs: (firstMs - zeroMs) * 1e6, toNs: (lastMs - zeroMs) * 1e6 }, clock),
    losses: lossesOf(data.lossSpans, manifest.createdAtMs, share),
    moments: [...manifest.marks.map(moment('mark')), ...manifest.notes.map(moment('note'))].filter(
      (one) => one.share >= 0 && one.share <= 1,
    ),
    brushWords: `${formatSeconds(fromMs, 2)} – ${formatSeconds(toMs, 2)}, ${formatSeconds(toMs - fromMs, 2)} of ${formatSeconds(lastMs - firstMs, 2)}`,
    caveats: caveatsOf(data),
  };
}

/** What session is open, in words: for its band and the title of the tab. */
export type RecordedBand = {
  readonly id: string;
  readonly title: string;
  readonly isPinned: boolean;
  readonly facts: readonly string[];
  /** How it ended, where it did not end in order; and whether it is still being recorded. */
  readonly warning: string | undefined;
};

const stateWarnings = {
  closed: undefined,
  interrupted: 'Its recorder was killed; what was written until then is here.',
  live: 'It is still being recorded; this is what was there when it was opened.',
} as const;

/** The band of the session that is open. */
export function selectRecordedBand({ recorded }: Shown): RecordedBand | undefined {
  if (recorded === undefined) return undefined;
  const { manifest, firstMs, lastMs } = recorded;
  const { id, name, label, workload, target, createdAtMs, isPinned, state, stop } = manifest;
  const { identity } = target;
  const facts = [
    name === undefined ? undefined : label,
    identity?.hostname ?? target.title,
    identity?.release,
    workload,
    formatInstant(createdAtMs),
    formatElapsed(lastMs - firstMs),
    identity?.bpftraceVersion === undefined ? undefined : `bpftrace ${identity.bpftraceVersion}`,
    target.badge,
    identity?.isEmulated === true ? 'emulated: counts and ratios, not latencies' : undefined,
  ];
  return {
    id,
    title: name ?? label ?? id,
    isPinned,
    facts: facts.filter((fact) => fact !== undefined),
    warning: stop?.message ?? stateWarnings[state],
  };
}

const knownLines = new WeakMap<RecordedData, readonly TimeLine[]>();

function linesOf(data: RecordedData): readonly TimeLine[] {
  const found = knownLines.get(data);
  if (found !== undefined) return found;
  const counted = data.runs.filter(({ stream }) => stream?.maps.some(({ role }) => role === 'events') === true);
  const lines = counted.slice(0, linesMax).map((run, at) => lineOf(data, run, colors[at] ?? 'var(--bar)'));
  knownLines.set(data, lines);
  return lines;
}

function lineOf(data: RecordedData, run: RecordedRunData, color: string): TimeLine {
  const { sessionMs } = sessionClock(data.view);
  const metrics = new Set(run.stream?.maps.filter(({ role }) => role === 'events').map(({ metric }) => metric));
  const counts = run.cells.map((entry) => entry !== undefined && metrics.has(entry.metric));
  const perSec = run.changes.map(({ cells, deltas, fromNs, toNs }) => {
    let count = 0;
    for (let index = 0; index < cells.length; index += 1)
      if (counts[cells[index] ?? 0] === true) count += deltas[index] ?? 0;
    return count / ((toNs - fromNs) / 1e9);
  });
  const view = data.view.runs.find(({ index }) => index === run.run);
  return {
    key: String(run.run),
    title: `${view?.probe ?? ''} ${view?.stream ?? ''}`,
    color,
    atSec: run.changes.map(({ fromNs, toNs }) => sessionMs((fromNs + toNs) / 2) / 1000),
    perSec,
    peakWords: `at most ${formatRate(perSec.reduce((most, rate) => Math.max(most, rate), 0))}`,
  };
}

function lossesOf(spans: readonly LossSpan[], startMs: number, share: (ms: number) => number): readonly LossStretch[] {
  const clip = (value: number): number => Math.min(1, Math.max(0, value));
  return spans.map(({ run, fromMs, toMs }) => ({
    key: `${run} ${fromMs}`,
    from: clip(share(fromMs - startMs)),
    to: clip(share(toMs - startMs)),
  }));
}

function caveatsOf({ ticksMerged, damage }: RecordedData): readonly string[] {
  return [
    ...(ticksMerged > 1 ? [`${formatPlural(ticksMerged, 'tick')} are added up in each point, exactly`] : []),
    ...(damage === undefined ? [] : [`its journal can be read only so far: ${damage}`]),
  ];
}
