/** The form of the store's bounds in words. */
import {
  type Problem,
  type StoreLimits,
  type StorePreview,
  type StoreView,
  formatBytes,
  formatDuration,
  formatPlural,
  readStoreLimit,
  storeLimitNames,
  storeLimitOptions,
  storeLimitWord,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import type { BoundsState } from './bounds-desk.ts';

/** A bound that can be typed. */
export type BoundField = {
  readonly name: keyof StoreLimits;
  readonly label: string;
  /** What happens at the bound. */
  readonly meaning: string;
  readonly typed: string;
  /** What the word stands for, what is wrong with it, or why it can't be changed. */
  readonly note: string;
  readonly isValid: boolean;
  readonly isFixed: boolean;
};

/** The open form. */
export type BoundsForm = {
  readonly state: 'loading' | 'ready' | 'failed';
  readonly problem: Problem | undefined;
  readonly held: string;
  readonly fields: readonly BoundField[];
  /** What setting what is typed would take away; undefined while nothing is to be set. */
  readonly outcome: { readonly words: string; readonly isLoss: boolean; readonly sessions: string } | undefined;
  readonly setLabel: string;
  readonly canSet: boolean;
  /** Of the last setting; undefined where there was none. */
  readonly setWords: string | undefined;
};

const labels: Readonly<Record<keyof StoreLimits, readonly [label: string, meaning: string]>> = {
  bytesMax: ['All sessions', 'Beyond it the oldest ones that are not pinned are deleted.'],
  ageMaxMs: ['Kept for', 'Later, a session that is not pinned is deleted.'],
  sessionBytesMax: [
    'One session’s size',
    'Then its recording stops and tracing goes on. For sessions that begin from then on.',
  ],
  sessionAgeMaxMs: [
    'One session’s length',
    'Then its recording stops and tracing goes on. For sessions that begin from then on.',
  ],
};

/** Names of so many sessions are said. */
const namedMax = 5;

/** The form; undefined while it is closed. */
export function selectBounds({ app }: Shown): BoundsForm | undefined {
  const { bounds, overview } = app.recordings;
  if (bounds === undefined) return undefined;
  const rows = overview?.kind === 'ready' ? overview.value.rows : [];
  const names = new Map(rows.map(({ id, session }) => [id, session?.name ?? id]));
  return formOf(bounds, (id) => names.get(id) ?? id);
}

function formOf(bounds: BoundsState, nameOf: (id: string) => string): BoundsForm {
  const { store, preview, isSetting, before } = bounds;
  const view = store.kind === 'ready' ? store.value : undefined;
  const failure = preview?.kind === 'failed' ? preview.problem : undefined;
  const outcome = preview?.kind === 'ready' ? preview.value : undefined;
  const count = outcome?.sessions.length ?? 0;
  return {
    state: store.kind,
    problem: store.kind === 'failed' ? store.problem : (bounds.problem ?? failure),
    held: view === undefined ? '' : heldWords(view),
    fields: view === undefined ? [] : storeLimitNames.map((name) => fieldOf(name, bounds, view)),
    outcome:
      outcome === undefined
        ? undefined
        : {
            words: outcomeWords(outcome),
            isLoss: count > 0 || outcome.forgottenBytes > 0 || outcome.excessBytes > 0,
            sessions: sessionWords(outcome.sessions.map(nameOf)),
          },
    setLabel: count === 0 ? 'Set' : `Set, and delete ${formatPlural(count, 'session')}`,
    canSet: outcome !== undefined && !isSetting,
    setWords: before === undefined || Object.keys(bounds.typed).length > 0 ? undefined : 'Set.',
  };
}

function fieldOf(name: keyof StoreLimits, { typed }: BoundsState, { limits, fixed }: StoreView): BoundField {
  const [label, meaning] = labels[name];
  const word = typed[name] ?? storeLimitWord(name, limits[name]);
  const value = readStoreLimit(name, word);
  const isFixed = fixed.includes(name);
  const isSize = name === 'bytesMax' || name === 'sessionBytesMax';
  const wrong = isSize ? 'a size, please, such as 500M or 10G' : 'a time, please, such as 12h or 30d';
  const said = value === undefined ? wrong : (isSize ? formatBytes : formatDuration)(value);
  return {
    name,
    label,
    meaning,
    typed: word,
    note: isFixed ? `${said}: said when the server was started; start it without ${storeLimitOptions[name]}` : said,
    isValid: value !== undefined,
    isFixed,
  };
}

function heldWords({ sessionCount, bytes, pinnedBytes, removedBytes }: StoreView): string {
  const parts = [
    ...(pinnedBytes === 0 ? [] : [`${formatBytes(pinnedBytes)} of them pinned`]),
    ...(removedBytes === 0 ? [] : [`${formatBytes(removedBytes)} removed and to be had back for some minutes`]),
  ];
  return [`The store holds ${formatPlural(sessionCount, 'session')}, ${formatBytes(bytes)}`, ...parts].join('; ');
}

function outcomeWords({ sessions, bytes, forgottenBytes, excessBytes }: StorePreview): string {
  const sentences = [
    sessions.length === 0
      ? 'No session is deleted by this.'
      : `This deletes ${formatPlural(sessions.length, 'session')} (${formatBytes(bytes)}) at once and for good; setting the bound back does not bring them back.`,
    ...(forgottenBytes === 0
      ? []
      : [`What was removed just now (${formatBytes(forgottenBytes)}) can’t be had back any more.`]),
    ...(excessBytes === 0
      ? []
      : [
          `What is pinned or being recorded is ${formatBytes(excessBytes)} more than that: what is traced now is no longer recorded.`,
        ]),
  ];
  return sentences.join(' ');
}

function sessionWords(names: readonly string[]): string {
  const more = names.length - namedMax;
  return [...names.slice(0, namedMax), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
