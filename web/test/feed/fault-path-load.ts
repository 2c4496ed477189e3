/** Made-up figures of the fault path, in the words that the probes' own manifests have. */
import type { Dims } from '@faultline/shared';
import { type Growing, spread } from './synthesis.ts';

/** What happens on the fault path of a guest. */
export type PathLoad = {
  /** How vfio-pci's fault handler behaves: `a` remaps the whole VMA, `d` inserts pages, PMDs and PUDs. */
  readonly era: 'a' | 'd';
  /** Faults by instructions, a second; MAP_DMA makes a fifth as many. */
  readonly faultsPerSec: number;
};

/** The device of every guest: what its BARs are is what the devices route says. */
export const deviceBdf = '0000:01:00.0';
/** Where its BAR 2 lies: in era A the place of a mapped page is a physical page number. */
export const barAddress = 0x1_0000_0000;
/** How large it is. */
export const barBytes = 1024 ** 3;

const barPages = barBytes / 4096;
const comm = 'vfio-load';
const fromInstruction =
  'remap_pfn_range;vfio_pci_mmap_fault;__do_fault;do_fault;__handle_mm_fault;handle_mm_fault;do_user_addr_fault;exc_page_fault;asm_exc_page_fault';
const fromMapDma =
  'remap_pfn_range;vfio_pci_mmap_fault;__do_fault;do_fault;__handle_mm_fault;handle_mm_fault;fixup_user_fault;vaddr_get_pfns;vfio_pin_pages_remote;vfio_iommu_type1_ioctl;__x64_sys_ioctl;do_syscall_64;entry_SYSCALL_64_after_hwframe';

/** The variant that attaches on a kernel of this era. */
export function pathVariant(probe: string, era: PathLoad['era']): string | undefined {
  const variants: Readonly<Record<string, readonly [a: string, d: string]>> = {
    'vfio-fault': ['era-a-kprobe', 'era-d-kprobe'],
    'pfn-remap': ['era-abc-kprobe', 'era-d-kprobe'],
    'pfn-insert': ['era-abc-kprobe', 'era-d-kprobe'],
    'dma-map': ['follow-pte-kprobe', 'follow-pfnmap-kprobe'],
  };
  return variants[probe]?.[era === 'a' ? 0 : 1];
}

/** The cells of a stream of the fault path; none of one that is not of it. */
export function pathCells(probe: string, { era, faultsPerSec }: PathLoad): readonly Growing[] {
  const isA = era === 'a';
  const remotePerSec = faultsPerSec / 5;
  switch (probe) {
    case 'vfio-fault':
      return isA ? remappingFaults(faultsPerSec, remotePerSec) : insertingFaults(faultsPerSec, remotePerSec);
    case 'pfn-remap':
      return isA ? remaps(faultsPerSec + remotePerSec) : [];
    case 'pfn-insert':
      return isA ? [] : inserts(faultsPerSec + remotePerSec);
    case 'dma-map':
      return links(remotePerSec);
    case 'lock-assert':
      return isA ? brokenChecks(faultsPerSec, remotePerSec) : cleanChecks(faultsPerSec / 20);
    default:
      return [];
  }
}

function one(metric: string, dims: Dims, perSec: number): Growing {
  return { metric, dims, perSec };
}

function attempts(words: { order: string; result: string; origin: string; lock: string }, perSec: number): Growing {
  return one('attempts', { ...words, comm }, perSec);
}

function remappingFaults(userPerSec: number, remotePerSec: number): readonly Growing[] {
  const perSec = userPerSec + remotePerSec;
  const fault = { order: 'pte', result: 'nopage', lock: 'mmap-read' } as const;
  return [
    attempts({ ...fault, origin: 'user' }, userPerSec),
    attempts({ ...fault, origin: 'remote' }, remotePerSec),
    ...spread('faultLatency', { order: 'pte', result: 'nopage' }, perSec, { typicalNs: 5_200_000, tailNs: 14_000_000 }),
    one('faultTime', { order: 'pte', result: 'nopage', comm }, perSec * 5_500_000),
    one('pagesMapped', { place: barAddress / 4096, device: deviceBdf }, perSec * barPages),
  ];
}

function insertingFaults(userPerSec: number, remotePerSec: number): readonly Growing[] {
  const perSec = userPerSec + remotePerSec;
  return [
    attempts({ order: 'pud', result: 'fallback', origin: 'user', lock: 'vma-read' }, userPerSec / 512),
    attempts({ order: 'pmd', result: 'fallback', origin: 'user', lock: 'vma-read' }, userPerSec * 0.15),
    attempts({ order: 'pmd', result: 'nopage', origin: 'user', lock: 'vma-read' }, userPerSec * 0.8),
    attempts({ order: 'pte', result: 'nopage', origin: 'user', lock: 'vma-read' }, userPerSec * 0.15),
    attempts({ order: 'pte', result: 'nopage', origin: 'kernel', lock: 'mmap-read' }, userPerSec * 0.05),
    attempts({ order: 'pmd', result: 'nopage', origin: 'remote', lock: 'mmap-read' }, remotePerSec),
    ...spread('faultLatency', { order: 'pmd', result: 'nopage' }, userPerSec * 0.8 + remotePerSec, {
      typicalNs: 3100,
      tailNs: 40_000,
    }),
    ...spread('faultLatency', { order: 'pte', result: 'nopage' }, userPerSec * 0.2, {
      typicalNs: 1700,
      tailNs: 21_000,
    }),
    one('faultTime', { order: 'pmd', result: 'nopage', comm }, perSec * 3300),
    one('faultTime', { order: 'pte', result: 'nopage', comm }, userPerSec * 0.2 * 1900),
    one('pagesMapped', { place: 2, device: deviceBdf }, perSec * 0.8 * 512),
  ];
}

function remaps(faultsPerSec: number): readonly Growing[] {
  const [faulted, mapped] = [{ context: 'fault' }, { context: 'mmap' }] as const;
  return [
    one('remaps', { ...faulted, result: 'ok', lock: 'mmap-read', comm }, faultsPerSec),
    one('remaps', { ...mapped, result: 'ok', lock: 'mmap-write', comm }, 0.3),
    ...spread('remapLatency', faulted, faultsPerSec, { typicalNs: 4_900_000, tailNs: 13_000_000 }),
    one('remapTime', { ...faulted, comm }, faultsPerSec * 5_100_000),
    one('remapPages', { ...faulted, comm }, faultsPerSec * barPages),
  ];
}

function inserts(faultsPerSec: number): readonly Growing[] {
  return [
    one('inserts', { insert: 'vmf_insert_pfn', comm }, faultsPerSec * 0.2),
    one('inserts', { insert: 'vmf_insert_pfn_pmd', comm }, faultsPerSec * 0.8),
    one('insertPages', { insert: 'vmf_insert_pfn_pmd', comm }, faultsPerSec * 0.8 * 512),
  ];
}

function links(mapsPerSec: number): readonly Growing[] {
  const chain = [
    ['vfio_iommu_type1_ioctl', 1, 38_000_000],
    ['vfio_pin_pages_remote', 1, 37_000_000],
    ['vaddr_get_pfns', 2048, 13_000],
    ['follow', 2049, 3400],
    ['fixup_user_fault', 1, 920_000],
  ] as const;
  return [
    ...chain.flatMap(([link, times, ns]) => [
      one('links', { link, comm }, mapsPerSec * times),
      one('linkTime', { link, comm }, mapsPerSec * times * ns),
      ...spread('linkLatency', { link }, mapsPerSec * times, { typicalNs: ns, tailNs: ns * 5 }),
    ]),
    one('linkFailures', { link: 'follow', comm }, mapsPerSec),
  ];
}

function brokenChecks(userPerSec: number, remotePerSec: number): readonly Growing[] {
  const site = { site: 'remap_pfn_range', expected: 'mmap-write' } as const;
  const broken = { ...site, actual: 'mmap-read', kernel: 'violated', mine: 'violated' } as const;
  return [
    one('checks', { ...broken, needed: 'yes', comm }, userPerSec + remotePerSec),
    one(
      'checks',
      { ...site, actual: 'mmap-write', kernel: 'holds', mine: 'holds', needed: 'yes', comm },
      userPerSec / 10,
    ),
    one('violations', { ...broken, needed: 'yes', stack: fromInstruction, comm }, userPerSec),
    one('violations', { ...broken, needed: 'yes', stack: fromMapDma, comm }, remotePerSec),
    one('assertions', { at: 'remap_pfn_range', kernel: 'violated', comm }, userPerSec + remotePerSec),
    one('assertions', { at: 'track_pfn_remap', kernel: 'violated', comm }, userPerSec + remotePerSec),
    one('assertions', { at: 'remap_pfn_range', kernel: 'holds', comm }, userPerSec / 10),
    one('warns', { at: 'remap_pfn_range', stack: fromInstruction, comm }, userPerSec / 2),
  ];
}

function cleanChecks(perSec: number): readonly Growing[] {
  const held = { site: 'remap_pfn_range', expected: 'mmap-write', actual: 'mmap-write' } as const;
  return [one('checks', { ...held, kernel: 'holds', mine: 'holds', needed: 'yes', comm }, perSec)];
}
