/** What every export is made from: a recorded session, read from its beginning as often as a format needs. */
import type { SessionManifest } from '@faultline/shared';
import type { JournalEvent } from '../sessions/journal-reader.ts';
import type { RecordedFigures } from '../sessions/recorded-figures.ts';

/** A session to export. Nothing of it is held in memory beyond a tick and the cumulative figures. */
export type ExportSource = {
  readonly manifest: SessionManifest;
  readonly events: () => AsyncIterable<JournalEvent>;
  /** The journal's own bytes: exactly `journalBytes` of them. */
  readonly journal: () => AsyncIterable<Buffer>;
  readonly journalBytes: number;
  /** All cumulative figures at the end. */
  readonly figures: () => Promise<RecordedFigures>;
};

/** Writes one format, piece by piece: whoever takes the pieces sets the pace. */
export type Exporter = (source: ExportSource) => AsyncGenerator<string | Uint8Array>;

/** Gathers small texts into pieces that are worth a write. */
export class Pieces {
  private parts: string[] = [];
  private size = 0;

  /** Adds a text; the answer is a piece to pass on, or undefined while it is too small. */
  add(text: string): string | undefined {
    this.parts.push(text);
    this.size += text.length;
    return this.size >= pieceCharsMin ? this.take() : undefined;
  }

  /** What there is, however small. */
  take(): string {
    const piece = this.parts.join('');
    this.parts = [];
    this.size = 0;
    return piece;
  }
}

const pieceCharsMin = 64 * 1024;
