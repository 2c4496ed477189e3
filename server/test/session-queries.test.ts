import { DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { callsColumns, countersColumns, derivedFiles, ensure, type RowValue } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportParquet } from '../src/exports/parquet.ts';
import { callValue } from '../src/exports/rows.ts';
import { Derivation } from '../src/queries/derivation.ts';
import { SessionQueries } from '../src/queries/session-queries.ts';
import { openExportSource } from '../src/sessions/export-source.ts';
import type { ReadableEntry } from '../src/sessions/library.ts';
import { readFigures } from '../src/sessions/recorded-figures.ts';
import { isDerived, readFinalFigures, readTotals } from '../src/sessions/session-totals.ts';
import { busyProbe } from './fakes/busy-probe.ts';
import { evil, recordStackedSession } from './fakes/stacked-session.ts';
import { busySession, openTempStore, pushBusyTick, recordBusySession, type TempStore } from './fakes/temp-store.ts';
import { until } from './until.ts';

const fixtures = fileURLToPath(new URL('fixtures/format-1', import.meta.url));

let temp: TempStore;
let queries: SessionQueries;

beforeEach(async () => {
  temp = await openTempStore({ derivation: new Derivation() });
  queries = new SessionQueries(temp.folder);
});

afterEach(async () => {
  await queries[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

function entry(id: string): ReadableEntry {
  const found = temp.store.library.findReadable(id);
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}

/** Page faults of a real kernel, recorded in format version 1, and their tables. */
async function pageFaults(): Promise<ReadableEntry> {
  cpSync(join(fixtures, 'page-faults'), join(temp.folder, 'page-faults'), { recursive: true });
  const found = entry('page-faults');
  expect(await queries.prepare(found)).toEqual({ ok: true, value: undefined });
  return found;
}

type Row = Record<string, RowValue>;

/** What the tables must hold, out of the journal. */
async function rowsOfJournal({ manifest, folder, ...rest }: ReadableEntry): Promise<{ calls: Row[]; counters: Row[] }> {
  const blank = (columns: readonly { readonly name: string }[]): Row =>
    Object.fromEntries(columns.map(({ name }) => [name, undefined]));
  const [noCall, noCounter] = [blank(callsColumns(manifest)), blank(countersColumns(manifest))];
  const calls: Row[] = [];
  const counters: Row[] = [];
  const cells = manifest.runs.map((): { metric: string; dims: Row }[] => []);
  const texts = manifest.runs.map((): string[] => []);
  for await (const event of openExportSource({ manifest, folder, ...rest }).events()) {
    for (const slice of event.kind === 'tick' ? event.tick.slices : []) {
      const at = event.kind === 'tick' ? { run: slice.run, tick: event.tick.seq, atMs: event.tick.atMs } : {};
      const { columns } = ensure(manifest.runs[slice.run], 'a run').stream;
      const words = ensure(texts[slice.run], 'a run');
      const known = ensure(cells[slice.run], 'a run');
      words.push(...slice.newTexts);
      known.push(...slice.newCells);
      for (const [place, cell] of slice.cells.entries()) {
        const { metric, dims } = ensure(known[cell], 'a cell');
        const { fromNs, toNs, deltas } = slice;
        counters.push({ ...noCounter, ...at, fromNs, toNs, metric, value: deltas[place], ...dims });
      }
      for (let call = 0; call < slice.callCount; call += 1) {
        const values = columns.map((column, place): [string, RowValue] => [
          column.name,
          callValue(column, slice.calls[place]?.[call] ?? 0, words),
        ]);
        const row: Row = { ...noCall, ...at };
        for (const [name, value] of values) row[name] = value;
        calls.push(row);
      }
    }
  }
  return { calls, counters };
}

async function rowsByDuckDb(path: string): Promise<Row[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await connection.runAndReadAll('SELECT * FROM read_parquet($1)', [path]);
  const rows = reader.getRowObjectsJS();
  connection.closeSync();
  return rows.map(withoutNull);
}

async function rowsByHyparquet(path: string): Promise<Row[]> {
  const file = await asyncBufferFromFile(path);
  const compressors = { ZSTD: (packed: Uint8Array) => zstdDecompressSync(packed) };
  return (await parquetReadObjects({ file, compressors })).map(withoutNull);
}

function withoutNull(row: Readonly<Record<string, unknown>>): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'string' || typeof value === 'number' ? value : undefined,
    ]),
  );
}

describe('the files of a closed session', () => {
  it('are made on closing, with totals that are those of the journal', async () => {
    await recordStackedSession(temp);
    await until(() => isDerived(entry('s')));
    const { figures, damage } = await readFinalFigures(entry('s'));
    const { figures: read } = await readFigures(join(entry('s').folder, 'journal.jsonl'));
    read.settle(entry('s').manifest);
    expect(damage).toBeUndefined();
    expect(readTotals(entry('s'))).toMatchObject({
      tickCount: 3,
      runs: [{ totals: [8, 3, 2, 0, 0] }, { callCount: 2 }],
    });
    expect(figures.settled()).toEqual(read.settled());
    expect(figures.summary(entry('s').manifest)).toEqual(read.summary(entry('s').manifest));
    expect(figures.held(7)).toEqual(read.held(7));
    expect(temp.reports).toEqual([]);
  });

  it('hold every call and every change of a counter, as two readers of Parquet and the journal say', async () => {
    await recordStackedSession(temp);
    await queries.prepare(entry('s'));
    for (const session of [entry('s'), await pageFaults()]) {
      const expected = await rowsOfJournal(session);
      for (const table of ['calls', 'counters'] as const) {
        const path = join(session.folder, derivedFiles[table]);
        expect(expected[table].length).toBeGreaterThan(1);
        expect(await rowsByDuckDb(path)).toEqual(expected[table]);
        expect(await rowsByHyparquet(path)).toEqual(expected[table]);
      }
    }
  });

  it('as an export hold the same for both readers, and the counts and calls of the journal', async () => {
    await recordStackedSession(temp);
    const path = join(temp.folder, 'export.parquet');
    writeFileSync(path, Buffer.concat(await Array.fromAsync(exportParquet(openExportSource(entry('s'))))));
    const rows = await rowsByDuckDb(path);
    expect(await rowsByHyparquet(path)).toEqual(rows);
    const { calls, counters } = await rowsOfJournal(entry('s'));
    const ofKind = (kind: string): Row[] => rows.filter((row) => row['kind'] === kind);
    expect(ofKind('count').map(({ metric, value, comm }) => [metric, value, comm])).toEqual(
      counters.map(({ metric, value, comm }) => [metric, value, comm]),
    );
    expect(ofKind('call').map(({ latencyNs, holdNs, mode }) => [latencyNs, holdNs, mode])).toEqual(
      calls.map(({ latencyNs, holdNs, mode }) => [latencyNs, holdNs, mode]),
    );
  });

  it.each([
    ['missing tables', (folder: string) => rmSync(join(folder, derivedFiles.calls))],
    ['a torn table', (folder: string) => truncateSync(join(folder, derivedFiles.calls), 100)],
    ['torn totals', (folder: string) => truncateSync(join(folder, derivedFiles.totals), 50)],
    [
      'totals of a shorter journal',
      (folder: string) => {
        const path = join(folder, derivedFiles.totals);
        writeFileSync(path, readFileSync(path, 'utf8').replace(/"journalBytes":\d+/, '"journalBytes":7'));
      },
    ],
  ])('are made anew of the journal: %s', async (_, harm) => {
    await recordBusySession(temp, 'a');
    const before = await queries.calls(entry('a'), {});
    expect(before).toMatchObject({ ok: true, value: { total: 12 } });
    harm(entry('a').folder);
    expect(isDerived(entry('a'))).toBe(false);
    expect((await readFinalFigures(entry('a'))).figures.held(1)).toMatchObject({ callCount: 12, eventCount: 15 });
    expect(await queries.calls(entry('a'), {})).toEqual(before);
    expect(isDerived(entry('a'))).toBe(true);
  });

  it('leave no draft of a process that was killed', async () => {
    await recordBusySession(temp, 'a');
    const { folder } = entry('a');
    writeFileSync(join(folder, 'calls.parquet.new-4194304-1'), 'x');
    expect(await new Derivation().derive(folder)).toBeUndefined();
    expect(() => readFileSync(join(folder, 'calls.parquet.new-4194304-1'))).toThrow('ENOENT');
    expect(isDerived(entry('a'))).toBe(true);
  });

  it('are made by the next server of a session that was interrupted', async () => {
    cpSync(join(fixtures, 'killed'), join(temp.folder, 'killed'), { recursive: true });
    await using server = await openTempStore({
      folder: temp.folder,
      role: 'server',
      derivation: new Derivation(),
    });
    await until(() => isDerived(entry('killed')));
    expect(entry('killed').manifest.state).toBe('interrupted');
    expect(server.reports).toHaveLength(1);
  });
});

describe('questions about calls', () => {
  it('are answered in the order they came, page by page, with titles and units', async () => {
    const session = await pageFaults();
    const { calls } = await rowsOfJournal(session);
    const names = callsColumns(session.manifest).map(({ name }) => name);
    const answer = await queries.calls(session, { limit: '7', offset: '20' });
    if (!answer.ok) throw new Error(answer.error.message);
    expect(answer.value.total).toBe(673);
    expect(answer.value.rows).toEqual(calls.slice(20, 27).map((row) => names.map((name) => row[name] ?? null)));
    expect(answer.value.columns.map(({ name }) => name)).toEqual(names);
    expect(answer.value.columns.find(({ name }) => name === 'address')).toMatchObject({ unit: 'address' });
  });

  it('select by run, time, text, words and numbers as a look at every call does', async () => {
    const session = await pageFaults();
    const { calls } = await rowsOfJournal(session);
    const middle = ensure(calls[300], 'a call');
    const [atMs, comm] = [Number(middle['atMs']), String(middle['comm'])];
    const address = Number(middle['address']);
    const cases: [Parameters<SessionQueries['calls']>[1], (row: Row) => boolean][] = [
      [{ run: '1' }, () => false],
      [{ fromMs: String(atMs) }, (row) => Number(row['atMs']) >= atMs],
      [{ fromMs: '0', toMs: String(atMs) }, (row) => Number(row['atMs']) < atMs],
      [
        { text: comm.toUpperCase() },
        (row) =>
          Object.values(row).some((one) => typeof one === 'string' && one.toLowerCase().includes(comm.toLowerCase())),
      ],
      [{ filter: `comm:eq:${comm}` }, (row) => row['comm'] === comm],
      [{ filter: `comm:ne:${comm}` }, (row) => row['comm'] !== comm],
      [
        { filter: [`comm:eq:${comm}`, `address:ge:${address}`] },
        (row) => row['comm'] === comm && Number(row['address']) >= address,
      ],
      [{ filter: `address:lt:${address}` }, (row) => Number(row['address']) < address],
    ];
    for (const [query, isWanted] of cases) {
      const wanted = calls.filter(isWanted);
      const answer = await queries.calls(session, { ...query, limit: '1000' });
      if (!answer.ok) throw new Error(answer.error.message);
      expect([query, answer.value.total]).toEqual([query, wanted.length]);
      expect(answer.value.rows.map((row) => row[1])).toEqual(wanted.map(({ tick }) => tick));
    }
    expect(calls.filter(({ comm: one }) => one !== comm).length).toBeGreaterThan(10);
  });

  it('are ordered by a column, equal ones as they came', async () => {
    const session = await pageFaults();
    const { calls } = await rowsOfJournal(session);
    const place = callsColumns(session.manifest).findIndex(({ name }) => name === 'address');
    const addresses = calls.map(({ address }) => Number(address)).toSorted((left, right) => right - left);
    const down = await queries.calls(session, { order: '-address', limit: '5' });
    const up = await queries.calls(session, { order: 'address', limit: '5' });
    expect(down.ok && down.value.rows.map((row) => row[place])).toEqual(addresses.slice(0, 5));
    expect(up.ok && up.value.rows.map((row) => row[place])).toEqual(addresses.toReversed().slice(0, 5));
  });

  it('are counted by a column, the most frequent first', async () => {
    const session = await pageFaults();
    const { calls } = await rowsOfJournal(session);
    const counts = new Map<string, number>();
    for (const { comm } of calls) counts.set(String(comm), (counts.get(String(comm)) ?? 0) + 1);
    const answer = await queries.counts(session, { by: 'comm', limit: '2' });
    if (!answer.ok) throw new Error(answer.error.message);
    expect(answer.value).toMatchObject({ total: 673, groupCount: counts.size });
    const largest = [...counts].toSorted(([, left], [, right]) => right - left).slice(0, 2);
    expect(answer.value.groups.map(({ count }) => count)).toEqual(largest.map(([, count]) => count));
    expect(counts.get(String(answer.value.groups[0]?.value))).toBe(answer.value.groups[0]?.count);
  });

  it('are values and never SQL, and name no column but those of the session', async () => {
    await recordStackedSession(temp);
    const found = await queries.calls(entry('s'), { filter: `comm:eq:${evil}` });
    expect(found).toMatchObject({ ok: true, value: { total: 1 } });
    for (const text of [`' OR 1=1 --`, '$1', '%', `"; DROP TABLE x; --`])
      expect(await queries.calls(entry('s'), { text })).toMatchObject({ ok: true, value: { total: 0 } });
    for (const order of ['file_row_number', 'bogus'])
      expect(await queries.calls(entry('s'), { order })).toMatchObject({ ok: false, error: { kind: 'bad-parameter' } });
    for (const filter of ['bogus:eq:1', 'comm:lt:a', 'latencyNs:has:1', 'latencyNs:eq:1 OR 1=1'])
      expect(await queries.calls(entry('s'), { filter })).toMatchObject({
        ok: false,
        error: { kind: 'bad-parameter' },
      });
    expect(await queries.calls(entry('s'), { limit: '1001' })).toMatchObject({ ok: false });
  });

  it('wait until the session is closed', async () => {
    const session = busySession('live');
    const recording = temp.store.record(session, [busyProbe]);
    pushBusyTick(session, 1, 1);
    expect(await queries.calls(entry('live'), {})).toMatchObject({ ok: false, error: { kind: 'session-live' } });
    await recording.close();
    expect(await queries.calls(entry('live'), {})).toMatchObject({ ok: true, value: { total: 1 } });
  });
});
