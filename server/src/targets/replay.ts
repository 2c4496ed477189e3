/**
 * Plays recordings of real bpftrace output as if they came from a machine: for a look at Faultline where nothing can be
 * traced. The lines are the captured ones, paced by their own heartbeats. Never to be mistaken for a live kernel.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { err, ok, type Result, type TargetIdentity, targetFileBytesMax } from '@faultline/shared';
import type { Exit, ProcessSpec, Target, TargetError, TargetProcess } from './target.ts';

/** One recorded stream: captured stdout of `bpftrace -f json`, and where it was captured. */
export type Recording = {
  readonly probe: string;
  /** The script whose output it is; the planner's choice on this target. */
  readonly script: string;
  readonly file: string;
  readonly bpftraceVersion: string;
  readonly release: string;
  /** Day of the capture, as YYYY-MM-DD. */
  readonly capturedOn: string;
  readonly hostname: string;
  readonly cpuCount: number;
};

export class ReplayTarget implements Target {
  readonly id = 'replay';
  readonly kind = 'replay';
  readonly title = 'recorded sample';
  readonly badge: string;
  private readonly recordings: readonly Recording[];

  constructor(recordings: readonly Recording[]) {
    this.recordings = recordings;
    const [first] = recordings;
    this.badge =
      first === undefined
        ? 'no recording is there'
        : `a recording made on ${first.capturedOn}, kernel ${first.release}; not this machine, not now`;
  }

  async identity(): Promise<Result<TargetIdentity, TargetError>> {
    const [first] = this.recordings;
    if (first === undefined) return err({ kind: 'not-found', message: 'no recording is there' });
    return ok({
      hostname: first.hostname,
      release: first.release,
      machine: 'x86_64',
      cpuCount: first.cpuCount,
      isEmulated: false,
      config: {},
      bpftraceVersion: first.bpftraceVersion,
    });
  }

  hasRecording(script: string): boolean {
    return this.find(script) !== undefined;
  }

  async readFile(path: string): Promise<Result<Uint8Array, TargetError>> {
    return err({ kind: 'not-found', message: `${path}: a recording has no files` });
  }

  async exists(): Promise<Result<boolean, TargetError>> {
    return ok(false);
  }

  async placeScript(localPath: string): Promise<Result<string, TargetError>> {
    return ok(localPath);
  }

  start(spec: ProcessSpec): TargetProcess {
    const script = spec.args.find((word) => word.endsWith('.bt'));
    const recording = script === undefined ? undefined : this.find(script);
    return recording === undefined ? nothingRecorded(spec) : play(recording);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Players end with their runs.
  }

  private find(script: string): Recording | undefined {
    const words = script.split('/');
    const probe = words.at(-2);
    return this.recordings.find((one) => one.script === basename(script) && one.probe === probe);
  }
}

function nothingRecorded(spec: ProcessSpec): TargetProcess {
  const message = `there is no recording of ${spec.args.join(' ')}`;
  return {
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    exited: Promise.resolve({ problem: { kind: 'not-found', message } }),
    signal: () => {},
    release: () => {},
  };
}

function play(recording: Recording): TargetProcess {
  const stopped = new AbortController();
  let wasKilled = false;
  let resolveExit: (exit: Exit) => void = () => {};
  const exited = new Promise<Exit>((resolve) => {
    resolveExit = resolve;
  });
  const stdout = Readable.from(pacedLines(recording.file, stopped.signal), { objectMode: false });
  stdout.once('close', () => resolveExit(wasKilled ? { signal: 'SIGKILL' } : { code: 0, isRecordingEnd: true }));
  return {
    stdout,
    stderr: Readable.from([]),
    exited,
    signal: (name) => {
      wasKilled ||= name === 'SIGKILL';
      stopped.abort();
    },
    release: () => stdout.destroy(),
  };
}

/** The file in pieces, each up to and with its heartbeat, at the time that the heartbeat has after READY. */
async function* pacedLines(file: string, stopped: AbortSignal): AsyncGenerator<Buffer> {
  const packed = await readFile(file);
  const bytes = file.endsWith('.gz') ? gunzipSync(packed, { maxOutputLength: targetFileBytesMax }) : packed;
  const text = bytes.toString('utf8');
  const beat = /"(READY|HB) (\d+)[ \\]/;
  let firstNs: number | undefined;
  const startedMs = performance.now();
  let piece: string[] = [];
  for (const line of text.split('\n')) {
    piece.push(line);
    const found = beat.exec(line);
    if (found === null) continue;
    const atNs = Number(found[2]);
    firstNs ??= atNs;
    const dueMs = (atNs - firstNs) / 1e6 - (performance.now() - startedMs);
    if (dueMs > 1) await wait(dueMs, undefined, { signal: stopped }).catch(() => {});
    if (stopped.aborted) return;
    yield Buffer.from(`${piece.join('\n')}\n`);
    piece = [];
  }
  if (piece.length > 0) yield Buffer.from(piece.join('\n'));
}
