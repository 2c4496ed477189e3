/** A client as the page is one: applies snapshots and frames, and checks that they fit together. */
import { assert, type CellEntry, decodeSlices, type FrameHeader, type Snapshot } from '@faultline/shared';
import type { SessionSource } from '../../src/sessions/tracing.ts';

type CallTypes = (run: number) => ReturnType<SessionSource['callTypes']>;
type Figures = { totals: number[]; cells: CellEntry[]; texts: string[]; calls: number[][]; toNs: number };

/** What a client knows, and the messages it has not acknowledged. */
export class FakeClient {
  seq = 0;
  snapshotCount = 0;
  frameCount = 0;
  callCount = 0;
  last: FrameHeader | undefined;
  snapshot: Snapshot | undefined;
  /** The session as it was told last: not every frame says. */
  session: Snapshot['session'] | undefined;
  readonly runs = new Map<number, Figures>();
  /** Acknowledgements still to be given, oldest first. */
  readonly owed: (() => void)[] = [];
  readonly frameBytes: Buffer[] = [];
  readonly #callTypes: CallTypes;

  constructor(callTypes: CallTypes) {
    this.#callTypes = callTypes;
  }

  readonly sendSnapshot = (snapshot: Snapshot, received: () => void): void => {
    this.snapshotCount += 1;
    this.snapshot = snapshot;
    this.session = snapshot.session;
    this.runs.clear();
    this.callCount = 0;
    this.#apply(snapshot.header, asBuffer(snapshot.bytes));
    this.owed.push(received);
  };

  readonly sendFrame = (header: FrameHeader, bytes: Buffer, received: () => void): void => {
    assert(header.fromSeq === this.seq + 1, `frame ${header.fromSeq}..${header.seq} follows ${this.seq}`);
    this.frameCount += 1;
    this.frameBytes.push(bytes);
    this.#apply(header, bytes);
    this.owed.push(received);
  };

  /** Acknowledges the oldest message, if one is owed. */
  acknowledge(): boolean {
    const received = this.owed.shift();
    received?.();
    return received !== undefined;
  }

  /** Cumulative figures by run, as one compares them. */
  figures(): unknown {
    return [...this.runs]
      .map(([run, { totals, cells, texts, toNs }]) => ({ run, totals, cells, texts, toNs }))
      .toSorted((left, right) => left.run - right.run);
  }

  #apply(header: FrameHeader, bytes: Buffer): void {
    this.seq = header.seq;
    this.last = header;
    this.session = header.session ?? this.session;
    const shapes = header.slices.map(({ run, cellCount, callCount }) => ({
      cellCount,
      callCount,
      types: this.#callTypes(run),
    }));
    for (const [position, columns] of decodeSlices(bytes, shapes).entries()) {
      const slice = header.slices[position];
      assert(slice !== undefined, 'a header for each slice');
      const figures = this.runs.get(slice.run) ?? { totals: [], cells: [], texts: [], calls: [], toNs: 0 };
      this.runs.set(slice.run, figures);
      figures.cells.push(...slice.newCells);
      figures.totals.push(...slice.newCells.map(() => 0));
      if (slice.newTexts.length > 0) assert(slice.firstText === figures.texts.length, 'texts follow on');
      figures.texts.push(...slice.newTexts);
      figures.toNs = slice.toNs;
      for (const [at, cell] of columns.cells.entries()) {
        assert(cell < figures.cells.length, `cell ${cell} was announced`);
        figures.totals[cell] = (figures.totals[cell] ?? 0) + (columns.deltas[at] ?? 0);
      }
      for (let row = 0; row < slice.callCount; row += 1) {
        figures.calls.push(columns.calls.map((column) => column[row] ?? Number.NaN));
      }
      this.callCount += slice.callCount;
    }
  }
}

function asBuffer(bytes: ArrayBuffer | Uint8Array): Buffer {
  return bytes instanceof Uint8Array
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : Buffer.from(bytes);
}
