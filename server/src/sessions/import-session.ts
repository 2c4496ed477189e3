/** Takes in an exported session. The file may be anything: it is believed only as far as every byte of it fits. */
import { createReadStream, existsSync, mkdirSync, type ReadStream, rmSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import {
  addLedgers,
  csvChunkBytes,
  err,
  formatBytes,
  importBytesMax,
  ok,
  type Result,
  type SessionManifest,
  sessionFiles,
  sessionManifestBytesMax,
} from '@faultline/shared';
import { readCsv } from './import-csv.ts';
import type { Library } from './library.ts';
import { decodeJournal } from './journal-reader.ts';
import { interruptedView, type JournalEnd, RecordedFigures } from './recorded-figures.ts';
import type { Refusal } from './refusal.ts';
import { parseSessionManifest, refuseVersion, writeSessionManifest } from './session-folder.ts';
import { HostileFileError, readTar } from './tar-reader.ts';

/** Imports a file that was exported as archive, jsonl or csv, unpacked at most `bytesMax`. Nothing is left of one that is refused. */
export async function importSession(
  library: Library,
  file: string,
  bytesMax: number = importBytesMax,
): Promise<Result<SessionManifest, Refusal>> {
  const draft = join(library.folder, `.import-${randomUUID()}-${process.pid}`);
  try {
    mkdirSync(draft, { mode: 0o700 });
    const given = await unpack(file, draft, bytesMax);
    const manifest = believe(given, draft);
    writeSessionManifest(draft, manifest);
    const placed = library.adopt(draft, manifest.id);
    return placed.ok ? ok(manifest) : placed;
  } catch (error) {
    const isAbsent = !existsSync(file);
    const why = error instanceof Error ? error.message : String(error);
    const message = `${file} was not imported: ${isAbsent ? 'there is no such file' : why}`;
    const isHostile = error instanceof HostileFileError || isDataError(error);
    const remedy = isHostile
      ? 'Nothing was taken in. Export it again, as archive, jsonl or csv.'
      : 'Look at the file and at the room on the disk.';
    return err({ kind: isHostile ? 'session-unreadable' : 'store-problem', message, remedy });
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What a file says of itself, and what its journal says, which lies in the draft then. */
type Unpacked = { readonly manifest: SessionManifest; readonly figures: RecordedFigures; readonly end: JournalEnd };

/** Where the journal goes, and how large it may be, bytes. */
type Into = { readonly path: string; readonly bytesMax: number };

async function unpack(file: string, draft: string, bytesMax: number): Promise<Unpacked> {
  const start = await firstBytes(file);
  const journal = { path: join(draft, sessionFiles.journal), bytesMax };
  if (start[0] === 0x1f && start[1] === 0x8b) return unpackArchive(file, journal);
  if (start[0] === 0x7b) return reading(file, 256 * 1024, (plain) => unpackLines(plain, journal));
  if (/^(?:\ufeff)?kind,/.test(start.toString('utf8')))
    return reading(file, csvChunkBytes, (plain) => unpackCsv(plain, journal));
  throw new HostileFileError('it is neither an archive, nor JSON Lines, nor CSV of a session');
}

async function reading<T>(file: string, chunkBytes: number, read: (plain: ReadStream) => Promise<T>): Promise<T> {
  const plain = createReadStream(file, { highWaterMark: chunkBytes });
  try {
    return await read(plain);
  } finally {
    plain.destroy();
  }
}

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function unpackArchive(file: string, into: Into): Promise<Unpacked> {
  const packed = createReadStream(file);
  const plain = packed.pipe(createGunzip());
  packed.on('error', (error) => plain.destroy(error));
  try {
    let manifest: SessionManifest | undefined;
    let journal: Omit<Unpacked, 'manifest'> | undefined;
    for await (const { name, size, bytes } of readTar(plain)) {
      if (name === sessionFiles.journal) {
        journal = await store(bytes(), into);
        continue;
      }
      if (size > sessionManifestBytesMax) throw new HostileFileError('its manifest is too large');
      manifest = believedManifest(Buffer.concat(await Array.fromAsync(bytes())).toString('utf8'));
    }
    if (manifest !== undefined && journal !== undefined) return { manifest, ...journal };
    throw new HostileFileError('the archive lacks the manifest or the journal');
  } finally {
    packed.destroy();
    plain.destroy();
  }
}

/** The first line holds the manifest; all others are the journal. */
async function unpackLines(chunks: AsyncIterable<Buffer>, into: Into): Promise<Unpacked> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (!head.includes(0x0a)) {
    const next = await iterator.next();
    if (next.done === true) throw new HostileFileError('it ends within its first line');
    head = Buffer.concat([head, next.value]);
    if (head.length > sessionManifestBytesMax) throw new HostileFileError('its first line is too long');
  }
  const end = head.indexOf(0x0a);
  const manifest = believedManifest(manifestOfLine(head.toString('utf8', 0, end)));
  const rest = async function* (): AsyncGenerator<Buffer> {
    yield head.subarray(end + 1);
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  };
  return { manifest, ...(await store(rest(), into)) };
}

/** The first row holds the manifest; the journal is made of all others, and is not of the size that the manifest says. */
async function unpackCsv(plain: ReadStream, into: Into): Promise<Unpacked> {
  const { manifest, journal } = await readCsv(plain, believedManifest);
  const stored = await store(journal, into);
  return { ...stored, manifest: { ...manifest, held: { ...manifest.held, journalBytes: stored.end.wholeBytes } } };
}

function manifestOfLine(line: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new HostileFileError('its first line is not JSON');
  }
  if (typeof value !== 'object' || value === null || !('kind' in value) || value.kind !== 'faultline-session')
    throw new HostileFileError('its first line is not that of an exported session');
  if (!('manifest' in value) || !('formatVersion' in value))
    throw new HostileFileError('its first line is not that of an exported session');
  const refusal = refuseVersion(value.formatVersion);
  if (refusal !== undefined) throw new HostileFileError(refusal.message);
  return JSON.stringify(value.manifest) ?? '';
}

function believedManifest(text: string): SessionManifest {
  const manifest = parseSessionManifest(text);
  if (!manifest.ok) throw new HostileFileError(manifest.error.message);
  return manifest.value;
}

/** Writes what comes, and reads it as a journal meanwhile: nothing is taken in beyond the first line that does not fit. */
async function store(chunks: AsyncIterable<Buffer>, { path, bytesMax }: Into): Promise<Omit<Unpacked, 'manifest'>> {
  const file = await open(path, 'wx', 0o600);
  const figures = new RecordedFigures();
  let bytes = 0;
  const written = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new HostileFileError(`unpacked it is larger than ${formatBytes(bytesMax)}`);
      await file.writeFile(chunk);
      yield chunk;
    }
  };
  let [isEnded, tornBytes] = [false, 0];
  try {
    for await (const event of decodeJournal(written())) {
      if (event.kind === 'damaged') throw new HostileFileError(`its journal is damaged: ${event.message}`);
      if (event.kind === 'end') isEnded = true;
      if (event.kind === 'torn') tornBytes = event.tornBytes;
      figures.add(event);
    }
  } finally {
    await file.close();
  }
  return { figures, end: { isEnded, tornBytes, wholeBytes: bytes - tornBytes, damage: undefined } };
}

/** The manifest where it and the journal say the same; a session exported while it was live is closed as interrupted. */
function believe({ manifest, figures, end }: Unpacked, draft: string): SessionManifest {
  if (figures.head?.session === undefined) throw new HostileFileError('its journal has no beginning');
  const isLive = manifest.state === 'live';
  if (end.tornBytes > 0 && !isLive) throw new HostileFileError('its journal is truncated');
  if (manifest.state === 'closed' && !end.isEnded && manifest.stop === undefined)
    throw new HostileFileError('its journal is truncated');
  const runs = figures.runs.map(({ run }) => run);
  if (!isLive) {
    const held = JSON.stringify(figures.held(manifest.held.journalBytes));
    if (held !== JSON.stringify(manifest.held))
      throw new HostileFileError('its journal holds something else than its manifest says');
    if (
      manifest.runs.length !== runs.length ||
      manifest.runs.some((run, at) => JSON.stringify(run.stream) !== JSON.stringify(runs[at]?.stream))
    )
      throw new HostileFileError('its manifest names other runs than its journal');
    return manifest;
  }
  if (end.tornBytes > 0) truncateSync(join(draft, sessionFiles.journal), end.wholeBytes);
  const why = 'it was exported while it was recorded';
  const closed = figures.runs.map((run) => ({ ...run.run, view: interruptedView(run, figures.lastAtMs, why) }));
  const { owner: _, ...rest } = manifest;
  return {
    ...rest,
    state: 'interrupted',
    lastAtMs: figures.lastAtMs,
    runs: closed,
    ledger: addLedgers(closed.map(({ view }) => view.ledger)),
    held: figures.held(end.wholeBytes),
    interruption: { message: `This session goes no further: ${why}.`, discardedBytes: end.tornBytes },
  };
}

/** What zlib throws at what is no gzip, or ends too early. */
function isDataError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}
