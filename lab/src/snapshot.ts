/** Snapshots: a booted guest with its tracing attached, written to a file once, restored ever after. */
import { createWriteStream } from 'node:fs';
import { readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import {
  err,
  ok,
  type Result,
  snapshotBytesMax,
  snapshotPollMs,
  labKeptMax,
  snapshotWaitMaxMs,
} from '@faultline/shared';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { beyondNewest, cached, cachedPath, isCached, noteUse } from './cache.ts';
import type { LabError } from './lab-error.ts';
import type { Machine } from './machine.ts';

const strict = { additionalProperties: false } as const;

/** What must be known of a guest besides its memory, to go on with it. */
export const SnapshotNoteSchema = Type.Object(
  {
    noteVersion: Type.Literal(1),
    nextId: Type.Integer({ minimum: 0 }),
    /** Processes that were started held: what they are, and under which id they wait. */
    held: Type.Array(
      Type.Object(
        {
          id: Type.Integer(),
          program: Type.String(),
          args: Type.Array(Type.String()),
          env: Type.Record(Type.String(), Type.String()),
        },
        strict,
      ),
      { maxItems: 32 },
    ),
    /** Files of the guest that do not change in it and are slow to read, by path, in base64. */
    files: Type.Record(Type.String(), Type.String()),
    /** Answers of programs that do not change in it and are slow to run, by their words. */
    answers: Type.Record(Type.String(), Type.String()),
  },
  strict,
);
export type SnapshotNote = Static<typeof SnapshotNoteSchema>;

const validator = Compile(SnapshotNoteSchema);
const kind = 'snapshots';
const memoryFile = 'memory';
const noteFile = 'note.json';

/** Whether there is one. */
export function hasSnapshot(key: string): Promise<boolean> {
  return isCached(kind, key);
}

/** Where a snapshot is: to be removed when it cannot be restored. */
export function snapshotPath(key: string): string {
  return cachedPath(kind, key);
}

/** The file with the guest's memory, and the note beside it. */
export async function readSnapshot(
  key: string,
): Promise<Result<{ readonly memory: string; readonly note: SnapshotNote }, LabError>> {
  const folder = cachedPath(kind, key);
  try {
    const note: unknown = JSON.parse(await readFile(join(folder, noteFile), 'utf8'));
    if (validator.Check(note)) {
      await noteUse(folder);
      return ok({ memory: join(folder, memoryFile), note });
    }
    return err(broken(`the snapshot ${key} has a note of another form`));
  } catch (cause) {
    return err(broken(`the snapshot ${key} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`));
  }
}

/** Stops the guest, writes its memory and the note, and lets it run on. The guest runs on also when writing failed. */
export async function writeSnapshot(
  machine: Machine,
  key: string,
  note: SnapshotNote,
): Promise<Result<void, LabError>> {
  const written = await cached(kind, key, async (draft) => {
    const space = await statfs(draft);
    if (space.bavail * space.bsize < snapshotBytesMax) {
      return err(broken(`no room for a snapshot (${snapshotBytesMax / 1024 / 1024} MiB) in the lab's folder`));
    }
    await writeFile(join(draft, noteFile), JSON.stringify(note));
    const stopped = await machine.qmp.command('stop');
    if (!stopped.ok) return stopped;
    const saved = await migrateTo(machine, join(draft, 'channel'), join(draft, memoryFile));
    await machine.qmp.command('cont');
    return saved;
  });
  if (!written.ok) return written;
  await pruneSnapshots();
  return ok(undefined);
}

/** Removes the least recently used snapshots beyond labKeptMax.snapshots: each changed script, kernel or size leaves one behind. */
export async function pruneSnapshots(): Promise<void> {
  for (const name of await beyondNewest(kind, labKeptMax.snapshots))
    await rm(cachedPath(kind, name), { recursive: true, force: true });
}

/** QEMU 7.2 writes a migration to a socket (to a file only through a shell): what comes is put into the file. */
async function migrateTo(machine: Machine, channel: string, file: string): Promise<Result<void, LabError>> {
  const server = createServer();
  const copied = new Promise<Result<void, LabError>>((resolve) => {
    server.once('connection', (socket) => {
      pipeline(socket, createWriteStream(file)).then(
        () => resolve(ok(undefined)),
        (cause: unknown) => resolve(err(broken(`writing ${file}: ${String(cause)}`))),
      );
    });
    setTimeout(() => resolve(err(broken('the snapshot was not written in time'))), snapshotWaitMaxMs).unref();
  });
  await new Promise<void>((resolve) => {
    server.listen(channel, resolve);
  });
  // As fast as it goes: the default is 128 MiB a second.
  await machine.qmp.command('migrate-set-parameters', { 'max-bandwidth': 16 * 1024 ** 3 });
  const begun = await machine.qmp.command('migrate', { uri: `unix:${channel}` });
  const answer = begun.ok ? await copied : begun;
  server.close();
  return answer.ok ? untilMigrated(machine) : answer;
}

/** Lets a restored guest run: it was stopped when it was written, and wakes up stopped once all of it has been read. */
export async function goOn(machine: Machine): Promise<Result<void, LabError>> {
  for (let waitedMs = 0; waitedMs < snapshotWaitMaxMs; waitedMs += snapshotPollMs) {
    const answer = await machine.qmp.command('query-status');
    if (!answer.ok) return answer;
    const status = JSON.stringify(answer.value);
    if (!status.includes('"inmigrate"')) {
      const begun = await machine.qmp.command('cont');
      return begun.ok ? ok(undefined) : begun;
    }
    await wait(snapshotPollMs);
  }
  return err(broken('QEMU did not read the snapshot in time'));
}

async function untilMigrated(machine: Machine): Promise<Result<void, LabError>> {
  for (let waitedMs = 0; waitedMs < snapshotWaitMaxMs; waitedMs += snapshotPollMs) {
    const answer = await machine.qmp.command('query-migrate');
    if (!answer.ok) return answer;
    const status = JSON.stringify(answer.value);
    if (status.includes('"status":"completed"')) return ok(undefined);
    if (status.includes('"status":"failed"')) return err(broken(`QEMU could not write the snapshot: ${status}`));
    await wait(snapshotPollMs);
  }
  return err(broken('QEMU did not finish the snapshot'));
}

function broken(message: string): LabError {
  return { kind: 'broken', message, remedy: 'The guest runs on without; faultline lab clean makes room.' };
}
