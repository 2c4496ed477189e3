/** `faultline lab thread`: the answers to the mail thread, built, run and tabulated. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { readThread, type ThreadRow } from '../lab/thread-figures.ts';
import { isTimed, threadWorkloads } from '../lab/thread-plan.ts';
import { runThread, threadProbes } from '../lab/thread.ts';
import { registerGuest } from '../lab/running-guests.ts';
import { chooseStreams } from './arguments.ts';
import { compareStatus } from './compare-words.ts';
import { brokenStatus, type LabCompareSurroundings } from './lab-compare.ts';
import { threadTable } from './lab-thread-table.ts';
import type { LabThreadWords } from './lab-thread-words.ts';
import { defaultPort } from './listen.ts';
import { shellWord } from '../targets/ssh-command.ts';
import { ProgressLine } from './progress-line.ts';
import { complaint } from './terminal.ts';

/** Runs what is missing, prints the table of all, and gives the exit status. */
export async function labThread(words: LabThreadWords, surroundings: LabCompareSurroundings): Promise<number> {
  const { tracing, probes, terminal, interrupted: signal, store } = surroundings;
  if (store === undefined) {
    terminal.err(complaint('runs can only be tabulated where they are recorded', 'Give a folder with --store DIR.'));
    return compareStatus.notComparable;
  }
  // Before minutes of work, not behind them.
  if (words.output !== '-' && existsSync(words.output)) {
    terminal.err(complaint(`${words.output} is there already`, 'Name another file.'));
    return compareStatus.notComparable;
  }
  const runs = chooseStreams({ targetId: '', probes: threadProbes, parameters: [] }, tracing.probes());
  if (!runs.ok) {
    terminal.err(complaint(runs.error.message, runs.error.remedy));
    return compareStatus.notComparable;
  }
  await using _registered = await registerGuest('6.1 (lab thread)');
  const progress = new ProgressLine(terminal);
  const sides = await runThread(
    { ...words, runs: runs.value },
    { tracing, probes, store, clock: () => Date.now(), tell: (now) => progress.say(now), signal },
  );
  progress.end();
  if (!sides.ok) {
    terminal.err(complaint(sides.error.message, sides.error.remedy));
    return sides.error.kind === 'unknown' ? compareStatus.notComparable : brokenStatus;
  }
  const { rows, setting } = await readThread(store.library, sides.value, words.runCount);
  // A store of one's own has to be named to whoever reads it, too.
  const comparisons = comparisonsOf(rows, words.storeOptions.store === undefined ? undefined : store.library.folder);
  const text = words.isJson
    ? `${JSON.stringify({ ...setting, rows, comparisons }, undefined, 2)}\n`
    : threadTable(rows, setting);
  const problem = await write(text, words.output, terminal.out);
  if (problem !== undefined) {
    terminal.err(complaint(problem, 'Name another file; what was run is recorded, and is not run again.'));
    return compareStatus.notComparable;
  }
  terminal.err(`recorded in ${store.library.folder}; as comparisons:\n`);
  for (const { command, page } of comparisons) terminal.err(`  ${command}\n  ${page}\n`);
  return rows.some(({ incomplete }) => incomplete.length > 0) ? compareStatus.needMoreRuns : compareStatus.fine;
}

/** A comparison of many builds: as a command, and as the page of a server of this store. */
type ThreadComparison = { readonly workload: string; readonly command: string; readonly page: string };

/** Of each timed workload: the first build against all others. Where other streams are traced the comparison says so itself. */
export function comparisonsOf(rows: readonly ThreadRow[], store: string | undefined): readonly ThreadComparison[] {
  const where = store === undefined ? '' : ` --store ${shellWord(store)}`;
  return threadWorkloads.filter(isTimed).flatMap((workload) => {
    const own = rows.filter((row) => row.workload === workload && row.sessions.length > 0);
    const [baseline, ...candidates] = own;
    if (baseline === undefined || candidates.length === 0) return [];
    const word = ({ kernel, series }: ThreadRow): string => `build:${kernel},series:${series}`;
    const query = new URLSearchParams([
      ['page', 'compare'],
      ['baseline', word(baseline)],
      ...candidates.map((row): [string, string] => ['candidate', word(row)]),
    ]);
    return [
      {
        workload,
        command: `faultline compare${where} ${own.map(word).join(' -- ')}`,
        page: `http://127.0.0.1:${defaultPort}/?${query.toString()}`,
      },
    ];
  });
}

/** Writes it; why that failed. */
async function write(text: string, output: string, out: (text: string) => void): Promise<string | undefined> {
  if (output === '-') {
    out(text);
    return undefined;
  }
  try {
    await writeFile(output, text, { flag: 'wx' });
    return undefined;
  } catch (error) {
    return `the table was not written to ${output}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
