/** The list of recorded sessions: what one searches by, sorted and narrowed. */
import {
  type Problem,
  type RecordingRow,
  recordingFactsBytesMax,
  formatBytes,
  formatDuration,
  formatElapsed,
  formatInstant,
  formatPlural,
  formatSeconds,
} from '@faultline/shared';
import type { AppState, Shown } from './app-state.ts';
import type { Command } from './loaded.ts';
import type { PageState } from './page-state.ts';
import type { RecordingsState, Transfer } from './recordings-state.ts';

/** A session that can be read, in words and numbers. */
export type SessionRow = {
  readonly id: string;
  /** Its name, or its id where it has none. */
  readonly title: string;
  readonly name: string | undefined;
  readonly isPinned: boolean;
  readonly isLive: boolean;
  /** How many notes and marks there are; undefined where there are none. */
  readonly notesWords: string | undefined;
  /** Why it ended before its time; undefined where it did not. */
  readonly endWords: string | undefined;
  readonly kernel: string;
  /** The kernel's build as comparisons name it. */
  readonly build: string;
  /** What its module is, where it has one of its own: the base, the patch, a digest. */
  readonly module: string | undefined;
  readonly target: string;
  /** What its target must not be mistaken for. */
  readonly badge: string | undefined;
  readonly workload: string;
  readonly label: string;
  readonly probes: string;
  readonly whenMs: number;
  readonly when: string;
  readonly durationMs: number;
  readonly lengthWords: string;
  readonly events: number;
  /** Whether faults and violations are still being counted. */
  readonly isCounting: boolean;
  /** Undefined where they were not traced, or are not counted yet. */
  readonly faults: number | undefined;
  readonly faultsHint: string;
  readonly violations: number | undefined;
  readonly lost: number;
  readonly isComplete: boolean;
  readonly bytes: number;
  readonly isBusy: boolean;
};

/** Columns that sessions can be sorted by. */
export const sessionOrders = [
  'title',
  'kernel',
  'build',
  'target',
  'workload',
  'label',
  'when',
  'duration',
  'events',
  'faults',
  'violations',
  'lost',
  'bytes',
] as const;
/** A column's word in the address. */
export type SessionOrder = (typeof sessionOrders)[number];

/** The page of sessions. */
export type SessionsPage = {
  readonly state: 'loading' | 'ready';
  readonly problem: Problem | undefined;
  readonly rows: readonly SessionRow[];
  /** Sessions that cannot be read. */
  readonly broken: readonly { readonly id: string; readonly problem: string; readonly size: string }[];
  readonly allCount: number;
  readonly order: SessionOrder;
  readonly isAscending: boolean;
  readonly storage: {
    readonly words: string;
    readonly hint: string;
    readonly usedBytes: number;
    readonly maxBytes: number | undefined;
  };
};

/** What is done to sessions, for the strips above the list. */
export type SessionNews = {
  readonly removed: readonly { readonly id: string; readonly title: string }[];
  readonly refused: readonly { readonly id: string; readonly words: string }[];
  readonly transfers: readonly ({ readonly key: string; readonly words: string } & Transfer)[];
};

let known: { readonly key: readonly unknown[]; readonly page: SessionsPage } | undefined;

/** The list, narrowed and sorted; the same object as long as nothing of it has changed. */
export function selectSessions({ app, page }: Shown): SessionsPage {
  const { overview, removed, commands } = app.recordings;
  const key = [overview, removed, commands, page.find, page.order];
  if (known === undefined || known.key.some((part, at) => part !== key[at]))
    known = { key, page: sessionsPage(app.recordings, page) };
  return known.page;
}

/** What was removed and can be had back, what was refused, what is on its way. */
export function selectSessionNews({ app }: { readonly app: AppState }): SessionNews {
  const { overview, removed, commands, exports, imports } = app.recordings;
  const rows = overview?.kind === 'ready' ? overview.value.rows : [];
  const titleOf = (id: string): string => {
    const session = rows.find((row) => row.id === id)?.session;
    return session?.name ?? session?.label ?? id;
  };
  return {
    removed: [...removed].map(([id, { title }]) => ({ id, title })),
    refused: [...commands].flatMap(([id, command]) =>
      command.kind === 'failed' ? [{ id, words: problemWords(command.problem) }] : [],
    ),
    transfers: [
      ...[...exports].map(([key, transfer]) => {
        const [id = '', format = ''] = key.split(' ');
        return { key: `export ${key}`, words: `${titleOf(id)} as ${format}`, ...transfer };
      }),
      ...[...imports].map(([name, transfer]) => ({ key: `import ${name}`, words: `importing ${name}`, ...transfer })),
    ],
  };
}

/** The formats that sessions can be exported in. */
export function selectFormats({ app }: Shown): readonly string[] {
  const { overview } = app.recordings;
  return overview?.kind === 'ready' ? overview.value.formats : [];
}

function sessionsPage({ overview, removed, commands }: RecordingsState, page: PageState): SessionsPage {
  const value = overview?.kind === 'ready' ? overview.value : undefined;
  const all = (value?.rows ?? []).filter(({ id }) => !removed.has(id));
  const readable = all.flatMap((row) => rowOf(row, commands.get(row.id)));
  const { order, isAscending } = orderOf(page.order);
  const words = (page.find ?? '').toLowerCase().match(/build:"[^"]*"|\S+/g) ?? [];
  const found = readable.filter((row) => words.every((word) => fits(row, word)));
  return {
    state: overview === undefined ? 'loading' : 'ready',
    problem: overview?.kind === 'failed' ? overview.problem : undefined,
    rows: found.toSorted((left, right) => compare(left, right, order) * (isAscending ? 1 : -1)),
    broken: all
      .filter(({ problem }) => problem !== undefined)
      .map(({ id, problem = '', bytes }) => ({ id, problem, size: formatBytes(bytes) })),
    allCount: readable.length,
    order,
    isAscending,
    storage: {
      words: storageWords(all.length, value?.usedBytes ?? 0, value?.bytesMax, value?.ageMaxMs),
      hint: storageHint(value?.sessionBytesMax, value?.sessionAgeMaxMs),
      usedBytes: value?.usedBytes ?? 0,
      maxBytes: value?.bytesMax,
    },
  };
}

/** `-when` is the newest first, `kernel` from A on. */
function orderOf(word: string | undefined): { readonly order: SessionOrder; readonly isAscending: boolean } {
  const isAscending = word !== undefined && !word.startsWith('-');
  const order = sessionOrders.find((name) => name === word?.replace(/^-/, ''));
  return order === undefined ? { order: 'when', isAscending: false } : { order, isAscending };
}

function compare(left: SessionRow, right: SessionRow, order: SessionOrder): number {
  const [one, other] = order === 'when' ? [left.whenMs, right.whenMs] : [valueOf(left, order), valueOf(right, order)];
  const byValue =
    typeof one === 'string' || typeof other === 'string' ? String(one).localeCompare(String(other)) : one - other;
  return byValue !== 0 ? byValue : left.whenMs - right.whenMs;
}

function valueOf(row: SessionRow, order: Exclude<SessionOrder, 'when'>): string | number {
  if (order === 'duration') return row.durationMs;
  return row[order] ?? -1;
}

/** A word of the search that finds the sessions of one build, as in a selection of a comparison. */
export function buildWord(build: string): string {
  return /\s/.test(build) ? `build:"${build}"` : `build:${build}`;
}

/** What is found by a word in lower case: all of a build by its whole name, otherwise whatever the word is in. */
function fits(row: SessionRow, word: string): boolean {
  return word.startsWith('build:') ? buildWord(row.build.toLowerCase()) === word : haystack(row).includes(word);
}

function haystack(row: SessionRow): string {
  const {
    id,
    title,
    kernel,
    build,
    module = '',
    target,
    badge = '',
    workload,
    label,
    probes,
    when,
    endWords = '',
  } = row;
  const flags = [row.isPinned ? 'pinned' : '', row.isLive ? 'live' : '', row.isComplete ? '' : 'incomplete'];
  return [id, title, kernel, build, module, target, badge, workload, label, probes, when, endWords, ...flags]
    .join(' ')
    .toLowerCase();
}

function rowOf(
  { id, bytes, isLive, session, facts }: RecordingRow,
  command: Command | undefined,
): readonly SessionRow[] {
  if (session === undefined) return [];
  const durationMs = Math.max(0, session.lastAtMs - session.createdAtMs);
  return [
    {
      id,
      title: session.name ?? id,
      name: session.name,
      isPinned: session.isPinned,
      isLive,
      notesWords: notesWords(session),
      endWords: session.stop ?? (session.state === 'interrupted' ? 'interrupted: its recorder was killed' : undefined),
      kernel: session.release ?? '–',
      build: session.build,
      module: session.module,
      target: session.hostname ?? session.targetTitle,
      badge: badgeOf(session),
      workload: session.workload ?? '–',
      label: session.label ?? '–',
      probes: session.probes.join(' '),
      whenMs: session.createdAtMs,
      when: formatInstant(session.createdAtMs),
      durationMs,
      // Runs of a workload take less than a second, and most sessions less than a day.
      lengthWords: durationMs < 60_000 ? formatSeconds(durationMs) : formatElapsed(durationMs),
      events: session.recordedCount,
      isCounting: facts === undefined && !isLive && bytes <= recordingFactsBytesMax,
      faults: facts?.faultCount,
      faultsHint: faultsHint(facts, { isLive, bytes }),
      violations: facts?.violationCount,
      lost: session.lostCount,
      isComplete: session.isComplete,
      bytes,
      isBusy: command?.kind === 'pending',
    },
  ];
}

function notesWords({ noteCount, markCount }: NonNullable<RecordingRow['session']>): string | undefined {
  const words = [
    ...(noteCount === 0 ? [] : [formatPlural(noteCount, 'note')]),
    ...(markCount === 0 ? [] : [formatPlural(markCount, 'mark')]),
  ];
  return words.length === 0 ? undefined : words.join(', ');
}

function badgeOf({ isEmulated, targetKind }: NonNullable<RecordingRow['session']>): string | undefined {
  if (targetKind === 'replay') return 'replay';
  return isEmulated ? 'emulated' : undefined;
}

function faultsHint(facts: RecordingRow['facts'], { isLive, bytes }: Pick<RecordingRow, 'isLive' | 'bytes'>): string {
  if (facts === undefined && isLive) return 'counted when it has ended';
  if (facts === undefined)
    return bytes > recordingFactsBytesMax ? 'too large to be counted for the list: open it' : 'being counted';
  if (facts.faultKind === undefined) return 'faults were not traced';
  return facts.faultKind === 'vfio' ? 'faults of vfio' : 'page faults';
}

function storageWords(count: number, used: number, max: number | undefined, ageMs: number | undefined): string {
  const bound = max === undefined ? '' : ` of ${formatBytes(max)}`;
  const days = ageMs === undefined ? '' : `; unpinned ones go after ${formatDuration(ageMs)}`;
  return `${formatPlural(count, 'session')}, ${formatBytes(used)}${bound}${days}`;
}

/** How the bounds are kept, and those of one session. */
function storageHint(sessionBytesMax: number | undefined, sessionAgeMaxMs: number | undefined): string {
  const one =
    sessionBytesMax === undefined || sessionAgeMaxMs === undefined
      ? ''
      : `One session: at most ${formatBytes(sessionBytesMax)} and ${formatDuration(sessionAgeMaxMs)}, then its recording stops. `;
  return `${one}The oldest unpinned session goes first.`;
}

function problemWords({ message, remedy }: Problem): string {
  return remedy === undefined ? message : `${message} ${remedy}`;
}
