/** How far a command is that makes many runs, and how long it still takes. */
import { formatElapsed, formatExact } from '@faultline/shared';
import type { SeriesProgress } from '../lab/series.ts';
import type { Terminal } from './terminal.ts';

/** How far it is: redrawn in place on a terminal, otherwise a line a stage. */
export class ProgressLine {
  private readonly terminal: Terminal;
  private now: SeriesProgress | undefined;
  private said = '';
  private timer: NodeJS.Timeout | undefined;
  /** The first run of this command, and when it began. */
  private first: { readonly doneCount: number; readonly atMs: number } | undefined;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  say(now: SeriesProgress): void {
    this.now = now;
    if (/: run /.test(now.stage)) this.first ??= { doneCount: now.doneCount, atMs: performance.now() };
    if (this.terminal.isErrTty) {
      this.timer ??= setInterval(() => this.draw(), 200);
      this.draw();
    } else if (now.stage !== this.said) this.terminal.err(`${this.text(now)}\n`);
    this.said = now.stage;
  }

  end(): void {
    clearInterval(this.timer);
    if (this.terminal.isErrTty) this.terminal.err('\r\u001b[K');
  }

  private draw(): void {
    if (this.now !== undefined) this.terminal.err(`\r\u001b[K${this.text(this.now)}`);
  }

  private text({ stage, doneCount, totalCount }: SeriesProgress): string {
    const done = `${formatExact(doneCount)} of ${formatExact(totalCount)} runs`;
    const left = this.leftMs(doneCount, totalCount);
    return `${done}${left === undefined ? '' : `, ${formatElapsed(left)} left`} · ${stage}`;
  }

  /** From how long the runs of this command took so far. */
  private leftMs(doneCount: number, totalCount: number): number | undefined {
    if (this.first === undefined || doneCount <= this.first.doneCount) return undefined;
    const perRunMs = (performance.now() - this.first.atMs) / (doneCount - this.first.doneCount);
    return perRunMs * (totalCount - doneCount);
  }
}
