/** Those who want to be told, in the order in which they asked. */
export class Listeners {
  private readonly all = new Set<() => void>();

  /** Adds a listener; the answer removes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.all.add(listener);
    return () => this.all.delete(listener);
  };

  /** Tells all of them now. */
  notify(): void {
    for (const listener of [...this.all]) listener();
  }
}
