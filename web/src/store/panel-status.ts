/** Why a panel shows what it shows: loading, empty and why, failed, or ready with what a reader must know of it. */
import {
  type CellFilter,
  type LiveSession,
  type Plan,
  type ProbeManifest,
  type RunView,
  type Stream,
  formatSeconds,
  hasDimension,
  isLossy,
  liveWindows,
  lostOf,
  processDimension,
  runsWithMetric,
  sourcesOf,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';

/** A stream that could be started to fill a panel. */
export type Startable = { readonly probe: string; readonly stream: string; readonly title: string };

/** What a panel says of itself. */
export type PanelStatus =
  | { readonly kind: 'loading'; readonly what: string }
  | {
      readonly kind: 'empty';
      readonly why: string;
      readonly start: readonly Startable[];
      readonly canUnfilter: boolean;
    }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly remedy: string | undefined;
      readonly stderr: string | undefined;
      readonly retry: Startable | undefined;
    }
  | {
      readonly kind: 'ready';
      /** Words for the panel's corner: stale, stopped, failed, paused. Undefined while all is well. */
      readonly note: string | undefined;
      /** Why the figures are not whole, in two words; undefined where they are. */
      readonly lossWord: string | undefined;
      readonly runs: readonly RunView[];
    };

/** Figures older than this are called old, ms. */
const staleAfterMs = 2_000;

/** The status of a panel that shows a metric. */
export function metricStatus(shown: Shown, metric: string): PanelStatus {
  const link = linkStatus(shown);
  if (link !== undefined) return link;
  const fits = (stream: Stream): boolean => stream.maps.some((map) => map.metric === metric);
  const start = streamsWith(shown, fits);
  const runs = shown.session === undefined ? [] : runsWithMetric(shown.session, metric);
  const [run] = runs;
  if (shown.session === undefined || run === undefined) return notRunning(shown, start);
  const sources = sourcesOf(shown.session, metric, shown.page.window);
  const hasCells = sources.some(({ cells }) => cells.some((entry) => entry?.metric === metric));
  const status = runStatus(shown, { run, start, hasFigures: hasCells, runs });
  if (status.kind !== 'ready') return status;
  const filter: CellFilter = { process: shown.page.process, mode: shown.page.mode };
  return filteredAway(shown.session, metric, filter) ?? status;
}

/** As metricStatus, of a panel that shows nothing but the window: side by side, a target that has ended lies before it one day. */
export function statusInWindow(shown: Shown, metric: string): PanelStatus {
  const status = metricStatus(shown, metric);
  const { session, other, untilNs, page } = shown;
  if (session === undefined || other === undefined || status.kind !== 'ready') return status;
  const newestNs = Math.max(0, ...status.runs.map(({ index }) => session.runs.get(index)?.lastNs ?? 0));
  const { spanMs, title } = liveWindows[page.window];
  if (newestNs > untilNs - spanMs * 1e6) return status;
  const ago = formatSeconds((untilNs - newestNs) / 1e6, 0);
  const why = `Nothing in this window of ${title}: the newest figures are ${ago} old. What was counted until then stays in the sums.`;
  return { kind: 'empty', why, start: [], canUnfilter: false };
}

/** The status of a panel that shows the calls of a stream; `isOfProbe` says whose streams could be started for it. */
export function callsStatus(
  shown: Shown,
  run: RunView | undefined,
  hasFigures: boolean,
  isOfProbe: (probe: string) => boolean,
): PanelStatus {
  const link = linkStatus(shown);
  if (link !== undefined) return link;
  const start = streamsWith(shown, ({ kind }, { name }) => kind === 'call' && isOfProbe(name));
  if (run === undefined || shown.session === undefined) return notRunning(shown, start);
  return runStatus(shown, { run, start, hasFigures, runs: [run] });
}

/** Where the page as a whole has nothing to show yet, every panel says why. */
function linkStatus(shown: Shown): PanelStatus | undefined {
  const { link } = shown;
  if (shown.live !== undefined) return undefined;
  switch (link.kind) {
    case 'loading':
      return { kind: 'loading', what: 'asking the server' };
    case 'connecting':
    case 'live':
    case 'lost':
      return { kind: 'loading', what: 'waiting for the first figures' };
    case 'no-session':
      return undefined;
    case 'no-target':
      return { kind: 'empty', why: noTargetWords(link.targetId), start: [], canUnfilter: false };
    case 'unreachable':
    case 'refused': {
      const { message, remedy } = link.problem;
      return { kind: 'failed', message, remedy, stderr: undefined, retry: undefined };
    }
  }
}

/** Why a target of the address shows nothing. */
export function noTargetWords(targetId: string): string {
  return `There is no target “${targetId}” here, or not any more.`;
}

/** Streams of the manifests for which `fits` holds, the default ones first. */
export function streamsWith(
  shown: Shown,
  fits: (stream: Stream, manifest: ProbeManifest) => boolean,
): readonly Startable[] {
  const all = shown.app.manifests.flatMap((manifest) =>
    manifest.streams
      .filter((stream) => fits(stream, manifest))
      .map((stream) => ({
        probe: manifest.name,
        stream: stream.name,
        title: `${manifest.name} ${stream.name}`,
        isDefault: stream.isDefault,
      })),
  );
  return [...all.filter(({ isDefault }) => isDefault), ...all.filter(({ isDefault }) => !isDefault)].slice(0, 2);
}

/** How long ago a run's figures came, ms; undefined before the first. Differences of each machine's own clock only. */
function runAgeMs(shown: Shown, run: RunView): number | undefined {
  const lastAtMs = shown.live?.runs.get(run.index)?.lastAtMs;
  if (lastAtMs === undefined || shown.live === undefined || shown.dataAtMs === undefined) return undefined;
  return shown.live.atMs - lastAtMs + (shown.nowMs - shown.dataAtMs);
}

function notRunning(shown: Shown, candidates: readonly Startable[]): PanelStatus {
  if (shown.recorded !== undefined) {
    const titles = candidates.map(({ title }) => title).join(' and ');
    const why =
      titles === ''
        ? 'No probe of this server measures this.'
        : `Not in this session: it was recorded without ${titles}.`;
    return { kind: 'empty', why, start: [], canUnfilter: false };
  }
  const plans = shown.target === undefined ? undefined : shown.app.plans.get(shown.target.id);
  // Before its kernel has answered, a button to start what may not be startable would be a guess.
  if (plans?.kind === 'loading') return { kind: 'loading', what: 'asking the kernel what can be traced here' };
  const planOf = ({ probe, stream }: Startable): Plan | undefined =>
    plans?.kind === 'ready' ? plans.value.find((plan) => plan.probe === probe && plan.stream === stream) : undefined;
  const start = candidates.filter((one) => planOf(one)?.variants.some(({ fits }) => fits) ?? true);
  const [hopeless] = candidates;
  if (start.length === 0 && hopeless !== undefined) {
    const reasons = [...new Set(planOf(hopeless)?.variants.flatMap((variant) => variant.reasons))];
    return {
      kind: 'empty',
      why: `${hopeless.title} can't run on this target: ${reasons.join('; ')}.`,
      start,
      canUnfilter: false,
    };
  }
  const why = notRunningWords(start.map(({ title }) => title));
  return { kind: 'empty', why, start, canUnfilter: false };
}

function notRunningWords(titles: readonly string[]): string {
  const [first, second] = titles;
  if (first === undefined) return 'No probe of this server measures this.';
  if (second === undefined) return `Nothing traces this: ${first} is not running.`;
  return `Nothing traces this: neither ${first} nor ${second} is running.`;
}

function runStatus(
  shown: Shown,
  part: {
    readonly run: RunView;
    readonly start: readonly Startable[];
    readonly hasFigures: boolean;
    readonly runs: readonly RunView[];
  },
): PanelStatus {
  // The state is that of now, also while the figures are paused.
  const run = shown.live?.view.runs.find(({ id }) => id === part.run.id) ?? part.run;
  const same: Startable = { probe: run.probe, stream: run.stream, title: `${run.probe} ${run.stream}` };
  if (!part.hasFigures && shown.recorded !== undefined) {
    const why = `${run.probe} ${run.stream} has nothing in this part of the session.`;
    return { kind: 'empty', why, start: [], canUnfilter: false };
  }
  if (!part.hasFigures) {
    switch (run.state) {
      case 'starting':
        return { kind: 'loading', what: `${run.probe} is starting: bpftrace attaches its probes` };
      case 'failed': {
        const message = run.failure?.message ?? `${run.probe} failed.`;
        return { kind: 'failed', message, remedy: run.failure?.remedy, stderr: run.failure?.stderr, retry: same };
      }
      case 'stopping':
      case 'stopped':
        return {
          kind: 'empty',
          why: `${run.probe} ${run.stream} was stopped before any event came.`,
          start: [same],
          canUnfilter: false,
        };
      case 'running':
        return {
          kind: 'empty',
          why: `${run.probe} ${run.stream} is running; no event has come yet.`,
          start: [],
          canUnfilter: false,
        };
    }
  }
  return { kind: 'ready', note: noteOf(shown, run), lossWord: lossWord(part.runs), runs: part.runs };
}

function lossWord(runs: readonly RunView[]): string | undefined {
  if (!runs.some(isLossy)) return undefined;
  return runs.some(({ ledger }) => lostOf(ledger) > 0) ? 'events lost' : 'incomplete';
}

function noteOf(shown: Shown, run: RunView): string | undefined {
  if (run.state === 'failed') return `failed: ${run.failure?.message ?? run.probe}`;
  if (shown.recorded !== undefined) return undefined;
  if (run.state === 'stopped') return 'stopped';
  if (shown.page.isPaused) return 'paused';
  const ageMs = runAgeMs(shown, run);
  return ageMs !== undefined && ageMs > staleAfterMs && run.state === 'running'
    ? `no data for ${Math.round(ageMs / 1000)} s`
    : undefined;
}

function filteredAway(session: LiveSession, metric: string, filter: CellFilter): PanelStatus | undefined {
  if (filter.process === undefined) return undefined;
  const sources = sourcesOf(session, metric, '10min');
  if (!hasDimension(sources, metric, processDimension)) return undefined;
  const isThere = sources.some(({ cells }) =>
    cells.some((entry) => entry?.metric === metric && entry.dims[processDimension] === filter.process),
  );
  if (isThere) return undefined;
  return {
    kind: 'empty',
    why: `Filtered away: no event of a process named “${filter.process}”.`,
    start: [],
    canUnfilter: true,
  };
}
