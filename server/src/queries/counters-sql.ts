/** A question about a metric over time as SQL over counters.parquet. Names come out of the manifest, values go in as parameters. */
import {
  type CountersQuery,
  countersBinsDefault,
  countersBinsMax,
  countersColumns,
  countersGroupsDefault,
  countersGroupsMax,
  err,
  ok,
  type Result,
  type SessionManifest,
} from '@faultline/shared';
import { columnOf, type QuestionError, quoted, type Statement, whereOf } from './calls-sql.ts';

/** The bins of an answer. */
export type Bins = { readonly fromMs: number; readonly binMs: number; readonly binCount: number };

/** What a question comes down to. */
export type CountersQuestion = {
  /** One row: the sum of all, the first and the last instant, how many groups. */
  readonly extent: Statement;
  /** Rows of group, bin and sum, of the groups with the largest sums, these first. */
  readonly bins: (bins: Bins) => Statement;
};

/** Errors: no such metric, dimension or column; more groups than an answer holds. */
export function countersQuestion(
  manifest: SessionManifest,
  path: string,
  query: CountersQuery,
): Result<CountersQuestion, QuestionError> {
  const columns = countersColumns(manifest);
  const metrics = new Set(manifest.runs.flatMap(({ stream }) => stream.maps).map(({ metric }) => metric));
  if (!metrics.has(query.metric)) {
    const message = `this session has no metric ${JSON.stringify(query.metric)}`;
    return err({ message, remedy: `It has: ${[...metrics].join(', ')}.` });
  }
  const limit = query.limit === undefined ? countersGroupsDefault : Number(query.limit);
  if (limit > countersGroupsMax || limit < 1) {
    const remedy = `An answer has 1 to ${countersGroupsMax} groups; filter for the others.`;
    return err({ message: `limit is ${limit}`, remedy });
  }
  const where = whereOf(columns, path, {
    ...query,
    filter: [`metric:eq:${query.metric}`, ...[query.filter ?? []].flat()],
  });
  if (!where.ok) return where;
  const by = query.by === undefined ? undefined : columnOf(columns, query.by);
  if (by?.ok === false) return by;
  const group = by === undefined ? 'NULL' : quoted(by.value.name);
  const { sql: condition, values } = where.value;
  const rows = `FROM read_parquet($1) ${condition}`;
  const extent = `SELECT sum("value")::DOUBLE, min("atMs"), max("atMs"), (SELECT count(*)::DOUBLE FROM (SELECT DISTINCT ${group} ${rows})) ${rows}`;
  return ok({
    extent: { sql: extent, values },
    bins: ({ fromMs, binMs }) => {
      const place = (offset: number): string => `$${values.length + offset}`;
      const bin = `floor(("atMs" - ${place(1)}) / ${place(2)})::DOUBLE`;
      const sums = `SELECT ${group} AS g, ${bin} AS b, sum("value")::DOUBLE AS s ${rows} GROUP BY 1, 2`;
      const top = `SELECT g, sum(s) AS t FROM sums GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${limit}`;
      const sql = `WITH sums AS (${sums}), top AS (${top}) SELECT sums.g, b, s FROM sums JOIN top ON sums.g IS NOT DISTINCT FROM top.g ORDER BY t DESC, sums.g, b`;
      return { sql, values: [...values, fromMs, binMs] };
    },
  });
}

/** The bins from the first to the last instant of what is selected. Error: more of them than an answer holds. */
export function binsOf(
  query: CountersQuery,
  extent: { readonly firstMs: number; readonly lastMs: number },
): Result<Bins, QuestionError> {
  const fromMs = query.fromMs === undefined ? extent.firstMs : Number(query.fromMs);
  const toMs = query.toMs === undefined ? extent.lastMs + 1 : Number(query.toMs);
  const spanMs = Math.max(1, toMs - fromMs);
  const binMs = query.binMs === undefined ? Math.max(1, Math.ceil(spanMs / countersBinsDefault)) : Number(query.binMs);
  const binCount = Math.ceil(spanMs / binMs);
  if (binMs >= 1 && binCount <= countersBinsMax) return ok({ fromMs, binMs, binCount });
  return err({
    message: `bins of ${binMs} ms over ${Math.round(spanMs)} ms are too many`,
    remedy: `An answer has at most ${countersBinsMax} bins: give a larger binMs, or a shorter time.`,
  });
}
