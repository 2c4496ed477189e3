/** Two stores, and the files that go from one to the other. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExportFormat, exportFormats } from '../../src/exports/formats.ts';
import { openExportSource } from '../../src/sessions/export-source.ts';
import { importSession } from '../../src/sessions/import-session.ts';
import { openTempStore, type TempStore } from './temp-store.ts';

/** The store a session comes from, the one it goes to, and a folder for files between them. */
export class TwoStores implements AsyncDisposable {
  readonly origin: TempStore;
  readonly other: TempStore;
  readonly folder = mkdtempSync(join(tmpdir(), 'faultline-import-'));

  private constructor(origin: TempStore, other: TempStore) {
    this.origin = origin;
    this.other = other;
  }

  static async open(): Promise<TwoStores> {
    return new TwoStores(await openTempStore(), await openTempStore());
  }

  /** A session of the origin, or of another store, in a format. */
  async exported(id: string, format: ExportFormat, { store }: TempStore = this.origin): Promise<Buffer> {
    const found = store.library.findReadable(id);
    if (!found.ok) throw new Error(found.error.message);
    const pieces = await Array.fromAsync(exportFormats[format].write(openExportSource(found.value)));
    return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
  }

  /** Imports these bytes into the other store. */
  async importBytes(bytes: Buffer | string): ReturnType<typeof importSession> {
    writeFileSync(this.path('given'), bytes);
    return this.importFile('given');
  }

  /** Imports a file of the folder into the other store. */
  async importFile(name: string): ReturnType<typeof importSession> {
    return importSession(this.other.store.library, this.path(name));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** The names in the other store; `.reserve` alone where nothing is left of what was refused. */
  names(): readonly string[] {
    return readdirSync(this.other.folder).toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.origin[Symbol.asyncDispose]();
    await this.other[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The two files of a session. */
export function filesOf(store: TempStore, id: string): readonly string[] {
  return ['manifest.json', 'journal.jsonl'].map((name) => readFileSync(join(store.folder, id, name), 'utf8'));
}

/** What `faultline summary` prints. */
export async function summaryOf({ store }: TempStore, id: string): Promise<object> {
  const found = store.library.findReadable(id);
  if (!found.ok) throw new Error(found.error.message);
  return (await openExportSource(found.value).figures()).summary(found.value.manifest);
}
