/** Makes what follows from a closed session's journal: its totals, its calls and counters as tables, and what a page draws it from. */
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  callsColumns,
  columnName,
  countersColumns,
  derivedFiles,
  encodeRecordedView,
  ensure,
  protocolVersion,
  type RowValue,
  type SessionManifest,
  type SessionTotals,
  sessionFormatVersion,
  type Stream,
} from '@faultline/shared';
import { callValue } from '../exports/rows.ts';
import { RecordedViewMaker } from '../live/recorded-view.ts';
import { openExportSource } from '../sessions/export-source.ts';
import { RecordedFigures } from '../sessions/recorded-figures.ts';
import { faultlineVersion } from '../sessions/session.ts';
import { readSessionManifest } from '../sessions/session-folder.ts';
import type { TickSlice } from '../sessions/tick.ts';
import { TableFile } from './table-file.ts';

/**
 * Writes the files beside the journal, each whole or not at all, totals.json last. `owner` names the drafts: the process,
 * and what tells two makers in it apart. Throws what the file system throws, and where the session is live or unreadable.
 */
export async function deriveSession(folder: string, owner: string): Promise<void> {
  const manifest = readSessionManifest(folder);
  if (!manifest.ok) throw new Error(manifest.error.message);
  if (manifest.value.state === 'live') throw new Error('it is being recorded');
  removeDrafts(folder);
  const draft = (name: string): string => join(folder, `${name}.new-${owner}`);
  try {
    const totals = await writeTables(folder, manifest.value, draft);
    writeWhole(draft(derivedFiles.totals), [JSON.stringify(totals)]);
    for (const name of [derivedFiles.view, derivedFiles.calls, derivedFiles.counters, derivedFiles.totals])
      renameSync(draft(name), join(folder, name));
  } finally {
    for (const name of Object.values(derivedFiles)) rmSync(draft(name), { force: true });
  }
}

async function writeTables(
  folder: string,
  manifest: SessionManifest,
  draft: (name: string) => string,
): Promise<SessionTotals> {
  const source = openExportSource({ id: manifest.id, folder, bytes: 0, manifest });
  const calls = new TableFile(draft(derivedFiles.calls), callsColumns(manifest));
  const counters = new TableFile(draft(derivedFiles.counters), countersColumns(manifest));
  try {
    const figures = new RecordedFigures();
    const rows = new SessionTables(manifest, calls, counters);
    const view = new RecordedViewMaker(manifest, figures, 'asked');
    let damage: string | undefined;
    for await (const event of source.events()) {
      figures.add(event);
      view.add(event);
      if (event.kind === 'damaged') damage = event.message;
      if (event.kind === 'run') rows.begin(event.run.stream);
      if (event.kind !== 'tick') continue;
      for (const slice of event.tick.slices) rows.add(slice, event.tick.seq, event.tick.atMs);
      await calls.flush(false);
      await counters.flush(false);
    }
    figures.settle(manifest);
    const parts = encodeRecordedView(view.finish(faultlineVersion));
    writeWhole(draft(derivedFiles.view), parts);
    const tables = { callsBytes: await calls.finish(), countersBytes: await counters.finish() };
    return {
      kind: 'faultline-totals',
      formatVersion: sessionFormatVersion,
      journalBytes: source.journalBytes,
      tables,
      view: { bytes: parts.reduce((sum, { byteLength }) => sum + byteLength, 0), protocolVersion },
      ...(damage === undefined ? {} : { damage }),
      ...figures.settled(),
    };
  } finally {
    calls.close();
    counters.close();
  }
}

type RunState = {
  readonly stream: Stream;
  readonly texts: string[];
  /** By cell: metric, and the values of its dimensions by column. */
  readonly cells: { readonly metric: string; readonly values: ReadonlyMap<number, RowValue> }[];
};

/** Slices of ticks as rows of the two tables. */
class SessionTables {
  private readonly calls: TableFile;
  private readonly counters: TableFile;
  private readonly callNames: readonly string[];
  private readonly counterColumns: ReturnType<typeof countersColumns>;
  private readonly runs: RunState[] = [];

  constructor(manifest: SessionManifest, calls: TableFile, counters: TableFile) {
    this.calls = calls;
    this.counters = counters;
    this.callNames = callsColumns(manifest).map(({ name }) => name);
    this.counterColumns = countersColumns(manifest);
  }

  begin(stream: Stream): void {
    this.runs.push({ stream, texts: [], cells: [] });
  }

  add(slice: TickSlice, tick: number, atMs: number): void {
    const run = ensure(this.runs[slice.run], 'a run that was started');
    for (const text of slice.newTexts) run.texts.push(text);
    for (const { metric, dims } of slice.newCells) run.cells.push({ metric, values: this.places(dims) });
    this.addCounters(slice, run, tick, atMs);
    if (slice.callCount > 0) this.addCalls(slice, run, tick, atMs);
  }

  /** An imported journal may hold dimensions that no manifest names, and words where numbers belong: they have no place. */
  private places(dims: Readonly<Record<string, string | number>>): ReadonlyMap<number, RowValue> {
    const values = new Map<number, RowValue>();
    for (const [name, value] of Object.entries(dims)) {
      const place = this.counterColumns.findIndex((column) => column.name === columnName(name));
      const isText = this.counterColumns[place]?.type === 'text';
      if (place >= 0 && (isText || typeof value === 'number')) values.set(place, isText ? String(value) : value);
    }
    return values;
  }

  private addCounters(slice: TickSlice, run: RunState, tick: number, atMs: number): void {
    for (const [at, cell] of slice.cells.entries()) {
      const { metric, values } = ensure(run.cells[cell], 'a cell that has appeared');
      const fixed = [slice.run, tick, atMs, slice.fromNs, slice.toNs, metric, slice.deltas[at]];
      for (const [place, column] of this.counters.data.entries())
        column.push(place < fixed.length ? fixed[place] : values.get(place));
    }
  }

  private addCalls(slice: TickSlice, { stream, texts }: RunState, tick: number, atMs: number): void {
    const fixed = [slice.run, tick, atMs];
    for (const [place, into] of this.calls.data.entries()) {
      const name = this.callNames[place];
      const position = stream.columns.findIndex((column) => columnName(column.name) === name);
      const column = stream.columns[position];
      const values = slice.calls[position];
      for (let call = 0; call < slice.callCount; call += 1) {
        if (place < fixed.length) into.push(fixed[place]);
        else into.push(column === undefined ? undefined : callValue(column, values?.[call] ?? 0, texts));
      }
    }
  }
}

function writeWhole(path: string, parts: readonly (string | Uint8Array)[]): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    for (const part of parts) writeFileSync(file, part);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What a killed process left of its own. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /\.new-(\d+)-\d+$/.exec(name)?.[1];
    if (pid !== undefined && statSync(`/proc/${pid}`, { throwIfNoEntry: false }) === undefined)
      rmSync(join(folder, name), { force: true });
  }
}
