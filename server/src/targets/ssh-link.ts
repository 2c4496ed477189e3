/**
 * One connection of the system's ssh client, shared by every command that goes to a machine. Who may log in, with which
 * key and over which hops is the user's own ssh config. The connection is a child of this process and ends with it.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import {
  err,
  ok,
  type Result,
  sshAliveCountMax,
  sshAliveIntervalSec,
  sshCloseMaxMs,
  sshConnectMaxMs,
  sshMessageCharsMax,
  sshSessionsMax,
} from '@faultline/shared';
import { SshKeeper } from './ssh-keeper.ts';
import type { TargetError } from './target.ts';

/** Where to, and by which config. */
export type SshLinkOptions = {
  readonly destination: string;
  /** Instead of the user's own ssh config. */
  readonly configFile?: string | undefined;
};

/** An ssh client with its three pipes. */
export type SshChild = ChildProcessByStdio<Writable, Readable, Readable>;

/** The longest path of our socket: a socket's may have 107 characters, and ssh appends 17 while it makes it. */
const socketCharsMax = 85;

/** ssh ends its commands before itself, ms. */
const lostWaitMs = 1_000;

export class SshLink {
  /** Resolves with the reason when the connection is gone, or could not be had; never because it was closed. */
  readonly died: Promise<string>;
  /** Answers questions about files, once the connection stands. */
  readonly keeper = new SshKeeper((why) => this.cut(why));
  private readonly options: SshLinkOptions;
  private readonly waiting: (() => void)[] = [];
  private readonly clients = new Set<SshChild>();
  private busyCount = 0;
  private isClosing = false;
  private master: SshChild | undefined;
  private opening: Promise<Result<string, TargetError>> | undefined;
  private folder: string | undefined;
  /** Why it was cut from here. */
  private whyCut: string | undefined;
  private sayDied: (reason: string) => void = () => {};

  constructor(options: SshLinkOptions) {
    this.options = options;
    this.died = new Promise((resolve) => {
      this.sayDied = resolve;
    });
  }

  /** The private folder there, once the connection stands. A connection that failed or was lost is not tried again. */
  open(): Promise<Result<string, TargetError>> {
    this.opening ??= this.connect();
    return this.opening;
  }

  /** Starts a command there, when fewer than sshSessionsMax run. Whoever starts it reads it to its end. */
  async start(command: string): Promise<Result<SshChild, TargetError>> {
    const opened = await this.open();
    if (!opened.ok) return opened;
    if (this.busyCount < sshSessionsMax) this.busyCount += 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    const child = this.spawn(['-o', 'ControlMaster=no', '-o', 'LogLevel=ERROR', ...noOwnConnection], command);
    this.clients.add(child);
    child.once('close', () => {
      this.clients.delete(child);
      const next = this.waiting.shift();
      if (next === undefined) this.busyCount -= 1;
      else next();
    });
    return ok(child);
  }

  /** Why what went over it broke off; the connection's own reason may come a little later, otherwise it is `said`. */
  async lostReason(said: string | undefined): Promise<string> {
    const reason = await Promise.race([this.died, wait(lostWaitMs)]);
    return reason ?? `the connection to ${this.options.destination} broke off: ${said ?? 'it was closed'}`;
  }

  /** Removes the folder there, ends the connection, and with it all that still runs in it. */
  async close(): Promise<void> {
    this.isClosing = true;
    const { master } = this;
    if (master !== undefined && master.exitCode === null && master.signalCode === null) {
      const closed = new Promise((resolve) => master.once('close', resolve));
      const timer = setTimeout(() => master.kill('SIGKILL'), sshCloseMaxMs);
      // ssh waits for the commands of its connection; whoever started them has awaited their ends by now.
      for (const client of this.clients) client.kill('SIGKILL');
      master.stdin.end();
      await closed;
      clearTimeout(timer);
    }
    await this.opening;
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }

  private cut(why: string): void {
    this.whyCut = why;
    this.master?.kill('SIGKILL');
  }

  private async connect(): Promise<Result<string, TargetError>> {
    const { destination } = this.options;
    const own = join(tmpdir(), 'faultline-ssh-');
    this.folder = await mkdtemp(own.length + 12 <= socketCharsMax ? own : '/tmp/faultline-ssh-');
    if (this.isClosing) return err({ kind: 'failed', message: `the connection to ${destination} was closed` });
    const alive = [`ServerAliveInterval=${sshAliveIntervalSec}`, `ServerAliveCountMax=${sshAliveCountMax}`];
    const options = ['ControlMaster=yes', 'ControlPersist=no', 'ConnectTimeout=10', ...alive];
    const master = this.spawn(
      options.flatMap((one) => ['-o', one]),
      this.keeper.command,
    );
    this.master = master;
    this.keeper.attend(master.stdin, master.stdout);
    const ended = this.watch(master);
    const folder = await this.keeper.folder;
    return folder === undefined ? err({ kind: 'failed', message: await ended }) : ok(folder);
  }

  /** Resolves with why the connection ended, after everybody was told. */
  private watch(master: SshChild): Promise<string> {
    const { destination } = this.options;
    let isConnected = false;
    let isLate = false;
    let said = '';
    const timer = setTimeout(() => {
      isLate = true;
      master.kill('SIGKILL');
    }, sshConnectMaxMs);
    void this.keeper.folder.then((folder) => {
      isConnected = folder !== undefined;
      clearTimeout(timer);
    });
    master.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-sshMessageCharsMax);
    });
    return new Promise((resolve) => {
      const end = (what: string): void => {
        const late = isLate ? `no answer within ${sshConnectMaxMs / 1000} s` : what;
        const message = isConnected
          ? `the connection to ${destination} was lost: ${what}`
          : `ssh could not connect to ${destination}: ${late}`;
        if (!this.isClosing) this.sayDied(message);
        this.keeper.end();
        resolve(message);
      };
      master.once('error', (cause) => end(`ssh is not there (${cause.message})`));
      master.once('close', (code, signal) => end(this.whyCut ?? lastLine(said) ?? `ssh ended (${signal ?? code})`));
    });
  }

  private spawn(options: readonly string[], command: string): SshChild {
    const { destination, configFile } = this.options;
    const config = configFile === undefined ? [] : ['-F', configFile];
    const socket = join(this.folder ?? '', 'link').replaceAll('%', '%%');
    const child = spawn('ssh', [...config, '-S', socket, ...common, ...options, '--', destination, command], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C in the terminal reaches the server alone, which then stops everything in order.
      detached: true,
    });
    // An error of a pipe is the end of ssh seen from the other side; `close` reports it.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {});
    return child;
  }
}

/** What ssh said last; undefined when it said nothing. */
export function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '');
}

/** Nothing of the user's config that would ask, forward, or start something else. */
const common = [
  ...['BatchMode=yes', 'ClearAllForwardings=yes', 'ForkAfterAuthentication=no', 'PermitLocalCommand=no'],
  ...['RemoteCommand=none', 'RequestTTY=no', 'SessionType=default', 'StdinNull=no', 'ForwardAgent=no', 'ForwardX11=no'],
].flatMap((one) => ['-o', one]);

/** Without the shared connection ssh would open one of its own, which nobody watches. */
const noOwnConnection = ['-o', 'ProxyCommand=false'];
