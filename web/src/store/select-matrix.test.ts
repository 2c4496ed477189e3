import type { LabMatrix, MatrixCell, MatrixVerdict } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { matrixView } from './select-matrix.ts';

const improved: MatrixVerdict = { kind: 'judged', verdict: 'improved', sentence: 'b against a: improved.' };
const regressed: MatrixVerdict = { kind: 'judged', verdict: 'regressed', sentence: 'c against a: regressed.' };

function cell(kernel: string, runCount: number, verdict?: MatrixVerdict): MatrixCell {
  return {
    runCount,
    notes: [],
    ...(runCount === 0 ? {} : { word: `build:${kernel},series:s-${kernel}` }),
    ...(verdict === undefined ? {} : { verdict }),
  };
}

function matrix(...rows: readonly MatrixCell[][]): LabMatrix {
  return {
    ...{ file: '/m.toml', command: 'faultline lab compare', runCount: 2, kernels: ['a', 'b', 'c'], notes: [] },
    rows: rows.map((cells, at) => ({ workload: 'touch', barBytes: 8 * 1024 ** 2, isMisaligned: at > 0, cells })),
  };
}

const word = (kernel: string): string => `build:${kernel},series:s-${kernel}`;

describe('the matrix on the page', () => {
  it('says how far each cell is, in signs and words', () => {
    const { rows, sentence, command, table } = matrixView(
      matrix([cell('a', 2), cell('b', 2, improved), cell('c', 1)], [cell('a', 1), cell('b', 2), cell('c', 0)]),
    );
    expect(rows.map(({ cells }) => cells.map((one) => [one.state, one.runs, `${one.sign}${one.word}`]))).toEqual([
      [
        ['full', '2 of 2 runs', 'baseline'],
        ['full', '2 of 2 runs', '▼improved'],
        ['partly', '1 of 2 runs', 'incomplete'],
      ],
      [
        ['partly', '1 of 2 runs', 'baseline'],
        ['full', '2 of 2 runs', 'baseline incomplete'],
        ['missing', '0 of 2 runs', '—missing'],
      ],
    ]);
    expect(rows.map(({ title }) => title)).toEqual(['touch · 8 MiB', 'touch · 8 MiB · misaligned']);
    expect(sentence).toBe('8 of 12 runs are recorded, 4 missing. Verdicts: 1 × improved.');
    expect(command).toBe('faultline lab compare');
    expect(table.rows[0]?.cells).toEqual([
      'touch · 8 MiB',
      '2 of 2 runs, baseline',
      '2 of 2 runs, improved',
      '1 of 2 runs, incomplete',
    ]);
  });

  it('opens behind a verdict the very comparison that it is of, with this kernel picked', () => {
    const { rows, sentence, command } = matrixView(
      matrix([cell('a', 2), cell('b', 2, improved), cell('c', 2, regressed)]),
    );
    const sides = { baseline: [word('a')], candidate: [word('b'), word('c')] };
    expect(rows[0]?.cells.map(({ opens }) => opens)).toEqual([
      { ...sides, pick: undefined },
      { ...sides, pick: undefined },
      { ...sides, pick: 2 },
    ]);
    expect(sentence).toBe('All 6 runs are recorded. Verdicts: 1 × regressed, 1 × improved.');
    expect(command).toBeUndefined();
  });

  it('opens what there is of a cell that is not full, alone, and nothing where there is nothing to compare', () => {
    const opened = matrixView(
      matrix([cell('a', 2), cell('b', 2, improved), cell('c', 1)], [cell('a', 0), cell('b', 2), cell('c', 2)]),
    ).rows.map(({ cells }) => cells.map(({ opens }) => opens?.candidate));
    expect(opened).toEqual([
      [[word('b')], [word('b')], [word('c')]],
      [undefined, undefined, undefined],
    ]);
    const alone = matrixView(matrix([cell('a', 2), cell('b', 0), cell('c', 0)])).rows[0];
    expect(alone?.cells.map(({ opens }) => opens)).toEqual([undefined, undefined, undefined]);
  });

  it('takes ids of a baseline apart, as the page keeps them', () => {
    const ids = { runCount: 2, notes: [], word: 'one,two' };
    const { rows } = matrixView(matrix([ids, cell('b', 2, { kind: 'pending' }), cell('c', 0)]));
    expect(rows[0]?.cells[1]).toMatchObject({ sign: '…', word: 'judging', opens: { baseline: ['one', 'two'] } });
  });

  it('tells remarks with the cell that they are about, and a verdict that could not be made', () => {
    const failed: MatrixVerdict = { kind: 'failed', message: 'It is torn.', remedy: 'Remove it.' };
    const { rows, remarks } = matrixView(
      matrix([cell('a', 2), { ...cell('b', 2, failed), notes: ['run 1 is incomplete'] }, cell('c', 0)]),
    );
    expect(remarks).toEqual([{ where: 'touch · 8 MiB, b', notes: ['run 1 is incomplete'] }]);
    const stored = { ...matrix([cell('a', 2), cell('b', 2), cell('c', 0)]), notes: ['1 session can’t be read'] };
    expect(matrixView(stored).remarks).toEqual([{ where: 'the store', notes: ['1 session can’t be read'] }]);
    expect(rows[0]?.cells[1]).toMatchObject({ word: 'unreadable', remarkCount: 1 });
    expect(rows[0]?.cells[1]?.spoken).toBe('touch · 8 MiB in b: 2 of 2 runs. It is torn. Remove it. 1 remark below.');
  });
});
