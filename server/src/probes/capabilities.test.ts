import { err, ok } from '@faultline/shared';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Target } from '../targets/target.ts';
import { readCapabilities } from './capabilities.ts';

/** A target that has nothing but these files. */
function targetWith(files: Readonly<Record<string, string>>): Target {
  return {
    id: 'fake',
    kind: 'host',
    title: 'fake',
    badge: undefined,
    identity: () => Promise.reject(new Error('not asked')),
    readFile: (path) =>
      Promise.resolve(
        files[path] === undefined
          ? err({ kind: 'not-found' as const, message: `${path} is not there` })
          : ok(new TextEncoder().encode(files[path])),
      ),
    exists: (path) => Promise.resolve(ok(Object.keys(files).some((one) => one === path || one.startsWith(`${path}/`)))),
    start: () => {
      throw new Error('starts nothing');
    },
    hasRecording: () => undefined,
    placeScript: () => Promise.reject(new Error('not asked')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const capabilitiesOf = (files: Readonly<Record<string, string>>): ReturnType<typeof readCapabilities> =>
  readCapabilities({
    ...targetWith(files),
    start: () => {
      const stream = new PassThrough();
      stream.end();
      return {
        stdout: stream,
        stderr: new PassThrough().end(),
        exited: Promise.resolve({ code: 1 }),
        signal: () => undefined,
        release: () => undefined,
      };
    },
  });

describe('what a target can do', () => {
  it('a type is in the BTF of a module by its whole name alone', async () => {
    const able = await capabilitiesOf({
      '/sys/kernel/btf/vfio_pci_core': '\u009f\u00eb\0vdev\0vfio_pci_mmap_vma\0vma_next\0',
    });
    expect(await able.hasModuleType('vfio_pci_core', 'vfio_pci_mmap_vma')).toBe('yes');
    expect(await able.hasModuleType('vfio_pci_core', 'vfio_pci_mmap')).toBe('no');
    expect(await able.hasModuleType('vfio_pci_core', 'mmap_vma')).toBe('no');
    expect(await able.hasModuleType('vfio_iommu_type1', 'vfio_dma')).toBe('unknown');
  });

  it('a module is loaded when it is below /sys/module', async () => {
    const able = await capabilitiesOf({ '/sys/module/vfio_pci_core/refcnt': '0\n' });
    expect(await able.hasModule('vfio_pci_core')).toBe('yes');
    expect(await able.hasModule('vfio_pci')).toBe('no');
  });

  it('is PREEMPT_RT where /sys/kernel/realtime says 1, and nowhere else', async () => {
    expect((await capabilitiesOf({ '/sys/kernel/realtime': '1\n' })).isRealtime).toBe(true);
    expect((await capabilitiesOf({})).isRealtime).toBe(false);
  });

  it('a function is one that kallsyms names wholly, in the kernel or in a module', async () => {
    const able = await capabilitiesOf({
      '/proc/kallsyms':
        'ffffffff81000000 T remap_pfn_range\nffffffffc0000000 t vfio_pci_mmap_huge_fault\t[vfio_pci_core]\nffffffffc0000010 t vfio_pci_mmap_fault.cold\t[vfio_pci_core]\n',
    });
    expect(await able.hasFunction('remap_pfn_range')).toBe(true);
    expect(await able.hasFunction('vfio_pci_mmap_huge_fault')).toBe(true);
    expect(await able.hasFunction('vfio_pci_mmap_fault')).toBe(false);
    expect(await able.isBuiltIn('remap_pfn_range')).toBe(true);
    expect(await able.isBuiltIn('vfio_pci_mmap_huge_fault')).toBe(false);
    expect(await (await capabilitiesOf({})).isBuiltIn('remap_pfn_range')).toBe(false);
  });

  it('a function like a pattern is another one than the usual, by its whole name', async () => {
    const usual = 'ffffffffc0000000 t vfio_pci_mmap_huge_fault\t[vfio_pci_core]\n';
    const own = 'ffffffffc0100000 t nvgrace_gpu_vfio_pci_huge_fault\t[nvgrace_gpu_vfio_pci]\n';
    const parts =
      'ffffffffc0000010 t vfio_pci_mmap_huge_fault.cold\t[vfio_pci_core]\nffffffffc0000020 d a_vfio_huge_fault\n';
    const like = async (text: string): Promise<boolean> =>
      (await capabilitiesOf({ '/proc/kallsyms': text })).hasFunctionLike(
        '*vfio*huge_fault',
        'vfio_pci_mmap_huge_fault',
      );
    // As they stand on 6.12, before and while vfio-fault is attached there.
    const padding = 'ffffffffc0000000 t __pfx_vfio_pci_mmap_huge_fault\t[vfio_pci_core]\n';
    const program =
      'ffffffffc0200000 t bpf_prog_6deef7357e7b4530_kfunc_vfio_pci_core_vfio_pci_mmap_huge_fault\t[bpf]\n';
    expect(await like(usual + parts)).toBe(false);
    expect(await like(usual + padding)).toBe(false);
    expect(await like(usual + program)).toBe(false);
    expect(await like(usual + own + parts)).toBe(true);
    expect(await (await capabilitiesOf({})).hasFunctionLike('*', 'x')).toBe(false);
  });
});
