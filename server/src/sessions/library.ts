/** The recorded sessions of a store: a folder of folders. The listing is the folder itself; there is no other catalogue. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  derivedFiles,
  err,
  ok,
  type Result,
  recordingIdPattern,
  removedKeptMs,
  type SessionManifest,
  sessionFiles,
  storeReserveBytes,
  storeSessionsMax,
} from '@faultline/shared';
import { isAlive } from './process-owner.ts';
import { planPruning, type StoreBounds } from './pruning.ts';
import { closeAbandoned, isAbandoned } from './recovery.ts';
import type { Refusal } from './refusal.ts';
import { refuseManifest, type SessionEdits, readSessionManifest, writeSessionManifest } from './session-folder.ts';

/** One session of a store. */
export type LibraryEntry = { readonly id: string; readonly folder: string; readonly bytes: number } & (
  | { readonly manifest: SessionManifest; readonly problem?: undefined }
  /** Its files are there and can't be read: damaged, or of a newer Faultline. */
  | { readonly manifest?: undefined; readonly problem: string }
);

/** One that can be read. */
export type ReadableEntry = LibraryEntry & { readonly manifest: SessionManifest };

/** What a look at a store's bounds did. */
export type Pruning = {
  readonly removed: readonly string[];
  /** What is still too much: all of it is pinned or live. */
  readonly excessBytes: number;
};

const idPattern = new RegExp(recordingIdPattern);
const reserveName = '.reserve';
const trashPrefix = '.trash-';
const removedPrefix = '.removed-';

export class Library {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Opens a store, made where there is none. Sessions whose recorder died are closed first; their ids are told. */
  static async open(
    folder: string,
  ): Promise<Result<{ readonly library: Library; readonly interrupted: readonly string[] }, Refusal>> {
    const library = new Library(folder);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      library.clearTrash();
      library.makeReserve();
      return ok({ library, interrupted: await library.recover() });
    } catch (error) {
      const message = `the store ${folder} can't be used: ${error instanceof Error ? error.message : String(error)}`;
      return err({ kind: 'store-problem', message, remedy: 'Give another folder with --store DIR.' });
    }
  }

  /** All sessions, newest first. */
  list(): readonly LibraryEntry[] {
    const names = readdirSync(this.folder, { withFileTypes: true })
      .filter((one) => one.isDirectory() && idPattern.test(one.name))
      .slice(0, storeSessionsMax)
      .map(({ name }) => name);
    return names
      .map((id) => this.entry(id))
      .toSorted((left, right) => (right.manifest?.createdAtMs ?? 0) - (left.manifest?.createdAtMs ?? 0));
  }

  /** The session of an id, of the beginning of just one id, of a name or label that just one has, or `last`. */
  find(word: string): Result<LibraryEntry, Refusal> {
    const all = this.list();
    if (word === 'last' && all[0] !== undefined) return ok(all[0]);
    const exact = all.find(({ id }) => id === word);
    if (exact !== undefined) return ok(exact);
    const named = all.filter(({ manifest }) => manifest?.name === word || manifest?.label === word);
    const found = named.length > 0 ? named : all.filter(({ id }) => word !== '' && id.startsWith(word));
    const [one] = found;
    if (one !== undefined && found.length === 1) return ok(one);
    if (one === undefined && word === 'last') {
      const remedy = 'faultline record makes one; give another folder with --store DIR.';
      return err({ kind: 'unknown-session', message: `no session is recorded in ${this.folder}`, remedy });
    }
    if (one === undefined) {
      const message = `there is no recorded session ${JSON.stringify(word)} in ${this.folder}`;
      return err({ kind: 'unknown-session', message, remedy: 'faultline sessions list shows them.' });
    }
    const message = `${found.length} recorded sessions are called ${JSON.stringify(word)}`;
    return err({
      kind: 'unknown-session',
      message,
      remedy: `Say which: ${found
        .slice(0, 5)
        .map(({ id }) => id)
        .join(', ')}.`,
    });
  }

  /** As find, for those who must read it. */
  findReadable(word: string): Result<ReadableEntry, Refusal> {
    const found = this.find(word);
    if (!found.ok) return found;
    const { id, manifest, problem } = found.value;
    if (manifest !== undefined) return ok({ ...found.value, manifest });
    return err({ kind: 'session-unreadable', message: `session ${id}: ${problem}`, remedy: 'Nothing was changed.' });
  }

  /** Changes what a person may decide about a session; `without` names what is taken away. */
  edit(
    word: string,
    change: (before: SessionManifest) => Partial<SessionEdits>,
    without: readonly ('name' | 'label')[] = [],
  ): Result<SessionManifest, Refusal> {
    const found = this.findReadable(word);
    if (!found.ok) return found;
    const { folder, manifest } = found.value;
    const changed = { ...manifest, ...change(manifest) };
    for (const field of without) delete changed[field];
    const refusal = refuseManifest(changed);
    if (refusal !== undefined) return err({ kind: 'bad-parameter', message: refusal, remedy: 'Nothing was changed.' });
    try {
      writeSessionManifest(folder, changed);
      return ok(changed);
    } catch (error) {
      return err(storeProblem(error));
    }
  }

  /** Removes a session for good; one that is being recorded is refused. */
  remove(word: string): Result<string, Refusal> {
    return this.takeAway(word, (id) => this.throwAway(join(this.folder, id)));
  }

  /** Removes a session so that it can be restored for removedKeptMs. The answer: until when. */
  discard(word: string, nowMs: number): Result<{ readonly id: string; readonly restorableUntilMs: number }, Refusal> {
    const taken = this.takeAway(word, (id) => {
      const aside = join(this.folder, `${removedPrefix}${id}`);
      // An older one of this name was removed before.
      if (statSync(aside, { throwIfNoEntry: false }) !== undefined) this.throwAway(aside);
      utimesSync(join(this.folder, id), nowMs / 1_000, nowMs / 1_000);
      renameSync(join(this.folder, id), aside);
    });
    return taken.ok ? ok({ id: taken.value, restorableUntilMs: nowMs + removedKeptMs }) : taken;
  }

  /** Brings a discarded session back. Errors: it is no longer there; there is one of its id. */
  restore(id: string): Result<string, Refusal> {
    const aside = join(this.folder, `${removedPrefix}${id}`);
    if (!idPattern.test(id) || statSync(aside, { throwIfNoEntry: false }) === undefined) {
      const message = `there is no removed session ${JSON.stringify(id)} that could be restored`;
      return err({ kind: 'unknown-session', message, remedy: 'It was removed for good after some minutes.' });
    }
    try {
      return this.adopt(aside, id);
    } catch (error) {
      return err(storeProblem(error));
    }
  }

  /** Bytes of discarded sessions. */
  removedBytes(): number {
    return this.discarded().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private takeAway(word: string, take: (id: string) => void): Result<string, Refusal> {
    const found = this.find(word);
    if (!found.ok) return found;
    const { id, manifest } = found.value;
    if (isLive(found.value)) {
      const message = `session ${id} is being recorded (process ${manifest?.owner?.pid ?? '?'})`;
      return err({ kind: 'session-live', message, remedy: 'Stop that Faultline first.' });
    }
    try {
      take(id);
      return ok(id);
    } catch (error) {
      return err(storeProblem(error));
    }
  }

  /** Takes a finished folder in under an id of its own. */
  adopt(draft: string, id: string): Result<string, Refusal> {
    const folder = join(this.folder, id);
    const isThere = statSync(folder, { throwIfNoEntry: false }) !== undefined;
    if (isThere) {
      const message = `there is a session ${id} already`;
      return err({ kind: 'session-exists', message, remedy: 'Remove that one first: faultline sessions rm.' });
    }
    renameSync(draft, folder);
    return ok(id);
  }

  /** Keeps to the bounds, as planPruning says. Never a pinned, a live or an unreadable one goes. */
  prune(limits: StoreBounds, nowMs: number): Pruning {
    const { forgotten, removed, excessBytes } = this.planPruning(limits, nowMs);
    for (const one of [...forgotten, ...removed]) this.throwAway(one.folder);
    return { removed: removed.map(({ id }) => id), excessBytes };
  }

  /** What keeping to these bounds would take away at this moment. */
  planPruning(limits: StoreBounds, nowMs: number) {
    const sessions = this.list()
      .toReversed()
      .map((entry) => {
        const { id, folder, bytes, manifest } = entry;
        const mayGo = manifest !== undefined && !manifest.isPinned && !isLive(entry);
        return { id, folder, bytes, lastAtMs: manifest?.lastAtMs ?? nowMs, mayGo };
      });
    return planPruning({ sessions, discarded: this.discarded() }, limits, nowMs);
  }

  /** The disk is full: gives up what was kept for writing down how sessions end. */
  releaseReserve(): void {
    rmSync(join(this.folder, reserveName), { force: true });
  }

  private async recover(): Promise<readonly string[]> {
    const interrupted: string[] = [];
    for (const { id, folder, manifest } of this.list()) {
      if (manifest === undefined || !isAbandoned(manifest)) continue;
      await closeAbandoned(folder, manifest);
      interrupted.push(id);
    }
    return interrupted;
  }

  private entry(id: string): LibraryEntry {
    const folder = join(this.folder, id);
    const bytes = bytesOf(folder);
    const manifest = readSessionManifest(folder);
    if (!manifest.ok) return { id, folder, bytes, problem: manifest.error.message };
    return { id, folder, bytes, manifest: { ...manifest.value, id } };
  }

  /** Moved out of sight first, so that nobody ever sees half a session. */
  private throwAway(folder: string): void {
    const trash = join(this.folder, `${trashPrefix}${randomUUID()}`);
    renameSync(folder, trash);
    rmSync(trash, { recursive: true, force: true });
  }

  /** Sessions that can be restored, the one removed first first. */
  private discarded(): readonly { readonly folder: string; readonly bytes: number; readonly removedAtMs: number }[] {
    return readdirSync(this.folder)
      .filter((name) => name.startsWith(removedPrefix))
      .map((name) => join(this.folder, name))
      .map((folder) => ({ folder, bytes: bytesOf(folder), removedAtMs: statSync(folder).mtimeMs }))
      .toSorted((left, right) => left.removedAtMs - right.removedAtMs);
  }

  /** What a killed Faultline was about to remove or to make. */
  private clearTrash(): void {
    for (const name of readdirSync(this.folder)) {
      const pid = /^\.(?:new|import)-.*-(\d+)$/.exec(name)?.[1];
      const isLeft = name.startsWith(trashPrefix) || (pid !== undefined && !isRunning(Number(pid)));
      if (isLeft) rmSync(join(this.folder, name), { recursive: true, force: true });
    }
  }

  private makeReserve(): void {
    const path = join(this.folder, reserveName);
    if (sizeOf(path) === storeReserveBytes) return;
    try {
      writeFileSync(path, Buffer.alloc(storeReserveBytes, 0x20), { mode: 0o600 });
    } catch {
      // A full disk can still be read from.
      rmSync(path, { force: true });
    }
  }
}

/** Whether a living process records it. */
export function isLive({ manifest }: LibraryEntry): boolean {
  return manifest?.state === 'live' && manifest.owner !== undefined && isAlive(manifest.owner);
}

function storeProblem(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'store-problem', message, remedy: 'Look at the folder and at the room on its disk.' };
}

function bytesOf(folder: string): number {
  const names = [...Object.values(sessionFiles), ...Object.values(derivedFiles)];
  return names.reduce((sum, name) => sum + sizeOf(join(folder, name)), 0);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function isRunning(pid: number): boolean {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false }) !== undefined;
}
