/** Has the files made that follow from closed sessions, one session after the other, in a thread of its own. */
import { Worker } from 'node:worker_threads';
import { derivingMemoryMib, derivingWaitMaxMs } from '@faultline/shared';

let ownerNumber = 0;

export class Derivation implements AsyncDisposable {
  private readonly waiting = new Map<string, Promise<string | undefined>>();
  private last: Promise<unknown> = Promise.resolve();
  private running: Worker | undefined;
  private isEnding = false;

  /** Makes the files of a closed session anew. The answer is why they could not be made; undefined where they were. */
  derive(folder: string): Promise<string | undefined> {
    const known = this.waiting.get(folder);
    if (known !== undefined) return known;
    const made = this.last.then(() => this.run(folder));
    this.waiting.set(folder, made);
    this.last = made;
    void made.then(() => this.waiting.delete(folder));
    return made;
  }

  /** Waits for what is being made, at most derivingWaitMaxMs; then it is broken off, and made when it is wanted. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => {
      this.isEnding = true;
      void this.running?.terminate();
    }, derivingWaitMaxMs);
    while (this.waiting.size > 0) await this.last;
    clearTimeout(timer);
  }

  private async run(folder: string): Promise<string | undefined> {
    if (this.isEnding) return 'Faultline is ending';
    ownerNumber += 1;
    const worker = new Worker(new URL('./derive-thread.ts', import.meta.url), {
      workerData: { folder, owner: `${process.pid}-${ownerNumber}` },
      resourceLimits: { maxOldGenerationSizeMb: derivingMemoryMib },
    });
    this.running = worker;
    const said = await new Promise<unknown>((resolve) => {
      worker.once('message', resolve);
      worker.once('error', (error) => resolve({ problem: String(error) }));
      worker.once('exit', () => resolve({ problem: 'its thread ended early' }));
    });
    await worker.terminate();
    this.running = undefined;
    if (said === 'done') return undefined;
    return typeof said === 'object' && said !== null && 'problem' in said ? String(said.problem) : 'it said nonsense';
  }
}
