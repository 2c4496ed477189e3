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

type MapState = { readonly spec: MapSpec; readonly cellOfKey: Map<string, number>; total: number };

/** Owns the cells of one run. Numbers of cells are handed out in order of appearance and never reused. */
export class TallyBook {
  readonly cells: CellEntry[] = [];
  private values = new Float64Array(1024);
  private readonly maps: ReadonlyMap<string, MapState>;
  private readonly changed = new Map<number, number>();
  private newFrom = 0;

  constructor(specs: readonly MapSpec[]) {
    this.maps = new Map(specs.map((spec) => [spec.map, { spec, cellOfKey: new Map(), total: 0 }]));
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
    for (const state of this.maps.values()) if (state.spec.role === role) total += state.total;
    return total;
  }

  private applyEntry(state: MapState, key: string, value: number): TallyProblem | undefined {
    const map = state.spec.map;
    if (!Number.isSafeInteger(value)) return { kind: 'number-too-large', map, key };
    let cell = state.cellOfKey.get(key);
    if (cell === undefined) {
      if (this.cells.length >= runCellsMax) return { kind: 'too-many-cells', map, key };
      const dims = decodeKey(state.spec.key, key);
      if (dims === undefined) return { kind: 'bad-key', map, key };
      cell = this.addCell(state.spec.metric, dims);
      state.cellOfKey.set(key, cell);
    }
    const before = this.values[cell] ?? 0;
    if (value < before) return { kind: 'counter-went-back', map, key };
    if (value > before) {
      this.values[cell] = value;
      state.total += value - before;
      this.changed.set(cell, (this.changed.get(cell) ?? 0) + value - before);
    }
    return undefined;
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

/** A printed key ("1,0,bash") by its parts; undefined where it does not fit. A last text part keeps its commas. */
export function decodeKey(parts: readonly KeyPart[], key: string): Dims | undefined {
  const dims: Record<string, string | number> = {};
  let rest = key;
  for (const [position, part] of parts.entries()) {
    const isLast = position === parts.length - 1;
    const comma = rest.indexOf(',');
    if (!isLast && comma === -1) return undefined;
    const word = isLast ? rest : rest.slice(0, comma);
    rest = rest.slice(comma + 1);
    if (!decodePart(part, word, dims)) return undefined;
  }
  return parts.length === 0 && key !== '' ? undefined : dims;
}

function decodePart(part: KeyPart, word: string, dims: Record<string, string | number>): boolean {
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

/** A printed kernel stack by its functions, innermost first: "remap_pfn_range;vfio_pci_mmap_fault;…". */
export function foldStack(printed: string): string {
  return printed
    .split('\n')
    .map((frame) => frame.trim().replace(/\+(?:0x)?[0-9a-f]+$/, ''))
    .filter((frame) => frame !== '')
    .join(';');
}

/** The word for an enum's number; one the manifest does not know stays visible as `unknown:7`. */
export function enumWord(values: Readonly<Record<string, string>> | undefined, number: number): string {
  return values?.[String(number)] ?? `unknown:${number}`;
}
