/**
 * The cumulative maps of one run: decodes their keys into cells, and gives the exact difference between snapshots.
 * A missed snapshot costs time resolution, never counts, because the maps are never cleared.
 */
import { mapKeysMax, mapKeysWarnShare, runCellsMax } from './limits.ts';
import type { KeyPart, MapSpec } from './probe-manifest.ts';
import type { CellEntry, Dims } from './protocol.ts';

/** What a snapshot brought: cells that changed and by how much; new cells first named here. */
export type TallyDelta = {
  readonly cells: Uint32Array;
  readonly deltas: Float64Array;
  readonly newCells: readonly CellEntry[];
};

/** Something in the maps that a reader of the figures must know. */
export type TallyProblem =
  | { readonly kind: 'map-nearly-full'; readonly map: string; readonly keyCount: number }
  | { readonly kind: 'map-full'; readonly map: string; readonly keyCount: number }
  | { readonly kind: 'counter-went-back'; readonly map: string; readonly key: string }
  | { readonly kind: 'number-too-large'; readonly map: string; readonly key: string }
  | { readonly kind: 'bad-key'; readonly map: string; readonly key: string }
  | { readonly kind: 'too-many-cells'; readonly map: string; readonly key: string };

/** One metric that a map feeds. */
type Feed = { readonly spec: MapSpec; readonly cellOfDims: Map<string, number>; total: number };

/** One key of a map: its newest value, and the cells that it feeds. */
type KeyState = { value: number; readonly shares: readonly Share[] };
type Share = { readonly feed: Feed; readonly cell: number; readonly weight: number };

type MapState = {
  readonly map: string;
  readonly feeds: readonly Feed[];
  readonly keys: Map<string, KeyState>;
  /** Newest values of keys with a part whose name has not been printed yet. */
  readonly unnamed: Map<string, number>;
};

/** What stands for a name that the script never printed. */
const unknownName = 'unknown';

/** Owns the cells of one run. Numbers of cells are handed out in order of appearance and never reused. */
export class TallyBook {
  readonly cells: CellEntry[] = [];
  private values = new Float64Array(1024);
  private readonly maps: ReadonlyMap<string, MapState>;
  private readonly names = new Map<string, Map<string, string>>();
  private readonly changed = new Map<number, number>();
  private newFrom = 0;

  constructor(specs: readonly MapSpec[]) {
    const specsOf = Map.groupBy(specs, ({ map }) => map);
    this.maps = new Map([...specsOf].map(([map, those]) => [map, emptyMap(map, those)]));
  }

  /** Takes in one printed map (cumulative values); maps that the manifest does not name are ignored. */
  apply(map: string, entries: readonly (readonly [string | undefined, number])[]): readonly TallyProblem[] {
    const state = this.maps.get(map);
    if (state === undefined) return [];
    const problems: TallyProblem[] = [];
    for (const [key = '', value] of entries) {
      const problem = this.applyEntry(state, key, value);
      if (problem !== undefined) problems.push(problem);
    }
    const keyCount = entries.length;
    if (keyCount >= mapKeysMax) problems.push({ kind: 'map-full', map, keyCount });
    else if (keyCount >= mapKeysMax * mapKeysWarnShare) problems.push({ kind: 'map-nearly-full', map, keyCount });
    return problems;
  }

  /** Takes in a printed map of names; what waited for one of them counts now. */
  applyNames(map: string, names: readonly (readonly [string, string])[]): readonly TallyProblem[] {
    const known = this.names.get(map) ?? new Map<string, string>();
    this.names.set(map, known);
    for (const [key, name] of names) if (name !== '' && known.size < mapKeysMax) known.set(key, name);
    return this.settle(undefined);
  }

  /** No more names will come: what still waits for one counts under `unknown`. */
  close(): readonly TallyProblem[] {
    return this.settle(unknownName);
  }

  /** Everything that changed since the last call, each cell once; undefined when nothing did. */
  takeDelta(): TallyDelta | undefined {
    if (this.changed.size === 0 && this.newFrom === this.cells.length) return undefined;
    const delta = {
      cells: Uint32Array.from(this.changed.keys()),
      deltas: Float64Array.from(this.changed.values()),
      newCells: this.cells.slice(this.newFrom),
    };
    this.changed.clear();
    this.newFrom = this.cells.length;
    return delta;
  }

  /** Cumulative value of every cell, by cell number (a copy). */
  totals(): Float64Array {
    return this.values.slice(0, this.cells.length);
  }

  /** Sum over all cells of the maps with this role. Exact below 2^53. */
  roleTotal(role: MapSpec['role']): number {
    let total = 0;
    for (const { feeds } of this.maps.values())
      for (const feed of feeds) if (feed.spec.role === role) total += feed.total;
    return total;
  }

  private settle(fallback: string | undefined): readonly TallyProblem[] {
    const problems: TallyProblem[] = [];
    for (const state of this.maps.values()) {
      const waiting = [...state.unnamed];
      state.unnamed.clear();
      for (const [key, value] of waiting) {
        const problem = this.applyEntry(state, key, value, fallback);
        if (problem !== undefined) problems.push(problem);
      }
    }
    return problems;
  }

  private applyEntry(state: MapState, key: string, value: number, fallback?: string): TallyProblem | undefined {
    const { map } = state;
    if (!Number.isSafeInteger(value)) return { kind: 'number-too-large', map, key };
    let known = state.keys.get(key);
    if (known === undefined) {
      const shares = this.sharesOf(state, key, fallback);
      if (shares === 'bad-key' || shares === 'too-many-cells') return { kind: shares, map, key };
      if (shares === 'unnamed') {
        state.unnamed.set(key, value);
        return undefined;
      }
      known = { value: 0, shares };
      state.keys.set(key, known);
    }
    if (value < known.value) return { kind: 'counter-went-back', map, key };
    const more = value - known.value;
    if (more === 0) return undefined;
    known.value = value;
    for (const { feed, cell, weight } of known.shares) {
      const delta = more * weight;
      this.values[cell] = (this.values[cell] ?? 0) + delta;
      feed.total += delta;
      this.changed.set(cell, (this.changed.get(cell) ?? 0) + delta);
    }
    return undefined;
  }

  /** The cells that a new key feeds. All metrics of a map have its key, so that it is decoded once. */
  private sharesOf(
    state: MapState,
    key: string,
    fallback: string | undefined,
  ): readonly Share[] | 'bad-key' | 'too-many-cells' | 'unnamed' {
    const parts = state.feeds[0]?.spec.key ?? [];
    const dims = decodeKey(parts, key, (by, word) => this.names.get(by)?.get(word) ?? fallback);
    if (dims === undefined) return 'bad-key';
    if (dims === 'unnamed') return 'unnamed';
    const shares: Share[] = [];
    for (const feed of state.feeds) {
      const { metric, keep, only, weight } = feed.spec;
      if (only !== undefined && dims[only.name] !== only.word) continue;
      const times = weight === undefined ? 1 : (weight.words[String(dims[weight.name])] ?? 1);
      if (times === 0) continue;
      const kept =
        keep === undefined ? dims : Object.fromEntries(keep.map((name) => [name, dims[name] ?? unknownName]));
      const words = JSON.stringify(kept);
      let cell = feed.cellOfDims.get(words);
      if (cell === undefined) {
        if (this.cells.length >= runCellsMax) return 'too-many-cells';
        cell = this.addCell(metric, kept);
        feed.cellOfDims.set(words, cell);
      }
      shares.push({ feed, cell, weight: times });
    }
    return shares;
  }

  private addCell(metric: string, dims: Dims): number {
    const cell = this.cells.length;
    this.cells.push({ cell, metric, dims });
    if (cell >= this.values.length) {
      const larger = new Float64Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    return cell;
  }
}

function emptyMap(map: string, specs: readonly MapSpec[]): MapState {
  const feeds = specs.map((spec) => ({ spec, cellOfDims: new Map<string, number>(), total: 0 }));
  return { map, feeds, keys: new Map(), unnamed: new Map() };
}

/**
 * A printed key ("1,0,bash") by its parts; undefined where it does not fit. A last text part keeps its commas.
 * `nameOf` knows the names of `named` parts; `unnamed` while it does not.
 */
export function decodeKey(
  parts: readonly KeyPart[],
  key: string,
  nameOf: (by: string, word: string) => string | undefined = () => undefined,
): Dims | 'unnamed' | undefined {
  const dims: Record<string, string | number> = {};
  let rest = key;
  for (const [position, part] of parts.entries()) {
    const isLast = position === parts.length - 1;
    const comma = rest.indexOf(',');
    if (!isLast && comma === -1) return undefined;
    const word = isLast ? rest : rest.slice(0, comma);
    rest = rest.slice(comma + 1);
    if (part.kind === 'named') {
      const name = nameOf(part.by, word);
      if (name === undefined) return 'unnamed';
      dims[part.name] = name;
    } else if (!decodePart(part, word, dims)) return undefined;
  }
  return parts.length === 0 && key !== '' ? undefined : dims;
}

function decodePart(
  part: Exclude<KeyPart, { kind: 'named' }>,
  word: string,
  dims: Record<string, string | number>,
): boolean {
  if (part.kind === 'text') {
    dims[part.name] = word;
    return true;
  }
  if (part.kind === 'stack') {
    dims[part.name] = foldStack(word);
    return true;
  }
  if (!/^\d{1,16}$/.test(word)) return false;
  const number = Number(word);
  switch (part.kind) {
    case 'enum':
      dims[part.name] = enumWord(part.values, number);
      return true;
    case 'uint':
    case 'bucket':
      dims[part.name] = number;
      return true;
    case 'packed':
      for (const field of part.fields) {
        const shifted = Math.floor(number / 2 ** field.shift);
        const value = field.bits === 0 ? shifted : shifted % 2 ** field.bits;
        dims[field.name] = field.values === undefined ? value : enumWord(field.values, value);
      }
      return true;
  }
}

/**
 * A printed kernel stack by its functions, innermost first: "remap_pfn_range;vfio_pci_mmap_fault;…". Without the trampoline of a
 * tracer that watches a function on it, whose name is another number each time, and which shows that function twice.
 */
export function foldStack(printed: string): string {
  const frames = printed
    .split('\n')
    .map((frame) => frame.trim().replace(/\+(?:0x)?[0-9a-f]+$/, ''))
    .filter((frame) => frame !== '');
  return frames
    .filter((frame, at) => !isTrampoline(frame) && !(isTrampoline(frames[at - 1]) && frame === frames[at - 2]))
    .join(';');
}

function isTrampoline(frame: string | undefined): boolean {
  return frame?.startsWith('bpf_trampoline_') === true;
}

/** The word for an enum's number; one the manifest does not know stays visible as `unknown:7`. */
export function enumWord(values: Readonly<Record<string, string>> | undefined, number: number): string {
  return values?.[String(number)] ?? `unknown:${number}`;
}
