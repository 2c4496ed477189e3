/** Slices as a session makes them: cells and texts are announced once, in order, before they are used. */
import { type CellEntry, makeColumn } from '@faultline/shared';
import fc from 'fast-check';
import type { TickSlice } from '../../src/sessions/tick.ts';
import { fakeSlice } from './fake-session.ts';

/** Columns of run 0; run 1 is a tally. */
export const callTypesOf = new Map([[0, ['timeNs', 'u8', 'text'] as const]]);

/** What happens to one run in one tick, before it is given numbers. */
export type SliceIntent = {
  readonly run: 0 | 1;
  readonly newCells: number;
  readonly changes: readonly (readonly [number, number])[];
  readonly newTexts: number;
  readonly calls: number;
};

/** Intents for one tick. */
export const intents: fc.Arbitrary<readonly SliceIntent[]> = fc.array(
  fc.record({
    run: fc.constantFrom<0 | 1>(0, 1),
    newCells: fc.nat({ max: 3 }),
    changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: -5, max: 2 ** 40 })), { maxLength: 6 }),
    newTexts: fc.nat({ max: 2 }),
    calls: fc.nat({ max: 5 }),
  }),
  { maxLength: 3 },
);

/** Turns intents into slices; remembers what was announced. */
export class SliceMaker {
  /** Every call ever made, oldest first: its time is its number. */
  callCount = 0;
  readonly #announced = new Map<number, { cells: number; texts: number; toNs: number }>();

  /** The slices of one tick. */
  slices(tick: readonly SliceIntent[]): readonly TickSlice[] {
    return tick.map((intent) => this.#slice(intent));
  }

  #slice({ run, newCells, changes, newTexts, calls }: SliceIntent): TickSlice {
    const known = this.#announced.get(run) ?? { cells: 0, texts: 0, toNs: 0 };
    const cellCount = known.cells + newCells;
    const deltas = new Map(changes.filter(() => cellCount > 0).map(([cell, delta]) => [cell % cellCount, delta]));
    const callCount = run === 0 && known.texts + newTexts > 0 ? calls : 0;
    const types = callTypesOf.get(run) ?? [];
    const columns = types.map((type) => {
      const column = makeColumn(type, callCount);
      for (let row = 0; row < callCount; row += 1) {
        if (type === 'timeNs') column[row] = this.callCount + row;
        else column[row] = (this.callCount + row) % (type === 'text' ? known.texts + newTexts : 256);
      }
      return column;
    });
    this.callCount += callCount;
    this.#announced.set(run, { cells: cellCount, texts: known.texts + newTexts, toNs: known.toNs + 1 });
    return fakeSlice(run, {
      fromNs: known.toNs,
      toNs: known.toNs + 1,
      newCells: Array.from({ length: newCells }, (_, at) => entry(known.cells + at)),
      cells: Uint32Array.from(deltas.keys()),
      deltas: Float64Array.from(deltas.values()),
      firstText: known.texts,
      newTexts: Array.from({ length: newTexts }, (_, at) => `text ${known.texts + at}`),
      calls: columns,
      callCount,
    });
  }
}

function entry(cell: number): CellEntry {
  return { cell, metric: 'acquired', dims: { process: `p${cell}` } };
}
