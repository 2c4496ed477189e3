/** Recorded sessions for the page: their list, what is done to them, and the one that is open. */
import { type Problem, type Result, openRecorded } from '@faultline/shared';
import { withEntry } from './app-state.ts';
import type { Command } from './loaded.ts';
import type { Recordings } from '../api/recordings.ts';
import { BoundsDesk } from './bounds-desk.ts';
import { CallsAsker } from './calls-asker.ts';
import { Writing } from './writing.ts';
import { type RecordingsState, type Transfer, emptyRecordings } from './recordings-state.ts';

type World = {
  readonly port: Recordings;
  readonly nowMs: () => number;
  /** Told when anything changed. */
  readonly changed: () => void;
};

/** Asks and commands; the page's store shows what it knows. */
export class RecordingsStore {
  /** Calls of the open session. */
  readonly calls: CallsAsker;
  /** Marks and notes. */
  readonly writing: Writing;
  /** How much the store may hold. */
  readonly bounds: BoundsDesk;
  private readonly world: World;
  private known: RecordingsState = emptyRecordings;
  private isAsking = false;
  private renewCount = 0;

  constructor(world: World) {
    this.world = world;
    this.writing = new Writing({
      ...world,
      changed: () => this.change({ writing: this.writing.state }),
      written: (id) => {
        void this.renew(id);
        void this.refresh();
      },
    });
    this.bounds = new BoundsDesk({
      port: world.port,
      changed: () => this.change({ bounds: this.bounds.state }),
      set: () => void this.refresh(),
    });
    this.calls = new CallsAsker(world.port, () => this.change({ calls: this.calls.state }));
  }

  get state(): RecordingsState {
    return this.known;
  }

  /** Asks for the list. */
  async refresh(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    const overview = await this.world.port.overview();
    this.isAsking = false;
    this.change({
      overview: overview.ok ? { kind: 'ready', value: overview.value } : { kind: 'failed', problem: overview.error },
    });
  }

  /** Opens a session, or closes the one that is open. */
  async open(id: string | undefined): Promise<void> {
    if (id === this.known.opened?.id) return;
    if (id === undefined) return this.change({ opened: undefined });
    await this.load(id);
  }

  /** Reads the open session again: a live one has more by now, and what failed may not fail twice. */
  async reopen(): Promise<void> {
    if (this.known.opened !== undefined) await this.load(this.known.opened.id);
  }

  /** Keeps a session whatever the bounds of the store say, or no longer. */
  async pin(id: string, isPinned: boolean): Promise<void> {
    await this.command(id, () => this.world.port.pin(id, isPinned));
  }

  /** Names or labels a session; null takes it away. */
  async edit(id: string, edit: { readonly name?: string | null; readonly label?: string | null }): Promise<void> {
    await this.command(id, () => this.world.port.edit(id, edit));
  }

  /** Removes a session; the server keeps it for some minutes, and until then it can be had back. */
  async remove(id: string, title: string): Promise<void> {
    await this.command(id, async () => {
      const answer = await this.world.port.remove(id);
      if (answer.ok) this.changeRemoved(id, { title, untilMs: answer.value.restorableUntilMs });
      return answer;
    });
  }

  /** Has a removed session back. */
  async restore(id: string): Promise<void> {
    await this.command(id, () => this.world.port.restore(id));
    if (!this.known.commands.has(id)) this.changeRemoved(id, undefined);
  }

  /** Forgets what is gone for good. To be called now and then. */
  settleRemoved(): void {
    for (const [id, { untilMs }] of this.known.removed)
      if (this.world.nowMs() >= untilMs) this.changeRemoved(id, undefined);
  }

  /** Takes in a file that was exported here or elsewhere; why it was refused is kept under its name. */
  async import(file: Blob, name: string): Promise<void> {
    const put = (transfer: Transfer | undefined): void =>
      this.change({ imports: withEntry(this.known.imports, name, transfer) });
    await this.command(name, () => {
      put({ doneBytes: 0, allBytes: file.size });
      return this.world.port.import(file, (doneBytes, allBytes) => put({ doneBytes, allBytes }));
    });
    put(undefined);
  }

  /** Forgets why something was refused. */
  dismiss(id: string): void {
    this.put(id, undefined);
  }

  /** Fetches an export; the file is handed to `save` when it is whole. */
  async export(id: string, format: string, save: (blob: Blob, name: string) => void): Promise<void> {
    const key = `${id} ${format}`;
    const put = (transfer: Transfer | undefined): void =>
      this.change({ exports: withEntry(this.known.exports, key, transfer) });
    put({ doneBytes: 0, allBytes: undefined });
    const file = await this.world.port.export(id, format, (doneBytes, allBytes) => put({ doneBytes, allBytes }));
    put(undefined);
    if (file.ok) save(file.value.blob, file.value.name);
    else this.put(id, { kind: 'failed', problem: file.error });
  }

  private async load(id: string): Promise<void> {
    const { port } = this.world;
    const isStale = (): boolean => this.known.opened?.id !== id;
    this.change({ opened: { kind: 'loading', id, doneBytes: 0, allBytes: undefined } });
    const fail = (problem: Problem): void => this.change({ opened: { kind: 'failed', id, problem } });
    const recording = await port.recording(id);
    if (isStale()) return;
    if (!recording.ok) return fail(recording.error);
    const { manifest, problem } = recording.value;
    if (manifest === undefined)
      return fail({ error: 'session-unreadable', message: `This session can't be read: ${problem ?? 'no manifest'}.` });
    const view = await port.view(id, (doneBytes, allBytes) => {
      if (!isStale()) this.change({ opened: { kind: 'loading', id, doneBytes, allBytes } });
    });
    if (isStale()) return;
    if (!view.ok) return fail(view.error);
    const streams = manifest.runs.map(({ view: { probe }, stream }) => ({ name: probe, streams: [stream] }));
    try {
      const data = openRecorded(view.value, streamsByProbe(streams));
      this.change({ opened: { kind: 'ready', id, recording: recording.value, data } });
    } catch (error) {
      fail({
        error: 'undecodable',
        message: `This session can't be drawn: ${String(error)}`,
        remedy: 'Reload the page.',
      });
    }
  }

  private async command(id: string, send: () => Promise<Result<unknown, Problem>>): Promise<void> {
    this.put(id, { kind: 'pending' });
    const answer = await send();
    this.put(id, answer.ok ? undefined : { kind: 'failed', problem: answer.error });
    await this.renew(id);
    await this.refresh();
  }

  private put(id: string, command: Command | undefined): void {
    this.change({ commands: withEntry(this.known.commands, id, command) });
  }

  /** What people wrote on the open session may have changed; its figures have not. Of several answers that of the last question counts. */
  private async renew(id: string): Promise<void> {
    if (this.known.opened?.kind !== 'ready' || this.known.opened.id !== id) return;
    this.renewCount += 1;
    const number = this.renewCount;
    const recording = await this.world.port.recording(id);
    const { opened } = this.known;
    if (!recording.ok || number !== this.renewCount || opened?.kind !== 'ready' || opened.id !== id) return;
    this.change({ opened: { ...opened, recording: recording.value } });
  }

  private changeRemoved(id: string, value: { readonly title: string; readonly untilMs: number } | undefined): void {
    this.change({ removed: withEntry(this.known.removed, id, value) });
  }

  private change(part: Partial<RecordingsState>): void {
    this.known = { ...this.known, ...part };
    this.world.changed();
  }
}

type Streams = Parameters<typeof openRecorded>[1];

/** The streams of each probe together, as in a catalogue of probes. */
function streamsByProbe(runs: Streams): Streams {
  const names = [...new Set(runs.map(({ name }) => name))];
  return names.map((name) => ({
    name,
    streams: runs.filter((run) => run.name === name).flatMap(({ streams }) => streams),
  }));
}
