/**
 * An append-only file of lines. What is appended goes to the kernel at once (so that the death of this process loses
 * nothing that was handed over) and to the disk once a second. The first error ends it, at a whole line.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { journalPendingBytesMax, journalSyncIntervalMs, type RecordingStop } from '@faultline/shared';

/** What went wrong, in the words of RecordingStop. */
export type JournalFailure = { readonly kind: RecordingStop['kind']; readonly message: string };

const lineFeed = 0x0a;

export class JournalWriter {
  /** Bytes of whole lines that the file holds. */
  writtenBytes: number;
  hasFailed = false;
  private readonly path: string;
  private readonly onFailure: (failure: JournalFailure) => void;
  private pending: string[] = [];
  private pendingBytes = 0;
  private isClosing = false;
  private draining: Promise<void> | undefined;
  private file: FileHandle | undefined;
  private isDirty = false;
  private isSyncing = false;
  private readonly timer: NodeJS.Timeout;

  /** The file holds `startBytes` already. */
  constructor(path: string, startBytes: number, onFailure: (failure: JournalFailure) => void) {
    this.path = path;
    this.writtenBytes = startBytes;
    this.onFailure = onFailure;
    this.timer = setInterval(() => void this.sync(), journalSyncIntervalMs);
    this.timer.unref();
  }

  /** Bytes written and waiting. */
  get totalBytes(): number {
    return this.writtenBytes + this.pendingBytes;
  }

  /** Takes one line, with its line feed; does nothing after a failure. */
  append(line: string): void {
    if (this.hasFailed || this.isClosing) return;
    const bytes = Buffer.byteLength(line);
    if (this.pendingBytes + bytes > journalPendingBytesMax) {
      this.fail({ kind: 'disk-slow', message: 'the disk takes less than is traced' });
      return;
    }
    this.pending.push(line);
    this.pendingBytes += bytes;
    this.drainSoon();
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    this.isClosing = true;
    clearInterval(this.timer);
    this.drainSoon();
    while (this.draining !== undefined) await this.draining;
    const { file } = this;
    this.file = undefined;
    if (file === undefined) return;
    await file.sync().catch(() => {});
    await file.close();
  }

  private drainSoon(): void {
    this.draining ??= this.drain().finally(() => {
      this.draining = undefined;
      if (this.pending.length > 0 && !this.hasFailed) this.drainSoon();
    });
  }

  private async drain(): Promise<void> {
    try {
      this.file ??= await open(this.path, 'a', 0o600);
      while (this.pending.length > 0 && !this.hasFailed) {
        await this.write(this.file, Buffer.from(this.pending.splice(0).join('')));
      }
    } catch (error) {
      this.fail(describeError(error));
    }
  }

  private async write(file: FileHandle, batch: Buffer): Promise<void> {
    let offset = 0;
    try {
      while (offset < batch.length) {
        const { bytesWritten } = await file.write(batch, offset, batch.length - offset);
        offset += bytesWritten;
      }
      this.writtenBytes += batch.length;
      this.isDirty = true;
    } catch (error) {
      // What was written stays, as far as it is whole lines; the rest would be a torn one.
      this.writtenBytes += batch.subarray(0, offset).lastIndexOf(lineFeed) + 1;
      await file.truncate(this.writtenBytes).catch(() => {});
      throw error;
    } finally {
      this.pendingBytes = Math.max(0, this.pendingBytes - batch.length);
    }
  }

  private async sync(): Promise<void> {
    if (this.file === undefined || !this.isDirty || this.isSyncing || this.isClosing) return;
    this.isSyncing = true;
    this.isDirty = false;
    try {
      await this.file.datasync();
    } catch (error) {
      this.fail(describeError(error));
    } finally {
      this.isSyncing = false;
    }
  }

  private fail(failure: JournalFailure): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.pending = [];
    this.pendingBytes = 0;
    this.onFailure(failure);
  }
}

/** An error of the file system as a reason to stop recording. */
export function describeError(error: unknown): JournalFailure {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return { kind: 'disk-full', message: 'the disk is full' };
  return { kind: 'disk-error', message: error instanceof Error ? error.message : String(error) };
}
