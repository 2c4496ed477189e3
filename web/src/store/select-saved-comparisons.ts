/** Saved comparisons, ready to be listed, and the one that is open. */
import { formatInstant, type SavedComparisonView, savedSidesWords } from '@faultline/shared';
import type { Shown } from './app-state.ts';

/** One of the list. */
export type SavedRow = {
  readonly id: string;
  readonly name: string;
  readonly when: string;
  /** Who its sides are; why it can't be read where it can't. */
  readonly words: string;
};

/** One that is open. */
export type OpenSaved = SavedRow & {
  readonly notes: readonly { readonly key: string; readonly when: string; readonly text: string }[];
  /** The sessions of its sides, those that are there. */
  readonly baseline: readonly string[];
  readonly candidate: readonly string[];
};

/** All of them, and the one of the address. */
export function selectSaved({ app, page }: Shown): {
  readonly rows: readonly SavedRow[];
  readonly open: OpenSaved | undefined;
} {
  const { saved } = app.comparisons;
  const entries = saved?.kind === 'ready' ? saved.value : [];
  const open = entries.find((entry) => entry.id === page.saved);
  return {
    rows: entries.map((entry) =>
      'problem' in entry ? { id: entry.id, name: entry.id, when: '', words: entry.problem } : rowOf(entry),
    ),
    open: open === undefined || 'problem' in open ? undefined : openOf(open),
  };
}

function rowOf(view: SavedComparisonView): SavedRow {
  const { id, name, createdAtMs } = view;
  return { id, name, when: formatInstant(createdAtMs), words: savedSidesWords(view) };
}

function openOf(view: SavedComparisonView): OpenSaved {
  const [baseline = [], ...candidates] = view.sides.map(({ sessions }) =>
    sessions.filter(({ state }) => state !== 'missing').map(({ id }) => id),
  );
  return {
    ...rowOf(view),
    notes: view.notes.map(({ atMs, text }, at) => ({
      key: `${String(at)} ${String(atMs)}`,
      when: formatInstant(atMs),
      text,
    })),
    baseline,
    candidate: candidates.filter((ids) => ids.length > 0).map((ids) => ids.join(',')),
  };
}
