/** The stretch of time all charts show: its edges, its ticks, and where things lie in it. */
import {
  type LossSpan,
  type RunView,
  type SessionClock,
  formatClock,
  formatSeconds,
  liveWindows,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';

/** The window as charts need it. Shares run from 0 (left edge) to 1 (right edge). */
export type TimeFrame = {
  readonly fromNs: number;
  readonly toNs: number;
  readonly ticks: readonly { readonly share: number; readonly label: string }[];
  readonly clock: SessionClock | undefined;
  /** What the right edge is called: now, paused, or the end of what is looked at. */
  readonly nowWord: string;
};

/** A stretch of a window that lost events. */
export type LossStretch = { readonly key: string; readonly from: number; readonly to: number };

const tickStepsMs = [
  1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000,
  21_600_000,
];
/** The step where even the longest makes too many ticks: a day. */
const longestStepMs = 86_400_000;
const tickCountMax = 7;

/** The window of the moment shown. */
export function timeFrame(shown: Shown): TimeFrame {
  const section = shown.session?.section;
  if (section !== undefined && shown.clock !== undefined) return frameOf(section, shown.clock);
  const spanNs = liveWindows[shown.page.window].spanMs * 1e6;
  const toNs = shown.untilNs;
  const fromNs = toNs - spanNs;
  return {
    fromNs,
    toNs,
    clock: shown.clock,
    nowWord: shown.page.isPaused ? 'paused' : 'now',
    ticks: shown.clock === undefined ? [] : timeTicks(fromNs, toNs, shown.clock),
  };
}

/** A part of a recorded session as charts need it. */
export function frameOf(
  { fromNs, toNs }: { readonly fromNs: number; readonly toNs: number },
  clock: SessionClock,
): TimeFrame {
  return { fromNs, toNs, clock, nowWord: 'last', ticks: timeTicks(fromNs, toNs, clock) };
}

/** Where an instant lies; below 0 or above 1 when outside. */
export function shareOf(frame: Pick<TimeFrame, 'fromNs' | 'toNs'>, ns: number): number {
  return (ns - frame.fromNs) / (frame.toNs - frame.fromNs);
}

/** The instant at a share of the window. */
export function instantAt(frame: Pick<TimeFrame, 'fromNs' | 'toNs'>, share: number): number {
  return frame.fromNs + (frame.toNs - frame.fromNs) * Math.min(1, Math.max(0, share));
}

/** An instant in words: seconds of the session, and the wall clock where it is known. */
export function instantWords(clock: SessionClock | undefined, ns: number): string {
  if (clock === undefined) return '';
  const wallMs = clock.wallMs(ns);
  const seconds = formatSeconds(clock.sessionMs(ns), 2);
  return wallMs === undefined ? seconds : `${seconds} · ${formatClock(wallMs)}`;
}

/** The stretches of the window in which given runs lost events, clipped, joined where they touch. */
export function lossStretches(shown: Shown, frame: TimeFrame, runs: readonly RunView[]): readonly LossStretch[] {
  const { session } = shown;
  if (session === undefined || frame.clock === undefined) return [];
  const indices = new Set(runs.map(({ index }) => index));
  const startMs = frame.clock.zeroAtMs;
  const fromMs = frame.clock.sessionMs(frame.fromNs);
  const spanMs = frame.clock.sessionMs(frame.toNs) - fromMs;
  const share = (atMs: number): number => Math.min(1, Math.max(0, (atMs - startMs - fromMs) / spanMs));
  const stretches = session.lossSpans
    .filter(({ run }) => indices.has(run))
    .map((span: LossSpan) => ({ key: `${span.fromMs}`, from: share(span.fromMs), to: share(span.toMs) }))
    .filter(({ from, to }) => to > from)
    .toSorted((left, right) => left.from - right.from);
  return joined(stretches);
}

function joined(stretches: readonly LossStretch[]): readonly LossStretch[] {
  const all: LossStretch[] = [];
  for (const stretch of stretches) {
    const last = all.at(-1);
    if (last !== undefined && stretch.from <= last.to + 1e-3)
      all[all.length - 1] = { ...last, to: Math.max(last.to, stretch.to) };
    else all.push(stretch);
  }
  return all;
}

function timeTicks(fromNs: number, toNs: number, clock: SessionClock): TimeFrame['ticks'] {
  const fromMs = clock.sessionMs(fromNs);
  const toMs = clock.sessionMs(toNs);
  const stepMs = tickStepsMs.find((step) => (toMs - fromMs) / step <= tickCountMax) ?? longestStepMs;
  const ticks: { share: number; label: string }[] = [];
  for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs <= toMs; atMs += stepMs) {
    if (atMs >= 0) ticks.push({ share: (atMs - fromMs) / (toMs - fromMs), label: formatSeconds(atMs, 0) });
  }
  return ticks;
}
