/** The two tables that are made of a closed session: its calls, and the changes of its counters. */
import type { Unit } from './probe-manifest.ts';
import type { SessionManifest } from './session-file.ts';
import { columnName, dimensionsOf, type RowColumn } from './session-table.ts';

/** A column of the calls; title and unit where the stream's manifest says them. */
export type CallsColumn = RowColumn & { readonly title?: string; readonly unit?: Unit };

type Runs = Pick<SessionManifest, 'runs'>;

/** Where a call is from: the run's index, the tick, and the tick's time by the server's wall clock, epoch ms. */
const callsFixed: readonly CallsColumn[] = [
  { name: 'run', type: 'number' },
  { name: 'tick', type: 'number' },
  { name: 'atMs', type: 'number' },
];

/** Columns of calls.parquet: the fixed ones, then those of all streams; what two streams call the same is one column. */
export function callsColumns({ runs }: Runs): readonly CallsColumn[] {
  const columns = new Map<string, CallsColumn>();
  for (const { name: given, type, values, title, unit } of runs.flatMap(({ stream }) => stream.columns)) {
    const name = columnName(given);
    const isText = type === 'text' || values !== undefined || columns.get(name)?.type === 'text';
    columns.set(name, { title, unit, ...columns.get(name), name, type: isText ? 'text' : 'number' });
  }
  return [...callsFixed, ...columns.values()];
}

/** What a counter's change is: its run and tick, the kernel time in which it happened, the metric and the difference. */
const countersFixed: readonly RowColumn[] = [
  ...callsFixed,
  { name: 'fromNs', type: 'number' },
  { name: 'toNs', type: 'number' },
  { name: 'metric', type: 'text' },
  { name: 'value', type: 'number' },
];

/** Columns of counters.parquet: the fixed ones, then the dimensions of all metrics. */
export function countersColumns({ runs }: Runs): readonly RowColumn[] {
  const types = new Map<string, RowColumn['type']>();
  for (const { name, type } of runs.flatMap(({ stream }) => stream.maps).flatMap(dimensionsOf)) {
    const column = columnName(name);
    types.set(column, types.get(column) === 'text' ? 'text' : type);
  }
  return [...countersFixed, ...[...types].map(([name, type]) => ({ name, type }))];
}
