import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSlices, encodeSlices, makeColumn, type SliceColumns } from './frame.ts';
import type { Column } from './probe-manifest.ts';

const type = fc.constantFrom<Column['type']>('timeNs', 'u8', 'u16', 'u32', 'f64', 'text');
const slice = fc.record({
  cells: fc.array(fc.tuple(fc.nat(2 ** 31), fc.nat(Number.MAX_SAFE_INTEGER)), { maxLength: 20 }),
  types: fc.array(type, { maxLength: 6 }),
  callCount: fc.nat(20),
});

describe('frames', () => {
  it('read back exactly what was written, with any columns in any order', () => {
    fc.assert(
      fc.property(fc.array(slice, { maxLength: 4 }), fc.nat(255), (specs, fill) => {
        const slices: SliceColumns[] = specs.map((spec) => ({
          cells: Uint32Array.from(spec.cells, ([cell]) => cell),
          deltas: Float64Array.from(spec.cells, ([, delta]) => delta),
          calls: spec.types.map((one) => makeColumn(one, spec.callCount).fill(fill)),
        }));
        const shapes = specs.map((spec) => ({
          cellCount: spec.cells.length,
          callCount: spec.callCount,
          types: spec.types,
        }));
        expect(decodeSlices(encodeSlices(slices), shapes)).toEqual(slices);
      }),
    );
  });

  it('are refused when they hold fewer or more bytes than the header says', () => {
    const bytes = encodeSlices([{ cells: new Uint32Array([1]), deltas: new Float64Array([2]), calls: [] }]);
    expect(() => decodeSlices(bytes, [{ cellCount: 2, callCount: 0, types: [] }])).toThrow(/ends before/);
    expect(() => decodeSlices(bytes, [{ cellCount: 0, callCount: 0, types: [] }])).toThrow(/too many/);
  });
});
