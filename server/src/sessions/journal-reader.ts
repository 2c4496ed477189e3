/** A journal, line by line, each checked against its schema and against what came before. A torn end is no error. */
import { createReadStream } from 'node:fs';
import {
  err,
  type JournalHead,
  JournalHeadSchema,
  type JournalLine,
  JournalLineSchema,
  journalLineBytesMax,
  ok,
  type RecordedRun,
  type Result,
  type RunView,
} from '@faultline/shared';
import { Compile } from 'typebox/compile';
import { type RunState, tickOfLine } from './journal-line.ts';
import { refuseVersion, upgradeSteps } from './session-folder.ts';
import type { Tick } from './tick.ts';

/** What the first line of a journal has to undergo; its other lines are the same in all versions. */
const headUpgraders: ReadonlyMap<number, (head: object) => object> = new Map([
  [1, (head) => ({ ...head, formatVersion: 2 })],
]);

const headValidator = Compile(JournalHeadSchema);
const lineValidator = Compile(JournalLineSchema);

/** What a journal tells, in order. */
export type JournalEvent =
  | { readonly kind: 'head'; readonly head: JournalHead }
  | { readonly kind: 'run'; readonly index: number; readonly run: RecordedRun }
  | { readonly kind: 'tick'; readonly tick: Tick }
  | { readonly kind: 'views'; readonly atMs: number; readonly runs: readonly RunView[] }
  | { readonly kind: 'end'; readonly atMs: number }
  /** The last line; nothing follows. `wholeBytes` are those of the lines before it. */
  | { readonly kind: 'torn'; readonly wholeBytes: number; readonly tornBytes: number }
  /** A line that is not as it should be; nothing follows. */
  | { readonly kind: 'damaged'; readonly wholeBytes: number; readonly message: string };

/** Reads lines and remembers what later ones refer to. */
export class JournalDecoder {
  private readonly runs: RunState[] = [];
  private seq = 0;
  private isHeadRead = false;
  private isEnded = false;

  /** The event of one line, without its line feed. Error: why the line can't be believed. */
  line(text: string): Result<JournalEvent, string> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return err('not JSON');
    }
    if (!this.isHeadRead) return this.head(value);
    if (this.isEnded) return err('a line after the end');
    if (!lineValidator.Check(value)) return err('a line that does not fit the format');
    return this.known(value);
  }

  private head(value: unknown): Result<JournalEvent, string> {
    const version = typeof value === 'object' && value !== null && 'formatVersion' in value ? value.formatVersion : 0;
    const refusal = refuseVersion(version);
    if (refusal !== undefined) return err(refusal.message);
    const upgraded =
      typeof value === 'object' && value !== null ? upgradeSteps(value, Number(version), headUpgraders) : value;
    if (!headValidator.Check(upgraded)) return err('it does not begin as a journal does');
    this.isHeadRead = true;
    return ok({ kind: 'head', head: upgraded });
  }

  private known(line: JournalLine): Result<JournalEvent, string> {
    switch (line.kind) {
      case 'run': {
        const index = this.runs.length;
        if (line.run.view.index !== index) return err(`run ${line.run.view.index} where run ${index} was due`);
        this.runs.push({ run: line.run, cellCount: 0, textCount: 0, toNs: 0 });
        return ok({ kind: 'run', index, run: line.run });
      }
      case 'tick': {
        if (this.seq > 0 ? line.seq !== this.seq + 1 : line.seq < 1)
          return err(`tick ${line.seq} after tick ${this.seq}`);
        this.seq = line.seq;
        const tick = tickOfLine(line, this.runs);
        return tick.ok ? ok({ kind: 'tick', tick: tick.value }) : err(`tick ${line.seq}: ${tick.error}`);
      }
      case 'views':
        if (line.runs.some(({ index }) => index >= this.runs.length))
          return err('the state of a run that was not started');
        return ok(line);
      case 'end':
        this.isEnded = true;
        return ok({ kind: 'end', atMs: line.atMs });
    }
  }
}

/** How far a journal has been read: what is read from it on moves it, line by line. */
export class JournalPlace {
  readonly decoder = new JournalDecoder();
  /** Bytes of the lines before it. */
  wholeBytes = 0;
}

/** All events of a journal file, or those behind a place. Memory: one line. Throws only what the file system throws. */
export async function* readJournal(
  path: string,
  place: JournalPlace = new JournalPlace(),
): AsyncGenerator<JournalEvent> {
  yield* decodeJournal(createReadStream(path, { highWaterMark: 256 * 1024, start: place.wholeBytes }), place);
}

/** The same for bytes from anywhere, which begin at the place. */
export async function* decodeJournal(
  chunks: AsyncIterable<Buffer>,
  place: JournalPlace = new JournalPlace(),
): AsyncGenerator<JournalEvent> {
  for await (const { bytes, isWhole } of splitLines(chunks)) {
    const { decoder, wholeBytes } = place;
    if (!isWhole) {
      const isTooLong = bytes.length > journalLineBytesMax;
      if (isTooLong) yield { kind: 'damaged', wholeBytes, message: `a line longer than ${journalLineBytesMax} bytes` };
      else yield { kind: 'torn', wholeBytes, tornBytes: bytes.length };
      return;
    }
    const event = decoder.line(bytes.toString('utf8'));
    if (!event.ok) {
      yield { kind: 'damaged', wholeBytes, message: `at byte ${wholeBytes}: ${event.error}` };
      return;
    }
    place.wholeBytes = wholeBytes + bytes.length + 1;
    yield event.value;
  }
}

/** Lines without their line feeds; a last one without is not whole, nor is one that grows too long. */
async function* splitLines(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, from)) {
      parts.push(chunk.subarray(from, at));
      yield { bytes: parts.length === 1 ? (parts[0] ?? chunk) : Buffer.concat(parts), isWhole: true };
      parts = [];
      size = 0;
      from = at + 1;
    }
    if (from === chunk.length) continue;
    parts.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > journalLineBytesMax) break;
  }
  if (size > 0) yield { bytes: Buffer.concat(parts), isWhole: false };
}
