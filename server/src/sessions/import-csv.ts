/** Takes a session out of a CSV export: its manifest, and a journal made of the rows. Believes no cell that does not fit. */
import {
  type CellEntry,
  type Column,
  columnName,
  dimensionsOf,
  type JournalSlice,
  journalLineBytesMax,
  manifestColumn,
  type RowColumn,
  rowColumns,
  type RecordedRun,
  type SessionManifest,
  sessionManifestBytesMax,
  unguardText,
} from '@faultline/shared';
import type { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { headLine, otherLine } from './journal-line.ts';
import { HostileFileError } from './tar-reader.ts';

/** What a CSV holds: the manifest of its first row, and the lines of a journal as they are asked for. */
export type CsvSession = { readonly manifest: SessionManifest; readonly journal: AsyncGenerator<Buffer> };

/** Begins to read. Throws HostileFileError, also while the journal is read. */
export async function readCsv(chunks: Readable, believe: (text: string) => SessionManifest): Promise<CsvSession> {
  const rows = rowsOf(chunks);
  const header = (await rows.next()).value;
  const first = (await rows.next()).value;
  const kindAt = header?.indexOf('kind') ?? -1;
  const manifestAt = header?.indexOf(manifestColumn) ?? -1;
  if (header === undefined || first === undefined || kindAt !== 0 || first[0] !== 'session' || manifestAt === -1)
    throw new HostileFileError('its first row is not that of an exported session: it has no manifest');
  const manifest = believe(unguardText(first[manifestAt] ?? ''));
  const columns = [...rowColumns(manifest).map(({ name }) => name), manifestColumn];
  if (JSON.stringify(header) !== JSON.stringify(columns))
    throw new HostileFileError('its columns are not those of the session that its first row tells of');
  return { manifest, journal: journalOf(manifest, rows, new Map(columns.map((name, place) => [name, place]))) };
}

type Row = readonly string[];

/** What the parser gives without options that say otherwise. */
function isRow(row: unknown): row is Row {
  return Array.isArray(row);
}

async function* rowsOf(chunks: Readable): AsyncGenerator<Row, undefined> {
  const parser = parse({ bom: true, max_record_size: sessionManifestBytesMax });
  chunks.on('error', (error: Error) => parser.destroy(error));
  const table: AsyncIterable<unknown> = chunks.pipe(parser);
  try {
    for await (const row of table) if (isRow(row)) yield row;
  } catch (error) {
    if (error instanceof CsvError) throw new HostileFileError(`it is no CSV of ours: ${error.message.slice(0, 200)}`);
    throw error;
  }
  return undefined;
}

/** A journal with the same ticks. How states came about a CSV does not tell: runs begin as they ended. */
async function* journalOf(
  manifest: SessionManifest,
  rows: AsyncGenerator<Row>,
  places: ReadonlyMap<string, number>,
): AsyncGenerator<Buffer> {
  const { id: session, faultline, createdAtMs, lastAtMs, target, runs, state, stop } = manifest;
  yield Buffer.from(headLine({ session, faultline, createdAtMs, target }));
  for (const run of runs) yield Buffer.from(otherLine({ kind: 'run', run }));
  let tick: TickRows | undefined;
  const books = runs.map((run) => new RunBook(run));
  for await (const cells of rows) {
    const row = { cells, places };
    const seq = numberOf(row, 'tick');
    if (tick?.seq !== seq) {
      if (tick !== undefined) yield tick.line();
      tick = new TickRows(seq, numberOf(row, 'atMs'), books);
    }
    tick.add(row);
  }
  if (tick !== undefined) yield tick.line();
  if (state === 'closed')
    yield Buffer.from(otherLine({ kind: 'end', atMs: lastAtMs, ...(stop === undefined ? {} : { stop }) }));
}

type Cells = { readonly cells: Row; readonly places: ReadonlyMap<string, number> };

/** The rows of one tick, as far as they have come. */
class TickRows {
  readonly seq: number;
  private readonly atMs: number;
  private readonly books: readonly RunBook[];
  private readonly slices = new Map<number, Slice>();
  private size = 0;

  constructor(seq: number, atMs: number, books: readonly RunBook[]) {
    this.seq = seq;
    this.atMs = atMs;
    this.books = books;
  }

  add(row: Cells): void {
    this.size += row.cells.reduce((sum, cell) => sum + cell.length, 0);
    if (this.size > journalLineBytesMax) throw new HostileFileError(`its tick ${this.seq} is larger than one can be`);
    const kind = textOf(row, 'kind');
    if (textOf(row, 'run') === '' && kind === 'span') return;
    const run = numberOf(row, 'run');
    const book = this.books[run];
    if (book === undefined) throw new HostileFileError(`it has a row of run ${run}, which its manifest does not name`);
    const slice = this.slices.get(run) ?? new Slice(book);
    this.slices.set(run, slice);
    if (kind === 'span' || kind === 'count') slice.span(numberOf(row, 'fromNs'), numberOf(row, 'toNs'));
    if (kind === 'count') slice.count(row);
    else if (kind === 'call') slice.call(row);
    else if (kind !== 'span') throw new HostileFileError(`it has a row of the unknown kind ${shown(kind)}`);
  }

  line(): Buffer {
    const slices = [...this.slices.values()].map((slice) => slice.finished());
    return Buffer.from(`${JSON.stringify({ kind: 'tick', seq: this.seq, atMs: this.atMs, slices })}\n`);
  }
}

/** A run's dictionaries: numbers of cells and of texts, in order of appearance. */
class RunBook {
  readonly run: RecordedRun;
  readonly cells = new Map<string, number>();
  readonly texts = new Map<string, number>();
  /** By metric: the sets of dimensions it can have, the largest first. */
  readonly dimensions: ReadonlyMap<string, readonly (readonly RowColumn[])[]>;
  /** By column with words: their numbers. */
  readonly words: readonly ReadonlyMap<string, number>[];

  constructor(run: RecordedRun) {
    this.run = run;
    const specs = Map.groupBy(run.stream.maps, ({ metric }) => metric);
    this.dimensions = new Map(
      [...specs].map(([metric, those]) => [
        metric,
        those.map(dimensionsOf).toSorted((left, right) => right.length - left.length),
      ]),
    );
    this.words = run.stream.columns.map(
      ({ values }) => new Map(Object.entries(values ?? {}).map(([number, word]) => [word, Number(number)])),
    );
  }
}

/** One run's part of a tick, in the making. */
class Slice {
  private readonly book: RunBook;
  private bounds: readonly [fromNs: number, toNs: number] | undefined;
  private readonly newCells: CellEntry[] = [];
  private readonly cells: number[] = [];
  private readonly deltas: number[] = [];
  private readonly newTexts: string[] = [];
  private readonly calls: number[][];

  constructor(book: RunBook) {
    this.book = book;
    this.calls = book.run.stream.columns.map(() => []);
  }

  span(fromNs: number, toNs: number): void {
    this.bounds ??= [fromNs, toNs];
    if (this.bounds[0] !== fromNs || this.bounds[1] !== toNs)
      throw new HostileFileError(`its run ${this.book.run.view.index} has two spans in one tick`);
  }

  count(row: Cells): void {
    const metric = textOf(row, 'metric');
    const dims: Record<string, string | number> = {};
    for (const { name, type } of this.dimensions(row, metric))
      dims[name] = type === 'text' ? textOf(row, columnName(name)) : numberOf(row, columnName(name));
    const key = JSON.stringify([metric, dims]);
    const known = this.book.cells.get(key);
    const cell = known ?? this.book.cells.size;
    if (known === undefined) {
      this.book.cells.set(key, cell);
      this.newCells.push({ cell, metric, dims });
    }
    const delta = numberOf(row, 'value');
    if (delta === 0) return;
    this.cells.push(cell);
    this.deltas.push(delta);
  }

  call(row: Cells): void {
    for (const [position, column] of this.book.run.stream.columns.entries())
      this.calls[position]?.push(this.callNumber(row, column, position));
  }

  finished(): JournalSlice {
    const { bounds, newCells, cells, deltas, newTexts, calls, book } = this;
    if (bounds === undefined) throw new HostileFileError('it has calls in a tick without a span');
    return {
      run: book.run.view.index,
      fromNs: bounds[0],
      toNs: bounds[1],
      ...(newCells.length === 0 ? {} : { newCells: [...newCells] }),
      ...(cells.length === 0 ? {} : { cells: [...cells], deltas: [...deltas] }),
      ...(newTexts.length === 0 ? {} : { newTexts: [...newTexts] }),
      ...((calls[0]?.length ?? 0) === 0 ? {} : { calls }),
    };
  }

  /** Those that the row has: several maps may feed a metric, with more dimensions or fewer. */
  private dimensions(row: Cells, metric: string): readonly RowColumn[] {
    const known = this.book.dimensions.get(metric) ?? [];
    const found = known.find((names) => names.every(({ name }) => cellOf(row, columnName(name)) !== ''));
    if (found !== undefined) return found;
    throw new HostileFileError(`its manifest knows no metric ${shown(metric)} with such dimensions`);
  }

  private callNumber(row: Cells, column: Column, position: number): number {
    const name = columnName(column.name);
    if (column.type === 'text') return this.textNumber(textOf(row, name));
    if (column.values === undefined) return numberOf(row, name);
    const word = textOf(row, name);
    const known = this.book.words[position]?.get(word) ?? Number(/^unknown:(\d{1,16})$/.exec(word)?.[1] ?? Number.NaN);
    if (Number.isNaN(known)) throw new HostileFileError(`its column ${name} has the unknown word ${shown(word)}`);
    return known;
  }

  private textNumber(text: string): number {
    const { texts } = this.book;
    const known = texts.get(text);
    if (known !== undefined) return known;
    const number = texts.size;
    texts.set(text, number);
    this.newTexts.push(text);
    return number;
  }
}

function cellOf({ cells, places }: Cells, column: string): string {
  return cells[places.get(column) ?? -1] ?? '';
}

function textOf(row: Cells, column: string): string {
  return unguardText(cellOf(row, column));
}

function numberOf(row: Cells, column: string): number {
  // Where another stream has words, numbers are texts, and guarded as such.
  const cell = textOf(row, column);
  const number = /^-?\d{1,310}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?$/.test(cell) ? Number(cell) : Number.NaN;
  if (Number.isFinite(number)) return number;
  throw new HostileFileError(`its column ${column} has ${shown(cell)} where a number belongs`);
}

/** Somebody else's text in a message. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
