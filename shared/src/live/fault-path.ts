/**
 * The vfio fault path as it happens on a kernel: which real functions there are between who starts a fault and what writes
 * the page table, by era, with what was counted at each. Pure data; the page draws it, a terminal may print it.
 */
import { bucketQuantiles } from '../buckets.ts';
import type { Dims } from '../protocol.ts';
import type { LiveSession } from './live-session.ts';
import { totalOf } from './source.ts';

/** The behaviour of vfio-pci's fault handler; undefined before a vfio-fault run says it. */
export type Era = 'a' | 'bc' | 'd';

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
  readonly p99Ns: number | undefined;
  /** Lock modes seen at its entry, with how often, the most frequent first. */
  readonly locks: readonly { readonly lock: string; readonly count: number }[];
  /** Calls that broke the lock assertion here. */
  readonly violations: number;
};

/** A call from one function to another; `count` decides how thick it is drawn. */
export type PathEdge = { readonly from: string; readonly to: string; readonly count: number };

/** The whole picture. */
export type FaultPath = { readonly era: Era; readonly nodes: readonly PathNode[]; readonly edges: readonly PathEdge[] };

/** Results of an attempt that are final: the attempt was a fault. */
const finalResults = ['nopage', 'sigbus', 'oom', 'other'] as const;

/** A cell's key and value. */
export type Cell = { readonly dims: Dims; readonly value: number };

/** All cells of a metric in a session, over all runs that have it. */
export function cellsOf(session: LiveSession, metric: string): readonly Cell[] {
  const cells: Cell[] = [];
  for (const data of session.runs.values()) {
    for (const [at, entry] of data.cells.entries()) {
      if (entry?.metric === metric) cells.push({ dims: entry.dims, value: data.totals[at] ?? 0 });
    }
  }
  return cells;
}

/** How many faults there were: attempts with a final result, with these dimensions. */
export function faultsOf(session: LiveSession, dims: Readonly<Record<string, string>> = {}): number {
  return finalResults.reduce((sum, result) => sum + totalOf(session, 'attempts', { ...dims, result }), 0);
}

/** Time in the handler for faults, ns: attempts that led to no fault are left out. */
export function faultTimeNsOf(session: LiveSession): number {
  return finalResults.reduce((sum, result) => sum + totalOf(session, 'faultTime', { result }), 0);
}

/** The era, from the variant that the vfio-fault run attached as, the newest run first. */
export function eraOf(session: LiveSession): Era | undefined {
  const run = session.view.runs.findLast(({ probe }) => probe === 'vfio-fault');
  const word = /^era-(a|bc|d)-/.exec(run?.variant ?? '')?.[1];
  return word === 'a' || word === 'bc' || word === 'd' ? word : undefined;
}

/** The path of a session's kernel with its figures; undefined while its era is not known. */
export function faultPathOf(session: LiveSession): FaultPath | undefined {
  const era = eraOf(session);
  if (era === undefined) return undefined;
  const nodes = [...starters(session), ...handlers(session, era), ...writers(session, era)];
  return { era, nodes, edges: edgesOf(session, era) };
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

function node(place: Place, figures: Partial<PathNode> = {}): PathNode {
  return { total: undefined, p99Ns: undefined, locks: [], violations: 0, ...place, ...figures };
}

const link = (session: LiveSession, name: string): Partial<PathNode> => ({
  total: totalOf(session, 'links', { link: name }),
  p99Ns: quantileNs(session, 'linkLatency', { link: name }, 0.99),
});

/** Who starts a fault: an instruction, MAP_DMA with its chain, the kernel itself. */
function starters(session: LiveSession): readonly PathNode[] {
  const measured = hasProbe(session, 'dma-map') ? 'measured' : 'unmeasured';
  const chain = ['vfio_iommu_type1_ioctl', 'vfio_pin_pages_remote', 'vaddr_get_pfns', 'fixup_user_fault'];
  return [
    node(
      { id: 'instruction', name: 'a user instruction', column: 0, row: 0, kind: 'unmeasured' },
      { total: faultsOf(session, { origin: 'user' }) },
    ),
    node(
      { id: 'kernel', name: 'KVM, or a copy', column: 1, row: 0, kind: 'unmeasured' },
      { total: faultsOf(session, { origin: 'kernel' }) },
    ),
    ...chain.map((name, at) =>
      node(
        { id: name, name: at === 0 ? 'VFIO_IOMMU_MAP_DMA' : name, column: 2, row: at, kind: measured },
        link(session, name),
      ),
    ),
  ];
}

function handlers(session: LiveSession, era: Era): readonly PathNode[] {
  const dispatch = era === 'd' ? '__do_fault, create_huge_pmd, create_huge_pud' : '__do_fault';
  return [
    node({ id: 'handle_mm_fault', name: 'handle_mm_fault', column: 1, row: 4, kind: 'unmeasured' }),
    node({ id: 'dispatch', name: dispatch, column: 1, row: 5, kind: era === 'd' ? 'inlined' : 'unmeasured' }),
    node(
      {
        id: 'handler',
        name: era === 'd' ? 'vfio_pci_mmap_huge_fault' : 'vfio_pci_mmap_fault',
        column: 1,
        row: 6,
        kind: 'measured',
      },
      {
        total: totalOf(session, 'attempts', {}),
        p99Ns: quantileNs(session, 'faultLatency', {}, 0.99),
        locks: locksOf(cellsOf(session, 'attempts')),
      },
    ),
  ];
}

function writers(session: LiveSession, era: Era): readonly PathNode[] {
  if (era === 'a') {
    const calls = cellsOf(session, 'remaps').filter(({ dims }) => dims['context'] === 'fault');
    return [
      node({ id: 'io_remap', name: 'io_remap_pfn_range', column: 1, row: 7, kind: 'inlined' }),
      node(
        { id: 'remap', name: 'remap_pfn_range', column: 1, row: 8, kind: 'measured' },
        {
          total: calls.reduce((sum, { value }) => sum + value, 0),
          p99Ns: quantileNs(session, 'remapLatency', { context: 'fault' }, 0.99),
          locks: locksOf(calls),
          violations: totalOf(session, 'violations', {}),
        },
      ),
    ];
  }
  const names = era === 'd' ? ['vmf_insert_pfn', 'vmf_insert_pfn_pmd', 'vmf_insert_pfn_pud'] : ['vmf_insert_pfn'];
  const measured = hasProbe(session, 'pfn-insert') ? 'measured' : 'unmeasured';
  return names.map((name, at) =>
    node(
      { id: name, name, column: names.length === 1 ? 1 : at, row: 7, kind: measured },
      { total: measured === 'measured' ? totalOf(session, 'inserts', { insert: name }) : undefined },
    ),
  );
}

function edgesOf(session: LiveSession, era: Era): readonly PathEdge[] {
  const links = (name: string): number => totalOf(session, 'links', { link: name });
  const attempts = totalOf(session, 'attempts', {});
  const remote = totalOf(session, 'attempts', { origin: 'remote' });
  const remaps = totalOf(session, 'remaps', { context: 'fault' });
  const inserts = (insert: string): number => totalOf(session, 'inserts', { insert });
  const written: readonly PathEdge[] =
    era === 'a'
      ? [
          { from: 'handler', to: 'io_remap', count: remaps },
          { from: 'io_remap', to: 'remap', count: remaps },
        ]
      : ['vmf_insert_pfn', ...(era === 'd' ? ['vmf_insert_pfn_pmd', 'vmf_insert_pfn_pud'] : [])].map((name) => ({
          from: 'handler',
          to: name,
          count: inserts(name),
        }));
  return [
    { from: 'vfio_iommu_type1_ioctl', to: 'vfio_pin_pages_remote', count: links('vfio_pin_pages_remote') },
    { from: 'vfio_pin_pages_remote', to: 'vaddr_get_pfns', count: links('vaddr_get_pfns') },
    { from: 'vaddr_get_pfns', to: 'fixup_user_fault', count: links('fixup_user_fault') },
    { from: 'instruction', to: 'handle_mm_fault', count: totalOf(session, 'attempts', { origin: 'user' }) },
    { from: 'kernel', to: 'handle_mm_fault', count: totalOf(session, 'attempts', { origin: 'kernel' }) },
    { from: 'fixup_user_fault', to: 'handle_mm_fault', count: remote },
    { from: 'handle_mm_fault', to: 'dispatch', count: attempts },
    { from: 'dispatch', to: 'handler', count: attempts },
    ...written,
  ];
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
