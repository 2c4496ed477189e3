/**
 * When panels are told that there is something new: those of the first rank together, then charts, a few a frame,
 * because a chart costs the main thread up to 20 ms and three in one frame would be a long task.
 */

/**
 * First: words and tables, cheap and wanted soon. Chart: every round. Slow and calm: every second and every fourth round;
 * what is read rather than watched, or hardly changes.
 */
export type Rank = 'first' | 'chart' | 'slow' | 'calm';

/** What cadence needs of the browser. */
export type FrameClock = {
  /** Calls back before the next paint. */
  readonly nextFrame: (run: () => void) => void;
  readonly nowMs: () => number;
};

/** After this much of a frame no further chart is begun in it, ms: the rest of the frame is the browser's. */
const frameBudgetMs = 8;

/** Tells listeners frame by frame. A round that is not finished when the next one comes goes on with it. */
export class Cadence {
  private readonly ranks: Readonly<Record<Rank, Set<() => void>>> = {
    first: new Set(),
    chart: new Set(),
    slow: new Set(),
    calm: new Set(),
  };
  private readonly clock: FrameClock;
  private readonly onFirstDrawn: () => void;
  private queue: (() => void)[] = [];
  private isScheduled = false;
  private isFirstDue = false;
  private round = 0;

  /** `onFirstDrawn` is called in the frame that draws the first rank, before its paint. */
  constructor(clock: FrameClock, onFirstDrawn: () => void) {
    this.clock = clock;
    this.onFirstDrawn = onFirstDrawn;
  }

  /** Adds a listener of a rank; the answer removes it. */
  subscribe(rank: Rank, listener: () => void): () => void {
    this.ranks[rank].add(listener);
    return () => {
      this.ranks[rank].delete(listener);
      this.queue = this.queue.filter((queued) => queued !== listener);
    };
  }

  /** Begins a round; of all ranks where somebody waits for an answer. Listeners still waiting keep their place. */
  publish(extent: 'usual' | 'all'): void {
    this.round += 1;
    this.isFirstDue = true;
    // Half of the slow ones and a quarter of the calm ones in each round, so that all rounds cost the same.
    const due = (rank: 'slow' | 'calm', rounds: number): readonly (() => void)[] =>
      [...this.ranks[rank]].filter((_, index) => extent === 'all' || (index + this.round) % rounds === 0);
    const waiting = new Set(this.queue);
    for (const listener of [...this.ranks.chart, ...due('slow', 2), ...due('calm', 4)]) {
      if (!waiting.has(listener)) this.queue.push(listener);
    }
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.clock.nextFrame(() => void this.step());
  }

  private async step(): Promise<void> {
    const beganMs = this.clock.nowMs();
    if (this.isFirstDue) {
      this.isFirstDue = false;
      for (const listener of this.ranks.first) listener();
      // React draws what the listeners asked for in a microtask of this frame; what comes after it is measured with it.
      await Promise.resolve();
      this.onFirstDrawn();
    }
    while (this.queue.length > 0 && this.clock.nowMs() - beganMs < frameBudgetMs) {
      this.queue.shift()?.();
      await Promise.resolve();
    }
    this.isScheduled = false;
    if (this.queue.length > 0 || this.isFirstDue) this.schedule();
  }
}
