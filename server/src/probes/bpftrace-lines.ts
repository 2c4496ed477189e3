/** Splits a byte stream into lines, with a bound on a line's length and on the bytes a second. */
import { lineBytesMax, stdoutBytesPerSecMax } from '@faultline/shared';

/** Receives each line as a range of bytes that is valid only during the call; the newline is not part of it. */
export type LineSink = {
  line(bytes: Uint8Array, start: number, end: number): void;
  /** A line longer than lineBytesMax was skipped. */
  oversize(bytesCount: number): void;
  /** So many bytes were thrown away undecoded, because more arrived in this second than is allowed. */
  flood(bytesCount: number): void;
};

const newline = 0x0a;

export class LineSplitter {
  private rest: Uint8Array[] = [];
  private restBytes = 0;
  private skipping = false;
  private secondStartMs = 0;
  private secondBytes = 0;
  private readonly sink: LineSink;

  constructor(sink: LineSink) {
    this.sink = sink;
  }

  /** Takes a chunk as it came from the pipe; `nowMs` is any steady clock. */
  push(chunk: Uint8Array, nowMs: number): void {
    if (nowMs - this.secondStartMs >= 1000) {
      this.secondStartMs = nowMs;
      this.secondBytes = 0;
    }
    this.secondBytes += chunk.length;
    if (this.secondBytes > stdoutBytesPerSecMax) {
      // The line that is cut here must not be glued to what comes after the gap.
      this.sink.flood(chunk.length + this.restBytes);
      this.dropRest();
      this.skipping = true;
      return;
    }
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.endLine(chunk, start, end);
      start = end + 1;
    }
    this.keep(chunk.subarray(start));
  }

  /** The stream has ended; a last line without newline counts as a line. */
  end(): void {
    if (this.restBytes > 0 && !this.skipping) this.endLine(new Uint8Array(0), 0, 0);
    this.dropRest();
  }

  private endLine(chunk: Uint8Array, start: number, end: number): void {
    if (this.skipping) {
      this.skipping = false;
      this.dropRest();
      return;
    }
    if (this.restBytes === 0) {
      if (end - start > lineBytesMax) this.sink.oversize(end - start);
      else this.sink.line(chunk, start, end);
      return;
    }
    if (this.restBytes + end - start > lineBytesMax) {
      this.sink.oversize(this.restBytes + end - start);
      this.dropRest();
      return;
    }
    const line = new Uint8Array(this.restBytes + end - start);
    let at = 0;
    for (const part of this.rest) {
      line.set(part, at);
      at += part.length;
    }
    line.set(chunk.subarray(start, end), at);
    this.dropRest();
    this.sink.line(line, 0, line.length);
  }

  private keep(tail: Uint8Array): void {
    if (tail.length === 0 || this.skipping) return;
    if (this.restBytes + tail.length > lineBytesMax) {
      this.sink.oversize(this.restBytes + tail.length);
      this.dropRest();
      this.skipping = true;
      return;
    }
    this.rest.push(tail.slice());
    this.restBytes += tail.length;
  }

  private dropRest(): void {
    this.rest = [];
    this.restBytes = 0;
  }
}
