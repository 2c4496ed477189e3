/** Writes one session down while it happens: it listens to ticks, and nothing it does can hold tracing up. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  addLedgers,
  ensure,
  formatBytes,
  journalManifestIntervalMs,
  journalViewsIntervalMs,
  type RecordedRun,
  type RecordingStop,
  type RecordingView,
  type RunView,
  type SessionManifest,
  type SessionView,
  sessionFiles,
  sessionFormatVersion,
  type Stream,
} from '@faultline/shared';
import { headLine, otherLine, tickLine } from './journal-line.ts';
import { describeError, JournalWriter } from './journal-writer.ts';
import { ownProcess } from './process-owner.ts';
import { interruptedView, readFigures } from './recorded-figures.ts';
import type { Recording } from './recording.ts';
import { editsOf, readSessionManifest, writeSessionManifest } from './session-folder.ts';
import type { Tick } from './tick.ts';
import type { SessionSource } from './tracing.ts';

/** What a recorder is told. */
export type RecorderOptions = {
  /** The store's folder; the session gets one in it. */
  readonly store: string;
  readonly faultline: string;
  readonly bytesMax: number;
  readonly ageMaxMs: number;
  readonly label?: string | undefined;
  readonly workload?: string | undefined;
  /** The stream and the script of a run, from the catalogue. */
  readonly describeRun: (view: RunView) => { readonly stream: Stream; readonly scriptPath: string } | undefined;
  /** Makes room for writing down how a session ended; the disk is full. */
  readonly releaseReserve: () => void;
  /** Said once, when recording ends before tracing. */
  readonly report: (message: string) => void;
  /** Told the session's folder once it is closed. */
  readonly closed: (folder: string) => void;
};

type Place = {
  readonly id: string;
  readonly folder: string;
  readonly writer: JournalWriter;
  readonly createdAtMs: number;
};

export class Recorder implements Recording {
  private readonly source: SessionSource;
  private readonly options: RecorderOptions;
  private readonly unsubscribe: () => void;
  private place: Place | undefined;
  private stopped: RecordingStop | undefined;
  private ending: Promise<void> | undefined;
  private readonly runs: RecordedRun[] = [];
  /** By run: whether a cell counts events. */
  private readonly isEventCell: boolean[][] = [];
  private held = { tickCount: 0, callCount: 0, eventCount: 0 };
  private lastAtMs = 0;
  private viewsAtMs = 0;
  private manifestAtMs = 0;

  constructor(source: SessionSource, options: RecorderOptions) {
    this.source = source;
    this.options = options;
    this.unsubscribe = source.onTick((tick) => this.take(tick));
  }

  view(): RecordingView | undefined {
    const { place, stopped } = this;
    if (place === undefined && stopped === undefined) return undefined;
    return {
      id: place?.id ?? '',
      state: stopped === undefined ? 'recording' : 'stopped',
      journalBytes: place?.writer.totalBytes ?? 0,
      ...(stopped === undefined ? {} : { problem: stopped.message }),
    };
  }

  stop(kind: RecordingStop['kind'], message: string): void {
    if (this.stopped !== undefined || this.ending !== undefined) return;
    const whole = `recording stopped: ${message}; tracing goes on, what was written stays`;
    this.stopped = { kind, message: whole, atMs: this.lastAtMs };
    this.options.report(whole);
    this.ending = this.end();
  }

  async close(): Promise<void> {
    this.unsubscribe();
    this.ending ??= this.end();
    await this.ending;
  }

  private take(tick: Tick): void {
    if (this.ending !== undefined) return;
    const view = this.source.view();
    if (view.runs.length === 0) return;
    this.lastAtMs = tick.atMs;
    try {
      this.place ??= this.begin(view);
      this.write(this.place, tick, view);
    } catch (error) {
      const { kind, message } = describeError(error);
      this.stop(kind, message);
    }
  }

  private write(place: Place, tick: Tick, view: SessionView): void {
    const { writer } = place;
    for (const run of view.runs.slice(this.runs.length)) {
      const recorded = this.describe(run);
      this.runs.push(recorded);
      this.isEventCell.push([]);
      writer.append(otherLine({ kind: 'run', run: recorded }));
    }
    this.count(tick);
    writer.append(tickLine(tick));
    if (tick.hasStateChange || tick.atMs - this.viewsAtMs >= journalViewsIntervalMs)
      this.writeViews(writer, view, tick.atMs);
    if (tick.hasStateChange || tick.atMs - this.manifestAtMs >= journalManifestIntervalMs)
      this.writeManifest(place, 'live');
    if (writer.totalBytes >= this.options.bytesMax)
      this.stop('session-bytes', `this session has reached its ${formatBytes(this.options.bytesMax)}`);
    else if (tick.atMs - place.createdAtMs >= this.options.ageMaxMs)
      this.stop('session-age', 'this session has been recorded for as long as one may be');
  }

  /** Runs whose view changed, and these only. */
  private writeViews(writer: JournalWriter, view: SessionView, atMs: number): void {
    this.viewsAtMs = atMs;
    const changed = view.runs.filter((run, index) => {
      const known = ensure(this.runs[index], 'a run that was described');
      if (JSON.stringify(known.view) === JSON.stringify(run)) return false;
      this.runs[index] = { ...known, view: run };
      return true;
    });
    if (changed.length > 0) writer.append(otherLine({ kind: 'views', atMs, runs: changed }));
  }

  private count(tick: Tick): void {
    this.held.tickCount += 1;
    for (const slice of tick.slices) {
      const isEvent = ensure(this.isEventCell[slice.run], 'a run that was described');
      const { stream } = ensure(this.runs[slice.run], 'a run that was described');
      for (const { metric } of slice.newCells) {
        isEvent.push(stream.maps.some((spec) => spec.metric === metric && spec.role === 'events'));
      }
      for (const [at, cell] of slice.cells.entries()) {
        if (isEvent[cell] === true) this.held.eventCount += slice.deltas[at] ?? 0;
      }
      this.held.callCount += slice.callCount;
    }
  }

  private describe(view: RunView): RecordedRun {
    const described = ensure(this.options.describeRun(view), `probe ${view.probe} ${view.stream} is in the catalogue`);
    return { view, stream: described.stream, ...scriptDigest(described.scriptPath) };
  }

  /** Makes the session's folder. It appears under its name only with a manifest and the head of a journal in it. */
  private begin(view: SessionView): Place {
    const { store, faultline } = this.options;
    const wanted = recordingIdOf(view.id);
    const draft = join(store, `.new-${wanted}-${process.pid}`);
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true, mode: 0o700 });
    const createdAtMs = view.startedAtMs;
    let startBytes = 0;
    const { id, folder } = renameToFree(draft, store, wanted, (free) => {
      const head = headLine({ session: free, faultline, createdAtMs, target: view.target });
      startBytes = Buffer.byteLength(head);
      writeFileSync(join(draft, sessionFiles.journal), head, { mode: 0o600 });
      writeSessionManifest(draft, this.manifest(free, createdAtMs, 'live', startBytes));
    });
    const writer = new JournalWriter(join(folder, sessionFiles.journal), startBytes, (failure) =>
      this.stop(failure.kind, failure.message),
    );
    return { id, folder, writer, createdAtMs };
  }

  private manifest(
    id: string,
    createdAtMs: number,
    state: SessionManifest['state'],
    journalBytes: number,
    before?: SessionManifest,
  ): SessionManifest {
    const { label, workload, faultline } = this.options;
    const own = {
      ...(label === undefined ? {} : { label }),
      ...(workload === undefined ? {} : { workload }),
      notes: [],
      marks: [],
      isPinned: false,
    };
    return {
      formatVersion: sessionFormatVersion,
      id,
      faultline,
      state,
      ...(state === 'live' ? { owner: ownProcess() } : {}),
      createdAtMs,
      lastAtMs: this.lastAtMs,
      target: this.source.view().target,
      ...(before === undefined ? own : editsOf(before)),
      runs: this.runs,
      ledger: addLedgers(this.runs.map((run) => run.view.ledger)),
      held: { ...this.held, journalBytes },
      ...(this.stopped === undefined ? {} : { stop: this.stopped }),
    };
  }

  private writeManifest(place: Place, state: SessionManifest['state']): void {
    this.manifestAtMs = this.lastAtMs;
    // What a person wrote on it meanwhile stays.
    const before = readSessionManifest(place.folder);
    const { id, createdAtMs, writer } = place;
    const bytes = state === 'live' ? writer.totalBytes : writer.writtenBytes;
    writeSessionManifest(
      place.folder,
      this.manifest(id, createdAtMs, state, bytes, before.ok ? before.value : undefined),
    );
  }

  private async end(): Promise<void> {
    const { place } = this;
    if (place === undefined) return;
    const { writer } = place;
    this.writeViews(writer, this.source.view(), this.lastAtMs);
    writer.append(
      otherLine({ kind: 'end', atMs: this.lastAtMs, ...(this.stopped === undefined ? {} : { stop: this.stopped }) }),
    );
    await writer.close();
    if (writer.hasFailed) await this.recount(place);
    try {
      this.writeManifest(place, 'closed');
    } catch {
      this.options.releaseReserve();
      if (!this.closeOrLeave(place)) return;
    }
    this.options.closed(place.folder);
  }

  /** After an error of the disk: what the journal really holds, instead of what was meant for it. */
  private async recount({ folder }: Place): Promise<void> {
    const { figures } = await readFigures(join(folder, sessionFiles.journal));
    const { tickCount, callCount, eventCount } = figures.held(0);
    this.held = { tickCount, callCount, eventCount };
    if (tickCount > 0) this.lastAtMs = figures.lastAtMs;
    const why = this.stopped?.message ?? 'recording broke off';
    this.runs.splice(0);
    for (const run of figures.runs) this.runs.push({ ...run.run, view: interruptedView(run, figures.lastAtMs, why) });
  }

  /** Where even that fails, the next start finds a session whose recorder has died, and closes it. */
  private closeOrLeave(place: Place): boolean {
    try {
      this.writeManifest(place, 'closed');
      return true;
    } catch (error) {
      this.options.report(`session ${place.id} could not be closed: ${describeError(error).message}`);
      return false;
    }
  }
}

/** A session's id as the name of a folder. */
function recordingIdOf(sessionId: string): string {
  const safe = sessionId.replaceAll(/[^a-zA-Z0-9._-]/g, '_').replace(/^[^a-zA-Z0-9]+/, '');
  return safe === '' ? 'session' : safe.slice(-100).replace(/^[^a-zA-Z0-9]+/, '');
}

/** Gives a folder the first free name; `prepare` is told which one is tried. */
function renameToFree(
  draft: string,
  store: string,
  wanted: string,
  prepare: (id: string) => void,
): { readonly id: string; readonly folder: string } {
  for (let attempt = 1; attempt <= 100; attempt += 1) {
    const id = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    const folder = join(store, id);
    prepare(id);
    try {
      renameSync(draft, folder);
      return { id, folder };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
    }
  }
  throw new Error(`a hundred sessions are called ${wanted}`);
}

function scriptDigest(path: string): { readonly scriptDigest?: string } {
  try {
    return { scriptDigest: createHash('sha256').update(readFileSync(path)).digest('hex') };
  } catch {
    return {};
  }
}
