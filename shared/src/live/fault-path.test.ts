/** The path of real captures: 6.1 with its violation, 6.12 with its huge faults. */
import { describe, expect, it } from 'vitest';
import type { Stream } from '../probe-manifest.ts';
import { emptyLedger, type RunView } from '../run.ts';
import type { CellEntry, Dims } from '../protocol.ts';
import { cellsOf, faultPathOf, faultsOf, faultTimeNsOf, insertsInEraA, quantileNs } from './fault-path.ts';
import type { LiveSession } from './live-session.ts';
import { createRunData } from './run-data.ts';
import { addToTimeline } from './timeline.ts';

type Given = readonly [metric: string, dims: Dims, value: number];

/** What pfn-insert attaches as beside a variant of vfio-fault. */
const insertVariants: Readonly<Record<string, string>> = { 'era-d-7': 'era-d-helper-kprobe' };

function sessionOf(variant: string, given: Readonly<Record<string, readonly Given[]>>): LiveSession {
  const runs = Object.keys(given).map(
    (probe, index): RunView => ({
      id: probe,
      index,
      probe,
      stream: 's',
      variant: probe === 'vfio-fault' ? variant : (insertVariants[variant] ?? 'v'),
      attach: 'kprobe',
      script: 's.bt',
      parameters: {},
      state: 'running',
      startedAtMs: 0,
      ledger: emptyLedger(),
      findings: [],
      isComplete: true,
    }),
  );
  const target = { id: 'lab-6.1', kind: 'guest' as const, title: 'a guest' };
  const session: LiveSession = {
    view: { id: 's', target, startedAtMs: 0, runs },
    runs: new Map(),
    seq: 1,
    atMs: 0,
    frameCount: 0,
    clientDroppedCalls: 0,
    clientMergedTicks: 0,
    lossSpans: [],
  };
  for (const [index, cells] of Object.values(given).entries()) {
    const data = createRunData(index, undefined);
    for (const [cell, [metric, dims, value]] of cells.entries()) {
      const entry: CellEntry = { cell, metric, dims };
      data.cells[cell] = entry;
      data.totals[cell] = value;
    }
    session.runs.set(index, data);
  }
  return session;
}

const faults: Stream = {
  name: 'faults',
  title: 'faults',
  question: 'how many?',
  kind: 'tally',
  isDefault: true,
  insteadOf: [],
  parameters: [],
  variants: [],
  maps: [
    { map: '@attempts', metric: 'attempts', title: 'attempts', unit: 'count', kind: 'count', role: 'events', key: [] },
  ],
  columns: [],
  lossMeaning: 'some faults are missing',
};

const eraA = sessionOf('era-a-kprobe', {
  'vfio-fault': [
    ['attempts', { order: 'pte', result: 'nopage', origin: 'user', lock: 'mmap-read', comm: 'x' }, 6],
    ['attempts', { order: 'pte', result: 'nopage', origin: 'remote', lock: 'mmap-read', comm: 'x' }, 1],
    ['faultLatency', { order: 'pte', result: 'nopage', bucket: 258 }, 7],
    ['faultTime', { order: 'pte', result: 'nopage', comm: 'x' }, 11_731_400],
  ],
  'pfn-remap': [
    ['remaps', { context: 'fault', result: 'ok', lock: 'mmap-read', comm: 'x' }, 7],
    ['remaps', { context: 'mmap', result: 'ok', lock: 'mmap-write', comm: 'x' }, 2],
  ],
  'dma-map': [['links', { link: 'fixup_user_fault', comm: 'x' }, 1]],
  'lock-assert': [['violations', { stack: 'remap_pfn_range;vfio_pci_mmap_fault', comm: 'x' }, 7]],
});

const eraD = sessionOf('era-d-kprobe', {
  'vfio-fault': [
    ['attempts', { order: 'pmd', result: 'nopage', origin: 'user', lock: 'vma-read', comm: 'x' }, 32],
    ['attempts', { order: 'pmd', result: 'fallback', origin: 'user', lock: 'vma-read', comm: 'x' }, 5],
    ['attempts', { order: 'pte', result: 'nopage', origin: 'user', lock: 'mmap-read', comm: 'x' }, 3],
    ['faultTime', { order: 'pmd', result: 'nopage', comm: 'x' }, 1000],
    ['faultTime', { order: 'pmd', result: 'fallback', comm: 'x' }, 50],
  ],
  'pfn-insert': [['inserts', { insert: 'vmf_insert_pfn_pmd', comm: 'x' }, 32]],
});

const helped = sessionOf('era-d-7', {
  'vfio-fault': [['attempts', { order: 'pmd', result: 'nopage', origin: 'user', lock: 'vma-read', comm: 'x' }, 4]],
  'pfn-insert': [
    ['inserts', { insert: 'vfio_pci_vmf_insert_pfn', comm: 'x' }, 4],
    ['inserts', { insert: 'vmf_insert_pfn_pmd', comm: 'x' }, 4],
  ],
});

describe('the fault path', () => {
  it('is not known before vfio-fault has said the era', () => {
    expect(faultPathOf(sessionOf('', {}), '30s')).toBeUndefined();
  });

  it('ends in era A at remap_pfn_range, where the read lock meets what needs the write lock', () => {
    const path = faultPathOf(eraA, '30s');
    const node = (id: string) => path?.nodes.find((one) => one.id === id);
    expect(node('handler')).toMatchObject({
      name: 'vfio_pci_mmap_fault',
      total: 7,
      locks: [{ lock: 'mmap-read', count: 7 }],
    });
    expect(node('io_remap')).toMatchObject({ kind: 'inlined', total: undefined });
    // Calls at mmap time are no part of the fault path.
    expect(node('remap')).toMatchObject({ total: 7, violations: 7, locks: [{ lock: 'mmap-read', count: 7 }] });
    expect(path?.edges).toContainEqual({ from: 'fixup_user_fault', to: 'handle_mm_fault', count: 1 });
    expect(path?.edges).toContainEqual({ from: 'instruction', to: 'handle_mm_fault', count: 6 });
  });

  it('without a handler begins at mmap, and a fault ends where nobody is asked', () => {
    const none = sessionOf('no-handler-kprobe', {
      'vfio-fault': [],
      'pfn-remap': [['remaps', { context: 'mmap', result: 'ok', lock: 'mmap-write', comm: 'x' }, 3]],
    });
    const path = faultPathOf(none, '30s');
    expect(path?.era).toBe('none');
    const node = (id: string) => path?.nodes.find((one) => one.id === id);
    expect(node('remap')).toMatchObject({ total: 3, violations: 0, locks: [{ lock: 'mmap-write', count: 3 }] });
    expect(node('instruction')).toMatchObject({ total: 0 });
    expect(path?.edges).toContainEqual({ from: 'mmap', to: 'core_mmap', count: 3 });
    expect(path?.edges.some(({ from }) => from === 'handle_mm_fault')).toBe(false);
    expect(faultsOf(none)).toBe(0);
  });

  it('ends at vmf_insert_pfn where a build of era A inserts pages instead of remapping', () => {
    const attempts: Given = [
      'attempts',
      { order: 'pte', result: 'nopage', origin: 'user', lock: 'mmap-read', comm: 'x' },
      9,
    ];
    const inserts: Given = ['inserts', { insert: 'vmf_insert_pfn', comm: 'x' }, 9];
    const atMmap: Given = ['remaps', { context: 'mmap', result: 'ok', lock: 'mmap-write', comm: 'x' }, 2];
    const given = { 'vfio-fault': [attempts], 'pfn-insert': [inserts], 'pfn-remap': [atMmap] };
    const patched = sessionOf('era-a-fentry', given);
    const path = faultPathOf(patched, '30s');
    expect(insertsInEraA(patched)).toBe(true);
    expect(path?.nodes.find(({ id }) => id === 'vmf_insert_pfn')).toMatchObject({ total: 9, kind: 'measured' });
    expect(path?.nodes.some(({ id }) => id === 'remap')).toBe(false);
    expect(insertsInEraA(eraA)).toBe(false);
  });

  it('ends in era D at the three inserts, and knows no remap', () => {
    const path = faultPathOf(eraD, '30s');
    expect(path?.nodes.some(({ id }) => id === 'remap')).toBe(false);
    expect(path?.nodes.find(({ id }) => id === 'vmf_insert_pfn_pmd')).toMatchObject({ total: 32, kind: 'measured' });
    expect(path?.nodes.find(({ id }) => id === 'handler')?.locks).toEqual([
      { lock: 'vma-read', count: 37 },
      { lock: 'mmap-read', count: 3 },
    ]);
  });

  it('goes through vfio_pci_vmf_insert_pfn where the kernel has it', () => {
    const path = faultPathOf(helped, '30s');
    expect(path?.nodes.find(({ id }) => id === 'vfio_pci_vmf_insert_pfn')).toMatchObject({ total: 4, row: 7 });
    expect(path?.edges).toContainEqual({ from: 'vfio_pci_vmf_insert_pfn', to: 'vmf_insert_pfn_pmd', count: 4 });
    expect(faultPathOf(eraD, '30s')?.nodes.some(({ id }) => id === 'vfio_pci_vmf_insert_pfn')).toBe(false);
  });

  it('carries the lock on from the handler to what cannot be measured, by order where the ways part', () => {
    const locksOf = (id: string) => faultPathOf(eraD, '30s')?.nodes.find((one) => one.id === id)?.locks;
    expect(locksOf('handle_mm_fault')).toEqual(locksOf('handler'));
    expect(locksOf('huge_fault')).toEqual([{ lock: 'vma-read', count: 37 }]);
    expect(locksOf('do_fault')).toEqual([{ lock: 'mmap-read', count: 3 }]);
    // A fall-back inserts nothing.
    expect(locksOf('vmf_insert_pfn_pmd')).toEqual([{ lock: 'vma-read', count: 32 }]);
    expect(locksOf('vmf_insert_pfn_pud')).toEqual([]);
  });

  it('says of what no probe counts that it is not measured, not that it is zero', () => {
    const bare = sessionOf('era-d-kprobe', { 'vfio-fault': [] });
    expect(faultPathOf(bare, '30s')?.nodes.find(({ id }) => id === 'vmf_insert_pfn')).toMatchObject({
      kind: 'unmeasured',
      total: undefined,
    });
  });

  it('has every end of every edge among its nodes, one box in each place', () => {
    for (const path of [
      faultPathOf(eraA, '30s'),
      faultPathOf(eraD, '30s'),
      faultPathOf(sessionOf('era-bc-kprobe', { 'vfio-fault': [] }), '30s'),
      faultPathOf(helped, '30s'),
    ]) {
      const ids = path?.nodes.map(({ id }) => id) ?? [];
      expect(path?.edges.flatMap(({ from, to }) => [from, to]).filter((id) => !ids.includes(id))).toEqual([]);
      const places = path?.nodes.map(({ column, row }) => `${column} ${row}`) ?? [];
      expect(new Set(places).size).toBe(places.length);
    }
  });

  it('says rates as means of the window, and none where nothing is known of it', () => {
    const session = sessionOf('era-a-kprobe', {
      'vfio-fault': [['attempts', { order: 'pte', result: 'nopage', origin: 'user', lock: 'mmap-read', comm: 'x' }, 6]],
    });
    const handlerOf = () => faultPathOf(session, '30s')?.nodes.find(({ id }) => id === 'handler');
    expect(handlerOf()).toMatchObject({ total: 6, perSec: undefined });
    const data = createRunData(0, faults);
    data.cells.push({ cell: 0, metric: 'attempts', dims: { order: 'pte', result: 'nopage', origin: 'user' } });
    addToTimeline(data.timeline, {
      fromNs: 0,
      toNs: 2e9,
      cells: Uint32Array.from([0]),
      deltas: Float64Array.from([6]),
    });
    session.runs.set(0, data);
    expect(handlerOf()?.perSec).toBe(3);
  });

  it('adds up what a stream counted before and after it was started again', () => {
    const dims = { stack: 'remap_pfn_range', comm: 'x' };
    const again = sessionOf('era-a-kprobe', {
      'lock-assert': [['violations', dims, 2]],
      'lock-assert again': [['violations', { comm: 'x', stack: 'remap_pfn_range' }, 3]],
    });
    expect(cellsOf(again, 'violations').map(({ value }) => value)).toEqual([5]);
  });

  it('counts faults without the attempts that led to none, which are part of the time in faults', () => {
    expect(faultsOf(eraD)).toBe(35);
    expect(faultsOf(eraD, { order: 'pmd' })).toBe(32);
    expect(faultTimeNsOf(eraD)).toBe(1050);
    expect(quantileNs(eraA, 'faultLatency', {}, 0.99)).toBe(606_208);
    expect(quantileNs(eraD, 'faultLatency', {}, 0.99)).toBeUndefined();
  });
});
