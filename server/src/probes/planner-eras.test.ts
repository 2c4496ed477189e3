/** Which script of vfio-fault is taken, and of those beside it that follow a kernel's functions, by the functions and types that kernels really have (or would have). */
import { ensure } from '@faultline/shared';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { TargetCapabilities } from './capabilities.ts';
import { readCatalogue } from './catalogue.ts';
import { planStream } from './planner.ts';

const catalogue = await readCatalogue(fileURLToPath(new URL('../../../probes', import.meta.url)));
if (!catalogue.ok) throw new Error(catalogue.error.message);
const probe = ensure(
  catalogue.value.find(({ manifest }) => manifest.name === 'vfio-fault'),
  'the probe is there',
);
const [faults] = probe.manifest.streams;

type Kernel = {
  readonly functions: readonly string[];
  /** Names in the BTF of vfio_pci_core; undefined where it has none. */
  readonly types?: readonly string[];
  readonly fentry?: 'yes' | 'no';
  /** vfio is part of the kernel, not a module. */
  readonly isBuiltIn?: boolean;
};

function capabilitiesOf({ functions, types, fentry = 'yes', isBuiltIn = false }: Kernel): TargetCapabilities {
  return {
    bpftraceVersion: '0.17.0',
    hasBtf: true,
    kprobes: 'yes',
    fentry,
    fentryReason: 'no list',
    tracefs: '/sys/kernel/tracing',
    isRealtime: false,
    hasTracepoint: async () => 'yes',
    hasFunction: async (name) =>
      ['remap_pfn_range', 'vmf_insert_pfn', 'vfio_pci_core_mmap', ...functions].includes(name),
    hasFunctionLike: async (pattern, besides) =>
      functions.some((name) => name !== besides && new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name)),
    isBuiltIn: async (name) =>
      ['remap_pfn_range', 'vmf_insert_pfn', ...(isBuiltIn ? ['vfio_pci_core_mmap', ...functions] : [])].includes(name),
    hasModule: async () => (isBuiltIn ? 'no' : 'yes'),
    hasModuleType: async (module, type) => {
      if (types === undefined || (module === 'vmlinux') !== isBuiltIn) return 'unknown';
      return types.includes(type) ? 'yes' : 'no';
    },
  };
}

const huge = 'vfio_pci_mmap_huge_fault';
const page = 'vfio_pci_mmap_page_fault';
const old = 'vfio_pci_mmap_fault';
const nvgrace = 'nvgrace_gpu_vfio_pci_huge_fault';

describe('the script of vfio-fault', () => {
  it.each<[string, Kernel, string | undefined]>([
    ['6.12 (era D)', { functions: [huge, page], types: [huge, page] }, 'era-d-fentry'],
    ['6.12 where fentry cannot be had', { functions: [huge, page], types: [huge, page], fentry: 'no' }, 'era-d-kprobe'],
    ['6.12 whose module has no BTF', { functions: [huge, page] }, 'era-d-kprobe'],
    ['7.3 with nvgrace-gpu loaded', { functions: [huge, page, nvgrace], types: [huge, page] }, 'era-d-drivers-kprobe'],
    ['era D with huge_fault inlined', { functions: [page], types: [page] }, 'era-d-page-fault-kprobe'],
    ['6.1 (era A)', { functions: [old], types: [old, 'vfio_pci_mmap_vma'] }, 'era-a-fentry'],
    [
      '6.1 where fentry cannot be had',
      { functions: [old], types: [old, 'vfio_pci_mmap_vma'], fentry: 'no' },
      'era-a-kprobe',
    ],
    ['6.10 (era B or C)', { functions: [old], types: [old] }, 'era-bc-fentry'],
    ['6.10 where fentry cannot be had', { functions: [old], types: [old], fentry: 'no' }, 'era-bc-kprobe'],
    ['6.12 with vfio built in', { functions: [huge, page], types: [huge, page], isBuiltIn: true }, 'era-d-kprobe'],
    [
      '6.1 with vfio built in',
      { functions: [old], types: [old, 'vfio_pci_mmap_vma'], isBuiltIn: true },
      'era-a-kprobe',
    ],
    ['6.10 with vfio built in', { functions: [old], types: [old], isBuiltIn: true }, 'era-bc-kprobe'],
    ['an era that nothing tells', { functions: [old] }, undefined],
    ['a build without a handler', { functions: [], types: [] }, 'no-handler-kprobe'],
    ['the same with vfio built in', { functions: [], types: [], isBuiltIn: true }, 'no-handler-kprobe'],
  ])('of %s', async (_kernel, kernel, chosen) => {
    const stream = ensure(faults, 'the first stream counts faults');
    const plan = await planStream({ hasRecording: () => undefined }, capabilitiesOf(kernel), probe, stream);
    expect(plan.chosen).toBe(chosen);
  });

  it.each([
    ['pfn-remap', 'calls', 'era-d-fentry', 'era-d-successor-fentry'],
    ['lock-assert', 'checks', 'warns-kprobe', 'successor-kprobe'],
  ])('of %s:%s follows remap_pfn_range_complete where the kernel has it', async (name, streamName, without, withIt) => {
    const found = ensure(
      catalogue.value.find(({ manifest }) => manifest.name === name),
      'the probe is there',
    );
    const stream = ensure(
      found.manifest.streams.find((one) => one.name === streamName),
      'the stream is there',
    );
    const chosenOn = async (functions: readonly string[]): Promise<string | undefined> =>
      (
        await planStream(
          { hasRecording: () => undefined },
          capabilitiesOf({ functions, types: [huge, page] }),
          found,
          stream,
        )
      ).chosen;
    expect(await chosenOn([huge, page])).toBe(without);
    expect(await chosenOn([huge, page, 'remap_pfn_range_complete'])).toBe(withIt);
  });

  it('never attaches to huge_fault and page_fault together, since one calls the other', async () => {
    for (const { variants } of probe.manifest.streams) {
      for (const { script } of variants) {
        const text = await readFile(join(probe.folder, script), 'utf8');
        const attached = [huge, page].filter((name) => new RegExp(`^k\\w+:(?:\\w+:)?${name}\\b`, 'm').test(text));
        expect([script, ...attached]).not.toEqual([script, huge, page]);
      }
    }
  });
});
