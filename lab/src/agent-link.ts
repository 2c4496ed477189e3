/**
 * Speaks with the agent in a guest (lab/guest/agent.c says the frames): processes with their output, files, the clock.
 * One socket carries all; when it ends, every process and every question ends with the reason.
 */
import type { Socket } from 'node:net';
import { PassThrough, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { agentAnswerMaxMs, agentFrameBytesMax, agentReasonWaitMs, err, ok, type Result } from '@faultline/shared';

/** How a process in the guest ended: a status, a signal, an errno of starting it, or the loss of the guest. */
export type AgentExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signalNumber: number }
  | { readonly kind: 'not-started'; readonly errno: number }
  | { readonly kind: 'lost'; readonly reason: string };

/** A process in the guest. */
export type AgentProcess = {
  readonly id: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<AgentExit>;
  signal(number: number): void;
  /** Closes its pipes in the guest. */
  release(): void;
};

/** What to start: a program of the guest's PATH, words, and variables beside its own. */
export type AgentSpec = {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** Why a question had no answer: the guest's errno, or the guest is gone or silent. */
export type AgentError =
  | { readonly kind: 'errno'; readonly errno: number }
  | { readonly kind: 'lost'; readonly reason: string };

const toGuest = { start: 1, signal: 2, read: 3, stat: 4, write: 5, clock: 6, attach: 7, release: 8 } as const;
const fromGuest = { stdout: 1, stderr: 2, exit: 3, error: 4, data: 5, done: 6, hello: 7, held: 8 } as const;

type Running = {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly end: (exit: AgentExit) => void;
  readonly tellHeld: () => void;
};
type Question = {
  readonly chunks: Buffer[];
  bytes: number;
  readonly bytesMax: number;
  readonly answer: (result: Result<{ readonly bytes: Buffer; readonly value: bigint }, AgentError>) => void;
};

export class AgentLink {
  /** Resolves when the agent has said that it is there (a cold boot; a restored guest said so before). */
  readonly hello: Promise<void>;
  private readonly socket: Socket;
  private readonly running = new Map<number, Running>();
  private readonly questions = new Map<number, Question>();
  private rest: Buffer[] = [];
  private restBytes = 0;
  private wantedBytes = 4;
  private lostReason: string | undefined;
  private tellHello: () => void = () => undefined;
  private waitingStreams = 0;
  /** The id the next process or question gets. */
  nextId: number;

  constructor(socket: Socket, firstId: number) {
    this.socket = socket;
    this.nextId = firstId;
    this.hello = new Promise((resolve) => {
      this.tellHello = resolve;
    });
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', () => undefined);
    // QEMU's end, which knows the reason, is noticed a moment after that of its socket.
    socket.on('close', () => setTimeout(() => this.lose('the guest is gone'), agentReasonWaitMs).unref());
  }

  /** Starts a process; one that is held keeps what it prints in the guest until somebody attaches. */
  start(spec: AgentSpec, hold: 'held' | 'attached'): AgentProcess & { readonly held: Promise<void> } {
    const id = this.takeId();
    const environment = Object.entries(spec.env).map(([name, value]) => `${name}=${value}`);
    const words = [spec.program, ...spec.args, ...environment];
    const head = Buffer.alloc(5);
    head.writeUInt8(hold === 'held' ? 1 : 0, 0);
    head.writeUInt16LE(1 + spec.args.length, 1);
    head.writeUInt16LE(environment.length, 3);
    const process = this.follow(id);
    this.send(id, toGuest.start, Buffer.concat([head, Buffer.from(words.map((word) => `${word}\0`).join(''))]));
    return process;
  }

  /** A process that was started held, before a snapshot: from here on it speaks, beginning with what it said so far. */
  attach(id: number): AgentProcess {
    const process = this.follow(id);
    this.speak(id);
    return process;
  }

  /** Lets a process speak that was started held by this link. */
  speak(id: number): void {
    this.send(id, toGuest.attach, new Uint8Array(0));
  }

  /** A whole file, at most `bytesMax` (EFBIG beyond). */
  async readFile(path: string, bytesMax: number): Promise<Result<Buffer, AgentError>> {
    const answer = await this.ask(toGuest.read, Buffer.from(path), bytesMax);
    return answer.ok ? ok(answer.value.bytes) : answer;
  }

  /** Whether a path is there; its errno otherwise. */
  async stat(path: string): Promise<Result<void, AgentError>> {
    const answer = await this.ask(toGuest.stat, Buffer.from(path), 0);
    return answer.ok ? ok(undefined) : answer;
  }

  /** Writes a file, for root alone; the folder above it is made. */
  async writeFile(path: string, bytes: Uint8Array): Promise<Result<void, AgentError>> {
    const answer = await this.ask(toGuest.write, Buffer.concat([Buffer.from(`${path}\0`), bytes]), 0);
    return answer.ok ? ok(undefined) : answer;
  }

  /** The guest's CLOCK_BOOTTIME, ns: the clock of bpftrace's nsecs. */
  async clockNs(): Promise<Result<bigint, AgentError>> {
    const answer = await this.ask(toGuest.clock, new Uint8Array(0), 0);
    return answer.ok ? ok(answer.value.value) : answer;
  }

  /** Ends everything with a reason, and the socket. */
  lose(reason: string): void {
    if (this.lostReason !== undefined) return;
    this.lostReason = reason;
    for (const one of this.running.values()) end(one, { kind: 'lost', reason });
    for (const one of this.questions.values()) one.answer(err({ kind: 'lost', reason }));
    this.running.clear();
    this.questions.clear();
    this.socket.destroy();
  }

  private takeId(): number {
    this.nextId += 1;
    return this.nextId - 1;
  }

  private follow(id: number): AgentProcess & { readonly held: Promise<void> } {
    const stdout = new PassThrough({ highWaterMark: 1024 * 1024 });
    const stderr = new PassThrough();
    let finish: (exit: AgentExit) => void = () => undefined;
    let tellHeld: () => void = () => undefined;
    const exited = new Promise<AgentExit>((resolve) => {
      finish = resolve;
    });
    const held = new Promise<void>((resolve) => {
      tellHeld = resolve;
    });
    const one: Running = { stdout, stderr, end: finish, tellHeld };
    if (this.lostReason === undefined) this.running.set(id, one);
    else end(one, { kind: 'lost', reason: this.lostReason });
    return {
      id,
      stdout,
      stderr,
      // Whoever waits for the end has read everything by then.
      exited: exited.then(async (exit) => {
        await Promise.allSettled([finished(stdout), finished(stderr)]);
        return exit;
      }),
      held,
      signal: (number) => this.send(id, toGuest.signal, Buffer.from([number])),
      release: () => this.send(id, toGuest.release, new Uint8Array(0)),
    };
  }

  private ask(
    type: number,
    payload: Uint8Array,
    bytesMax: number,
  ): Promise<Result<{ readonly bytes: Buffer; readonly value: bigint }, AgentError>> {
    if (this.lostReason !== undefined) return Promise.resolve(err({ kind: 'lost', reason: this.lostReason }));
    const id = this.takeId();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.questions.delete(id);
        resolve(err({ kind: 'lost', reason: `the guest did not answer within ${agentAnswerMaxMs / 1000} s` }));
      }, agentAnswerMaxMs);
      const answer: Question['answer'] = (result) => {
        clearTimeout(timer);
        this.questions.delete(id);
        resolve(result);
      };
      this.questions.set(id, { chunks: [], bytes: 0, bytesMax, answer });
      this.send(id, type, payload);
    });
  }

  private send(id: number, type: number, payload: Uint8Array): void {
    if (this.lostReason !== undefined) return;
    const head = Buffer.alloc(9);
    head.writeUInt32LE(payload.length + 5, 0);
    head.writeUInt32LE(id, 4);
    head.writeUInt8(type, 8);
    this.socket.write(Buffer.concat([head, payload]));
  }

  private take(chunk: Buffer): void {
    this.rest.push(chunk);
    this.restBytes += chunk.length;
    if (this.restBytes < this.wantedBytes) return;
    let bytes = this.rest.length === 1 ? chunk : Buffer.concat(this.rest);
    for (;;) {
      if (bytes.length < 4) break;
      const length = bytes.readUInt32LE(0);
      if (length < 5 || length > agentFrameBytesMax) return this.lose(`the guest sent a frame of ${length} bytes`);
      this.wantedBytes = 4 + length;
      if (bytes.length < this.wantedBytes) break;
      this.obey(bytes.readUInt32LE(4), bytes.readUInt8(8), bytes.subarray(9, this.wantedBytes));
      bytes = bytes.subarray(this.wantedBytes);
      this.wantedBytes = 4;
    }
    this.rest = bytes.length === 0 ? [] : [bytes];
    this.restBytes = bytes.length;
  }

  private obey(id: number, type: number, payload: Buffer): void {
    if (type === fromGuest.hello) return this.tellHello();
    const one = this.running.get(id);
    if (one !== undefined) return this.obeyProcess(id, one, type, payload);
    const question = this.questions.get(id);
    if (question === undefined) return;
    if (type === fromGuest.error) question.answer(err({ kind: 'errno', errno: payload.readInt32LE(0) }));
    else if (type === fromGuest.done) {
      question.answer(ok({ bytes: Buffer.concat(question.chunks), value: payload.readBigUInt64LE(0) }));
    } else if (type === fromGuest.data) {
      question.bytes += payload.length;
      if (question.bytes > question.bytesMax) question.answer(err({ kind: 'errno', errno: 27 }));
      else question.chunks.push(Buffer.from(payload));
    }
  }

  private obeyProcess(id: number, one: Running, type: number, payload: Buffer): void {
    if (type === fromGuest.held) return one.tellHeld();
    if (type === fromGuest.stdout || type === fromGuest.stderr) {
      const stream = type === fromGuest.stdout ? one.stdout : one.stderr;
      if (!stream.write(Buffer.from(payload))) this.waitFor(stream);
      return;
    }
    this.running.delete(id);
    if (type === fromGuest.error) end(one, { kind: 'not-started', errno: payload.readInt32LE(0) });
    else if (type === fromGuest.exit) end(one, exitOf(payload.readInt32LE(0)));
  }

  /** Somebody reads too slowly: the guest waits (its agent stops reading pipes), and nothing piles up here. */
  private waitFor(stream: PassThrough): void {
    this.waitingStreams += 1;
    this.socket.pause();
    const goOn = (): void => {
      stream.off('drain', goOn).off('close', goOn);
      this.waitingStreams -= 1;
      if (this.waitingStreams === 0) this.socket.resume();
    };
    stream.once('drain', goOn).once('close', goOn);
  }
}

function end(one: Running, exit: AgentExit): void {
  one.stdout.end();
  one.stderr.end();
  one.tellHeld();
  one.end(exit);
}

/** As wait() gives it: the low seven bits are a signal, the next byte is a status. */
function exitOf(status: number): AgentExit {
  const signalNumber = status & 0x7f;
  return signalNumber === 0 ? { kind: 'exited', code: (status >> 8) & 0xff } : { kind: 'killed', signalNumber };
}
