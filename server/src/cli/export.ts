/** `faultline export` and `faultline import`. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ExportFormat, exportFormats } from '../exports/formats.ts';
import { Derivation } from '../queries/derivation.ts';
import { openExportSource } from '../sessions/export-source.ts';
import { importSession } from '../sessions/import-session.ts';
import { openLibrary, sayRefusal, sessionStatus } from './sessions.ts';
import { complaint, type Terminal } from './terminal.ts';

/** Writes a session in one format, to a file that is not there yet or to a stream. Status 1 where that fails. */
export async function exportSession(
  words: { readonly store: string; readonly session: string; readonly format: ExportFormat; readonly output: string },
  terminal: Terminal,
  standardOutput: NodeJS.WritableStream,
): Promise<number> {
  const library = await openLibrary(words.store, terminal);
  if (library === undefined) return sessionStatus.failed;
  const found = library.findReadable(words.session);
  if (!found.ok) return sayRefusal(found.error, terminal);
  const pieces = Readable.from(exportFormats[words.format].write(openExportSource(found.value)));
  try {
    if (words.output === '-') await pipeline(pieces, standardOutput, { end: false });
    else await pipeline(pieces, createWriteStream(words.output, { flags: 'wx' }));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // A reader that has gone (| head) is no failure.
    if (words.output === '-' && (code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE')) return sessionStatus.done;
    const isThere = code === 'EEXIST';
    const why = error instanceof Error ? error.message : String(error);
    terminal.err(
      complaint(
        `${found.value.id} was not exported: ${isThere ? `${words.output} is there already` : why}`,
        isThere ? 'Name another file.' : 'Look at the path and at the room on its disk.',
      ),
    );
    return sessionStatus.failed;
  }
  if (words.output !== '-') terminal.err(`${found.value.id} written to ${words.output}\n`);
  return sessionStatus.done;
}

/** Takes a session in, and prints its id. Status 1 where the file is refused. */
export async function importFile(
  words: { readonly store: string; readonly file: string; readonly isJson: boolean },
  terminal: Terminal,
): Promise<number> {
  const library = await openLibrary(words.store, terminal);
  if (library === undefined) return sessionStatus.failed;
  const imported = await importSession(library, words.file);
  if (!imported.ok) return sayRefusal(imported.error, terminal);
  const { id } = imported.value;
  await using derivation = new Derivation();
  const problem = await derivation.derive(join(library.folder, id));
  if (problem !== undefined)
    terminal.err(`its totals and tables were not made (${problem}); they are made when they are wanted\n`);
  terminal.out(words.isJson ? `${JSON.stringify({ id })}\n` : `imported as ${id}\n`);
  return sessionStatus.done;
}
