/** A session with all that exports have to deal with: stacks, buckets, calls that overlap, words, a formula, a loss, a mark. */
import { ensure, type Stream } from '@faultline/shared';
import type { CataloguedProbe } from '../../src/probes/catalogue.ts';
import { busyProbe } from './busy-probe.ts';
import { FakeSession, fakeLedger, fakeRun, fakeSlice, fakeTarget } from './fake-session.ts';
import type { TempStore } from './temp-store.ts';

const [counts, detail] = busyProbe.manifest.streams;

/** Counts with a stack in their key and latencies in buckets, as the lock assertion and the fault path have them; two maps feed one metric. */
const stacked: Stream = {
  ...ensure(counts, 'a stream of counts'),
  name: 'stacked',
  maps: [
    {
      map: '@violations',
      metric: 'violations',
      title: 'Violations',
      unit: 'count',
      kind: 'count',
      role: 'events',
      key: [
        { name: 'mode', kind: 'enum', values: { 0: 'mmap-read' } },
        { name: 'stack', kind: 'stack' },
        { name: 'comm', kind: 'text' },
      ],
    },
    {
      map: '@violations_in_all',
      metric: 'violations',
      title: 'Violations',
      unit: 'count',
      kind: 'count',
      role: 'events',
      key: [
        { name: 'mode', kind: 'enum', values: { 0: 'mmap-read' } },
        { name: 'stack', kind: 'stack' },
      ],
    },
    {
      map: '@wait',
      metric: 'wait',
      title: 'Wait',
      unit: 'ns',
      kind: 'buckets',
      role: 'figure',
      key: [{ name: 'bucket', kind: 'bucket' }],
    },
    {
      map: '@cpus',
      metric: 'cpus',
      title: 'By CPU, in words',
      unit: 'count',
      kind: 'count',
      role: 'figure',
      // A word here, and a number in the other stream.
      key: [{ name: 'cpu', kind: 'enum', values: { 0: 'zero' } }],
    },
  ],
};

const calls: Stream = {
  ...ensure(detail, 'a stream of calls'),
  columns: [
    ...ensure(detail, 'a stream of calls').columns,
    { name: 'holdNs', title: 'hold', unit: 'ns', type: 'f64', description: 'how long' },
    { name: 'mode', title: 'mode', unit: 'none', type: 'u8', values: { 1: 'mmap-write' }, description: 'how' },
  ],
};

/** What a hostile process may call itself. */
export const evil = '=HYPERLINK("http://x","<script>")';

/** The probe of its streams. */
export const stackedProbe: CataloguedProbe = {
  ...busyProbe,
  manifest: { ...busyProbe.manifest, streams: [stacked, calls] },
};

/** The session, in which nothing has happened yet. */
export function stackedSession(id: string, target = fakeTarget): FakeSession {
  const runs = ['stacked', 'detail'].map((stream, index) =>
    fakeRun(index, { probe: 'busy', stream, readyNs: 1_000_000 }),
  );
  return new FakeSession({ id, runs, target });
}

/** Three ticks: 7 violations and 2 calls; a loss of 12; one more violation. Only the first announces cells and texts. */
export function pushStackedTicks(session: FakeSession): void {
  const isFirst = session.seq === 0;
  const stack = 'remap_pfn_range;vfio_pci_mmap_fault;handle_mm_fault';
  session.push([
    fakeSlice(0, {
      fromNs: 1_000_000,
      toNs: 501_000_000,
      newCells: isFirst
        ? [
            { cell: 0, metric: 'violations', dims: { mode: 'mmap-read', stack, comm: evil } },
            { cell: 1, metric: 'wait', dims: { bucket: 20 } },
            { cell: 2, metric: 'wait', dims: { bucket: 200 } },
            // Counters of 0: of a process without a name, and of the map that knows no processes.
            { cell: 3, metric: 'violations', dims: { mode: 'mmap-read', stack, comm: '' } },
            { cell: 4, metric: 'violations', dims: { mode: 'mmap-read', stack } },
          ]
        : [],
      cells: Uint32Array.of(0, 1, 2),
      deltas: Float64Array.of(7, 3, 2),
    }),
    fakeSlice(1, {
      fromNs: 1_000_000,
      toNs: 501_000_000,
      newTexts: isFirst ? [evil, 'app'] : [],
      calls: [
        Float64Array.of(2_000_000, 3_000_500),
        Uint16Array.of(0, 1),
        Uint16Array.of(0, 1),
        Float64Array.of(250_000, 1),
        Uint8Array.of(1, 9),
      ],
      callCount: 2,
    }),
  ]);
  session.runs = session.runs.map((run) =>
    run.index === 0 ? { ...run, isComplete: false, ledger: fakeLedger({ lostCount: 12 }) } : run,
  );
  session.push([fakeSlice(0, { fromNs: 501_000_000, toNs: 1_001_000_000 })], { hasStateChange: true });
  session.push([
    fakeSlice(0, {
      fromNs: 1_001_000_000,
      toNs: 1_501_000_000,
      cells: Uint32Array.of(0),
      deltas: Float64Array.of(1),
    }),
  ]);
}

/** Records it under the id `s`. */
export async function recordStackedSession({ store }: Pick<TempStore, 'store'>): Promise<void> {
  const session = stackedSession('s');
  const recording = store.record(session, [stackedProbe]);
  pushStackedTicks(session);
  await recording.close();
  store.library.edit('s', () => ({ marks: [{ atMs: 1_400, text: 'unbound' }], workload: 'sparse' }));
}
