/** Kernels compared: 6.1 (era A) against 6.12 (era D), each run a session cut out of a guest whose probes stay attached. */
import { readFileSync } from 'node:fs';
import type { CandidateComparison } from '@faultline/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseRuns } from '../../src/compare/choose-runs.ts';
import { readMatrix } from '../../src/lab/matrix.ts';
import { matrixGrid } from '../../src/lab/matrix-grid.ts';
import { faultPathRuns } from '../../src/lab/open-guest.ts';
import { realProbes } from '../fakes/recorded-fault-runs.ts';
import { openTempStore, type TempStore } from '../fakes/temp-store.ts';
import { compareLabSeries, type LabSeriesRequest, runLabSeries } from './lab-series.ts';
import { runProgram } from './run-program.ts';

const kernels = ['6.1', '6.12'];
let temp: TempStore;

beforeAll(async () => {
  temp = await openTempStore({ clock: () => Date.now() });
});

afterAll(() => temp[Symbol.asyncDispose]());

/** From and to of a metric that is the same in every run of a side. */
function exact({ metrics }: CandidateComparison, id: string): readonly number[] {
  const test = metrics.find(({ metric }) => metric.id === id)?.test;
  return test?.kind === 'exact' ? [test.from, test.to] : [];
}

describe('6.1 against 6.12', () => {
  it.each([
    ['touch', false, [1, 32], [1, 0]],
    ['touch', true, [1, 16_384], [1, 0]],
    ['dma-map', false, [1, 32], [1, 0]],
    ['dma-map', true, [1, 16_384], [1, 0]],
  ])(
    '%s, misaligned %s: faults %j and violations %j in every run, and the eras named',
    async (workload, isMisaligned, faults, violations) => {
      const end = await runLabSeries(temp, { kernels, runCount: 3, workload: { workload, isMisaligned } });
      const found = await compareLabSeries(temp, end);
      expect(found.gate.filter(({ level }) => level === 'blocking')).toEqual([]);
      expect(found.gate.map(({ message }) => message)).toContain('era of the fault handler differs: A against D');
      expect(exact(found, 'faults')).toEqual(faults);
      expect(exact(found, 'violations')).toEqual(violations);
      expect(found.metrics.find(({ metric }) => metric.id === 'violations')?.verdict).toBe('improved');
      expect(exact(found, 'remaps')).toEqual([1, 0]);
      expect(exact(found, 'inserts')).toEqual([0, faults[1]]);
      if (workload === 'dma-map') expect(exact(found, 'mapCalls')).toEqual([1, 1]);
    },
  );

  it('fills every cell of lab/matrix.toml with its own runs, and leaves none out', async () => {
    const text = readFileSync(new URL('../../../lab/matrix.toml', import.meta.url), 'utf8');
    const plans = readMatrix(text.replace('runs = 10', 'runs = 3'), '/');
    if (!plans.ok) throw new Error(plans.error.message);
    const sessions = temp.store.library
      .list()
      .flatMap(({ folder, manifest }) => (manifest === undefined ? [] : [{ folder, manifest }]));
    const streams = faultPathRuns((await realProbes()).map(({ manifest }) => manifest));
    const cells = matrixGrid(plans.value, sessions, streams).flatMap((row) => row.cells);
    expect(cells.map(({ kernel, runCount, notes }) => [kernel, runCount, notes])).toEqual(
      Array.from({ length: 4 }, () => kernels.map((kernel) => [kernel, 3, []])).flat(),
    );
    // Each run is in one cell, and none is left.
    expect(new Set(cells.flatMap(({ runs }) => runs.map(({ folder }) => folder))).size).toBe(sessions.length);
    for (const { word, runs } of cells) {
      const chosen = chooseRuns([word ?? ''], temp.store.library);
      expect(chosen.ok ? chosen.value.map(({ folder }) => folder).toSorted() : chosen.error).toEqual(
        runs.map(({ folder }) => folder).toSorted(),
      );
    }
  });

  it('goes on where it was interrupted, and makes no run twice', async () => {
    const request: LabSeriesRequest = { kernels, runCount: 3, workload: { workload: 'sysfs' } };
    const { outcome } = await runLabSeries(temp, request, ({ doneCount }) => doneCount === 2);
    expect(outcome).toMatchObject({ ok: false, error: { kind: 'stopped' } });
    const before = temp.store.library.list().length;
    const { outcome: second, stages } = await runLabSeries(temp, request);
    expect(second.ok).toBe(true);
    expect(stages.find(({ stage }) => stage.includes('run '))?.doneCount).toBe(2);
    expect(temp.store.library.list()).toHaveLength(before + 4);
    const { stages: third } = await runLabSeries(temp, request);
    // Nothing is missing: no kernel is booted.
    expect(third).toEqual([{ stage: 'closing', doneCount: 6, totalCount: 6 }]);
    // Whatever its verdict.
    const words = ['lab', 'compare', '6.1', '6.12', '--workload', 'sysfs', '--runs', '3', '--store', temp.folder];
    const said = await runProgram(words);
    expect(said.err).not.toMatch(/booting|restoring|warming|run 1/);
    expect(said.out).toMatch(/^6\.12 against 6\.1/m);
    expect(temp.store.library.list()).toHaveLength(before + 4);
  });
});
