/** A recorded session as exports want it, whether it is closed or still being recorded. */
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { sessionFiles } from '@faultline/shared';
import { decodeJournal } from './journal-reader.ts';
import type { ReadableEntry } from './library.ts';
import { RecordedFigures } from './recorded-figures.ts';

/** What of a session an export reads: the journal as long as it is now, so that one that grows is read to a fixed place. */
export function openExportSource({ manifest, folder }: ReadableEntry) {
  const path = join(folder, sessionFiles.journal);
  const journalBytes = statSync(path).size;
  const journal = (): AsyncIterable<Buffer> =>
    createReadStream(path, { end: Math.max(0, journalBytes - 1), highWaterMark: 256 * 1024 });
  const events = (): ReturnType<typeof decodeJournal> => decodeJournal(journal());
  return {
    manifest,
    journal,
    journalBytes,
    events,
    figures: async (): Promise<RecordedFigures> => {
      const figures = new RecordedFigures();
      for await (const event of events()) figures.add(event);
      figures.settle(manifest);
      return figures;
    },
  };
}
