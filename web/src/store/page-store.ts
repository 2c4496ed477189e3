/** The address bar as a store: what is chosen is read from it and written to it. */
import { Listeners } from './listeners.ts';
import { type PageState, readPageState, writePageState } from './page-state.ts';

/** The part of the browser that holds the address. */
export type AddressBar = {
  readonly search: () => string;
  readonly replace: (search: string) => void;
  readonly push: (search: string) => void;
  readonly onBack: (listener: () => void) => () => void;
};

/** What the reader chose, and how to change it. */
export class PageStore {
  private readonly listeners = new Listeners();
  private readonly bar: AddressBar;
  private state: PageState;

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

  /** Changes some of it. Another page or target is a step that the back button undoes; a filter is not. */
  readonly set = (change: Partial<PageState>): void => {
    const next = { ...this.state, ...change };
    const isStep = next.page !== this.state.page || next.target !== this.state.target;
    this.state = next;
    if (isStep) this.bar.push(writePageState(next));
    else this.bar.replace(writePageState(next));
    this.listeners.notify();
  };
}
