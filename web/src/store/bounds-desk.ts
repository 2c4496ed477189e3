/** The bounds of the server's store while somebody changes them: what they would take away is asked before they are set. */
import {
  type Problem,
  type StoreLimits,
  type StorePreview,
  type StoreView,
  readStoreLimit,
  storeLimitNames,
  storeLimitWord,
} from '@faultline/shared';
import type { Recordings } from '../api/recordings.ts';
import type { Loaded } from './loaded.ts';

type Typed = Partial<Record<keyof StoreLimits, string>>;

/** The open form. */
export type BoundsState = {
  readonly store: Loaded<StoreView>;
  /** What was typed; a bound that is not among it stays. */
  readonly typed: Typed;
  /** What setting that would take away; undefined where nothing is to be set. */
  readonly preview: Loaded<StorePreview> | undefined;
  readonly isSetting: boolean;
  /** Why setting was refused. */
  readonly problem: Problem | undefined;
  /** What the bounds were before the last setting of this form. */
  readonly before: Partial<StoreLimits> | undefined;
};

type World = {
  readonly port: Pick<Recordings, 'store' | 'previewBounds' | 'setBounds'>;
  /** Told when the form has changed. */
  readonly changed: () => void;
  /** Told when bounds were set: sessions may be gone. */
  readonly set: () => void;
};

/** What is to be set: bounds that differ from those of now. Undefined where something typed is none. */
function wantedBounds({ store, typed }: BoundsState): Partial<StoreLimits> | undefined {
  if (store.kind !== 'ready') return undefined;
  const wanted: Partial<Record<keyof StoreLimits, number>> = {};
  for (const name of storeLimitNames) {
    const word = typed[name];
    if (word === undefined) continue;
    const value = readStoreLimit(name, word);
    if (value === undefined) return undefined;
    if (value !== store.value.limits[name]) wanted[name] = value;
  }
  return wanted;
}

/** Holds the form, asks and sets. */
export class BoundsDesk {
  private readonly world: World;
  private known: BoundsState | undefined;
  private isAsking = false;

  constructor(world: World) {
    this.world = world;
  }

  /** Undefined while the form is closed. */
  get state(): BoundsState | undefined {
    return this.known;
  }

  /** Opens the form over what the server's bounds are now. */
  async open(): Promise<void> {
    const opened: BoundsState = {
      store: { kind: 'loading' },
      typed: {},
      preview: undefined,
      isSetting: false,
      problem: undefined,
      before: undefined,
    };
    this.put(opened);
    const answer = await this.world.port.store();
    if (this.known !== opened) return;
    this.change({
      store: answer.ok ? { kind: 'ready', value: answer.value } : { kind: 'failed', problem: answer.error },
    });
  }

  close(): void {
    this.put(undefined);
  }

  /** Takes what is typed for bounds, and asks what they would take away. */
  async type(typed: Typed): Promise<void> {
    if (this.known === undefined) return;
    this.change({ typed: { ...this.known.typed, ...typed }, preview: undefined, problem: undefined });
    await this.ask();
  }

  /** Types what the bounds were before the last setting: what that would take away is to be seen first, too. */
  async typeBefore(): Promise<void> {
    const typed: { [name in keyof StoreLimits]?: string } = {};
    for (const name of storeLimitNames) {
      const value = this.known?.before?.[name];
      if (value !== undefined) typed[name] = storeLimitWord(name, value);
    }
    await this.type(typed);
  }

  /** Sets what is typed; nothing happens before it is known what that takes away. */
  async set(): Promise<void> {
    const { known } = this;
    if (known?.preview?.kind !== 'ready' || known.store.kind !== 'ready' || known.isSetting) return;
    const wanted = wantedBounds(known) ?? {};
    const { limits } = known.store.value;
    const changed = storeLimitNames.filter((name) => wanted[name] !== undefined);
    this.change({ isSetting: true, problem: undefined });
    const answer = await this.world.port.setBounds(wanted);
    this.world.set();
    if (this.known === undefined) return;
    if (!answer.ok) return this.change({ isSetting: false, problem: answer.error });
    this.change({
      store: { kind: 'ready', value: answer.value },
      typed: {},
      preview: undefined,
      isSetting: false,
      before: Object.fromEntries(changed.map((name) => [name, limits[name]])),
    });
  }

  /** One question at a time; what was typed meanwhile is asked next. */
  private async ask(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    for (;;) {
      const { known } = this;
      const wanted = known === undefined ? undefined : wantedBounds(known);
      if (known === undefined || wanted === undefined || Object.keys(wanted).length === 0) break;
      this.change({ preview: { kind: 'loading' } });
      const answer = await this.world.port.previewBounds(wanted);
      if (this.known?.typed !== known.typed) continue;
      this.change({
        preview: answer.ok ? { kind: 'ready', value: answer.value } : { kind: 'failed', problem: answer.error },
      });
      break;
    }
    this.isAsking = false;
  }

  private change(part: Partial<BoundsState>): void {
    if (this.known !== undefined) this.put({ ...this.known, ...part });
  }

  private put(state: BoundsState | undefined): void {
    this.known = state;
    this.world.changed();
  }
}
