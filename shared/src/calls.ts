/**
 * Calls (one printed tuple an event) straight from bytes into typed columns: the hot path of border 1. A line is
 * read positionally; whatever does not fit exactly is refused and counted by the caller.
 */
import { decodeNumber, restoreBytes } from './decode.ts';
import { type CallColumn, makeColumn } from './frame.ts';
import { runTextsMax } from './limits.ts';
import type { Column } from './probe-manifest.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const prefix = ascii('{"type": "value", "data": [');
const suffix = ascii(']}');
const comma = 0x2c;
const quote = 0x22;
const backslash = 0x5c;
const minus = 0x2d;

/** Numbers for texts (process names), shared by all batches of a run. Beyond runTextsMax all are one: "(too many names)". */
export class TextTable {
  readonly texts: string[] = [];
  private readonly numberOf = new Map<string, number>();
  private readonly byHash = new Map<number, readonly { readonly bytes: Uint8Array; readonly number: number }[]>();
  private readonly decoder = new TextDecoder();

  /** The number of a text, made when it is new. */
  intern(text: string): number {
    const known = this.numberOf.get(text);
    if (known !== undefined) return known;
    if (this.texts.length >= runTextsMax) return runTextsMax - 1;
    const number = this.texts.length;
    this.texts.push(number === runTextsMax - 1 ? '(too many names)' : text);
    this.numberOf.set(text, number);
    return number;
  }

  /** As intern, for the bytes between two quotes of JSON; spares making a string for a name already known. */
  internBytes(bytes: Uint8Array, start: number, end: number): number {
    let hash = end - start;
    for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    const candidates = this.byHash.get(hash) ?? [];
    for (const candidate of candidates) if (areSame(candidate.bytes, bytes, start, end)) return candidate.number;
    const raw = bytes.slice(start, end);
    const number = this.intern(restoreBytes(unescapeJson(this.decoder.decode(raw))));
    if (this.byHash.size < runTextsMax) this.byHash.set(hash, [...candidates, { bytes: raw, number }]);
    return number;
  }
}

function areSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at += 1) if (known[at] !== bytes[start + at]) return false;
  return true;
}

function unescapeJson(text: string): string {
  if (!text.includes('\\')) return text;
  try {
    const value: unknown = JSON.parse(`"${text}"`);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

/** Collects the calls of one run into columns until they are taken. Not more than `callsMax` wait at a time. */
export class CallCollector {
  readonly texts = new TextTable();
  private readonly columns: readonly Column[];
  private readonly callsMax: number;
  private batch: CallColumn[];
  private length = 0;
  private room: number;
  private at = 0;
  private value = 0;

  constructor(columns: readonly Column[], callsMax: number) {
    this.columns = columns;
    this.callsMax = callsMax;
    this.room = 1024;
    this.batch = columns.map((column) => makeColumn(column.type, this.room));
  }

  /** Calls that wait to be taken. */
  get count(): number {
    return this.length;
  }

  /**
   * Reads one line (without its newline) of `bytes`. 'taken'; 'full' when no more may wait (the caller counts it as
   * dropped); 'other' when the line is no tuple; 'malformed' when it is one that does not fit the columns.
   */
  push(bytes: Uint8Array, start: number, end: number): 'taken' | 'full' | 'other' | 'malformed' {
    if (end - start < prefix.length || !startsWith(bytes, start, prefix)) return 'other';
    if (this.length >= this.callsMax) return 'full';
    if (this.length === this.room) this.grow();
    this.at = start + prefix.length;
    for (let position = 0; position < this.columns.length; position += 1) {
      if (position > 0 && bytes[this.at++] !== comma) return 'malformed';
      const column = this.batch[position];
      const isText = this.columns[position]?.type === 'text';
      if (column === undefined || !(isText ? this.readText(bytes, end) : this.readNumber(bytes, end)))
        return 'malformed';
      column[this.length] = this.value;
    }
    if (end - this.at !== suffix.length || !startsWith(bytes, this.at, suffix)) return 'malformed';
    this.length += 1;
    return 'taken';
  }

  /** As push, for a tuple that was decoded elsewhere: a version of bpftrace that sets other blanks. */
  pushRow(values: readonly (number | string)[]): 'taken' | 'full' | 'malformed' {
    if (this.length >= this.callsMax) return 'full';
    if (values.length !== this.columns.length) return 'malformed';
    if (this.length === this.room) this.grow();
    for (const [position, column] of this.columns.entries()) {
      const value = values[position] ?? '';
      const number = column.type === 'text' ? this.texts.intern(restoreBytes(String(value))) : decodeNumber(value);
      const into = this.batch[position];
      if (number === undefined || into === undefined) return 'malformed';
      into[this.length] = Math.max(0, number);
    }
    this.length += 1;
    return 'taken';
  }

  /** The waiting calls as columns, oldest first; the collector is empty afterwards. */
  take(): { readonly calls: readonly CallColumn[]; readonly callCount: number } {
    const callCount = this.length;
    const calls = this.batch.map((column) => column.slice(0, callCount));
    this.length = 0;
    return { calls, callCount };
  }

  /** Digits, with a minus (clamped to 0: columns are unsigned) or quoted as 0.27 prints numbers beyond 2^53. */
  private readNumber(bytes: Uint8Array, end: number): boolean {
    const isQuoted = bytes[this.at] === quote;
    if (isQuoted) this.at += 1;
    const isNegative = bytes[this.at] === minus;
    if (isNegative) this.at += 1;
    const first = this.at;
    let value = 0;
    while (this.at < end) {
      const digit = (bytes[this.at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      this.at += 1;
    }
    if (this.at === first || this.at - first > 20) return false;
    if (isQuoted && bytes[this.at++] !== quote) return false;
    this.value = isNegative ? 0 : value;
    return true;
  }

  private readText(bytes: Uint8Array, end: number): boolean {
    if (bytes[this.at] !== quote) return false;
    const first = this.at + 1;
    let at = first;
    while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
    if (at >= end) return false;
    this.value = this.texts.internBytes(bytes, first, at);
    this.at = at + 1;
    return true;
  }

  private grow(): void {
    this.room = Math.min(this.room * 2, this.callsMax);
    this.batch = this.batch.map((column, position) => {
      const larger = makeColumn(this.columns[position]?.type ?? 'f64', this.room);
      larger.set(column);
      return larger;
    });
  }
}

function startsWith(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let at = 0; at < expected.length; at += 1) if (bytes[start + at] !== expected[at]) return false;
  return true;
}
