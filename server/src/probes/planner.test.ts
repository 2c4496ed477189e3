import type { Stream, Variant } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import type { Target } from '../targets/target.ts';
import type { TargetCapabilities } from './capabilities.ts';
import type { CataloguedProbe } from './catalogue.ts';
import { compareVersions, planStream } from './planner.ts';

const variant = (name: string, change: Partial<Variant>): Variant => ({
  name,
  script: `${name}.bt`,
  attach: 'tracepoint',
  requires: { tracepoints: [], functions: [], btf: false },
  bpftraceMin: '0.17',
  ...change,
});

const able: TargetCapabilities = {
  bpftraceVersion: '0.23.2',
  hasBtf: true,
  kprobes: 'yes',
  fentry: 'yes',
  fentryReason: 'no list',
  tracefs: '/sys/kernel/tracing',
  hasTracepoint: async (name) => (name === 'mmap_lock:there' ? 'yes' : 'no'),
  hasFunction: async (name) => name === 'handle_mm_fault',
  hasFunctionLike: async () => false,
  isBuiltIn: async () => false,
  hasModule: async (name) => (name === 'vfio_pci_core' ? 'yes' : 'no'),
  hasModuleType: async (_module, type) => (type === 'vfio_pci_mmap_vma' ? 'yes' : 'no'),
  isRealtime: false,
};

const live: Pick<Target, 'hasRecording'> = { hasRecording: () => undefined };

async function plan(
  variants: readonly Variant[],
  capabilities = able,
  target = live,
): Promise<[string | undefined, readonly string[]]> {
  const stream: Stream = {
    name: 'latency',
    title: 't',
    question: 'q',
    kind: 'tally',
    isDefault: true,
    insteadOf: [],
    parameters: [],
    columns: [],
    lossMeaning: 'none',
    variants: [...variants],
    maps: [],
  };
  const probe: CataloguedProbe = {
    folder: '/probes/page-fault',
    manifest: { manifestVersion: 1, name: 'page-fault', title: 't', question: 'q', caveats: [], streams: [stream] },
  };
  const made = await planStream(target, capabilities, probe, stream);
  return [made.chosen, made.variants.map((one) => one.reasons.join('; '))];
}

const onFunction = (attach: 'fentry' | 'kprobe', name = 'handle_mm_fault'): Variant =>
  variant(attach, { attach, requires: { tracepoints: [], functions: [name], btf: true } });

describe('the planner', () => {
  it('takes the first variant that fits, and has no reason against the others that fit', async () => {
    expect(await plan([onFunction('fentry'), onFunction('kprobe')])).toEqual(['fentry', ['', '']]);
  });

  it('takes the next one when the first can’t attach, and says why not', async () => {
    const [chosen, [reason]] = await plan([onFunction('fentry'), onFunction('kprobe')], { ...able, fentry: 'no' });
    expect(chosen).toBe('kprobe');
    expect(reason).toBe('no list');
  });

  it('chooses none where nothing fits, with every reason', async () => {
    const [chosen, reasons] = await plan([onFunction('kprobe'), onFunction('fentry', 'gone')], {
      ...able,
      kprobes: 'no',
    });
    expect(chosen).toBeUndefined();
    expect(reasons).toEqual([
      'this kernel was built without kprobes (CONFIG_KPROBES)',
      'this kernel has no function gone that can be traced',
    ]);
  });

  it('knows a missing tracepoint, missing BTF and a bpftrace too old or too new', async () => {
    const needs = variant('a', { requires: { tracepoints: ['mmap_lock:gone'], functions: [], btf: true } });
    const [, [first]] = await plan([needs], { ...able, hasBtf: false });
    expect(first).toContain('no tracepoint mmap_lock:gone');
    expect(first).toContain('no BTF');
    expect((await plan([variant('a', { bpftraceMin: '0.27' })]))[1]).toEqual([
      'needs bpftrace 0.27 or newer, found 0.23.2',
    ]);
    expect((await plan([variant('a', { bpftraceBelow: '0.23' })]))[1]).toEqual([
      'written for bpftrace before 0.23, found 0.23.2',
    ]);
  });

  it('lets the attempt decide where this user may not look', async () => {
    const needs = variant('a', { requires: { tracepoints: ['mmap_lock:gone'], functions: [], btf: false } });
    expect((await plan([needs], { ...able, hasTracepoint: async () => 'unknown' }))[0]).toBe('a');
  });

  it('on a recording, takes what was recorded', async () => {
    const target = { hasRecording: (path: string) => path === '/probes/page-fault/b.bt' };
    expect(await plan([variant('a', {}), variant('b', {})], able, target)).toEqual([
      'b',
      ['there is no recording of it', ''],
    ]);
  });
});

describe('versions', () => {
  it('are compared by number, not by letter', () => {
    expect(compareVersions('0.9', '0.17')).toBeLessThan(0);
    expect(compareVersions('0.17.0', '0.17')).toBe(0);
    expect(compareVersions('0.27.1', '0.27')).toBeGreaterThan(0);
  });

  it('says that a module is not loaded, and nothing about what would be in it', async () => {
    const needs = onFunction('kprobe', 'gone');
    const module = { ...needs, requires: { ...needs.requires, modules: ['vfio_gone'] } };
    expect(await plan([module])).toEqual([
      undefined,
      ['this kernel has no module vfio_gone loaded: load it, or boot a kernel of the lab'],
    ]);
  });

  it('tells eras apart by a type in the BTF of a module', async () => {
    const vma = [{ module: 'vfio_pci_core', type: 'vfio_pci_mmap_vma' }];
    const eraA = variant('a', { requires: { tracepoints: [], functions: [], btf: true, btfTypes: vma } });
    const eraB = variant('b', { requires: { tracepoints: [], functions: [], btf: true, absentBtfTypes: vma } });
    expect((await plan([eraB, eraA]))[0]).toBe('a');
    const other = { ...able, hasModuleType: async () => 'no' as const };
    expect((await plan([eraA, eraB], other))[0]).toBe('b');
    const blind = { ...able, hasModuleType: async () => 'unknown' as const };
    expect(await plan([eraA, eraB], blind)).toEqual([
      undefined,
      [
        'module vfio_pci_core has no BTF to look for vfio_pci_mmap_vma',
        'module vfio_pci_core has no BTF to look for vfio_pci_mmap_vma',
      ],
    ]);
  });

  it('takes the script that decodes the lock word of PREEMPT_RT there, and nowhere else', async () => {
    const requires = { tracepoints: [], functions: [], btf: true };
    const variants = [
      variant('usual', { requires: { ...requires, lockWord: 'rwsem' } }),
      variant('rt', { requires: { ...requires, lockWord: 'rwbase' } }),
    ];
    expect((await plan(variants))[0]).toBe('usual');
    expect((await plan(variants, { ...able, isRealtime: true }))[0]).toBe('rt');
    const [chosen, [reason]] = await plan(variants.slice(1));
    expect(chosen).toBeUndefined();
    expect(reason).toContain('not PREEMPT_RT');
  });

  it('refuses to decode the lock word of PREEMPT_RT', async () => {
    const decodes = variant('a', { requires: { tracepoints: [], functions: [], btf: true, lockWord: 'rwsem' } });
    expect((await plan([decodes]))[0]).toBe('a');
    const [chosen, [reason]] = await plan([decodes], { ...able, isRealtime: true });
    expect(chosen).toBeUndefined();
    expect(reason).toContain('PREEMPT_RT');
  });
});
