/** What comparing recorded runs takes: two builds, ten runs each of a million faults, from the sessions on disk to the verdict. */
import { compareSides } from '../../shared/src/index.ts';
import { chooseRuns } from '../../server/src/compare/choose-runs.ts';
import { readRuns } from '../../server/src/cli/compare.ts';
import { realProbes, recordFaultRun } from '../../server/test/fakes/recorded-fault-runs.ts';
import { openTempStore } from '../../server/test/fakes/temp-store.ts';
import { type BenchLine, median } from './bench-line.ts';
import { timeComparePage } from './compare-page.ts';

const runCount = 10;
const boundMs = 1_000;
const pageBoundMs = 2_000;

/** Records the runs, then compares them `repetitions` times; the middle time counts. */
export async function benchCompare(repetitions: number): Promise<readonly BenchLine[]> {
  await using temp = await openTempStore();
  const probes = await realProbes();
  for (const [kernel, level] of [
    ['6.1', 20_000],
    ['6.12', 19_000],
  ] as const) {
    for (let number = 1; number <= runCount; number += 1) {
      const faultNs = Math.round(level * (1 + 0.01 * (number % 5)));
      const run = { kernel, number, faults: 1_000_000, faultNs, violations: 0, bucketCount: 400 };
      const id = await recordFaultRun(temp, probes, run);
      // The clock of these runs is of 1970: a server would take them for too old to keep.
      temp.store.library.edit(id, () => ({ isPinned: true }));
    }
  }
  const took: number[] = [];
  for (let at = 0; at < repetitions; at += 1) {
    const beganMs = performance.now();
    const sides = [];
    for (const title of ['6.1', '6.12']) {
      const chosen = chooseRuns([`build:${title}`], temp.store.library);
      const runs = chosen.ok ? await readRuns(chosen.value) : chosen;
      if (!runs.ok) throw new Error(runs.error.message);
      sides.push({ title, runs: runs.value });
    }
    const [baseline, ...candidates] = sides;
    if (baseline === undefined) throw new Error('there is a baseline');
    compareSides(baseline, candidates);
    took.push(performance.now() - beganMs);
  }
  const figure = median(took);
  const note = 'faults in 400 buckets a run, as a tally records them; from the journals to the verdict';
  const bound = { bound: `≤ ${boundMs} ms`, isWithinBound: figure <= boundMs };
  const pageMs = await timeComparePage(temp.folder, 'baseline=build:6.1&candidate=build:6.12', repetitions);
  return [
    { name: 'compare 2 × 10 runs of 1M events', figure, unit: 'ms', ...bound, note },
    {
      name: 'the page draws that comparison: verdict, panels and heatmap',
      ...{ figure: pageMs, unit: 'ms', bound: `≤ ${pageBoundMs} ms`, isWithinBound: pageMs <= pageBoundMs },
    },
  ];
}
