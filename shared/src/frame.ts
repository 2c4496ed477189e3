/** Binary columns of a frame, written and read by the same file on both sides. Little-endian, no padding. */
import { assert } from './assert.ts';
import type { Column } from './probe-manifest.ts';

type ColumnType = Column['type'];

/** One column of calls. Text columns hold the numbers of texts. */
export type CallColumn = Float64Array | Uint32Array | Uint16Array | Uint8Array;

/** What one run's slice of a frame carries. All cells arrays have one length, all columns another. */
export type SliceColumns = {
  readonly cells: Uint32Array;
  readonly deltas: Float64Array;
  readonly calls: readonly CallColumn[];
};

/** An empty column of a type, with room for `length` values. */
export function makeColumn(type: ColumnType, length: number): CallColumn {
  switch (type) {
    case 'timeNs':
    case 'f64':
      return new Float64Array(length);
    case 'u32':
      return new Uint32Array(length);
    // Numbers of texts fit in 16 bits: runTextsMax.
    case 'text':
    case 'u16':
      return new Uint16Array(length);
    case 'u8':
      return new Uint8Array(length);
  }
}

/** Writes slices one after the other: cells, deltas, then each call column. */
export function encodeSlices(slices: readonly SliceColumns[]): Uint8Array {
  let size = 0;
  for (const slice of slices) {
    size += slice.cells.byteLength + slice.deltas.byteLength;
    for (const column of slice.calls) size += column.byteLength;
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  const put = (column: CallColumn): void => {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), offset);
    offset += column.byteLength;
  };
  for (const slice of slices) {
    put(slice.cells);
    put(slice.deltas);
    for (const column of slice.calls) put(column);
  }
  return bytes;
}

/** How many values each slice holds, and the types of its call columns: from the header and the manifest. */
export type SliceShape = {
  readonly cellCount: number;
  readonly callCount: number;
  readonly types: readonly ColumnType[];
};

/** Reads what encodeSlices wrote. Throws where the bytes do not have exactly the size that the shapes say. */
export function decodeSlices(data: ArrayBuffer | Uint8Array, shapes: readonly SliceShape[]): readonly SliceColumns[] {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  let offset = 0;
  const fill = <T extends CallColumn>(column: T): T => {
    const size = column.byteLength;
    assert(offset + size <= bytes.byteLength, `a frame of ${bytes.byteLength} bytes ends before its columns do`);
    new Uint8Array(column.buffer).set(bytes.subarray(offset, offset + size));
    offset += size;
    return column;
  };
  const slices = shapes.map((shape) => ({
    cells: fill(new Uint32Array(shape.cellCount)),
    deltas: fill(new Float64Array(shape.cellCount)),
    calls: shape.types.map((type) => fill(makeColumn(type, shape.callCount))),
  }));
  assert(offset === bytes.byteLength, `a frame of ${bytes.byteLength} bytes has ${bytes.byteLength - offset} too many`);
  return slices;
}
