/** A program that runs on another machine, seen as a process: its pipes, its signals, and how it ended. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { pipeCloseMaxMs, sshMessageCharsMax, sshRenewIntervalMs } from '@faultline/shared';
import { MarkFilter, supervisedCommand } from './ssh-command.ts';
import { renew } from './ssh-keeper.ts';
import { lastLine, type SshChild, type SshLink } from './ssh-link.ts';
import type { Exit, TargetProcess } from './target.ts';

/** Starts a program as soon as the connection has room for it; the link's end is the process's end. */
export function startOverSsh(
  link: SshLink,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): TargetProcess {
  const process = new SshProcess(link, words, env);
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    exited: process.run(),
    signal: (name) => process.signal(name),
    release: () => process.release(),
  };
}

class SshProcess {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  private readonly link: SshLink;
  private readonly words: readonly string[];
  private readonly env: Readonly<Record<string, string>>;
  /** What goes to the supervisor: names of signals, kept until it is there. */
  private readonly control = new PassThrough();
  private child: SshChild | undefined;
  private isReleased = false;

  constructor(link: SshLink, words: readonly string[], env: Readonly<Record<string, string>>) {
    this.link = link;
    this.words = words;
    this.env = env;
  }

  signal(name: 'SIGINT' | 'SIGKILL'): void {
    this.control.write(`${name.slice(3)}\n`);
  }

  release(): void {
    this.isReleased = true;
    this.child?.kill('SIGKILL');
    this.child?.stdout.destroy();
    this.child?.stderr.destroy();
    this.stdout.destroy();
    this.stderr.destroy();
  }

  async run(): Promise<Exit> {
    const mark = randomBytes(16).toString('hex');
    const started = await this.link.start(supervisedCommand(this.words, this.env, mark));
    const exit = started.ok ? await this.attend(started.value, mark) : { problem: started.error };
    this.stdout.end();
    this.stderr.end();
    // What was printed is with whoever listens before the end is told.
    await Promise.allSettled([this.stdout, this.stderr].map((stream) => finished(stream)));
    return exit;
  }

  private async attend(child: SshChild, mark: string): Promise<Exit> {
    this.child = child;
    const closed = closeOf(child);
    const filter = new MarkFilter(mark);
    let tail = '';
    let letGo: NodeJS.Timeout | undefined;
    this.control.pipe(child.stdin);
    child.stdout.pipe(this.stdout, { end: false });
    child.stdout.on('data', () => letGo?.refresh());
    child.stderr.on('data', (chunk: Buffer) => {
      const own = filter.push(chunk);
      tail = (tail + own.toString()).slice(-sshMessageCharsMax);
      if (own.length > 0 && this.stderr.writable) this.stderr.write(own);
      // What it started may hold the pipes open long after the program itself is gone.
      if (filter.status !== undefined) letGo ??= setTimeout(() => this.release(), pipeCloseMaxMs);
    });
    const renewing = setInterval(() => renew(child.stdin), sshRenewIntervalMs);
    if (this.isReleased) this.release();
    await closed;
    clearInterval(renewing);
    clearTimeout(letGo);
    const { status } = filter;
    if (status !== undefined) return exitOf(this.words[0] ?? '', status);
    const rest = filter.rest();
    if (rest.length > 0 && this.stderr.writable) this.stderr.write(rest);
    if (this.isReleased) return { problem: { kind: 'failed', message: `${this.words[0]} was let go` } };
    return { problem: { kind: 'failed', message: await this.link.lostReason(lastLine(tail)) } };
  }
}

function closeOf(child: SshChild): Promise<void> {
  return new Promise((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
}

function exitOf(program: string, status: string): Exit {
  if (status === 'missing') return { problem: { kind: 'not-found', message: `${program} is not on that machine` } };
  if (status === 'denied') {
    return { problem: { kind: 'denied', message: `${program} may not be run by that user` } };
  }
  const code = Number(status);
  // A shell tells a signal as 128 + its number.
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return signal === undefined ? { code } : { signal };
}
