/** The saved comparisons of a store: a folder of small files, each written whole or not at all. What is read is believed only as far as it fits. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  err,
  ok,
  type Result,
  type SavedComparison,
  savedComparisonBytesMax,
  savedComparisonIdPattern,
  SavedComparisonSchema,
  savedComparisonsMax,
  savedComparisonVersion,
  type SessionManifest,
  type SessionNote,
} from '@faultline/shared';
import { Compile } from 'typebox/compile';
import type { Refusal } from './refusal.ts';
import { replaceFile } from './session-folder.ts';
import { digestOfJournal } from './journal-digest.ts';

const validator = Compile(SavedComparisonSchema);
const idPattern = new RegExp(savedComparisonIdPattern);
/** No session's name begins with a dot. */
const folderName = '.comparisons';
const suffix = '.json';

type Session = { readonly folder: string; readonly manifest: Pick<SessionManifest, 'id' | 'state'> };

/** What is to be saved: sides with their sessions, the baseline first, and by what it is judged. */
export type ToSave = {
  readonly name: string;
  readonly sides: readonly { readonly title: string; readonly folders: readonly Session[] }[];
  readonly metrics?: readonly string[] | undefined;
  readonly marginShare?: number | undefined;
};

/** One file of the folder. */
export type SavedEntry =
  | { readonly id: string; readonly saved: SavedComparison }
  | { readonly id: string; readonly problem: string };

export class SavedComparisons {
  private readonly folder: string;

  /** Of the store in this folder. */
  constructor(store: string) {
    this.folder = join(store, folderName);
  }

  /** All of them, the newest first; what can't be read with the reason. */
  list(): readonly SavedEntry[] {
    return this.ids()
      .map((id): SavedEntry => {
        const read = this.read(id);
        return read.ok ? { id, saved: read.value } : { id, problem: read.error.message };
      })
      .toSorted((left, right) => createdAtMs(right) - createdAtMs(left));
  }

  /** One by its id, or by a name that only one has. Error: none or several are called so, or its file can't be read. */
  find(word: string): Result<SavedComparison, Refusal> {
    if (idPattern.test(word)) return this.read(word);
    const named = this.list().flatMap((entry) => ('saved' in entry && entry.saved.name === word ? [entry.saved] : []));
    const [one, another] = named;
    if (one === undefined) return err(unknown(word));
    if (another === undefined) return ok(one);
    const ids = named.map(({ id }) => id).join(', ');
    return err(
      refusal(`${String(named.length)} saved comparisons are called ${JSON.stringify(word)}`, `Say which: ${ids}.`),
    );
  }

  /** Error: there is none of this id, or its file can't be read. */
  read(id: string): Result<SavedComparison, Refusal> {
    const path = this.pathOf(id);
    const size = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })?.size;
    if (path === undefined || size === undefined) return err(unknown(id));
    if (size > savedComparisonBytesMax) return err(unreadable(id, 'its file is too large'));
    let value: unknown;
    try {
      value = JSON.parse(readFileSync(path, 'utf8'));
    } catch {
      return err(unreadable(id, 'its file is not JSON'));
    }
    if (isNewer(value)) return err(unreadable(id, 'it was saved by a newer Faultline'));
    if (!validator.Check(value) || value.id !== id) return err(unreadable(id, 'its file is not as it should be'));
    return ok(value);
  }

  /** Saves one. Error: a session is not of this store, there are too many, or it can't be written. */
  save({ name, sides, metrics, marginShare }: ToSave, store: string, nowMs: number): Result<SavedComparison, Refusal> {
    if (this.ids().length >= savedComparisonsMax)
      return err(refusal(`there are ${String(savedComparisonsMax)} saved comparisons already`, 'Remove some first.'));
    const sessions = sides.flatMap(({ folders }) => folders);
    const live = sessions.find(({ manifest }) => manifest.state === 'live');
    if (live !== undefined)
      return err(refusal(`session ${live.manifest.id} is still being recorded`, 'Save it once it is closed.'));
    const strange = sessions.find((one) => one.folder !== join(store, one.manifest.id));
    if (strange !== undefined)
      return err(refusal(`session ${strange.manifest.id} is not in the store`, 'Import it first: faultline import.'));
    return this.write({
      formatVersion: savedComparisonVersion,
      ...{ id: randomBytes(6).toString('hex'), name, createdAtMs: nowMs, notes: [] },
      ...(metrics === undefined || metrics.length === 0 ? {} : { metrics: [...metrics] }),
      ...(marginShare === undefined ? {} : { marginShare }),
      sides: sides.map(({ title, folders }) => ({
        title,
        sessions: folders.map(({ folder, manifest }) => ({ id: manifest.id, digest: digestOfJournal(folder) })),
      })),
    });
  }

  /** Gives one another name. */
  rename(id: string, name: string): Result<SavedComparison, Refusal> {
    const read = this.read(id);
    return read.ok ? this.write({ ...read.value, name }) : read;
  }

  /** Adds a note to one. */
  annotate(id: string, note: SessionNote): Result<SavedComparison, Refusal> {
    const read = this.read(id);
    return read.ok ? this.write({ ...read.value, notes: [...read.value.notes, note] }) : read;
  }

  /** Removes one, readable or not; its sessions stay. */
  remove(id: string): Result<string, Refusal> {
    const path = this.pathOf(id);
    if (path === undefined || statSync(path, { throwIfNoEntry: false }) === undefined) return err(unknown(id));
    try {
      rmSync(path);
      return ok(id);
    } catch (error) {
      return err(storeProblem(error));
    }
  }

  private write(saved: SavedComparison): Result<SavedComparison, Refusal> {
    const text = `${JSON.stringify(saved, undefined, 1)}\n`;
    const path = this.pathOf(saved.id);
    if (path === undefined || !validator.Check(saved) || Buffer.byteLength(text) > savedComparisonBytesMax)
      return err(refusal('it would be too large, or could not be read again', 'Save fewer sessions, or write less.'));
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      replaceFile(path, text);
      return ok(saved);
    } catch (error) {
      return err(storeProblem(error));
    }
  }

  private ids(): readonly string[] {
    if (statSync(this.folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    return readdirSync(this.folder)
      .filter((name) => name.endsWith(suffix) && idPattern.test(name.slice(0, -suffix.length)))
      .slice(0, savedComparisonsMax)
      .map((name) => name.slice(0, -suffix.length));
  }

  private pathOf(id: string): string | undefined {
    return idPattern.test(id) ? join(this.folder, `${id}${suffix}`) : undefined;
  }
}

function createdAtMs(entry: SavedEntry): number {
  return 'saved' in entry ? entry.saved.createdAtMs : 0;
}

function isNewer(value: unknown): boolean {
  const version = typeof value === 'object' && value !== null && 'formatVersion' in value ? value.formatVersion : 0;
  return typeof version === 'number' && version > savedComparisonVersion;
}

function unknown(id: string): Refusal {
  const message = `there is no saved comparison ${JSON.stringify(id.slice(0, 40))}`;
  return {
    kind: 'unknown-session',
    message,
    remedy: 'faultline compare --list shows them, and so does GET /api/v1/comparisons.',
  };
}

function unreadable(id: string, why: string): Refusal {
  return {
    kind: 'session-unreadable',
    message: `the saved comparison ${id}: ${why}`,
    remedy: 'Nothing was changed; it can be removed.',
  };
}

function refusal(message: string, remedy: string): Refusal {
  return { kind: 'bad-parameter', message, remedy };
}

function storeProblem(error: unknown): Refusal {
  const message = `the comparison could not be written: ${error instanceof Error ? error.message : String(error)}`;
  return { kind: 'store-problem', message, remedy: 'Look whether the disk is full, or the store write-protected.' };
}
