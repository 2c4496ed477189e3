/**
 * The shell at the other end of a connection: it keeps a folder there, and answers questions about files one after the
 * other. One process for all of them, since each command of its own would run a login shell and its start files.
 */
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { sshAnswerMaxMs, sshMessageCharsMax, sshRenewIntervalMs, targetFileBytesMax } from '@faultline/shared';
import { keeperCommand, keptFolder, MarkFilter } from './ssh-command.ts';

/** What it answered: the status of the program that looked, and what that printed. */
export type KeeperAnswer = { readonly status: number; readonly bytes: Buffer };

type Question = {
  readonly words: string;
  readonly body: Uint8Array | undefined;
  readonly chunks: Buffer[];
  readonly filter: MarkFilter;
  readonly answer: (answer: KeeperAnswer | undefined) => void;
};

export class SshKeeper {
  /** Resolves with its folder; undefined when it ended before it had one. */
  readonly folder: Promise<string | undefined>;
  private readonly mark = randomBytes(16).toString('hex');
  private readonly questions: Question[] = [];
  private stdin: Writable | undefined;
  private isOver = false;
  private renewing: NodeJS.Timeout | undefined;
  private waiting: NodeJS.Timeout | undefined;
  private readonly giveUp: (why: string) => void;
  private sayFolder: (folder: string | undefined) => void = () => {};

  /** `giveUp` is told why the connection is of no use any more: a question has had no answer for sshAnswerMaxMs. */
  constructor(giveUp: (why: string) => void) {
    this.giveUp = giveUp;
    this.folder = new Promise((resolve) => {
      this.sayFolder = resolve;
    });
  }

  /** What ssh shall run. */
  get command(): string {
    return keeperCommand(this.mark, targetFileBytesMax + 1);
  }

  /** Takes the pipes of the ssh that runs it. */
  attend(stdin: Writable, stdout: Readable): void {
    this.stdin = stdin;
    this.renewing = setInterval(() => renew(stdin), sshRenewIntervalMs);
    let greeting: string | undefined = '';
    stdout.on('data', (chunk: Buffer) => {
      if (greeting === undefined) return this.hear(chunk);
      // Start files of a login shell may have printed something before.
      greeting = (greeting + chunk.toString()).slice(-sshMessageCharsMax);
      const folder = keptFolder(greeting);
      if (folder === undefined) return;
      greeting = undefined;
      this.sayFolder(folder);
      this.askNext();
    });
  }

  /** The content of a file, at most one byte more than targetFileBytesMax; undefined when the connection is gone. */
  read(path: string): Promise<KeeperAnswer | undefined> {
    return this.ask(`read ${path}`, undefined);
  }

  /** Looks whether a path is there. */
  look(path: string): Promise<KeeperAnswer | undefined> {
    return this.ask(`look ${path}`, undefined);
  }

  /** Writes a file of the folder; the name is one of letters, digits, dots and dashes. */
  place(name: string, bytes: Uint8Array): Promise<KeeperAnswer | undefined> {
    return this.ask(`place ${bytes.length} ${name}`, bytes);
  }

  /** The connection is gone: nobody is answered any more. */
  end(): void {
    this.isOver = true;
    clearInterval(this.renewing);
    clearTimeout(this.waiting);
    this.sayFolder(undefined);
    for (const question of this.questions.splice(0)) question.answer(undefined);
  }

  private ask(words: string, body: Uint8Array | undefined): Promise<KeeperAnswer | undefined> {
    if (this.isOver) return Promise.resolve(undefined);
    return new Promise((answer) => {
      this.questions.push({ words, body, chunks: [], filter: new MarkFilter(this.mark), answer });
      if (this.questions.length === 1) this.askNext();
    });
  }

  private askNext(): void {
    const [question] = this.questions;
    if (question === undefined || this.stdin === undefined) return;
    const why = `the shell there did not answer within ${sshAnswerMaxMs / 1000} s: ${question.words}`;
    this.waiting = setTimeout(() => this.giveUp(why), sshAnswerMaxMs);
    this.stdin.write(`${question.words}\n`);
    if (question.body !== undefined) this.stdin.write(question.body);
  }

  private hear(chunk: Buffer): void {
    const [question] = this.questions;
    if (question === undefined) return;
    question.chunks.push(question.filter.push(chunk));
    const { status } = question.filter;
    if (status === undefined) return;
    clearTimeout(this.waiting);
    this.questions.shift();
    question.answer({ status: Number(status), bytes: Buffer.concat(question.chunks) });
    this.askNext();
  }
}

/** Says that this side is there; not while an earlier word still waits. */
export function renew(stdin: Writable): void {
  if (stdin.writable && stdin.writableLength === 0) stdin.write('alive\n');
}
