/** QEMU's control channel (QMP): a line of JSON each way. Only what the lab needs of it. */
import type { Socket } from 'node:net';
import { err, ok, qmpAnswerMaxMs, qmpLineCharsMax, type Result } from '@faultline/shared';
import type { LabError } from './lab-error.ts';

type Waiting = (answer: Result<unknown, LabError>) => void;

export class Qmp {
  private readonly socket: Socket;
  private readonly waiting: Waiting[] = [];
  private rest = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.take(text));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const answer of this.waiting.splice(0)) answer(err(broken('QEMU closed its control channel')));
    });
    void this.command('qmp_capabilities');
  }

  /** One command and its answer, in order. */
  command(name: string, words: Readonly<Record<string, unknown>> = {}): Promise<Result<unknown, LabError>> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(err(broken(`QEMU did not answer ${name}`))), qmpAnswerMaxMs);
      this.waiting.push((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      if (this.socket.destroyed) this.waiting.pop()?.(err(broken('QEMU is gone')));
      else this.socket.write(`${JSON.stringify({ execute: name, arguments: words })}\n`);
    });
  }

  private take(text: string): void {
    this.rest += text;
    const lines = this.rest.split('\n');
    this.rest = (lines.pop() ?? '').slice(0, qmpLineCharsMax);
    for (const line of lines) this.obey(line);
  }

  private obey(line: string): void {
    const message = parse(line);
    // A greeting and events carry neither.
    if (message === undefined || !('return' in message || 'error' in message)) return;
    const answer = this.waiting.shift();
    if ('return' in message) answer?.(ok(message.return));
    else answer?.(err(broken(`QEMU refused: ${JSON.stringify(message.error).slice(0, 300)}`)));
  }
}

function parse(line: string): { readonly return?: unknown; readonly error?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function broken(message: string): LabError {
  return { kind: 'broken', message, remedy: 'Try again; the lab’s console file says what the guest did last.' };
}
