/** window.faultline: exact figures for tests and benchmarks; read-only. Described in web/README.md. */
import { totalOf } from '@faultline/shared';
import type { AppStore } from './store/app-store.ts';
import type { LiveColumn } from './store/side-by-side.ts';

/** What a test or benchmark may read. */
export type Faultline = {
  /** Exact cumulative value of a metric over all runs of the session, of the cells that carry all of `dims`; of the target in a column. */
  readonly totals: (metric: string, dims?: Readonly<Record<string, string | number>>, column?: LiveColumn) => number;
  /** Recent calls: ms from the event in the kernel to the paint that showed it. */
  readonly latencyMs: readonly number[];
  readonly frames: number;
  readonly seq: number;
};

declare global {
  interface Window {
    faultline?: Faultline;
  }
}

/** Makes window.faultline. */
export function exposeFaultline(app: AppStore): void {
  const faultline: Faultline = {
    totals: (metric, dims = {}, column = 'left') => {
      const session = app.current(column);
      return session === undefined ? 0 : totalOf(session, metric, dims);
    },
    get latencyMs() {
      return [...app.paint.recent()];
    },
    get frames() {
      return app.current()?.frameCount ?? 0;
    },
    get seq() {
      return app.current()?.seq ?? 0;
    },
  };
  Object.defineProperty(window, 'faultline', { value: Object.freeze(faultline), writable: false, configurable: false });
}
