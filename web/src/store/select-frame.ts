/** The three lines at the top that never scroll away: how it stands, who the target is, and where the events went. */
import {
  type Ledger,
  type Problem,
  type RunView,
  type TargetView,
  addLedgers,
  formatElapsed,
  formatPlural,
  isLossy,
  lostOf,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type Startable, noTargetWords, streamsWith } from './panel-status.ts';

/** What went wrong, in a sentence; a `command` that was refused can be put aside, and so can what the address asks for in vain. */
export type Trouble = { readonly words: string; readonly command: string | undefined; readonly isOfAddress?: true };

/** A target as a tab: its state in a word, and what it must not be mistaken for. */
export type TargetTab = {
  readonly id: string;
  readonly label: string;
  readonly title: string;
  readonly word: string;
  readonly tone: Tone;
  readonly badge: string | undefined;
};

type Tone = 'good' | 'quiet' | 'warn';

/** The state in one word; `tone` decides the colour of its dot. */
export type StateLine = {
  readonly word: string;
  readonly tone: Tone;
  /** How long the oldest running run has been up: 00:12:43. */
  readonly uptimeWords: string | undefined;
  readonly target: TargetView | undefined;
  /** The target that is wanted, also where there is no such one. */
  readonly wantedId: string | undefined;
  readonly targets: readonly TargetTab[];
  readonly facts: readonly string[];
  /** More of the target, for those who point at it. */
  readonly details: string;
  readonly canStart: boolean;
  readonly canStop: boolean;
  readonly isBusy: boolean;
  /** The server is lost, or a command was refused. */
  readonly trouble: Trouble | undefined;
  readonly defaults: readonly Startable[];
};

/** The second line. */
export function selectState(shown: Shown): StateLine {
  const { target, live, app } = shown;
  const runs = live?.view.runs ?? [];
  const active = runs.filter(({ state }) => state === 'running' || state === 'starting' || state === 'stopping');
  const isThere = shown.link.kind !== 'no-target';
  const running = active.filter(({ state }) => state === 'running');
  const startedAtMs = Math.min(...running.map(({ readyAtMs, startedAtMs: atMs }) => readyAtMs ?? atMs));
  const identity = target?.identity;
  const version =
    identity?.bpftraceVersion ?? running.find(({ bpftraceVersion }) => bpftraceVersion !== undefined)?.bpftraceVersion;
  const facts = [
    identity?.hostname,
    identity?.release,
    version === undefined ? undefined : `bpftrace ${version}`,
    formatPlural(new Set(running.map(({ probe }) => probe)).size, 'probe'),
  ];
  return {
    ...wordOf(shown, active),
    uptimeWords:
      running.length > 0 && live !== undefined && isThere ? formatElapsed(shown.nowMs - startedAtMs) : undefined,
    target,
    wantedId: shown.link.kind === 'no-target' ? shown.link.targetId : target?.id,
    targets: app.targets.map((one) => tabOf(shown, one)),
    facts: facts.filter((fact) => fact !== undefined),
    details: detailOf(target),
    canStart: target !== undefined && isThere && goneBecause(shown, target) === undefined && active.length === 0,
    canStop: isThere && active.some(({ state }) => state !== 'stopping'),
    isBusy: [...app.commands.values()].some(({ kind }) => kind === 'pending'),
    trouble: troubleOf(shown),
    defaults: streamsWith(shown, ({ isDefault }) => isDefault),
  };
}

/** The title of the browser's tab: how it stands, and where. */
export function selectTitle(shown: Shown): string {
  const manifest = shown.recorded?.manifest;
  if (manifest !== undefined) return `recorded · ${manifest.name ?? manifest.label ?? manifest.id} – Faultline`;
  const places = [shown, shown.other].flatMap((one) => (one === undefined ? [] : placeWords(one)));
  // Several comparisons are open in as many tabs, and none of them is what is live.
  const { page } = shown.page;
  return [page === 'live' ? '' : page, places.join(' | '), 'Faultline'].filter((part) => part !== '').join(' – ');
}

function placeWords(shown: Shown): readonly string[] {
  const { word, target } = selectState(shown);
  const where = target?.identity?.hostname ?? target?.title;
  return where === undefined ? [] : [`${word} · ${where}`];
}

function wordOf(shown: Shown, active: readonly RunView[]): Pick<StateLine, 'word' | 'tone'> {
  switch (shown.link.kind) {
    case 'loading':
    case 'connecting':
      return { word: 'connecting', tone: 'quiet' };
    case 'unreachable':
      return { word: shown.link.problem.error === 'unreachable' ? 'no server' : 'refused', tone: 'warn' };
    case 'refused':
      return { word: 'refused', tone: 'warn' };
    case 'lost':
      return { word: 'reconnecting', tone: 'warn' };
    case 'no-target':
      return { word: 'gone', tone: 'warn' };
    case 'no-session':
    case 'live':
      break;
  }
  if (shown.target !== undefined && goneBecause(shown, shown.target) !== undefined)
    return { word: 'gone', tone: 'warn' };
  return runsWord(shown.live?.view.runs ?? [], active, shown.target);
}

/** Why a target is gone for good; undefined while it is not. One whose identity was never had may only not have been reached. */
function goneBecause({ app }: Shown, { id }: TargetView): string | undefined {
  const session = app.sessions.find(({ target }) => target.id === id);
  const target = app.targets.find((one) => one.id === id) ?? session?.target;
  const isTraced = session?.runs.some(({ state }) => state === 'running' || state === 'starting') ?? false;
  return target?.identity === undefined || isTraced ? undefined : target.problem;
}

function tabOf(shown: Shown, target: TargetView): TargetTab {
  const runs = shown.app.sessions.find((session) => session.target.id === target.id)?.runs ?? [];
  const active = runs.filter(({ state }) => state === 'running' || state === 'starting' || state === 'stopping');
  const { id, kind, title, identity } = target;
  return {
    id,
    label: kind === 'replay' ? 'replay' : id,
    title: [title, target.problem ?? target.badge].filter((part) => part !== undefined).join(': '),
    badge: identity?.isEmulated === true ? 'emulated' : undefined,
    ...(goneBecause(shown, target) === undefined
      ? runsWord(runs, active, target)
      : ({ word: 'gone', tone: 'warn' } as const)),
  };
}

function runsWord(
  runs: readonly RunView[],
  active: readonly RunView[],
  target: TargetView | undefined,
): Pick<StateLine, 'word' | 'tone'> {
  const newest = new Map(
    runs.toSorted((left, right) => left.index - right.index).map((run) => [`${run.probe}/${run.stream}`, run]),
  );
  if ([...newest.values()].some(({ state }) => state === 'failed')) {
    return { word: active.length > 0 ? 'live, a probe failed' : 'failed', tone: 'warn' };
  }
  if (active.some(({ state }) => state === 'running'))
    return { word: target?.kind === 'replay' ? 'replaying' : 'live', tone: 'good' };
  if (active.some(({ state }) => state === 'starting')) return { word: 'starting', tone: 'quiet' };
  if (active.length > 0) return { word: 'stopping', tone: 'quiet' };
  return { word: runs.length === 0 ? 'not tracing' : 'stopped', tone: 'quiet' };
}

function troubleOf(shown: Shown): Trouble | undefined {
  const { link } = shown;
  if (link.kind === 'lost') {
    const words = 'The connection to the server is lost; the page connects again by itself. What is drawn is old.';
    return { words, command: undefined };
  }
  if (link.kind === 'refused' || link.kind === 'unreachable')
    return { words: problemWords(link.problem), command: undefined };
  if (link.kind === 'no-target') {
    const rest = shown.live === undefined ? '' : ' Its figures stay as they were.';
    return { words: `${noTargetWords(link.targetId)}${rest}`, command: undefined };
  }
  for (const [command, answer] of shown.app.commands) {
    if (answer.kind === 'failed') return { words: problemWords(answer.problem), command };
  }
  const inVain = targetInVain(shown);
  if (inVain !== undefined) return inVain;
  const gone = shown.target === undefined ? undefined : goneBecause(shown, shown.target);
  return gone === undefined ? undefined : { words: `${gone} Its figures stay.`, command: undefined };
}

/** The address wants a target that is not there, and another one is shown: without a word its figures would stand under that link. */
function targetInVain({ app, page, target, other }: Shown): Trouble | undefined {
  const { target: wantedId } = page;
  if (wantedId === undefined || target === undefined || target.id === wantedId || other !== undefined) return undefined;
  // A guest that has just come up is known to the lab before it is among the targets.
  const guests = app.lab?.kind === 'ready' ? app.lab.value.machines : [];
  if ([...app.targets.map(({ id }) => id), ...guests.map(({ targetId }) => targetId)].includes(wantedId))
    return undefined;
  return { words: `${noTargetWords(wantedId)} This is ${target.title}.`, command: undefined, isOfAddress: true };
}

function problemWords({ message, remedy }: Problem): string {
  return remedy === undefined ? message : `${message} ${remedy}`;
}

function detailOf(target: TargetView | undefined): string {
  const identity = target?.identity;
  if (identity === undefined) return target?.problem ?? '';
  const words = [
    identity.version,
    identity.machine,
    identity.cpuModel,
    formatPlural(identity.cpuCount, 'CPU'),
    identity.virtualisation === undefined ? undefined : `on ${identity.virtualisation}`,
    identity.thpMode === undefined ? undefined : `THP ${identity.thpMode}`,
  ];
  return words.filter((word) => word !== undefined).join('\n');
}

/** A run in the ledger's panel. */
export type LedgerRow = {
  readonly run: RunView;
  readonly ledger: Ledger;
  readonly isLossy: boolean;
  readonly lossMeaning: string;
};

/** The third line, and the panel behind it. */
export type LedgerLine = {
  readonly isKnown: boolean;
  readonly total: Ledger;
  readonly lostCount: number;
  readonly isAmber: boolean;
  readonly rows: readonly LedgerRow[];
  readonly bpftraceCpuShare: number | undefined;
  readonly serverCpuShare: number | undefined;
  readonly serverMemoryBytes: number | undefined;
  /** What this page alone missed because it was slow. */
  readonly clientDroppedCalls: number;
  readonly clientMergedTicks: number;
};

/** Where every event of the session went. */
export function selectLedger(shown: Shown): LedgerLine {
  const view = shown.live?.view;
  const runs = view?.runs ?? [];
  const shares = runs.flatMap(({ bpftraceCpuShare, state }) =>
    state === 'running' && bpftraceCpuShare !== undefined ? [bpftraceCpuShare] : [],
  );
  return {
    isKnown: view !== undefined,
    total: addLedgers(runs.map(({ ledger }) => ledger)),
    lostCount: runs.reduce((sum, { ledger }) => sum + lostOf(ledger), 0),
    isAmber: runs.some(isLossy),
    rows: runs.toReversed().map((run) => ({
      run,
      ledger: run.ledger,
      isLossy: isLossy(run),
      lossMeaning: streamOf(shown, run)?.lossMeaning ?? '',
    })),
    bpftraceCpuShare: shares.length === 0 ? undefined : shares.reduce((sum, share) => sum + share, 0),
    serverCpuShare: view?.serverCpuShare,
    serverMemoryBytes: view?.serverMemoryBytes,
    clientDroppedCalls: shown.live?.clientDroppedCalls ?? 0,
    clientMergedTicks: shown.live?.clientMergedTicks ?? 0,
  };
}

function streamOf(shown: Shown, run: RunView): { readonly lossMeaning: string } | undefined {
  return shown.app.manifests.find(({ name }) => name === run.probe)?.streams.find(({ name }) => name === run.stream);
}
