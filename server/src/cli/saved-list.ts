/** `faultline compare --list`: the saved comparisons of a store. */
import { formatInstant, type SavedComparisonEntry, savedSidesWords } from '@faultline/shared';
import { viewOfSaved } from '../compare/saved-sides.ts';
import { type TextColumn, textTable } from '../exports/text-table.ts';
import type { Library } from '../sessions/library.ts';
import { SavedComparisons } from '../sessions/saved-comparisons.ts';
import { compareStatus } from './compare-words.ts';
import type { Terminal } from './terminal.ts';

/** Prints them, the newest first, as a table or as JSON; the exit status. */
export function listSaved(library: Library, isJson: boolean, terminal: Terminal): number {
  const entries = new SavedComparisons(library.folder)
    .list()
    .map((entry): SavedComparisonEntry => ('saved' in entry ? viewOfSaved(entry.saved, library) : entry));
  if (isJson) terminal.out(`${JSON.stringify(entries, undefined, 2)}\n`);
  else if (entries.length === 0)
    terminal.out('nothing is saved yet: faultline compare --save NAME …, or Save on the page\n');
  else terminal.out(`${textTable(columns, entries.map(rowOf), terminal.width).join('\n')}\n`);
  return compareStatus.fine;
}

const columns: readonly TextColumn[] = [
  { title: 'id', align: 'left' },
  { title: 'saved', align: 'left' },
  { title: 'name', align: 'left' },
  { title: 'what', align: 'left', wraps: true },
];

function rowOf(entry: SavedComparisonEntry): readonly string[] {
  if ('problem' in entry) return [entry.id, '', '', entry.problem];
  return [entry.id, formatInstant(entry.createdAtMs), entry.name, savedSidesWords(entry)];
}
