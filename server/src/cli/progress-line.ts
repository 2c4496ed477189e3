/** How far a command is that makes many runs, and how long it still takes. */
import { formatElapsed, formatExact } from '@faultline/shared';
import type { SeriesProgress } from '../lab/series.ts';
import { redraw, type Terminal } from './terminal.ts';

/** How far it is: redrawn in place on a terminal, otherwise a line a stage. */
export class ProgressLine {
  private readonly terminal: Terminal;
  private now: SeriesProgress | undefined;
  private said = '';
  private timer: NodeJS.Timeout | undefined;
  /** The first run of this command, and when it began. */
  private first: { readonly done: number; readonly atMs: number } | undefined;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  say(now: SeriesProgress): void {
    this.now = now;
    if (/: run /.test(now.stage)) this.first ??= { done: workOf(now).done, atMs: performance.now() };
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
    if (this.now !== undefined) redraw(this.terminal, this.text(this.now));
  }

  private text(now: SeriesProgress): string {
    const done = `${formatExact(now.doneCount)} of ${formatExact(now.totalCount)} runs`;
    const left = this.leftMs(workOf(now));
    return `${done}${left === undefined ? '' : `, ${formatElapsed(left)} left`} · ${now.stage}`;
  }

  /** From how long the runs of this command took so far. */
  private leftMs({ done, total }: Work): number | undefined {
    if (this.first === undefined || done <= this.first.done) return undefined;
    const perUnitMs = (performance.now() - this.first.atMs) / (done - this.first.done);
    return perUnitMs * (total - done);
  }
}

type Work = NonNullable<SeriesProgress['work']>;

/** In runs where nothing finer is known. */
function workOf({ doneCount: done, totalCount: total, work = { done, total } }: SeriesProgress): Work {
  return work;
}
