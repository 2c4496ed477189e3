/** The address bar as a store: what is chosen is read from it and written to it. */
import { Listeners } from './listeners.ts';
import { type PageState, readPageState, writePageState } from './page-state.ts';

/** The part of the browser that holds the address. */
export type AddressBar = {
  readonly search: () => string;
  readonly replace: (search: string) => void;
  readonly push: (search: string) => void;
  readonly onBack: (listener: () => void) => () => void;
  /** Calls back after a while: browsers allow only so many changes of the address a second. */
  readonly later: (run: () => void, afterMs: number) => void;
};

/** How long the address may lag behind a brush that is being moved, ms. */
const writeDelayMs = 300;

/** What the reader chose, and how to change it. */
export class PageStore {
  private readonly listeners = new Listeners();
  private readonly bar: AddressBar;
  private state: PageState;
  private isWriting = false;

  constructor(bar: AddressBar) {
    this.bar = bar;
    this.state = readPageState(bar.search());
    bar.onBack(() => {
      this.state = readPageState(bar.search());
      this.listeners.notify();
    });
  }

  readonly subscribe = this.listeners.subscribe;

  readonly get = (): PageState => this.state;

  /** Whether a brush is being moved: more changes will come soon. */
  get isMoving(): boolean {
    return this.isWriting;
  }

  /** Changes some of it. Another page or target is a step that the back button undoes; a filter is not. */
  readonly set = (change: Partial<PageState>): void => {
    const next = { ...this.state, ...change };
    const { page, target, beside, session, baseline, candidate, saved } = this.state;
    const isStep =
      next.page !== page ||
      next.target !== target ||
      next.beside !== beside ||
      next.session !== session ||
      next.baseline !== baseline ||
      next.saved !== saved ||
      next.candidate !== candidate;
    this.state = next;
    if (isStep) this.bar.push(writePageState(next));
    else this.bar.replace(writePageState(next));
    this.listeners.notify();
  };

  /** As set, for what changes many times a second: the address follows a little later. */
  readonly move = (change: Partial<PageState>): void => {
    this.state = { ...this.state, ...change };
    const isFirst = !this.isWriting;
    this.isWriting = true;
    this.listeners.notify();
    if (!isFirst) return;
    this.bar.later(() => {
      this.isWriting = false;
      this.bar.replace(writePageState(this.state));
      this.listeners.notify();
    }, writeDelayMs);
  };
}
