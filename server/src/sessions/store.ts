/** A store in use: its library, the recorders of what is traced now, and its bounds kept. */
import { basename, join } from 'node:path';
import {
  err,
  formatBytes,
  formatExact,
  formatPlural,
  ok,
  type Result,
  type RunView,
  type StoreLimits,
  storeLimitNames,
  storeLimitOptions,
  type StorePreview,
  type StoreView,
  type Stream,
  storePruneIntervalMs,
} from '@faultline/shared';
import type { CataloguedProbe } from '../probes/catalogue.ts';
import type { Clock } from '../probes/probe-run.ts';
import { Library } from './library.ts';
import { Recorder } from './recorder.ts';
import type { Recording } from './recording.ts';
import type { Refusal } from './refusal.ts';
import { readBounds, writeBounds } from './store-bounds.ts';
import { lockStore } from './store-lock.ts';
import type { SessionSource } from './tracing.ts';

/** How a store is used. */
export type StoreOptions = {
  readonly folder: string;
  /** server: the only one of the store. single: one recording beside it. */
  readonly role: 'server' | 'single';
  /** Where nothing else was said. */
  readonly limits: StoreLimits;
  /** What was said when the program was started: it goes before what the store has written down. */
  readonly chosen?: Partial<StoreLimits> | undefined;
  readonly faultline: string;
  readonly label?: string | undefined;
  readonly clock: Clock;
  /** Makes what follows from a closed session's journal; nothing is made where it is absent. */
  readonly derivation?: SessionDerivation | undefined;
  /** What a person must know: what was removed, interrupted, stopped. */
  readonly report: (message: string) => void;
};

/** Makes the files that follow from a closed session. The answer is why it could not; undefined where it could. */
export interface SessionDerivation extends AsyncDisposable {
  derive(folder: string): Promise<string | undefined>;
}

export class Store implements AsyncDisposable {
  readonly library: Library;
  private readonly options: StoreOptions;
  /** What was set while it was served, now or before. */
  private written: Partial<StoreLimits>;
  private readonly unlock: () => void;
  private readonly recordings = new Set<Recording>();
  private readonly timer: NodeJS.Timeout;

  private constructor(library: Library, options: StoreOptions, unlock: () => void) {
    this.library = library;
    this.options = options;
    const written = readBounds(options.folder);
    this.written = written.ok ? written.value : {};
    if (!written.ok) options.report(`${written.error}; its bounds are not kept`);
    this.sayOverruled();
    this.unlock = unlock;
    this.timer = setInterval(() => this.prune(), storePruneIntervalMs);
    this.timer.unref();
  }

  /** Opens it, closes sessions whose recorder died, and keeps its bounds. Error: another server has it; not usable. */
  static async open(options: StoreOptions): Promise<Result<Store, Refusal>> {
    const opened = await Library.open(options.folder);
    if (!opened.ok) return opened;
    const { library, interrupted } = opened.value;
    const lock = options.role === 'server' ? lockStore(options.folder) : ok(() => {});
    if (!lock.ok) {
      const message = `the store ${options.folder} is in use by another Faultline server, process ${lock.error.holder.pid}`;
      return err({
        kind: 'store-in-use',
        message,
        remedy: 'Stop that one, give another folder with --store DIR, or serve with --no-store.',
      });
    }
    if (interrupted.length > 0) {
      const those = formatPlural(interrupted.length, 'session');
      options.report(`${those} of a Faultline that was killed closed as interrupted: ${interrupted.join(', ')}`);
    }
    const store = new Store(library, options, lock.value);
    store.prune();
    if (options.role === 'server') for (const id of interrupted) store.derive(join(options.folder, id));
    return ok(store);
  }

  /** Records a session from now on. */
  record(source: SessionSource, probes: readonly CataloguedProbe[]): Recording {
    const { folder, faultline, label, report } = this.options;
    const { limits } = this;
    const recorder = new Recorder(source, {
      store: folder,
      faultline,
      label,
      bytesMax: limits.sessionBytesMax,
      ageMaxMs: limits.sessionAgeMaxMs,
      describeRun: (view) => describeRun(view, probes),
      releaseReserve: () => this.library.releaseReserve(),
      report: (message) => report(`${source.id}: ${message}`),
      closed: (closed) => this.derive(closed),
    });
    this.recordings.add(recorder);
    return recorder;
  }

  /** What it may hold at present. */
  get limits(): StoreLimits {
    const { limits, chosen } = this.options;
    return { ...limits, ...this.written, ...chosen };
  }

  /** What it holds and may hold. */
  view(): StoreView {
    const all = this.library.list();
    const sum = (entries: typeof all): number => entries.reduce((bytes, one) => bytes + one.bytes, 0);
    const removedBytes = this.library.removedBytes();
    return {
      bytes: sum(all) + removedBytes,
      removedBytes,
      sessionCount: all.length,
      pinnedBytes: sum(all.filter(({ manifest }) => manifest?.isPinned === true)),
      limits: this.limits,
      fixed: storeLimitNames.filter((name) => this.options.chosen?.[name] !== undefined),
    };
  }

  /** Sets bounds that last, and keeps them at once. Errors: one was said when the program was started; the disk. */
  bound(limits: Partial<StoreLimits>): Result<void, Refusal> {
    const fixed = storeLimitNames.filter(
      (name) => limits[name] !== undefined && this.options.chosen?.[name] !== undefined,
    );
    if (fixed.length > 0) {
      const words = fixed.map((name) => `${name} (${storeLimitOptions[name]})`).join(', ');
      const message = `${words} was said when Faultline was started, and goes before what is set`;
      return err({ kind: 'store-fixed', message, remedy: 'Start it without that option, and set it then.' });
    }
    const written = { ...this.written, ...limits };
    try {
      writeBounds(this.options.folder, written);
    } catch (error) {
      const message = `the bounds could not be written down: ${error instanceof Error ? error.message : String(error)}`;
      return err({ kind: 'store-problem', message, remedy: 'Look at the room on the disk. Nothing was changed.' });
    }
    this.written = written;
    this.prune();
    return ok(undefined);
  }

  /** What setting these bounds would take away now. Nothing is changed. */
  preview(limits: Partial<StoreLimits>): StorePreview {
    const plan = this.library.planPruning({ ...this.limits, ...limits }, this.options.clock());
    const sum = (all: readonly { readonly bytes: number }[]): number =>
      all.reduce((bytes, one) => bytes + one.bytes, 0);
    return {
      sessions: plan.removed.map(({ id }) => id),
      bytes: sum(plan.removed),
      forgottenBytes: sum(plan.forgotten),
      excessBytes: plan.excessBytes,
    };
  }

  private sayOverruled(): void {
    const { chosen, report } = this.options;
    for (const name of storeLimitNames) {
      const [said, written] = [chosen?.[name], this.written[name]];
      if (said !== undefined && written !== undefined && said !== written)
        report(
          `${storeLimitOptions[name]} goes before the ${name} of ${formatExact(written)} that was set for this store`,
        );
    }
  }

  /** Removes what is too old or too much; where that does not suffice, what is live is no longer recorded. */
  prune(): void {
    const { clock, report } = this.options;
    const { limits } = this;
    const { removed, excessBytes } = this.library.prune(limits, clock());
    if (removed.length > 0)
      report(
        `${formatPlural(removed.length, 'recorded session')} removed to keep the store's bounds: ${removed.join(', ')}`,
      );
    if (excessBytes === 0) return;
    const message = `the store holds more than its ${formatBytes(limits.bytesMax)}, and all of it is pinned or live`;
    for (const recording of this.recordings) recording.stop('store-bytes', message);
  }

  /** Behind everybody's back: the session is closed already, and its journal has all of it. */
  private derive(folder: string): void {
    const { derivation, report } = this.options;
    void derivation?.derive(folder).then((problem) => {
      if (problem !== undefined)
        report(
          `${basename(folder)}: its totals and tables were not made (${problem}); they are made when they are wanted`,
        );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...this.recordings].map((recording) => recording.close()));
    await this.options.derivation?.[Symbol.asyncDispose]();
    this.prune();
    this.unlock();
  }
}

function describeRun(
  view: RunView,
  probes: readonly CataloguedProbe[],
): { readonly stream: Stream; readonly scriptPath: string } | undefined {
  const probe = probes.find(({ manifest }) => manifest.name === view.probe);
  const stream = probe?.manifest.streams.find(({ name }) => name === view.stream);
  return probe === undefined || stream === undefined
    ? undefined
    : { stream, scriptPath: join(probe.folder, view.script) };
}
