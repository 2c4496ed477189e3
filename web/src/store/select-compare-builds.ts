/** A baseline and many candidates as one table, a column a build. */
import {
  type Comparison,
  formatBrief,
  formatTest,
  noValue,
  overviewOf,
  verdictSigns,
  type Verdict,
  verdictWords,
} from '@faultline/shared';
import { type TableData, tableOf } from './table-data.ts';

/** The table, ready to be drawn. */
export type BuildsView = {
  readonly baseline: string;
  readonly builds: readonly { readonly title: string; readonly verdict: Verdict }[];
  readonly rows: readonly {
    readonly id: string;
    readonly title: string;
    readonly decides: boolean;
    readonly baseline: string;
    readonly cells: readonly {
      readonly build: string;
      readonly words: string;
      /** Undefined where the build has no such row. */
      readonly verdict: Verdict | undefined;
      /** The whole of it, for those who point at it. */
      readonly exact: string;
    }[];
  }[];
};

/** All candidates. */
export function buildsOf(comparison: Comparison): BuildsView {
  const builds = comparison.candidates.map(({ title, verdict }) => ({ title, verdict }));
  const rows = overviewOf(comparison).map(({ metric, baseline, cells }) => ({
    ...{ id: metric.id, title: metric.title, decides: metric.decides, baseline },
    cells: builds.map(({ title: build }, at) => {
      const row = cells[at];
      if (row === undefined) return { build, words: noValue, verdict: undefined, exact: `${build}: nothing` };
      const why = row.why === undefined ? '' : ` (${row.why})`;
      const exact = `${build}: ${[formatTest(row), verdictWords[row.verdict]].filter((part) => part !== '').join(', ')}${why}`;
      return { build, words: formatBrief(row), verdict: row.verdict, exact };
    }),
  }));
  return { baseline: comparison.baseline.title, builds, rows };
}

/** The same to be copied. */
export function buildsTable({ baseline, builds, rows }: BuildsView): TableData {
  return tableOf(
    [['metric'], ...[baseline, ...builds.map(({ title }) => title)].map((title) => [title, 'end'] as const)],
    rows.map((row) => [
      row.id,
      [
        row.title,
        row.baseline,
        ...row.cells.map(({ words, verdict }) => (verdict === undefined ? words : `${words} ${verdictSigns[verdict]}`)),
      ],
    ]),
  );
}
