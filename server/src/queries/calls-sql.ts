/** A question about calls as SQL. Names of columns come out of the session's manifest, values go in as parameters. */
import {
  callsColumns,
  type CallsColumn,
  type CallsCountsQuery,
  type CallsOperator,
  callsOperators,
  type CallsQuery,
  callsRowsDefault,
  callsRowsMax,
  err,
  ok,
  type Result,
  type SessionManifest,
} from '@faultline/shared';

/** A statement with its parameters, $1 first: the path of the table. */
export type Statement = { readonly sql: string; readonly values: readonly (string | number)[] };

/** What is wrong with a question. */
export type QuestionError = { readonly message: string; readonly remedy: string };

type Selection = Pick<CallsQuery, 'run' | 'fromMs' | 'toMs' | 'text' | 'filter'>;

const from = 'FROM read_parquet($1, file_row_number = true)';

/** The statements for one page of calls, and for how many there are. */
export function callsStatements(
  manifest: SessionManifest,
  path: string,
  query: CallsQuery,
): Result<{ readonly total: Statement; readonly rows: Statement }, QuestionError> {
  const columns = callsColumns(manifest);
  const where = whereOf(columns, path, query);
  if (!where.ok) return where;
  const limit = limitOf(query.limit);
  if (!limit.ok) return limit;
  const order = orderOf(columns, query.order);
  if (!order.ok) return order;
  const { sql: condition, values } = where.value;
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const page = `LIMIT ${limit.value} OFFSET ${Number(query.offset ?? 0)}`;
  return ok({
    total: { sql: `SELECT count(*)::DOUBLE ${from} ${condition}`, values },
    rows: { sql: `SELECT ${names} ${from} ${condition} ORDER BY ${order.value}file_row_number ${page}`, values },
  });
}

/** The statements for how often each value of a column occurs. */
export function countsStatements(
  manifest: SessionManifest,
  path: string,
  query: CallsCountsQuery,
): Result<{ readonly total: Statement; readonly groups: Statement }, QuestionError> {
  const columns = callsColumns(manifest);
  const where = whereOf(columns, path, query);
  if (!where.ok) return where;
  const limit = limitOf(query.limit);
  if (!limit.ok) return limit;
  const by = columnOf(columns, query.by);
  if (!by.ok) return by;
  const { sql: condition, values } = where.value;
  const name = quoted(by.value.name);
  const grouped = `SELECT ${name}, count(*)::DOUBLE ${from} ${condition} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${limit.value}`;
  const distinct = `(SELECT count(*)::DOUBLE FROM (SELECT DISTINCT ${name} ${from} ${condition}))`;
  return ok({
    total: { sql: `SELECT count(*)::DOUBLE, ${distinct} ${from} ${condition}`, values },
    groups: { sql: grouped, values },
  });
}

/** The condition of a selection; its parameters begin with the table's path. Errors: no such column; an operator that does not fit it. */
export function whereOf(
  columns: readonly CallsColumn[],
  path: string,
  query: Selection,
): Result<Statement, QuestionError> {
  const values: (string | number)[] = [path];
  const parameter = (value: string | number): string => `$${values.push(value)}`;
  const conditions: string[] = [];
  if (query.run !== undefined) conditions.push(`"run" = ${parameter(Number(query.run))}`);
  if (query.fromMs !== undefined) conditions.push(`"atMs" >= ${parameter(Number(query.fromMs))}`);
  if (query.toMs !== undefined) conditions.push(`"atMs" < ${parameter(Number(query.toMs))}`);
  if (query.text !== undefined) {
    const place = parameter(query.text);
    const texts = columns.filter(({ type }) => type === 'text').map(({ name }) => holds(name, place));
    conditions.push(texts.length === 0 ? 'false' : `(${texts.join(' OR ')})`);
  }
  const filters = query.filter === undefined ? [] : [query.filter].flat();
  for (const filter of filters) {
    const condition = filterOf(columns, filter, parameter);
    if (!condition.ok) return condition;
    conditions.push(condition.value);
  }
  return ok({ sql: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values });
}

/** `column:operator:value`; a value may hold colons. */
function filterOf(
  columns: readonly CallsColumn[],
  filter: string,
  parameter: (value: string | number) => string,
): Result<string, QuestionError> {
  const [, name = '', word = '', value = ''] = /^([^:]*):([^:]*):(.*)$/s.exec(filter) ?? [];
  const column = columnOf(columns, name);
  if (!column.ok) return column;
  const operator = callsOperators.find((one) => one === word);
  const { type } = column.value;
  const fitting = type === 'text' ? textOperators : numberOperators;
  if (operator === undefined || !fitting.has(operator)) {
    const remedy = `A column of ${type}s has: ${[...fitting.keys()].join(', ')}.`;
    return err({ message: `${JSON.stringify(filter)}: ${JSON.stringify(word)} does not compare ${name}`, remedy });
  }
  if (operator === 'has') return ok(holds(name, parameter(value)));
  const number = /^-?[0-9]{1,17}(?:\.[0-9]{1,9})?$/.test(value) ? Number(value) : Number.NaN;
  if (type === 'number' && Number.isNaN(number))
    return err({ message: `${JSON.stringify(filter)}: ${name} is compared with a number`, remedy: 'Give one.' });
  const sign = fitting.get(operator) ?? '=';
  return ok(`${quoted(name)} ${sign} ${parameter(type === 'number' ? number : value)}`);
}

const textOperators: ReadonlyMap<CallsOperator, string> = new Map([
  ['eq', '='],
  // What is absent is not that value either.
  ['ne', 'IS DISTINCT FROM'],
  ['has', ''],
]);
const numberOperators: ReadonlyMap<CallsOperator, string> = new Map([
  ['eq', '='],
  ['ne', 'IS DISTINCT FROM'],
  ['lt', '<'],
  ['le', '<='],
  ['gt', '>'],
  ['ge', '>='],
]);

function holds(name: string, place: string): string {
  return `coalesce(contains(lower(${quoted(name)}), lower(${place})), false)`;
}

function orderOf(columns: readonly CallsColumn[], order: string | undefined): Result<string, QuestionError> {
  if (order === undefined) return ok('');
  const isDown = order.startsWith('-');
  const column = columnOf(columns, isDown ? order.slice(1) : order);
  return column.ok ? ok(`${quoted(column.value.name)} ${isDown ? 'DESC' : 'ASC'} NULLS LAST, `) : column;
}

function limitOf(limit: string | undefined): Result<number, QuestionError> {
  const rows = limit === undefined ? callsRowsDefault : Number(limit);
  if (rows <= callsRowsMax) return ok(rows);
  return err({
    message: `limit is ${rows}`,
    remedy: `At most ${callsRowsMax} rows come in one answer; ask for the next with offset.`,
  });
}

/** The column of a name. Error: there is none. */
export function columnOf(columns: readonly CallsColumn[], name: string): Result<CallsColumn, QuestionError> {
  const column = columns.find((one) => one.name === name);
  if (column !== undefined) return ok(column);
  const remedy = `It has: ${columns.map((one) => one.name).join(', ')}.`;
  return err({ message: `there is no column ${JSON.stringify(name)} in this session`, remedy });
}

/** A name as SQL takes it, whatever it holds. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
