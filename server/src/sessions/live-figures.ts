/**
 * What sessions that are being recorded add up to so far. A journal only grows, so each is read on from where it was read to the last
 * time; closed sessions have totals (session-totals.ts) and are none of its business.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { liveFiguresMax, sessionFiles } from '@faultline/shared';
import { JournalPlace, readJournal } from './journal-reader.ts';
import { RecordedFigures } from './recorded-figures.ts';

/** The figures of a session at a moment, without its texts and calls; `damage`: where its journal can't be read on. */
export type FinalFigures = { readonly figures: RecordedFigures; readonly damage: string | undefined };

export class LiveFigures {
  /** By folder; the one that was asked for last is the last. */
  private readonly tails = new Map<string, Tail>();

  /** Reads on, and gives what there is by now; what is read later does not change it. Throws what the file system throws. */
  async read(folder: string): Promise<FinalFigures> {
    const path = join(folder, sessionFiles.journal);
    const known = this.tails.get(folder);
    const tail = known?.isOf(path) === true ? known : new Tail(path);
    this.tails.delete(folder);
    this.tails.set(folder, tail);
    const [oldest] = this.tails.keys();
    if (this.tails.size > liveFiguresMax && oldest !== undefined) this.tails.delete(oldest);
    return tail.read();
  }
}

/** One journal as far as it has been read. */
class Tail {
  private readonly path: string;
  private readonly inode: number;
  private readonly place = new JournalPlace();
  private readonly figures = new RecordedFigures();
  private damage: string | undefined;
  private reading: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
    this.inode = statSync(path).ino;
  }

  /** Whether this is still the file, and what was read of it is still there. */
  isOf(path: string): boolean {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.ino === this.inode && found.size >= this.place.wholeBytes;
  }

  async read(): Promise<FinalFigures> {
    // One after the other: who comes while somebody reads finds less to read.
    this.reading = this.reading.catch(() => undefined).then(() => this.readOn());
    await this.reading;
    return { figures: this.figures.snapshot(), damage: this.damage };
  }

  private async readOn(): Promise<void> {
    if (this.damage !== undefined || statSync(this.path).size <= this.place.wholeBytes) return;
    for await (const event of readJournal(this.path, this.place)) {
      if (event.kind === 'damaged') this.damage = event.message;
      this.figures.add(event);
    }
  }
}
