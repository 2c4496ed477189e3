/** Comparisons for the page: what can be compared, and the one that the address asks for. */
import type {
  ComparableSession,
  ComparisonAnswer,
  DifferenceHeatAnswer,
  Problem,
  Result,
  SavedComparisonEntry,
} from '@faultline/shared';
import type { Loaded } from './loaded.ts';
import type { PageState } from './page-state.ts';
import type { Comparisons } from '../api/comparisons.ts';

/** What the page knows of comparisons. */
export type ComparisonsState = {
  /** Undefined before it was asked for. */
  readonly sessions: Loaded<readonly ComparableSession[]> | undefined;
  /** The comparison of the address; undefined while a side is not chosen. */
  readonly answer: { readonly query: string; readonly loaded: Loaded<ComparisonAnswer> } | undefined;
  /** The difference heatmap of the candidate that is picked; undefined until it is asked for. */
  readonly heat: { readonly query: string; readonly loaded: Loaded<DifferenceHeatAnswer> } | undefined;
  /** Undefined before they were asked for. */
  readonly saved: Loaded<readonly SavedComparisonEntry[]> | undefined;
  /** Why a text could not be had, or something not be saved. */
  readonly trouble: Problem | undefined;
};

/** Before anything is known. */
export const noComparisons: ComparisonsState = {
  sessions: undefined,
  answer: undefined,
  heat: undefined,
  saved: undefined,
  trouble: undefined,
};

type Sides = Pick<PageState, 'baseline' | 'candidate' | 'saved'>;

/** The question to the server about two sides; undefined while one is not chosen. */
export function compareQuery({ baseline, candidate, saved }: Sides): string | undefined {
  if (saved !== undefined) return new URLSearchParams({ saved }).toString();
  if (baseline.length === 0 || candidate.length === 0) return undefined;
  const query = new URLSearchParams();
  for (const word of baseline) query.append('baseline', word);
  for (const word of candidate) query.append('candidate', word);
  return query.toString();
}

/** The question about the heatmap: of two sides only. */
function heatQuery({ baseline, candidate, saved, pick }: PageState): string | undefined {
  if (saved !== undefined) return new URLSearchParams({ saved, pick: String(pick ?? 1) }).toString();
  const own = candidate[(pick ?? 1) - 1] ?? candidate[0];
  return own === undefined ? undefined : compareQuery({ baseline, candidate: [own], saved });
}

/** Asks, and keeps what came; the page's store shows it. */
export class ComparisonsStore {
  private readonly port: Comparisons;
  private readonly page: () => PageState;
  private readonly changed: () => void;
  private known: ComparisonsState = noComparisons;

  /** `changed` is called when anything is to be drawn anew. */
  constructor(port: Comparisons, page: () => PageState, changed: () => void) {
    this.port = port;
    this.page = page;
    this.changed = changed;
  }

  get state(): ComparisonsState {
    return this.known;
  }

  /** Asks for what the address wants and is not known yet. */
  follow(): void {
    const page = this.page();
    if (page.page !== 'compare') return;
    if (this.known.sessions === undefined) void this.refresh();
    if (this.known.saved === undefined) void this.refreshSaved();
    const query = compareQuery(page);
    if (query === undefined && this.known.answer !== undefined) this.change({ answer: undefined, heat: undefined });
    if (query !== undefined && query !== this.known.answer?.query) void this.load(query);
    else void this.loadHeat();
  }

  /** Asks again what can be compared: others record meanwhile. */
  async refresh(): Promise<void> {
    if (this.known.sessions?.kind !== 'ready') this.change({ sessions: { kind: 'loading' } });
    const sessions = await this.port.comparable();
    this.change({
      sessions: sessions.ok ? { kind: 'ready', value: sessions.value } : { kind: 'failed', problem: sessions.error },
    });
  }

  /** Asks again what is saved. */
  async refreshSaved(): Promise<void> {
    if (this.known.saved?.kind !== 'ready') this.change({ saved: { kind: 'loading' } });
    const saved = await this.port.saved();
    this.change({ saved: saved.ok ? { kind: 'ready', value: saved.value } : { kind: 'failed', problem: saved.error } });
  }

  /** Saves what is compared; the answer is its id, undefined where it could not be. */
  async save(name: string): Promise<string | undefined> {
    const { baseline, candidate } = this.page();
    const saved = await this.port.save(name, { baseline, candidate });
    await this.changedSaved(saved);
    return saved.ok ? saved.value.id : undefined;
  }

  /** Gives a saved comparison another name. */
  async rename(id: string, name: string): Promise<void> {
    await this.changedSaved(await this.port.rename(id, name));
  }

  /** Writes a note on one. */
  async annotate(id: string, text: string): Promise<void> {
    await this.changedSaved(await this.port.annotate(id, text));
  }

  /** Removes one; whether it is gone. */
  async remove(id: string): Promise<boolean> {
    const removed = await this.port.remove(id);
    await this.changedSaved(removed);
    return removed.ok;
  }

  private async changedSaved(answer: Result<unknown, Problem>): Promise<void> {
    this.change({ trouble: answer.ok ? undefined : answer.error });
    await this.refreshSaved();
  }

  /** Compares again: a side by its build may have more runs by now. */
  async again(): Promise<void> {
    const query = compareQuery(this.page());
    await Promise.all([this.refresh(), query === undefined ? undefined : this.load(query)]);
  }

  /** Hands the comparison in a format to `take` once it is whole. */
  async file(format: string, take: (bytes: Blob, name: string) => void): Promise<void> {
    const query = compareQuery(this.page());
    if (query === undefined) return;
    const answer = await this.port.fileOf(query, format);
    this.change({ trouble: answer.ok ? undefined : answer.error });
    if (answer.ok) take(answer.value.bytes, answer.value.name);
  }

  private async load(query: string): Promise<void> {
    this.change({ answer: { query, loaded: { kind: 'loading' } }, heat: undefined, trouble: undefined });
    const asked = this.port.compare(query);
    void this.loadHeat();
    const answer = await asked;
    // Another one is asked for by now.
    if (this.known.answer?.query !== query) return;
    const loaded = answer.ok
      ? ({ kind: 'ready', value: answer.value } as const)
      : ({ kind: 'failed', problem: answer.error } as const);
    this.change({ answer: { query, loaded } });
  }

  /** Asked for right behind the comparison, which does not wait for it. */
  private async loadHeat(): Promise<void> {
    const query = heatQuery(this.page());
    if (query === undefined || query === this.known.heat?.query) return;
    this.change({ heat: { query, loaded: { kind: 'loading' } } });
    const heat = await this.port.heat(query);
    if (this.known.heat?.query !== query) return;
    const loaded = heat.ok
      ? ({ kind: 'ready', value: heat.value } as const)
      : ({ kind: 'failed', problem: heat.error } as const);
    this.change({ heat: { query, loaded } });
  }

  private change(part: Partial<ComparisonsState>): void {
    this.known = { ...this.known, ...part };
    this.changed();
  }
}
