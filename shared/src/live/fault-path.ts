/**
 * The vfio fault path as it happens on a kernel: which real functions there are between who starts a fault and what writes
 * the page table, by era, with what was counted at each. Pure data; the page draws it, a terminal may print it.
 */
import { bucketQuantiles } from '../buckets.ts';
import { type Era, eraOfVariant } from '../era.ts';
import { finalResults } from '../fault-result.ts';
import type { Dims } from '../protocol.ts';
import type { LiveSession } from './live-session.ts';
import { meanRates, rateSeries } from './rate-series.ts';
import { sourcesOf, totalOf } from './source.ts';
import type { LiveWindow } from './timeline.ts';

/** One function of the path. */
export type PathNode = {
  readonly id: string;
  readonly name: string;
  /** Column (0 left … 2 right) and row from the top. */
  readonly column: number;
  readonly row: number;
  /** Inlined into its caller, so nothing can measure it; or simply not measured by these probes. */
  readonly kind: 'measured' | 'inlined' | 'unmeasured';
  /** Calls so far; undefined where nobody counts. */
  readonly total: number | undefined;
  /** Calls a second, the mean of the window; undefined where nobody counts or nothing is known of the window. */
  readonly perSec: number | undefined;
  readonly p99Ns: number | undefined;
  /**
   * Lock modes at its entry, with how often, the most frequent first. Where they are not measured they are those of the
   * handler's calls that come through here: the lock is taken before handle_mm_fault and held to the end.
   */
  readonly locks: readonly { readonly lock: string; readonly count: number }[];
  /** Calls that broke the lock assertion here. */
  readonly violations: number;
};

/** A call from one function to another; `count` decides how thick it is drawn. */
export type PathEdge = { readonly from: string; readonly to: string; readonly count: number };

/** The whole picture. */
export type FaultPath = { readonly era: Era; readonly nodes: readonly PathNode[]; readonly edges: readonly PathEdge[] };

/** A cell's key and value. */
export type Cell = { readonly dims: Dims; readonly value: number };

/** All cells of a metric in a session; where several runs have the same cell, it is one with their sum. */
export function cellsOf(session: LiveSession, metric: string): readonly Cell[] {
  const cells: Cell[] = [];
  let runCount = 0;
  for (const data of session.runs.values()) {
    const before = cells.length;
    for (const [at, entry] of data.cells.entries()) {
      if (entry?.metric === metric) cells.push({ dims: entry.dims, value: data.totals[at] ?? 0 });
    }
    if (cells.length > before) runCount += 1;
  }
  return runCount > 1 ? added(cells) : cells;
}

function added(cells: readonly Cell[]): readonly Cell[] {
  const sums = new Map<string, Cell>();
  for (const { dims, value } of cells) {
    const key = JSON.stringify(Object.entries(dims).toSorted(([left], [right]) => (left < right ? -1 : 1)));
    sums.set(key, { dims, value: (sums.get(key)?.value ?? 0) + value });
  }
  return [...sums.values()];
}

/** How many faults there were: attempts with a final result, with these dimensions. */
export function faultsOf(session: LiveSession, dims: Readonly<Record<string, string>> = {}): number {
  return finalResults.reduce((sum, result) => sum + totalOf(session, 'attempts', { ...dims, result }), 0);
}

/** Time in the handler, ns: the attempts before a fault are part of what it takes. */
export function faultTimeNsOf(session: LiveSession): number {
  return totalOf(session, 'faultTime', {});
}

/** The era, from the variant that the vfio-fault run attached as, the newest run first. */
export function eraOf(session: LiveSession): Era | undefined {
  return eraOfVariant(session.view.runs.findLast(({ probe }) => probe === 'vfio-fault')?.variant);
}

/** Whether a handler whose sources are of era A fills its mappings as those of B and C do: a patched build may. */
export function insertsInEraA(session: LiveSession): boolean {
  const isEraA = eraOf(session) === 'a';
  return isEraA && totalOf(session, 'inserts', {}) > 0 && totalOf(session, 'remaps', { context: 'fault' }) === 0;
}

/** The path of a session's kernel with its figures, rates as means of a window; undefined while its era is not known. */
export function faultPathOf(session: LiveSession, window: LiveWindow): FaultPath | undefined {
  const era = insertsInEraA(session) ? 'bc' : eraOf(session);
  if (era === undefined) return undefined;
  const figures = { session, window, era };
  const ends = era === 'none' ? mappingAtMmap(figures) : [...handlers(figures), ...writers(figures)];
  return { era, nodes: [...starters(figures), ...ends], edges: edgesOf(figures) };
}

/** Quantiles of a bucketed metric for cells with these dims, ns; undefined where there is no event. */
export function quantileNs(
  session: LiveSession,
  metric: string,
  dims: Readonly<Record<string, string>>,
  quantile: number,
): number | undefined {
  const buckets = new Map<number, number>();
  for (const cell of cellsOf(session, metric)) {
    if (!Object.entries(dims).every(([name, word]) => cell.dims[name] === word)) continue;
    const bucket = Number(cell.dims['bucket']);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + cell.value);
  }
  return bucketQuantiles(buckets, [quantile])[0];
}

type Place = Pick<PathNode, 'id' | 'name' | 'column' | 'row' | 'kind'>;
type Figures = { readonly session: LiveSession; readonly window: LiveWindow; readonly era: Era };
type Words = Readonly<Record<string, string>>;

const handlerRow = 6;
const helperName = 'vfio_pci_vmf_insert_pfn';
const insertOrders = { vmf_insert_pfn: 'pte', vmf_insert_pfn_pmd: 'pmd', vmf_insert_pfn_pud: 'pud' } as const;
type InsertName = keyof typeof insertOrders;

function node(place: Place, figures: Partial<PathNode> = {}): PathNode {
  return { total: undefined, perSec: undefined, p99Ns: undefined, locks: [], violations: 0, ...place, ...figures };
}

/** How often something happened: since the start, and a second. */
function flow({ session, window }: Figures, metric: string, fits: (dims: Dims) => boolean): Partial<PathNode> {
  const total = cellsOf(session, metric).reduce((sum, { dims, value }) => sum + (fits(dims) ? value : 0), 0);
  const points = rateSeries(sourcesOf(session, metric, window), {
    metric,
    filter: {},
    groupCount: 1,
    groupOf: ({ dims }) => (fits(dims) ? 0 : -1),
  });
  return { total, perSec: points.length === 0 ? undefined : meanRates(points, 1)[0] };
}

function has(words: Words): (dims: Dims) => boolean {
  return (dims) => Object.entries(words).every(([name, word]) => dims[name] === word);
}

function isFault({ result }: Dims): boolean {
  return finalResults.some((final) => final === result);
}

/** The locks of the handler's calls for which `fits` holds. */
function handlerLocks({ session }: Figures, fits: (dims: Dims) => boolean): PathNode['locks'] {
  return locksOf(cellsOf(session, 'attempts').filter(({ dims }) => fits(dims)));
}

/** Who starts a fault: an instruction, MAP_DMA with its chain, the kernel itself. */
function starters(figures: Figures): readonly PathNode[] {
  const { session } = figures;
  const kind = hasProbe(session, 'dma-map') ? 'measured' : 'unmeasured';
  const chain = ['vfio_iommu_type1_ioctl', 'vfio_pin_pages_remote', 'vaddr_get_pfns', 'fixup_user_fault'];
  const faultsFrom = (origin: string): Partial<PathNode> =>
    flow(figures, 'attempts', (dims) => isFault(dims) && dims['origin'] === origin);
  return [
    node({ id: 'instruction', name: 'a user instruction', column: 0, row: 0, kind: 'unmeasured' }, faultsFrom('user')),
    node({ id: 'kernel', name: 'KVM, or a copy', column: 1, row: 0, kind: 'unmeasured' }, faultsFrom('kernel')),
    ...chain.map((link, row) =>
      node(
        { id: link, name: row === 0 ? 'VFIO_IOMMU_MAP_DMA' : link, column: 2, row, kind },
        kind === 'unmeasured'
          ? {}
          : {
              ...flow(figures, 'links', has({ link })),
              p99Ns: quantileNs(session, 'linkLatency', { link }, 0.99),
              locks: link === 'fixup_user_fault' ? handlerLocks(figures, has({ origin: 'remote' })) : [],
            },
      ),
    ),
  ];
}

function handlers(figures: Figures): readonly PathNode[] {
  const { session, era } = figures;
  const isPte = has({ order: 'pte' });
  const row = handlerRow - 1;
  const dispatch: readonly PathNode[] =
    era === 'd'
      ? [
          node(
            { id: 'do_fault', name: '__do_fault', column: 0, row, kind: 'unmeasured' },
            { locks: handlerLocks(figures, isPte) },
          ),
          node(
            { id: 'huge_fault', name: 'create_huge_pmd / _pud', column: 1, row, kind: 'inlined' },
            { locks: handlerLocks(figures, (dims) => !isPte(dims)) },
          ),
        ]
      : [
          node(
            { id: 'do_fault', name: '__do_fault', column: 1, row, kind: 'unmeasured' },
            { locks: handlerLocks(figures, () => true) },
          ),
        ];
  const locks = handlerLocks(figures, () => true);
  const name = era === 'd' ? 'vfio_pci_mmap_huge_fault' : 'vfio_pci_mmap_fault';
  return [
    node({ id: 'handle_mm_fault', name: 'handle_mm_fault', column: 1, row: row - 1, kind: 'unmeasured' }, { locks }),
    ...dispatch,
    node(
      { id: 'handler', name, column: 1, row: handlerRow, kind: 'measured' },
      {
        ...flow(figures, 'attempts', () => true),
        p99Ns: quantileNs(session, 'faultLatency', {}, 0.99),
        locks,
      },
    ),
  ];
}

/** Without a handler: the mapping is filled by whoever maps the BAR, and a fault ends where nobody is asked. */
function mappingAtMmap(figures: Figures): readonly PathNode[] {
  const { session } = figures;
  const measured = hasProbe(session, 'pfn-remap');
  const locks = measured ? locksOf(cellsOf(session, 'remaps')) : [];
  const place = (id: string, name: string, row: number, kind: PathNode['kind']): Place => ({
    ...{ id, name, column: 0, row: handlerRow + row, kind },
  });
  return [
    node({ id: 'handle_mm_fault', name: 'handle_mm_fault', column: 1, row: handlerRow - 2, kind: 'unmeasured' }),
    node(place('mmap', 'mmap of the BAR', -1, 'unmeasured'), { locks }),
    node(place('core_mmap', 'vfio_pci_core_mmap', 0, 'unmeasured'), { locks }),
    node(place('io_remap', 'io_remap_pfn_range', 1, 'inlined'), { locks }),
    node(place('remap', 'remap_pfn_range', 2, measured ? 'measured' : 'unmeasured'), {
      ...(measured ? flow(figures, 'remaps', () => true) : {}),
      p99Ns: quantileNs(session, 'remapLatency', {}, 0.99),
      locks,
      violations: totalOf(session, 'violations', {}),
    }),
  ];
}

function writers(figures: Figures): readonly PathNode[] {
  const { session, era } = figures;
  return era === 'a' ? remapping(figures) : inserting(figures, insertNames(era), hasHelper(session));
}

function remapping(figures: Figures): readonly PathNode[] {
  const { session } = figures;
  const isInFault = has({ context: 'fault' });
  const measured = hasProbe(session, 'pfn-remap');
  const locks = measured
    ? locksOf(cellsOf(session, 'remaps').filter(({ dims }) => isInFault(dims)))
    : handlerLocks(figures, () => true);
  const [io, remap] = [
    { id: 'io_remap', name: 'io_remap_pfn_range', column: 1, row: handlerRow + 1, kind: 'inlined' },
    {
      id: 'remap',
      name: 'remap_pfn_range',
      column: 1,
      row: handlerRow + 2,
      kind: measured ? 'measured' : 'unmeasured',
    },
  ] as const;
  return [
    node(io, { locks }),
    node(remap, {
      ...(measured ? flow(figures, 'remaps', isInFault) : {}),
      p99Ns: quantileNs(session, 'remapLatency', { context: 'fault' }, 0.99),
      locks,
      violations: totalOf(session, 'violations', {}),
    }),
  ];
}

function inserting(figures: Figures, names: readonly InsertName[], isHelped: boolean): readonly PathNode[] {
  const kind = hasProbe(figures.session, 'pfn-insert') ? 'measured' : 'unmeasured';
  const counted = (insert: string): Partial<PathNode> =>
    kind === 'measured' ? flow(figures, 'inserts', has({ insert })) : {};
  const row = handlerRow + (isHelped ? 2 : 1);
  const helper = node(
    { id: helperName, name: helperName, column: 1, row: handlerRow + 1, kind },
    { ...counted(helperName), locks: handlerLocks(figures, isFault) },
  );
  return [
    ...(isHelped ? [helper] : []),
    ...names.map((name, at) =>
      node(
        { id: name, name, column: names.length === 1 ? 1 : at, row, kind },
        {
          ...counted(name),
          locks: handlerLocks(figures, (dims) => isFault(dims) && dims['order'] === insertOrders[name]),
        },
      ),
    ),
  ];
}

function insertNames(era: Era): readonly InsertName[] {
  return era === 'd' ? ['vmf_insert_pfn', 'vmf_insert_pfn_pmd', 'vmf_insert_pfn_pud'] : ['vmf_insert_pfn'];
}

/** From 7.x on the handler inserts through an exported function of its own. */
function hasHelper(session: LiveSession): boolean {
  return session.view.runs.some(({ probe, variant }) => probe === 'pfn-insert' && variant.startsWith('era-d-helper'));
}

function edgesOf({ session, era }: Figures): readonly PathEdge[] {
  const links = (link: string): number => totalOf(session, 'links', { link });
  const attempts = (words: Words): number => totalOf(session, 'attempts', words);
  const all = attempts({});
  const pte = attempts({ order: 'pte' });
  const dispatched: readonly PathEdge[] = [
    { from: 'handle_mm_fault', to: 'do_fault', count: pte },
    { from: 'do_fault', to: 'handler', count: pte },
    ...(era === 'd'
      ? [
          { from: 'handle_mm_fault', to: 'huge_fault', count: all - pte },
          { from: 'huge_fault', to: 'handler', count: all - pte },
        ]
      : []),
  ];
  return [
    { from: 'vfio_iommu_type1_ioctl', to: 'vfio_pin_pages_remote', count: links('vfio_pin_pages_remote') },
    { from: 'vfio_pin_pages_remote', to: 'vaddr_get_pfns', count: links('vaddr_get_pfns') },
    { from: 'vaddr_get_pfns', to: 'fixup_user_fault', count: links('fixup_user_fault') },
    { from: 'instruction', to: 'handle_mm_fault', count: attempts({ origin: 'user' }) },
    { from: 'kernel', to: 'handle_mm_fault', count: attempts({ origin: 'kernel' }) },
    { from: 'fixup_user_fault', to: 'handle_mm_fault', count: attempts({ origin: 'remote' }) },
    ...(era === 'none' ? edgesAtMmap(session) : [...dispatched, ...writingEdges(session, era)]),
  ];
}

function edgesAtMmap(session: LiveSession): readonly PathEdge[] {
  const count = totalOf(session, 'remaps', {});
  const ids = ['mmap', 'core_mmap', 'io_remap', 'remap'];
  return ids.slice(1).map((to, at) => ({ from: ids[at] ?? to, to, count }));
}

function writingEdges(session: LiveSession, era: Era): readonly PathEdge[] {
  if (era === 'a') {
    const count = totalOf(session, 'remaps', { context: 'fault' });
    return [
      { from: 'handler', to: 'io_remap', count },
      { from: 'io_remap', to: 'remap', count },
    ];
  }
  const inserts = (insert: string): number => totalOf(session, 'inserts', { insert });
  const isHelped = hasHelper(session);
  const written = insertNames(era).map((name) => ({
    from: isHelped ? helperName : 'handler',
    to: name,
    count: inserts(name),
  }));
  return isHelped ? [{ from: 'handler', to: helperName, count: inserts(helperName) }, ...written] : written;
}

function locksOf(cells: readonly Cell[]): PathNode['locks'] {
  const counts = new Map<string, number>();
  for (const { dims, value } of cells) {
    const lock = String(dims['lock']);
    counts.set(lock, (counts.get(lock) ?? 0) + value);
  }
  return [...counts]
    .map(([lock, count]) => ({ lock, count }))
    .filter(({ count }) => count > 0)
    .toSorted((left, right) => right.count - left.count);
}

function hasProbe(session: LiveSession, probe: string): boolean {
  return session.view.runs.some((run) => run.probe === probe);
}
