/** The matrix of comparisons as a table: how far each cell is, its verdict, and the comparison that a press on it opens. */
import {
  formatBytes,
  formatExact,
  formatPlural,
  type LabMatrix,
  type MatrixCell,
  type Problem,
  type Verdict,
  verdictSigns,
  verdictsWorstFirst,
  verdictWords,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { isMatrixShown } from './matrix-store.ts';
import type { PageState } from './page-state.ts';
import { partsOf } from './select-compare.ts';
import { type TableData, tableOf } from './table-data.ts';

/** The sides of a cell's comparison. */
type Sides = Pick<PageState, 'baseline' | 'candidate' | 'pick'>;

/** One workload in one kernel. */
export type MatrixCellView = {
  readonly kernel: string;
  readonly state: 'missing' | 'partly' | 'full';
  /** "3 of 10 runs". */
  readonly runs: string;
  readonly share: number;
  /** What came of it, as a sign and a word: a verdict, or why there is none. */
  readonly sign: string;
  readonly word: string;
  readonly verdict: Verdict | undefined;
  readonly remarkCount: number;
  /** All of it, for those who point at it and for readers of the screen. */
  readonly spoken: string;
  /** What a press opens; undefined where there is nothing to compare yet. */
  readonly opens: Sides | undefined;
};

/** The whole matrix, ready to be drawn. */
export type MatrixView = {
  readonly file: string;
  /** How far it is, in one sentence. */
  readonly sentence: string;
  /** Makes what is missing; undefined where nothing is. */
  readonly command: string | undefined;
  /** The first is the baseline. */
  readonly kernels: readonly string[];
  readonly rows: readonly { readonly title: string; readonly cells: readonly MatrixCellView[] }[];
  /** What is said of sessions that no cell has, and of runs that are not counted or spoil a verdict, cell by cell. */
  readonly remarks: readonly { readonly where: string; readonly notes: readonly string[] }[];
  readonly table: TableData;
};

/** What the page shows of it; undefined where it shows none: sides are chosen, or this server has no matrix. */
export type MatrixPage =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly problem: Problem }
  | { readonly kind: 'ready'; readonly view: MatrixView };

/** The matrix of the address. */
export function selectMatrix({ app: { matrix }, page }: Shown): MatrixPage | undefined {
  if (!isMatrixShown(page)) return undefined;
  if (matrix?.kind === 'ready') return { kind: 'ready', view: matrixView(matrix.value) };
  if (matrix?.kind !== 'failed') return { kind: 'loading' };
  return matrix.problem.error === 'not-found' ? undefined : matrix;
}

/** All of it. */
export function matrixView(matrix: LabMatrix): MatrixView {
  const { file, kernels, runCount } = matrix;
  const rows = matrix.rows.map((row) => ({
    title: titleOf(row),
    cells: row.cells.map((cell, at) => cellView(cell, { matrix, row, at })),
  }));
  const madeCount = sum(matrix.rows.flatMap(({ cells }) => cells.map((cell) => Math.min(cell.runCount, runCount))));
  const isWhole = madeCount === wantedOf(matrix);
  return {
    file,
    sentence: sentenceOf(matrix, madeCount),
    command: isWhole ? undefined : matrix.command,
    kernels,
    rows,
    remarks: [
      ...(matrix.notes.length === 0 ? [] : [{ where: 'the store', notes: matrix.notes }]),
      ...matrix.rows.flatMap((row) =>
        row.cells.flatMap(({ notes }, at) =>
          notes.length === 0 ? [] : [{ where: `${titleOf(row)}, ${kernels[at] ?? ''}`, notes }],
        ),
      ),
    ],
    table: tableOf(
      [['workload'], ...kernels.map((kernel) => [kernel] as const)],
      rows.map(({ title, cells }) => [
        title,
        [title, ...cells.map(({ runs, word }) => (word === '' ? runs : `${runs}, ${word}`))],
      ]),
    ),
  };
}

type Row = LabMatrix['rows'][number];
type Place = { readonly matrix: LabMatrix; readonly row: Row; readonly at: number };

function cellView(cell: MatrixCell, place: Place): MatrixCellView {
  const { matrix, row, at } = place;
  const kernel = matrix.kernels[at] ?? '';
  const { runCount, notes } = cell;
  const state = stateOf(runCount, matrix.runCount);
  const runs = `${formatExact(runCount)} of ${formatPlural(matrix.runCount, 'run')}`;
  const { sign, word, verdict, spoken } = outcomeOf(cell, state, place);
  const remarks = notes.length === 0 ? '' : ` ${formatPlural(notes.length, 'remark')} below.`;
  return {
    ...{ kernel, state, runs, sign, word, verdict },
    share: Math.min(1, runCount / matrix.runCount),
    remarkCount: notes.length,
    spoken: `${titleOf(row)} in ${kernel}: ${runs}. ${spoken}${remarks}`,
    opens: sidesOf(place),
  };
}

function stateOf(runCount: number, wanted: number): MatrixCellView['state'] {
  if (runCount === 0) return 'missing';
  return runCount < wanted ? 'partly' : 'full';
}

type Outcome = Pick<MatrixCellView, 'sign' | 'word' | 'verdict' | 'spoken'>;

function outcomeOf({ verdict }: MatrixCell, state: MatrixCellView['state'], { matrix, row, at }: Place): Outcome {
  const none = { sign: '', verdict: undefined };
  if (state === 'missing') return { ...none, sign: '—', word: 'missing', spoken: 'No run is recorded.' };
  if (at === 0) return { ...none, word: 'baseline', spoken: 'The baseline.' };
  if (verdict?.kind === 'pending') return { ...none, sign: '…', word: 'judging', spoken: 'The verdict is being made.' };
  if (verdict?.kind === 'failed')
    return { ...none, sign: '✕', word: 'unreadable', spoken: `${verdict.message} ${verdict.remedy}` };
  if (verdict?.kind === 'judged') {
    const { verdict: own, sentence } = verdict;
    return { verdict: own, sign: verdictSigns[own], word: verdictWords[own], spoken: sentence };
  }
  const isBaselineFull = (row.cells[0]?.runCount ?? 0) >= matrix.runCount;
  const word = state === 'full' && !isBaselineFull ? 'baseline incomplete' : 'incomplete';
  return { ...none, word, spoken: 'There is a verdict once the baseline and this kernel have all their runs.' };
}

/**
 * What is compared behind a cell: where there is a verdict, all kernels that have one, so that it is the same one; otherwise the baseline and this
 * kernel as far as they are. Behind the baseline all that can be compared with it.
 */
function sidesOf({ row: { cells }, at }: Place): Sides | undefined {
  const [baseline, ...candidates] = cells;
  if (baseline?.word === undefined) return undefined;
  const judged = candidates.filter(({ verdict }) => verdict !== undefined);
  const started = candidates.filter(({ word }) => word !== undefined);
  const own = cells[at];
  const whole = judged.length > 0 ? judged : started;
  const beside = at === 0 || own?.verdict !== undefined ? whole : [own];
  const words = beside.flatMap((cell) => (cell?.word === undefined ? [] : [cell.word]));
  if (words.length < beside.length || words.length === 0) return undefined;
  const pick = beside.indexOf(own) + 1;
  return { baseline: partsOf(baseline.word), candidate: words, pick: pick > 1 ? pick : undefined };
}

function titleOf({ workload, barBytes, isMisaligned }: Row): string {
  return `${workload} · ${formatBytes(barBytes)}${isMisaligned ? ' · misaligned' : ''}`;
}

function wantedOf({ rows, runCount }: LabMatrix): number {
  return runCount * sum(rows.map(({ cells }) => cells.length));
}

function sentenceOf(matrix: LabMatrix, madeCount: number): string {
  const wanted = wantedOf(matrix);
  const verdicts = matrix.rows.flatMap(({ cells }) => cells.map(({ verdict }) => verdict));
  const pending = verdicts.filter((one) => one?.kind === 'pending').length;
  const groups = verdictsWorstFirst.flatMap((word) => {
    const count = verdicts.filter((one) => one?.kind === 'judged' && one.verdict === word).length;
    return count === 0 ? [] : [`${formatExact(count)} × ${verdictWords[word]}`];
  });
  const all = [...groups, ...(pending === 0 ? [] : [`${formatExact(pending)} × being judged`])];
  const runs =
    madeCount === wanted
      ? `All ${formatPlural(wanted, 'run')} are recorded`
      : `${formatExact(madeCount)} of ${formatPlural(wanted, 'run')} ${madeCount === 1 ? 'is' : 'are'} recorded, ${formatExact(wanted - madeCount)} missing`;
  return `${runs}.${all.length === 0 ? '' : ` Verdicts: ${all.join(', ')}.`}`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, one) => all + one, 0);
}
