/** What is compared: each metric says how it is read from one run, which side of it is better, and whether it decides. */
import { type Buckets, bucketsMax } from '../buckets.ts';
import { finalResults } from '../fault-result.ts';
import { labPageBytes } from '../limits.ts';
import type { Dims } from '../protocol.ts';
import { smoothQuantiles } from './quantile.ts';
import type { Readings } from './readings.ts';

/**
 * amount: grows with the work (of runs without a named workload it is taken a second). level: does not. share: 0..1.
 * quantile: no better than a bucket is wide.
 */
export type MetricKind = 'amount' | 'level' | 'share' | 'quantile';

export type Metric = {
  readonly id: string;
  readonly title: string;
  readonly unit: 'count' | 'ns' | 'share';
  readonly kind: MetricKind;
  /** none: more of it is neither good nor bad by itself; a difference is told as such. */
  readonly better: 'lower' | 'none';
  /** The overall verdict follows from those that decide. */
  readonly decides: boolean;
  /** Undefined: not traced, or too little happened for it. */
  readonly read: (run: Readings) => number | undefined;
};

const final = { result: finalResults } as const;
const gib = 1024 ** 3;

const faults = (run: Readings): number | undefined => run.sum('vfio-fault', 'attempts', final);
/** The attempts before a fault are part of what it takes. */
const faultTime = (run: Readings): number | undefined => run.sum('vfio-fault', 'faultTime');
const gibMapped = (run: Readings): number | undefined => {
  const pages = run.sum('vfio-fault', 'pagesMapped');
  return pages === undefined ? undefined : (pages * labPageBytes) / gib;
};

/** Time in the fault handler, of calls with a final result. */
export function faultLatency(run: Readings): Buckets | undefined {
  return run.buckets('vfio-fault', 'faultLatency', final);
}

/** Whether a cell counts calls in a bucket of faultLatency. */
export function isFaultLatency(metric: string, dims: Dims): boolean {
  return metric === 'faultLatency' && final.result.some((word) => word === dims['result']);
}

/** All metrics, in the order of a table. */
export const metrics: readonly Metric[] = [
  amount('faults', 'Faults', 'lower', faults),
  amount('attempts', 'Calls of the fault handler', 'lower', (run) => run.sum('vfio-fault', 'attempts')),
  amount('failedFaults', 'Faults that failed', 'lower', (run) =>
    run.sum('vfio-fault', 'attempts', { result: ['sigbus', 'oom'] }),
  ),
  level('faultsPerGib', 'Faults per GiB mapped', 'count', (run) => part(faults(run), gibMapped(run))),
  { ...time('faultTime', 'Time in faults', faultTime), decides: true },
  level('faultTimePerGib', 'Time in faults per GiB mapped', 'ns', (run) => part(faultTime(run), gibMapped(run))),
  level('timePerFault', 'Time per fault', 'ns', (run) => part(faultTime(run), faults(run))),
  ...quantiles('fault', 'Fault', faultLatency),
  ...(['vma-read', 'mmap-read', 'mmap-write', 'mmap-write-other', 'none'] as const).map((lock) => lockShare(lock)),
  { ...amount('violations', 'Violations of the lock assertion', 'lower', violations), decides: true },
  amount('warns', 'WARNs of the kernel', 'lower', (run) => run.sum('lock-assert', 'warns')),
  amount('remaps', 'remap_pfn_range in faults', 'none', (run) =>
    run.sum('pfn-remap', 'remaps', { context: ['fault'] }),
  ),
  amount('remapsAtMmap', 'remap_pfn_range at mmap', 'none', (run) =>
    run.sum('pfn-remap', 'remaps', { context: ['mmap'] }),
  ),
  time('remapTime', 'Time in remap_pfn_range', (run) => run.sum('pfn-remap', 'remapTime')),
  // vfio_pci_vmf_insert_pfn calls one of these: it would be counted twice.
  amount('inserts', 'PFN inserts', 'none', (run) =>
    run.sum('pfn-insert', 'inserts', { insert: ['vmf_insert_pfn', 'vmf_insert_pfn_pmd', 'vmf_insert_pfn_pud'] }),
  ),
  { ...time('mapTime', 'Time in MAP_DMA', linkTime('vfio_iommu_type1_ioctl')), decides: true },
  ...link('map', 'MAP_DMA ioctls', 'vfio_iommu_type1_ioctl').slice(0, 1),
  ...link('pin', 'Pins', 'vfio_pin_pages_remote'),
  ...link('lookup', 'Lookups', 'vaddr_get_pfns'),
  ...link('fixup', 'Fixups', 'fixup_user_fault'),
  ...link('follow', 'Follows', 'follow'),
  amount('lockAcquisitions', 'mmap_lock acquired', 'lower', (run) => run.sum('mmap-lock', 'acquisitions')),
  { ...time('lockWait', 'Waited for mmap_lock', (run) => run.sum('mmap-lock', 'waitTotal')), decides: true },
  time('lockHold', 'Held mmap_lock', (run) => run.sum('mmap-lock', 'holdTotal')),
  ...(['mmap-read', 'mmap-write'] as const).flatMap((mode) => [
    ...quantiles(`wait-${mode}`, `Wait for ${mode}`, (run) => run.buckets('mmap-lock', 'wait', { mode: [mode] })),
    ...quantiles(`hold-${mode}`, `Hold of ${mode}`, (run) => run.buckets('mmap-lock', 'hold', { mode: [mode] })),
  ]),
  amount('pageFaults', 'Page faults', 'lower', (run) => run.sum('page-fault', 'faults')),
];

function amount(id: string, title: string, better: Metric['better'], read: Metric['read']): Metric {
  return { id, title, unit: 'count', kind: 'amount', better, decides: false, read };
}

function time(id: string, title: string, read: Metric['read']): Metric {
  return { id, title, unit: 'ns', kind: 'amount', better: 'lower', decides: false, read };
}

function level(id: string, title: string, unit: 'count' | 'ns', read: Metric['read']): Metric {
  return { id, title, unit, kind: 'level', better: 'lower', decides: false, read };
}

function lockShare(lock: string): Metric {
  const title = `Faults under ${lock === 'none' ? 'no lock' : lock}`;
  return {
    ...{ id: `lock-${lock}`, title, unit: 'share', kind: 'share', better: 'none', decides: false },
    read: (run) => part(run.sum('vfio-fault', 'attempts', { ...final, lock: [lock] }), faults(run)),
  };
}

function quantiles(id: string, title: string, buckets: (run: Readings) => Buckets | undefined): readonly Metric[] {
  const ranks = { p50: 0.5, p90: 0.9, p99: 0.99, 'p99.9': 0.999 } as const;
  const own = { unit: 'ns', kind: 'quantile', better: 'lower', decides: false } as const;
  return [
    ...Object.entries(ranks).map(([word, rank]) => ({
      ...own,
      id: `${id}-${word}`,
      title: `${title}, ${word}`,
      read: (run: Readings) => smoothQuantiles(buckets(run) ?? new Map(), [rank])[0],
    })),
    { ...own, id: `${id}-max`, title: `${title}, longest`, read: (run) => bucketsMax(buckets(run) ?? new Map()) },
  ];
}

/** Violations by the kernel's own condition, which the strict one includes. */
function violations(run: Readings): number | undefined {
  return run.sum('lock-assert', 'checks', { kernel: ['violated'] });
}

function link(id: string, title: string, word: string): readonly Metric[] {
  return [
    amount(`${id}Calls`, title, 'none', (run) => run.sum('dma-map', 'links', { link: [word] })),
    time(`${id}Time`, `Time in ${title}`, linkTime(word)),
  ];
}

function linkTime(word: string): Metric['read'] {
  return (run) => run.sum('dma-map', 'linkTime', { link: [word] });
}

function part(value: number | undefined, of: number | undefined): number | undefined {
  return value === undefined || of === undefined || of === 0 ? undefined : value / of;
}
