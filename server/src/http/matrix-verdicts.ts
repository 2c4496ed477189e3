/** Verdicts of a matrix, made in the background, a row at a time: each takes the totals of all its runs, and nobody shall wait for a hundred rows. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComparedRun, compareSides, err, type MatrixVerdict, ok, type Result } from '@faultline/shared';
import { readRun } from '../compare/recorded-run.ts';
import { kernelTitles } from '../lab/kernel-words.ts';
import type { GridCell, GridRow } from '../lab/matrix-grid.ts';
import type { Refusal } from '../sessions/refusal.ts';

/** By the place of a cell in its row. */
type RowVerdicts = ReadonlyMap<number, MatrixVerdict>;

/** The sides of one comparison: the baseline, and the places of the candidates that have all their runs. */
type Job = { readonly row: GridRow; readonly places: readonly number[] };

const pending: MatrixVerdict = { kind: 'pending' };

/** Remembers verdicts by the sessions they were made of: a row whose sessions have changed is judged again. */
export class MatrixVerdicts {
  private known = new Map<string, RowVerdicts>();
  private readonly waiting = new Map<string, Job>();
  private isJudging = false;

  /**
   * What is known of each cell of these rows, undefined where there is nothing to judge: a baseline, or runs that are still missing. A verdict that
   * follows every run as it comes would be one that somebody can wait for. Begins to judge what is not known; forgets other rows.
   */
  of(rows: readonly GridRow[]): readonly (readonly (MatrixVerdict | undefined)[])[] {
    const wanted = new Map<string, RowVerdicts>();
    this.waiting.clear();
    const answer = rows.map((row) => {
      const places = judgedPlaces(row);
      if (places.length === 0) return row.cells.map(() => undefined);
      const key = keyOf(row, places);
      const known = this.known.get(key);
      if (known === undefined) this.waiting.set(key, { row, places });
      else wanted.set(key, known);
      return row.cells.map((_, at) => (places.includes(at) ? (known?.get(at) ?? pending) : undefined));
    });
    this.known = wanted;
    if (!this.isJudging) void this.judge();
    return answer;
  }

  private async judge(): Promise<void> {
    this.isJudging = true;
    for (const [key, job] of this.waiting) {
      this.waiting.delete(key);
      this.known.set(key, await verdictsOf(job));
      // Whoever is traced meanwhile gets a turn.
      await nextTurn();
    }
    this.isJudging = false;
  }
}

/** Candidates that have all their runs, where the baseline has. */
function judgedPlaces({ plan, cells }: GridRow): readonly number[] {
  const isFull = (cell: GridCell | undefined): boolean => cell?.runCount === plan.runCount;
  return isFull(cells[0]) ? cells.flatMap((cell, at) => (at > 0 && isFull(cell) ? [at] : [])) : [];
}

/** A journal that has grown, or another session under the same id, is another one. */
function keyOf({ cells }: GridRow, places: readonly number[]): string {
  const facts = [0, ...places].map((at) => [
    cells[at]?.kernel,
    cells[at]?.runs.map(({ folder, manifest: { createdAtMs, held } }) => [folder, createdAtMs, held.journalBytes]),
  ]);
  return JSON.stringify(facts);
}

/** As `lab compare --matrix` judges the row: all its candidates in one comparison. */
async function verdictsOf({ row: { cells }, places }: Job): Promise<RowVerdicts> {
  const titles = kernelTitles(cells.map(({ kernel }) => kernel));
  const baseline = await runsOf(cells[0]);
  if (!baseline.ok) return new Map(places.map((at) => [at, failed(baseline.error)]));
  const verdicts = new Map<number, MatrixVerdict>();
  const candidates: { readonly at: number; readonly title: string; readonly runs: readonly ComparedRun[] }[] = [];
  for (const at of places) {
    const runs = await runsOf(cells[at]);
    if (runs.ok) candidates.push({ at, title: titles[at] ?? '', runs: runs.value });
    else verdicts.set(at, failed(runs.error));
  }
  const compared = compareSides({ title: titles[0] ?? '', runs: baseline.value }, candidates);
  for (const [place, { verdict, sentence }] of compared.candidates.entries()) {
    const at = candidates[place]?.at;
    if (at !== undefined) verdicts.set(at, { kind: 'judged', verdict, sentence });
  }
  return verdicts;
}

async function runsOf(cell: GridCell | undefined): Promise<Result<readonly ComparedRun[], Refusal>> {
  const runs: ComparedRun[] = [];
  for (const session of cell?.runs ?? []) {
    const run = await readOne(session);
    if (!run.ok) return run;
    runs.push(run.value);
  }
  return ok(runs);
}

/** It may have been removed since it was listed. */
async function readOne(session: GridCell['runs'][number]): Promise<Result<ComparedRun, Refusal>> {
  try {
    return await readRun(session);
  } catch (error) {
    const message = `session ${session.manifest.id}: ${error instanceof Error ? error.message : String(error)}`;
    return err({ kind: 'session-unreadable', message, remedy: 'Remove it, and make that run again.' });
  }
}

function failed({ message, remedy }: Refusal): MatrixVerdict {
  return { kind: 'failed', message, remedy };
}
