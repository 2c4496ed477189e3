/** `faultline compare`: recorded sessions of kernel builds, side by side, and a verdict. */
import { type ComparedRun, type Comparison, compareSides, err, ok, type Result, type Side } from '@faultline/shared';
import { chooseRuns } from '../compare/choose-runs.ts';
import { readRun, type RecordedFolder } from '../compare/recorded-run.ts';
import { report } from '../compare/report.ts';
import { SavedComparisons } from '../sessions/saved-comparisons.ts';
import { distinctTitles, titleOfSide } from '../compare/side-titles.ts';
import type { Refusal } from '../sessions/refusal.ts';
import { compareStatus, type CompareWords, type JudgeWords } from './compare-words.ts';
import { openLibrary } from './sessions.ts';
import { complaint, type Terminal } from './terminal.ts';

/** Carries it out; the exit status. */
export async function compare(words: CompareWords, terminal: Terminal): Promise<number> {
  const library = await openLibrary(words.store, terminal);
  if (library === undefined) return compareStatus.notComparable;
  const chosen: { readonly title: string; readonly folders: readonly RecordedFolder[] }[] = [];
  for (const side of words.sides) {
    const folders = chooseRuns(side, library);
    if (!folders.ok) return refuse(folders.error, terminal);
    chosen.push({ title: titleOfSide(folders.value, side), folders: folders.value });
  }
  const titles = distinctTitles(chosen.map(({ title }) => title));
  const named = chosen.map((side, at) => ({ ...side, title: titles[at] ?? side.title }));
  const sides: Side[] = [];
  for (const { title, folders } of named) {
    const runs = await readRuns(folders);
    if (!runs.ok) return refuse(runs.error, terminal);
    sides.push({ title, runs: runs.value });
  }
  const status = printComparison(sides, words, terminal);
  if (words.save === undefined) return status;
  const { metrics, marginShare, save: name } = words;
  const toSave = { name, sides: named, metrics, marginShare };
  const saved = new SavedComparisons(library.folder).save(toSave, library.folder, Date.now());
  if (!saved.ok) return refuse(saved.error, terminal);
  terminal.err(
    `saved as ${saved.value.id}; on the page of a server of this store: ?page=compare&saved=${saved.value.id}\n`,
  );
  return status;
}

function refuse({ message, remedy }: Refusal, terminal: Terminal): number {
  terminal.err(complaint(message, remedy));
  return compareStatus.notComparable;
}

/** Compares, prints, and gives the exit status. The first side is the baseline. */
export function printComparison(sides: readonly Side[], words: JudgeWords, terminal: Terminal): number {
  const [baseline, ...candidates] = sides;
  if (baseline === undefined) return compareStatus.notComparable;
  const comparison = compareSides(baseline, candidates, words);
  terminal.out(report({ sides, comparison }, words.format));
  return statusOf(comparison);
}

/** Reads the sessions of one side. */
export async function readRuns(folders: readonly RecordedFolder[]): Promise<Result<readonly ComparedRun[], Refusal>> {
  const runs: ComparedRun[] = [];
  for (const one of folders) {
    const run = await readRun(one);
    if (!run.ok) return run;
    runs.push(run.value);
  }
  return runs.length > 0
    ? ok(runs)
    : err({ kind: 'unknown-session', message: 'there is no run', remedy: 'Record some.' });
}

function statusOf({ verdict }: Comparison): number {
  switch (verdict) {
    case 'regressed':
    case 'different':
      return compareStatus.regressed;
    case 'improved':
    case 'same':
      return compareStatus.fine;
    case 'need-more-runs':
      return compareStatus.needMoreRuns;
    case 'not-comparable':
      return compareStatus.notComparable;
  }
}
