/** One side of a comparison as the page draws it: its runs, and what they add up to on the fault path. */
import {
  assertionOf,
  type ComparedSideView,
  type ComparedRun,
  err,
  faultPathOf,
  type GatheredRun,
  gatheredSession,
  ok,
  pathOfOne,
  type Result,
  type Side,
  type TargetView,
} from '@faultline/shared';
import type { LiveFigures } from '../sessions/live-figures.ts';
import type { RecordedFigures } from '../sessions/recorded-figures.ts';
import type { Refusal } from '../sessions/refusal.ts';
import { readRecorded, type RecordedFolder } from './recorded-run.ts';

/** A side for the method and for the eye. */
export type ComparedSide = { readonly side: Side; readonly view: ComparedSideView };

/** Whose totals the path and the assertion are made of; of the others nothing is kept. */
const pathProbes: readonly string[] = ['vfio-fault', 'pfn-remap', 'pfn-insert', 'dma-map', 'lock-assert'];

/** Reads the sessions of a side one after the other, live ones as of readRecorded. Error: there is none, or one can't be read. */
export async function readComparedSide(
  folders: readonly RecordedFolder[],
  title: string,
  live?: LiveFigures,
): Promise<Result<ComparedSide, Refusal>> {
  const [first] = folders;
  if (first === undefined)
    return err({ kind: 'unknown-session', message: `no session is ${title}`, remedy: 'Record a run of it first.' });
  const runs: ComparedRun[] = [];
  const gathered: GatheredRun[] = [];
  for (const one of folders) {
    const read = await readRecorded(one, live);
    if (!read.ok) return read;
    runs.push(read.value.run);
    gathered.push(...pathRuns(read.value.figures));
  }
  return ok({ side: { title, runs }, view: viewOf({ title, runs }, gathered, first.manifest.target) });
}

function pathRuns(figures: RecordedFigures): readonly GatheredRun[] {
  return figures.runs
    .filter(({ run }) => pathProbes.includes(run.view.probe))
    .map((one, index) => {
      const { cells, totals } = one.totalsOf(index);
      return { run: one.run, cells, totals };
    });
}

function viewOf({ title, runs }: Side, gathered: readonly GatheredRun[], target: TargetView): ComparedSideView {
  const session = gatheredSession(target, gathered);
  const path = faultPathOf(session, '30s');
  const [first] = runs;
  return {
    title,
    ...(first?.era === undefined ? {} : { era: first.era }),
    ...(first?.identity?.release === undefined ? {} : { release: first.identity.release }),
    ...(first?.work === undefined ? {} : { work: first.work }),
    isEmulated: runs.some(({ accelerator, identity }) => accelerator === 'tcg' || identity?.isEmulated === true),
    runs: runs.map(({ id, build, startedAtMs, runNumber, durationSec }) => ({
      ...{ id, build, startedAtMs, durationSec },
      ...(runNumber === undefined ? {} : { runNumber }),
    })),
    ...(path === undefined ? {} : { path: pathOfOne(path, runs.length) }),
    assertion: assertionOf(session),
  };
}
