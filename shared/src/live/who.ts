/** Who does it: figures by process, for a table whose cells hold bars. */
import type { CellEntry } from '../protocol.ts';
import { type LatencySpan, spanSums } from './latency.ts';
import { type CellFilter, type Source, cellFits, processDimension } from './source.ts';

/** A column of the table: sums of a metric over the cells for which `counts` holds. */
export type WhoColumn = {
  readonly name: string;
  readonly metric: string;
  readonly sources: readonly Source[];
  readonly counts: (entry: CellEntry) => boolean;
};

/** One process; `values` in the order of the columns, undefined where no run measures the column. */
export type WhoRow = { readonly process: string; readonly values: readonly (number | undefined)[] };

/** Rows by process, sorted by the column `sortBy` (or the first one measured), the largest first, then by name; the totals of all processes beside. */
export function whoTable(
  columns: readonly WhoColumn[],
  question: { readonly filter: CellFilter; readonly span: LatencySpan; readonly sortBy: number },
): { readonly rows: readonly WhoRow[]; readonly totals: readonly (number | undefined)[] } {
  const sums = new Map<string, number[]>();
  // Columns of one run share its sums: adding up a window is the costly part.
  const known = new Map<Float64Array, Float64Array>();
  const sumsOf = (source: Source): Float64Array => {
    const found = known.get(source.totals) ?? spanSums(source, question.span);
    known.set(source.totals, found);
    return found;
  };
  for (const [index, column] of columns.entries()) {
    for (const source of column.sources)
      addColumn(sums, {
        index,
        columnCount: columns.length,
        column,
        source,
        sums: sumsOf(source),
        filter: question.filter,
      });
  }
  const measured = columns.map(({ metric, sources }) =>
    sources.some(({ cells }) => cells.some((entry) => entry?.metric === metric)),
  );
  const rows = [...sums]
    .filter(([, values]) => values.some((value) => value > 0))
    .map(([process, values]) => ({
      process,
      values: values.map((value, index) => (measured[index] === true ? value : undefined)),
    }));
  const sortBy = measured[question.sortBy] === true ? question.sortBy : Math.max(0, measured.indexOf(true));
  const by = (row: WhoRow): number => row.values[sortBy] ?? 0;
  const totals = columns.map((_, index) =>
    measured[index] === true ? rows.reduce((sum, row) => sum + (row.values[index] ?? 0), 0) : undefined,
  );
  return {
    rows: rows.toSorted((left, right) => by(right) - by(left) || (left.process < right.process ? -1 : 1)),
    totals,
  };
}

function addColumn(
  sums: Map<string, number[]>,
  part: {
    readonly index: number;
    readonly columnCount: number;
    readonly column: WhoColumn;
    readonly source: Source;
    readonly filter: CellFilter;
    readonly sums: Float64Array;
  },
): void {
  const { column, source, index } = part;
  for (const [cell, entry] of source.cells.entries()) {
    const value = part.sums[cell] ?? 0;
    if (value === 0 || !cellFits(entry, column.metric, part.filter) || !column.counts(entry)) continue;
    const process = entry.dims[processDimension];
    if (typeof process !== 'string') continue;
    const row = sums.get(process) ?? Array.from({ length: part.columnCount }, () => 0);
    row[index] = (row[index] ?? 0) + value;
    sums.set(process, row);
  }
}
