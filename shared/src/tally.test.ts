import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapKeysMax } from './limits.ts';
import type { KeyPart, MapSpec } from './probe-manifest.ts';
import { decodeLine, dialectOf } from './decode.ts';
import { decodeKey, TallyBook } from './tally.ts';

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
