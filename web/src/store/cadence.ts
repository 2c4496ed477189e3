/**
 * When panels are told that there is something new: those of the first rank together, then one a frame, because a
 * chart costs the main thread up to 20 ms and two in one frame would be a long task.
 */

/** First: words and tables, cheap and wanted soon. Chart: drawings, one a frame. */
export type Rank = 'first' | 'chart';

/** Tells listeners frame by frame. A round that is not finished when the next one comes goes on with it. */
export class Cadence {
  private readonly ranks: Readonly<Record<Rank, Set<() => void>>> = { first: new Set(), chart: new Set() };
  private readonly nextFrame: (run: () => void) => void;
  private queue: (() => void)[] = [];
  private isScheduled = false;
  private isFirstDue = false;
  private readonly onFirstPainted: () => void;

  /** `nextFrame` calls back before the next paint; `onFirstPainted` is called after the paint of the first rank. */
  constructor(nextFrame: (run: () => void) => void, onFirstPainted: () => void) {
    this.nextFrame = nextFrame;
    this.onFirstPainted = onFirstPainted;
  }

  /** Adds a listener of a rank; the answer removes it. */
  subscribe(rank: Rank, listener: () => void): () => void {
    this.ranks[rank].add(listener);
    return () => {
      this.ranks[rank].delete(listener);
      this.queue = this.queue.filter((queued) => queued !== listener);
    };
  }

  /** Begins a round. Charts still waiting from the last one keep their place in the queue. */
  publish(): void {
    this.isFirstDue = true;
    const waiting = new Set(this.queue);
    for (const listener of this.ranks.chart) if (!waiting.has(listener)) this.queue.push(listener);
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.nextFrame(() => {
      this.isScheduled = false;
      this.step();
    });
  }

  private step(): void {
    if (this.isFirstDue) {
      this.isFirstDue = false;
      for (const listener of [...this.ranks.first]) listener();
      this.onFirstPainted();
    } else {
      this.queue.shift()?.();
    }
    if (this.queue.length > 0 || this.isFirstDue) this.schedule();
  }
}
