/** `faultline compare`: recorded sessions of kernel builds, side by side, and a verdict. */
import { type ComparedRun, type Comparison, compareSides, err, ok, type Result, type Side } from '@faultline/shared';
import { chooseRuns } from '../compare/choose-runs.ts';
import { readRun, type RecordedFolder } from '../compare/recorded-run.ts';
import { report } from '../compare/report.ts';
import { distinctTitles, titleOfSide } from '../compare/side-titles.ts';
import type { Library } from '../sessions/library.ts';
import type { Refusal } from '../sessions/refusal.ts';
import { compareStatus, type CompareWords, type JudgeWords } from './compare-words.ts';
import { openLibrary } from './sessions.ts';
import { complaint, type Terminal } from './terminal.ts';

/** Carries it out; the exit status. */
export async function compare(words: CompareWords, terminal: Terminal): Promise<number> {
  const library = await openLibrary(words.store, terminal);
  if (library === undefined) return compareStatus.notComparable;
  const sides: Side[] = [];
  for (const side of words.sides) {
    const read = await readSide(side, library);
    if (!read.ok) {
      terminal.err(complaint(read.error.message, read.error.remedy));
      return compareStatus.notComparable;
    }
    sides.push(read.value);
  }
  const titles = distinctTitles(sides.map(({ title }) => title));
  return printComparison(
    sides.map((side, at) => ({ ...side, title: titles[at] ?? side.title })),
    words,
    terminal,
  );
}

/** Compares, prints, and gives the exit status. The first side is the baseline. */
export function printComparison(sides: readonly Side[], words: JudgeWords, terminal: Terminal): number {
  const [baseline, ...candidates] = sides;
  if (baseline === undefined) return compareStatus.notComparable;
  const comparison = compareSides(baseline, candidates, words);
  terminal.out(report({ sides, comparison }, words.format));
  return statusOf(comparison);
}

async function readSide(words: readonly string[], library: Library): Promise<Result<Side, Refusal>> {
  const chosen = chooseRuns(words, library);
  if (!chosen.ok) return chosen;
  const runs = await readRuns(chosen.value);
  return runs.ok ? ok({ title: titleOfSide(chosen.value, words), runs: runs.value }) : runs;
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
