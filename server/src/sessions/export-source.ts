/** A recorded session as exports want it, whether it is closed or still being recorded. */
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { sessionFiles } from '@faultline/shared';
import { decodeJournal } from './journal-reader.ts';
import type { ReadableEntry } from './library.ts';
import { RecordedFigures } from './recorded-figures.ts';
import { readTotals } from './session-totals.ts';

/**
 * What of a session an export reads: the journal as long as it is now, so that one that grows is read to a fixed place.
 * `onProgress` is told which share of the session was handed over, 0 to 1.
 */
export function openExportSource({ manifest, folder }: ReadableEntry, onProgress?: (share: number) => void) {
  const path = join(folder, sessionFiles.journal);
  const journalBytes = statSync(path).size;
  const read = (): AsyncIterable<Buffer> =>
    createReadStream(path, { end: Math.max(0, journalBytes - 1), highWaterMark: 256 * 1024 });
  const tell = (done: number, all: number): void => onProgress?.(all === 0 ? 1 : Math.min(1, done / all));
  const journal = async function* (): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const piece of read()) {
      bytes += piece.length;
      tell(bytes, journalBytes);
      yield piece;
    }
  };
  const events = async function* (): ReturnType<typeof decodeJournal> {
    let ticks = 0;
    for await (const event of decodeJournal(read())) {
      yield event;
      if (event.kind !== 'tick') continue;
      ticks += 1;
      tell(ticks, manifest.held.tickCount);
    }
  };
  return {
    manifest,
    journal,
    journalBytes,
    events,
    figures: async (): Promise<RecordedFigures> => {
      const totals = readTotals({ folder, manifest });
      if (totals !== undefined) return RecordedFigures.restored(manifest, totals);
      const figures = new RecordedFigures();
      for await (const event of decodeJournal(read())) figures.add(event);
      figures.settle(manifest);
      return figures;
    },
  };
}
