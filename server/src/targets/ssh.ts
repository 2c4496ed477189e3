/**
 * A machine over ssh, by the system's client and the user's own config. Nothing stays there: every program ends with the
 * connection, and scripts are in a folder that goes with it.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { err, ok, type Result, type TargetIdentity, targetFileBytesMax } from '@faultline/shared';
import { type BpftraceWords, commandWords } from './command.ts';
import { readIdentity } from './identity.ts';
import { lastLine, SshLink, type SshLinkOptions } from './ssh-link.ts';
import type { KeeperAnswer } from './ssh-keeper.ts';
import { startOverSsh } from './ssh-process.ts';
import { type ProcessSpec, readText, type Target, type TargetError, type TargetProcess } from './target.ts';

/** Where to, and how bpftrace is run there. */
export type SshOptions = SshLinkOptions & BpftraceWords;

/** Ids go into addresses and are short there; the few longer destinations are told apart by a digest. */
const idCharsMax = 80;

/** What a program says of a file that it could not read, bytes. */
const messageBytesMax = 1_024;

/** The id of the target of a destination. */
export function sshTargetId(destination: string): string {
  const id = `ssh:${destination}`;
  return id.length <= idCharsMax ? id : `${id.slice(0, idCharsMax - 17)}-${digest(destination)}`;
}

export class SshTarget implements Target {
  readonly id: string;
  readonly kind = 'ssh';
  readonly title: string;
  readonly badge = undefined;
  /** A silent connection is given up after 9 s: that shall be found before bpftrace seems to have stalled. */
  readonly patience = 2.5;
  readonly died: Promise<string>;
  private readonly options: SshOptions;
  private readonly link: SshLink;
  private readonly placed = new Map<string, Promise<Result<string, TargetError>>>();
  private known: Promise<Result<TargetIdentity, TargetError>> | undefined;

  /** Connects at the first question, not before. */
  constructor(options: SshOptions) {
    this.options = options;
    this.id = sshTargetId(options.destination);
    this.title = `${options.destination} over ssh`;
    this.link = new SshLink(options);
    this.died = this.link.died;
  }

  /** Asked once: it takes some twenty round trips. */
  identity(): Promise<Result<TargetIdentity, TargetError>> {
    this.known ??= readIdentity(this, () => this.clockOffsetMs());
    return this.known;
  }

  async readFile(path: string): Promise<Result<Uint8Array, TargetError>> {
    const answer = await this.ask(path, () => this.link.keeper.read(path));
    if (!answer.ok) return answer;
    const { status, bytes } = answer.value;
    if (status !== 0) return err(fileError(path, status, bytes.subarray(-messageBytesMax).toString()));
    if (bytes.length > targetFileBytesMax) return err({ kind: 'too-large', message: `${path} is larger than 32 MiB` });
    return ok(bytes);
  }

  async exists(path: string): Promise<Result<boolean, TargetError>> {
    const answer = await this.ask(path, () => this.link.keeper.look(path));
    if (!answer.ok) return answer.error.kind === 'not-found' ? ok(false) : answer;
    const { status, bytes } = answer.value;
    if (status === 0) return ok(true);
    const error = fileError(path, status, bytes.toString());
    return error.kind === 'not-found' ? ok(false) : err(error);
  }

  hasRecording(): undefined {
    return undefined;
  }

  /** Its content names it, so that a script is sent once. */
  async placeScript(localPath: string): Promise<Result<string, TargetError>> {
    const bytes = await readFile(localPath);
    const name = `${digest(bytes)}-${basename(localPath).replaceAll(/[^A-Za-z0-9.-]/g, '-')}`;
    const known = this.placed.get(name);
    if (known !== undefined) return known;
    const placing = this.place(name, bytes);
    this.placed.set(name, placing);
    return placing;
  }

  start(spec: ProcessSpec): TargetProcess {
    const process = startOverSsh(this.link, commandWords(this.options, spec), spec.env);
    const [program, ...rest] = this.options.prefix;
    if (spec.program !== 'bpftrace' || program === undefined) return process;
    // Behind a prefix the process belongs to root: only the prefix may signal it.
    const signal: TargetProcess['signal'] = (name, pid) => {
      if (pid === undefined) return process.signal(name, pid);
      const kill = startOverSsh(this.link, [program, ...rest, 'kill', `-${name.slice(3)}`, String(pid)], {});
      kill.stdout.resume();
      kill.stderr.resume();
    };
    return { ...process, signal };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link.close();
  }

  private async place(name: string, bytes: Uint8Array): Promise<Result<string, TargetError>> {
    const folder = await this.link.open();
    if (!folder.ok) return folder;
    const path = `${folder.value}/${name}`;
    const answer = await this.ask(path, () => this.link.keeper.place(name, bytes));
    if (!answer.ok) return answer;
    const { status } = answer.value;
    return status === 0 ? ok(path) : err({ kind: 'failed', message: `${path} could not be written` });
  }

  private async ask(
    path: string,
    question: () => Promise<KeeperAnswer | undefined>,
  ): Promise<Result<KeeperAnswer, TargetError>> {
    // A question is a line; and what is no whole path would be taken for one of the folder that we are in there.
    if (!/^\/[^\n\0]*$/.test(path)) return err({ kind: 'not-found', message: `${path} is not there` });
    const opened = await this.link.open();
    if (!opened.ok) return opened;
    const answer = await question();
    return answer === undefined ? err({ kind: 'failed', message: await this.link.lostReason(undefined) }) : ok(answer);
  }

  /**
   * The clock of bpftrace's nsecs counts the time asleep too, as /proc/uptime does, to 10 ms downwards. It is read some
   * time between two instants of ours: right to half of that time and 5 ms. The shortest of a few round trips counts.
   */
  private async clockOffsetMs(): Promise<number | undefined> {
    let best: { readonly tripMs: number; readonly offsetMs: number } | undefined;
    for (let trip = 0; trip < 3; trip += 1) {
      const beganMs = performance.now();
      const uptime = await readText(this, '/proc/uptime');
      const tripMs = performance.now() - beganMs;
      const uptimeMs = Number(uptime.ok ? uptime.value.split(' ')[0] : Number.NaN) * 1000 + 5;
      if (!Number.isFinite(uptimeMs) || (best !== undefined && best.tripMs <= tripMs)) continue;
      best = { tripMs, offsetMs: Date.now() - tripMs / 2 - uptimeMs };
    }
    return best?.offsetMs;
  }
}

function digest(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** Programs say in the C locale which error it was; coreutils and busybox use the same words. */
function fileError(path: string, status: number, said: string): TargetError {
  if (/No such file or directory|Not a directory/.test(said)) {
    return { kind: 'not-found', message: `${path} is not there` };
  }
  if (/Permission denied|Operation not permitted/.test(said)) {
    return { kind: 'denied', message: `${path} may not be read by that user` };
  }
  // 124 is what `timeout` ends with.
  if (status === 124) return { kind: 'timeout', message: `${path} did not come in time` };
  return { kind: 'failed', message: `${path}: ${lastLine(said) ?? `status ${status}`}` };
}
