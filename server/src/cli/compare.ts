/** `faultline compare`: recorded sessions of kernel builds, side by side, and a verdict. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type ComparedRun,
  type Comparison,
  compareSides,
  err,
  formatInstant,
  ok,
  type Result,
  type Side,
} from '@faultline/shared';
import { perfettoOfSides } from '../compare/perfetto-sides.ts';
import { chooseRuns } from '../compare/choose-runs.ts';
import { readRun, type RecordedFolder } from '../compare/recorded-run.ts';
import { report } from '../compare/report.ts';
import { type SavedSide, sidesOfSaved, withRemarks } from '../compare/saved-sides.ts';
import type { Library } from '../sessions/library.ts';
import { SavedComparisons } from '../sessions/saved-comparisons.ts';
import { distinctTitles, titleOfSide } from '../compare/side-titles.ts';
import type { Refusal } from '../sessions/refusal.ts';
import { compareStatus, type CompareWords, type ComparisonWords, type JudgeWords } from './compare-words.ts';
import { listSaved } from './saved-list.ts';
import { openLibrary } from './sessions.ts';
import { complaint, type Terminal } from './terminal.ts';

/** Carries it out; the exit status. */
export async function compare(words: CompareWords, terminal: Terminal): Promise<number> {
  const library = await openLibrary(words.store, terminal);
  if (library === undefined) return compareStatus.notComparable;
  if (words.command === 'list') return listSaved(library, words.isJson, terminal);
  const chosen = words.command === 'saved' ? openSaved(words, library, terminal) : chooseSides(words.sides, library);
  if (!chosen.ok) return refuse(chosen.error, terminal);
  const { named, remarks, judge } = chosen.value;
  const sides: Side[] = [];
  for (const { title, folders } of named) {
    const runs = await readRuns(folders);
    if (!runs.ok) return refuse(runs.error, terminal);
    sides.push({ title, runs: runs.value });
  }
  const status = printComparison(sides, { ...words, ...judge }, terminal, remarks);
  const save = words.command === 'sides' ? words.save : undefined;
  const failed = (await writePerfetto(named, words)) ?? saveUnder(save, named, words, terminal);
  return failed === undefined ? status : refuse(failed, terminal);
}

type Named = readonly SavedSide[];

/** What is compared, what is to be said of it, and by what it is judged where that differs from the words. */
type Chosen = {
  readonly named: Named;
  readonly remarks: readonly string[];
  readonly judge: Partial<Pick<JudgeWords, 'metrics' | 'marginShare'>>;
};

function chooseSides(words: readonly (readonly string[])[], library: Library): Result<Chosen, Refusal> {
  const chosen: SavedSide[] = [];
  for (const side of words) {
    const folders = chooseRuns(side, library);
    if (!folders.ok) return folders;
    chosen.push({ title: titleOfSide(folders.value, side), folders: folders.value });
  }
  const titles = distinctTitles(chosen.map(({ title }) => title));
  return ok({
    named: chosen.map((side, at) => ({ ...side, title: titles[at] ?? side.title })),
    remarks: [],
    judge: {},
  });
}

/** The sides of a saved comparison; its name and what people wrote on it go to standard error, beside the report. */
function openSaved(
  { saved: word, metrics, hasMargin }: Extract<ComparisonWords, { command: 'saved' }>,
  library: Library,
  terminal: Terminal,
): Result<Chosen, Refusal> {
  const saved = new SavedComparisons(library.folder).find(word);
  if (!saved.ok) return saved;
  const found = sidesOfSaved(saved.value, library);
  if (!found.ok) return found;
  const { id, name, createdAtMs, notes } = saved.value;
  terminal.err(`${name} (${id}), saved ${formatInstant(createdAtMs)}\n`);
  for (const { atMs, text } of notes) terminal.err(`  ${formatInstant(atMs)}: ${text.replaceAll('\n', '\n  ')}\n`);
  // What is said now goes before what was saved.
  const judge = {
    ...(metrics.length > 0 || saved.value.metrics === undefined ? {} : { metrics: saved.value.metrics }),
    ...(hasMargin || saved.value.marginShare === undefined ? {} : { marginShare: saved.value.marginShare }),
  };
  return ok({ named: found.value.sides, remarks: found.value.remarks, judge });
}

/** Writes the trace where one is wanted, to a file that is not there yet. The answer is why it could not. */
async function writePerfetto(sides: Named, { perfetto }: ComparisonWords): Promise<Refusal | undefined> {
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
  name: string | undefined,
  sides: Named,
  { metrics, marginShare, store }: ComparisonWords,
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

/** Compares, prints, and gives the exit status. The first side is the baseline; `remarks` are said at the gate. */
export function printComparison(
  sides: readonly Side[],
  words: JudgeWords,
  terminal: Terminal,
  remarks: readonly string[] = [],
): number {
  const [baseline, ...candidates] = sides;
  if (baseline === undefined) return compareStatus.notComparable;
  const comparison = withRemarks(compareSides(baseline, candidates, words), remarks);
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
