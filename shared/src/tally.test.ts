import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapKeysMax } from './limits.ts';
import type { KeyPart, MapSpec } from './probe-manifest.ts';
import { decodeLine, dialectOf } from './decode.ts';
import { decodeKey, foldStack, TallyBook } from './tally.ts';

const acquisitions: MapSpec = {
  map: '@acq',
  metric: 'acquisitions',
  title: 'acquisitions',
  unit: 'count',
  kind: 'count',
  role: 'events',
  key: [
    { name: 'mode', kind: 'enum', values: { 0: 'mmap-read', 1: 'mmap-write' } },
    { name: 'comm', kind: 'text' },
  ],
};

describe('the cumulative maps of a run', () => {
  it('give differences whose sum is exactly the last value, whatever snapshots are missed', () => {
    const steps = fc.array(fc.record({ add: fc.nat(1_000_000), isTaken: fc.boolean() }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(steps, (snapshots) => {
        const book = new TallyBook([acquisitions]);
        let value = 0;
        let sum = 0;
        const take = (): void => {
          for (const delta of book.takeDelta()?.deltas ?? []) sum += delta;
        };
        for (const snapshot of snapshots) {
          value += snapshot.add;
          book.apply('@acq', [['1,sh', value]]);
          if (snapshot.isTaken) take();
        }
        take();
        expect(sum).toBe(value);
        expect(book.roleTotal('events')).toBe(value);
      }),
    );
  });

  it('name a cell once, with its decoded key', () => {
    const book = new TallyBook([acquisitions]);
    book.apply('@acq', [['0,a,b "c"', 2]]);
    expect(book.takeDelta()?.newCells).toEqual([
      { cell: 0, metric: 'acquisitions', dims: { mode: 'mmap-read', comm: 'a,b "c"' } },
    ]);
    book.apply('@acq', [['0,a,b "c"', 3]]);
    expect(book.takeDelta()?.newCells).toEqual([]);
    expect(book.takeDelta()).toBeUndefined();
  });

  const orders = { 0: 'pte', 1: 'pmd' };
  const key: KeyPart[] = [
    {
      kind: 'packed',
      fields: [
        { name: 'order', shift: 0, bits: 1, values: orders },
        { name: 'result', shift: 1, bits: 1, values: { 0: 'nopage', 1: 'fallback' } },
        { name: 'bucket', shift: 2, bits: 0 },
      ],
    },
    { name: 'device', kind: 'named', by: '@devices' },
    { name: 'comm', kind: 'text' },
  ];
  const several: readonly MapSpec[] = [
    { ...acquisitions, map: '@calls', metric: 'attempts', key, keep: ['order', 'result', 'comm'] },
    { ...acquisitions, map: '@calls', metric: 'latency', role: 'figure', key, keep: ['order', 'bucket'] },
    {
      ...acquisitions,
      map: '@calls',
      metric: 'pages',
      role: 'figure',
      key,
      keep: ['device'],
      only: { name: 'result', word: 'nopage' },
      weight: { name: 'order', words: { pte: 1, pmd: 512 } },
    },
  ];
  const valuesOf = (book: TallyBook): readonly unknown[] =>
    book.cells.map(({ cell, metric, dims }) => [metric, dims, book.totals()[cell]]);

  it('feed several metrics from one map: what a metric does not keep is added up, and weighed', () => {
    const book = new TallyBook(several);
    book.applyNames('@devices', [['-7', '0000:01:00.0']]);
    // order + result * 2 + bucket * 4
    book.apply('@calls', [
      ['400,-7,a', 5],
      ['404,-7,a', 2],
      ['401,-7,a', 3],
      ['403,-7,b', 9],
    ]);
    expect(valuesOf(book)).toEqual([
      ['attempts', { order: 'pte', result: 'nopage', comm: 'a' }, 7],
      ['latency', { order: 'pte', bucket: 100 }, 5],
      ['pages', { device: '0000:01:00.0' }, 7 + 3 * 512],
      ['latency', { order: 'pte', bucket: 101 }, 2],
      ['attempts', { order: 'pmd', result: 'nopage', comm: 'a' }, 3],
      ['latency', { order: 'pmd', bucket: 100 }, 3 + 9],
      ['attempts', { order: 'pmd', result: 'fallback', comm: 'b' }, 9],
    ]);
    expect(book.roleTotal('events')).toBe(19);
    book.takeDelta();
    book.apply('@calls', [['401,-7,a', 4]]);
    const delta = book.takeDelta();
    expect([...(delta?.deltas ?? [])].toSorted((left, right) => left - right)).toEqual([1, 1, 512]);
  });

  it('make no cell of what weighs nothing', () => {
    const book = new TallyBook([
      { ...acquisitions, map: '@calls', metric: 'pages', key, weight: { name: 'order', words: { pte: 0, pmd: 512 } } },
    ]);
    book.applyNames('@devices', [['-7', '0000:01:00.0']]);
    book.apply('@calls', [
      ['400,-7,a', 5],
      ['401,-7,a', 1],
    ]);
    expect([book.cells.map(({ dims }) => dims['order']), [...book.totals()]]).toEqual([['pmd'], [512]]);
  });

  it('wait for the name of a key, and lose no count of one that is never named', () => {
    const book = new TallyBook(several);
    book.apply('@calls', [['400,-7,a', 5]]);
    book.apply('@calls', [['400,-7,a', 6]]);
    book.apply('@calls', [['400,-8,a', 1]]);
    expect(book.takeDelta()).toBeUndefined();
    book.applyNames('@devices', [['-7', '0000:01:00.0']]);
    expect(book.roleTotal('events')).toBe(6);
    book.close();
    expect(book.roleTotal('events')).toBe(7);
    expect(valuesOf(book)).toContainEqual(['pages', { device: 'unknown' }, 1]);
  });

  it('say when a counter went back, and keep what was counted', () => {
    const book = new TallyBook([acquisitions]);
    book.apply('@acq', [['1,sh', 5]]);
    expect(book.apply('@acq', [['1,sh', 4]])).toEqual([{ kind: 'counter-went-back', map: '@acq', key: '1,sh' }]);
    expect(book.roleTotal('events')).toBe(5);
  });

  it('say when a map is nearly full, and when it is full', () => {
    const entries = (count: number): [string, number][] => Array.from({ length: count }, (_, at) => [`1,p${at}`, 1]);
    const kinds = (count: number): readonly string[] =>
      new TallyBook([acquisitions]).apply('@acq', entries(count)).map((one) => one.kind);
    expect(kinds(Math.ceil(mapKeysMax * 0.9) - 1)).toEqual([]);
    expect(kinds(Math.ceil(mapKeysMax * 0.9))).toEqual(['map-nearly-full']);
    expect(kinds(mapKeysMax)).toEqual(['map-full']);
  });

  it('refuse numbers that are not exact, and keys that do not fit', () => {
    const book = new TallyBook([acquisitions]);
    expect(book.apply('@acq', [['1,sh', 2 ** 53]])).toMatchObject([{ kind: 'number-too-large' }]);
    expect(book.apply('@acq', [['1', 1]])).toMatchObject([{ kind: 'bad-key' }]);
    expect(book.apply('@acq', [['x,sh', 1]])).toMatchObject([{ kind: 'bad-key' }]);
  });

  it('keep an enum number the manifest does not know visible', () => {
    expect(decodeKey(acquisitions.key, '7,sh')).toEqual({ mode: 'unknown:7', comm: 'sh' });
  });

  it('unpack several fields of one integer', () => {
    const fields = [
      { name: 'write', shift: 0, bits: 1, values: { 0: 'read', 1: 'write' } },
      { name: 'bucket', shift: 1, bits: 0 },
    ];
    expect(decodeKey([{ kind: 'packed', fields }], String(133 * 2 + 1))).toEqual({ write: 'write', bucket: 133 });
  });

  it('leave out the trampoline of a tracer, which shows the traced function twice', () => {
    const printed =
      '\n    __handle_mm_fault+1632\n    handle_mm_fault+219\n    bpf_trampoline_6442509130+70\n    handle_mm_fault+5\n    fixup_user_fault+112\n';
    expect(foldStack(printed)).toBe('__handle_mm_fault;handle_mm_fault;fixup_user_fault');
  });

  it.each([
    ['0.17.0', String.raw`100,\n    remap_pfn_range+1\n    vfio_pci_mmap_fault+167\n    __do_fault+48\n,vfio-load`],
    [
      '0.23.2',
      String.raw`100,\\n        remap_pfn_range+1\\n        vfio_pci_mmap_fault+167\\n        __do_fault+48\\n,vfio-load`,
    ],
    ['0.27.1', String.raw`100,\nremap_pfn_range+1\nvfio_pci_mmap_fault+167\n__do_fault+48\n,vfio-load`],
  ])('fold a kernel stack as bpftrace %s prints it into its functions', (version, key) => {
    const line = `{"type": "map", "data": {"@violations": {"${key}": 1}}}`;
    const record = decodeLine(line, dialectOf(version));
    if (!record.ok || record.value?.kind !== 'map') throw new Error('no map');
    const parts: KeyPart[] = [
      { name: 'verdict', kind: 'uint' },
      { name: 'stack', kind: 'stack' },
      { name: 'comm', kind: 'text' },
    ];
    expect(decodeKey(parts, record.value.entries[0]?.[0] ?? '')).toEqual({
      verdict: 100,
      stack: 'remap_pfn_range;vfio_pci_mmap_fault;__do_fault',
      comm: 'vfio-load',
    });
  });
});
