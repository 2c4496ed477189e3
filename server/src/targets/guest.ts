/**
 * A guest of the lab. Two things are its own: what is started before its snapshot is written is held in the guest and
 * goes on in every guest restored from it; and what is slow to learn there and never changes is remembered beside the snapshot.
 */
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import {
  type AgentError,
  type AgentExit,
  type AgentProcess,
  type Guest,
  type LabError,
  digestOf,
  swapModule,
  within,
} from '@faultline/lab';
import {
  err,
  killedWaitMaxMs,
  ok,
  readyWaitMaxMs,
  type Result,
  type TargetIdentity,
  targetFileBytesMax,
} from '@faultline/shared';
import { readIdentity } from './identity.ts';
import type { Exit, ProcessSpec, Target, TargetError, TargetProcess } from './target.ts';

/** Files of a guest that take seconds to read under emulation. Its modules are loaded before anybody can ask, and change by swapModule. */
const slowFiles = ['/proc/kallsyms', '/sys/kernel/debug/tracing/available_filter_functions'];

type Held = ProcessSpec & { readonly id: number };

export class GuestTarget implements Target {
  readonly id: string;
  readonly kind = 'guest';
  readonly title: string;
  readonly badge: string;
  /** An emulated CPU takes ten times as long to attach and to detach. */
  readonly patience: number;
  readonly died: Promise<string>;
  readonly guest: Guest;
  private readonly held: Held[] = [];
  private readonly heldUntil: Promise<void>[] = [];
  private readonly files = new Map<string, Uint8Array>();
  private readonly answers = new Map<string, string>();
  private isHolding: boolean;
  private known: Promise<Result<TargetIdentity, TargetError>> | undefined;

  constructor(id: string, guest: Guest) {
    this.id = id;
    this.guest = guest;
    const isEmulated = guest.accelerator === 'tcg';
    this.title = `lab guest ${guest.kernel.name}${guest.build === undefined ? '' : ` (${guest.build})`}`;
    this.badge = isEmulated
      ? 'emulated guest: only counts and ratios carry over to real machines, latencies do not'
      : 'lab guest (KVM)';
    this.patience = isEmulated ? 6 : 2;
    this.died = guest.machine.ended;
    this.isHolding = guest.note === undefined;
    for (const [path, bytes] of Object.entries(guest.note?.files ?? {}))
      this.files.set(path, Buffer.from(bytes, 'base64'));
    for (const [words, answer] of Object.entries(guest.note?.answers ?? {})) this.answers.set(words, answer);
    this.held.push(...(guest.note?.held ?? []));
  }

  /** Asked once: a guest does not change, and its clock does not drift from what it was. */
  identity(): Promise<Result<TargetIdentity, TargetError>> {
    this.known ??= this.readIdentity();
    return this.known;
  }

  private readIdentity(): Promise<Result<TargetIdentity, TargetError>> {
    return readIdentity(this, async () => {
      const beforeMs = Date.now();
      const clock = await this.guest.machine.agent.clockNs();
      return clock.ok ? (beforeMs + Date.now()) / 2 - Number(clock.value / 1000n) / 1000 : undefined;
    });
  }

  /** Puts another build of vfio_pci_core in place (swapModule); functions and their addresses are others then. */
  async swapModule(module: Uint8Array): Promise<Result<void, LabError>> {
    const swapped = await swapModule(this.guest.machine.agent, module);
    for (const path of slowFiles) this.files.delete(path);
    return swapped;
  }

  async readFile(path: string): Promise<Result<Uint8Array, TargetError>> {
    const remembered = this.files.get(path);
    if (remembered !== undefined) return ok(remembered);
    const file = await this.guest.machine.agent.readFile(path, targetFileBytesMax);
    if (!file.ok) return err(fileError(path, file.error));
    if (slowFiles.includes(path)) this.files.set(path, file.value);
    return file;
  }

  async exists(path: string): Promise<Result<boolean, TargetError>> {
    const facts = await this.guest.machine.agent.stat(path);
    if (facts.ok) return ok(true);
    const error = fileError(path, facts.error);
    return error.kind === 'not-found' ? ok(false) : err(error);
  }

  hasRecording(): undefined {
    return undefined;
  }

  /** Content decides the place, so that a held process and a later request for the same script meet. */
  async placeScript(localPath: string): Promise<Result<string, TargetError>> {
    const bytes = await readFile(localPath);
    const path = `/run/scripts/${digestOf([bytes])}-${basename(localPath)}`;
    const isThere = await this.exists(path);
    if (isThere.ok && isThere.value) return ok(path);
    const written = await this.guest.machine.agent.writeFile(path, bytes);
    return written.ok ? ok(path) : err(fileError(path, written.error));
  }

  start(spec: ProcessSpec): TargetProcess {
    const words = wordsOf(spec);
    const answer = this.answers.get(words);
    if (answer !== undefined) return answered(answer);
    if (spec.program === 'bpftrace' && spec.args[0] === '--version') return this.startRemembered(spec, words);
    const { agent } = this.guest.machine;
    const at = this.held.findIndex((one) => wordsOf(one) === words);
    const waiting = this.isHolding ? undefined : this.held.splice(at === -1 ? this.held.length : at, 1)[0];
    if (waiting !== undefined) return ownProcess(spec.program, agent.attach(waiting.id));
    // A script is worth holding; a trial of one line, which ends by itself, is not.
    const isHeld = this.isHolding && spec.program === 'bpftrace' && spec.args.some((word) => word.endsWith('.bt'));
    const process = agent.start(spec, isHeld ? 'held' : 'attached');
    if (isHeld) {
      this.held.push({ ...spec, id: process.id });
      this.heldUntil.push(process.held);
    }
    return ownProcess(spec.program, process);
  }

  /**
   * The guest is as it shall be found again: waits until all that was started is attached (or has ended), writes the
   * snapshot, and lets the held processes speak. Answers why there is no snapshot, where there is none: also that one of
   * them has neither attached nor ended by the time in which each run has been given up.
   */
  async settle(onAttached: () => void): Promise<string | undefined> {
    if (!this.isHolding) return undefined;
    const areHeld = await this.untilHeld();
    const { agent } = this.guest.machine;
    const held = this.held.splice(0);
    const goOn = (): void => {
      this.isHolding = false;
      for (const { id } of held) agent.speak(id);
    };
    if (!areHeld) {
      goOn();
      return 'what shall be attached in it neither attached nor ended in time';
    }
    onAttached();
    const saved = await this.guest.save({
      noteVersion: 1,
      nextId: agent.nextId,
      held: held.map(({ id, program, args, env }) => ({ id, program, args: [...args], env: { ...env } })),
      files: Object.fromEntries([...this.files].map(([path, bytes]) => [path, Buffer.from(bytes).toString('base64')])),
      answers: Object.fromEntries(this.answers),
    });
    goOn();
    return saved.ok ? undefined : saved.error.message;
  }

  get isEmulated(): boolean {
    return this.guest.accelerator === 'tcg';
  }

  /** Why the guest is gone; undefined while it lives. */
  async lostReason(): Promise<string | undefined> {
    return Promise.race([this.died, Promise.resolve(undefined)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guest.machine[Symbol.asyncDispose]();
  }

  /** Whether all that was started is attached or has ended, waited for until each of its runs has been given up. */
  private untilHeld(): Promise<boolean> {
    const areHeld = Promise.all(this.heldUntil).then(() => true);
    return within(areHeld, readyWaitMaxMs * this.patience + killedWaitMaxMs, false);
  }

  /** Runs a program whose answer never changes in this guest, and remembers it. */
  private startRemembered(spec: ProcessSpec, words: string): TargetProcess {
    const process = this.guest.machine.agent.start(spec, 'attached');
    let text = '';
    process.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    void process.exited.then((exit) => {
      if (exit.kind === 'exited' && exit.code === 0) this.answers.set(words, text);
    });
    return ownProcess(spec.program, process);
  }
}

function wordsOf({ program, args, env }: ProcessSpec): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return JSON.stringify([program, args, variables.toSorted((left, right) => (left < right ? -1 : 1))]);
}

function answered(text: string): TargetProcess {
  const stdout = new PassThrough().end(text);
  return {
    stdout,
    stderr: new PassThrough().end(),
    exited: finished(stdout).then(() => ({ code: 0 })),
    signal: () => undefined,
    release: () => undefined,
  };
}

function ownProcess(program: string, process: AgentProcess): TargetProcess {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    exited: process.exited.then((exit) => exitOf(program, exit)),
    signal: (name) => process.signal(constants.signals[name]),
    release: () => process.release(),
  };
}

function exitOf(program: string, exit: AgentExit): Exit {
  switch (exit.kind) {
    case 'exited':
      return { code: exit.code };
    case 'killed':
      return { signal: signalName(exit.signalNumber) };
    case 'not-started':
      return { problem: startError(program, exit.errno) };
    case 'lost':
      return { problem: { kind: 'failed', message: exit.reason } };
  }
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, one]) => one === number)?.[0] ?? `signal ${number}`;
}

function startError(program: string, errno: number): TargetError {
  if (errno === constants.errno.ENOENT) return { kind: 'not-found', message: `${program} is not in the guest` };
  if (errno === constants.errno.EACCES) return { kind: 'denied', message: `${program} may not be run in the guest` };
  return { kind: 'failed', message: `${program} could not be started in the guest (errno ${errno})` };
}

function fileError(path: string, error: AgentError): TargetError {
  if (error.kind === 'lost') return { kind: 'failed', message: error.reason };
  const { ENOENT, ENOTDIR, EACCES, EPERM, EFBIG, ENOSPC } = constants.errno;
  if (error.errno === ENOENT || error.errno === ENOTDIR) return { kind: 'not-found', message: `${path} is not there` };
  if (error.errno === EACCES || error.errno === EPERM) return { kind: 'denied', message: `${path} may not be read` };
  if (error.errno === EFBIG) return { kind: 'too-large', message: `${path} is larger than 32 MiB` };
  if (error.errno === ENOSPC)
    return { kind: 'failed', message: `${path} cannot be written: the guest’s file system is full` };
  return { kind: 'failed', message: `${path}: errno ${error.errno}` };
}
