/** `faultline compare`: recorded sessions of kernel builds, side by side, and a verdict. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ComparedRun, type Comparison, compareSides, err, ok, type Result, type Side } from '@faultline/shared';
import { perfettoOfSides } from '../compare/perfetto-sides.ts';
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
  const failed = (await writePerfetto(named, words)) ?? saveUnder(named, words, library.folder, terminal);
  return failed === undefined ? status : refuse(failed, terminal);
}

type Named = readonly { readonly title: string; readonly folders: readonly RecordedFolder[] }[];

/** Writes the trace where one is wanted, to a file that is not there yet. The answer is why it could not. */
async function writePerfetto(sides: Named, { perfetto }: CompareWords): Promise<Refusal | undefined> {
  if (perfetto === undefined) return undefined;
  try {
    await pipeline(Readable.from(perfettoOfSides(sides)), createWriteStream(perfetto, { flags: 'wx' }));
    return undefined;
  } catch (error) {
    const message = `${perfetto} was not written: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: 'store-problem', message, remedy: 'Name a file that is not there yet, where there is room.' };
  }
}

/** Saves the comparison where a name is given. The answer is why it could not. */
function saveUnder(
  sides: Named,
  { save: name, metrics, marginShare }: CompareWords,
  store: string,
  terminal: Terminal,
): Refusal | undefined {
  if (name === undefined) return undefined;
  const saved = new SavedComparisons(store).save({ name, sides, metrics, marginShare }, store, Date.now());
  if (!saved.ok) return saved.error;
  const { id } = saved.value;
  terminal.err(`saved as ${id}; on the page of a server of this store: ?page=compare&saved=${id}\n`);
  return undefined;
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
