/** Small sessions for the tests of this folder: a manifest with every kind of map, and frames made by hand. */
import { type SliceColumns, encodeSlices } from '../frame.ts';
import type { ProbeManifest } from '../probe-manifest.ts';
import type { CellEntry, FrameHeader, SessionView, Snapshot } from '../protocol.ts';
import { type RunView, emptyLedger } from '../run.ts';

const variant = {
  name: 'only',
  script: 'only.bt',
  attach: 'tracepoint' as const,
  requires: { tracepoints: ['mmap_lock:mmap_lock_released'], functions: [], btf: false },
  bpftraceMin: '0.17',
};
const rest = {
  question: 'q',
  isDefault: true,
  insteadOf: [],
  parameters: [],
  variants: [variant],
  lossMeaning: 'some are missing',
};
const figure = { title: 't', unit: 'count', role: 'figure' } as const;

/** One probe with a tally stream (acquisitions, wait, waitTotal) and a call stream. */
export const fixtureManifests: readonly ProbeManifest[] = [
  {
    manifestVersion: 1,
    name: 'lock',
    title: 'lock',
    question: 'q',
    caveats: [],
    streams: [
      {
        ...rest,
        name: 'tally',
        title: 'tally',
        kind: 'tally',
        maps: [
          { ...figure, key: [], map: '@a', metric: 'acquisitions', kind: 'count' },
          { ...figure, key: [], map: '@w', metric: 'wait', kind: 'buckets' },
          { ...figure, key: [], map: '@t', metric: 'waitTotal', kind: 'sum' },
        ],
        columns: [],
      },
      {
        ...rest,
        name: 'detail',
        title: 'detail',
        kind: 'call',
        maps: [],
        columns: [
          { name: 'atNs', title: 'time', unit: 'ns', type: 'timeNs', description: 'd' },
          { name: 'comm', title: 'process', unit: 'none', type: 'text', description: 'd' },
        ],
      },
    ],
  },
];

/** A run of one of the fixture's streams. */
export function fixtureRun(index: number, stream: string, part: Partial<RunView> = {}): RunView {
  return {
    id: `run-${index}`,
    index,
    probe: 'lock',
    stream,
    variant: 'only',
    attach: 'tracepoint',
    script: 'only.bt',
    parameters: {},
    state: 'running',
    startedAtMs: 1000,
    readyAtMs: 1000,
    readyNs: 0,
    ledger: emptyLedger(),
    findings: [],
    isComplete: true,
    ...part,
  };
}

/** A session of these runs. */
export function fixtureView(runs: readonly RunView[]): SessionView {
  return { id: 'session-1', target: { id: 'host', kind: 'host', title: 'host' }, startedAtMs: 1000, runs: [...runs] };
}

/** What one run did in a frame. Times in ms of the kernel's clock. */
export type FixtureSlice = {
  readonly run: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly newCells?: readonly CellEntry[];
  readonly deltas?: readonly (readonly [cell: number, delta: number])[];
  readonly newTexts?: readonly string[];
  readonly firstText?: number;
  readonly calls?: readonly (readonly [atNs: number, text: number])[];
};

/** A frame of these slices. */
export function fixtureFrame(
  seq: number,
  slices: readonly FixtureSlice[],
  part: Partial<FrameHeader> = {},
): { readonly header: FrameHeader; readonly bytes: Uint8Array } {
  const columns = slices.map(
    ({ deltas = [], calls }): SliceColumns => ({
      cells: Uint32Array.from(deltas, ([cell]) => cell),
      deltas: Float64Array.from(deltas, ([, delta]) => delta),
      calls:
        calls === undefined
          ? []
          : [Float64Array.from(calls, ([atNs]) => atNs), Uint16Array.from(calls, ([, text]) => text)],
    }),
  );
  const header: FrameHeader = {
    seq,
    fromSeq: seq,
    atMs: 1000 + seq * 250,
    slices: slices.map(
      ({ run, fromMs, toMs, newCells = [], deltas = [], newTexts = [], firstText = 0, calls = [] }) => ({
        run,
        fromNs: fromMs * 1e6,
        toNs: toMs * 1e6,
        newCells,
        cellCount: deltas.length,
        newTexts,
        firstText,
        callCount: calls.length,
      }),
    ),
    clientDroppedCalls: 0,
    clientMergedTicks: 0,
    ...part,
  };
  return { header, bytes: encodeSlices(columns) };
}

/** A snapshot at `seq` of these runs, with what is cumulative and the ticks of the past. */
export function fixtureSnapshot(
  seq: number,
  runs: readonly RunView[],
  cumulative: readonly FixtureSlice[] = [],
  history: readonly { readonly header: FrameHeader; readonly bytes: Uint8Array }[] = [],
): Snapshot {
  const { header, bytes } = fixtureFrame(seq, cumulative);
  const historyBytes = new Uint8Array(history.reduce((sum, tick) => sum + tick.bytes.byteLength, 0));
  let offset = 0;
  for (const tick of history) {
    historyBytes.set(tick.bytes, offset);
    offset += tick.bytes.byteLength;
  }
  return {
    protocolVersion: 1,
    serverVersion: 'test',
    session: fixtureView(runs),
    header,
    bytes,
    history: history.map((tick) => ({ header: tick.header, byteLength: tick.bytes.byteLength })),
    historyBytes,
  };
}
