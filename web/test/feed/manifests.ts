/** The manifests that the feed serves: the shape of the real probes, small enough to read; of the fault path the real ones. */
import { readFileSync } from 'node:fs';
import type { Column, MapSpec, Parameter, ProbeManifest, Stream, Variant } from '@faultline/shared';

const lockModes = { '0': 'mmap-read', '1': 'mmap-write' };
const yesNo = { '0': 'no', '1': 'yes' };
const mode = { name: 'mode', kind: 'enum', values: lockModes } as const;
const bucket = { name: 'bucket', kind: 'bucket' } as const;
const comm = { name: 'comm', kind: 'text' } as const;

const pid: Parameter = {
  name: 'pid',
  title: 'only this process',
  unit: 'id',
  minimum: 0,
  maximum: 4_194_304,
  default: 0,
  description: 'Trace only the process with this id; 0 traces all.',
};
const thresholdNs: Parameter = {
  name: 'thresholdNs',
  title: 'slower than',
  unit: 'ns',
  minimum: 0,
  maximum: 10_000_000_000,
  default: 10_000,
  description: 'Print calls that wait or hold longer than this.',
};

const map = (
  name: string,
  metric: string,
  unit: MapSpec['unit'],
  kind: MapSpec['kind'],
  role: MapSpec['role'],
  key: MapSpec['key'],
): MapSpec => ({
  map: name,
  metric,
  title: metric,
  unit,
  kind,
  role,
  key,
});

const column = (
  name: string,
  title: string,
  unit: Column['unit'],
  type: Column['type'],
  values?: Readonly<Record<string, string>>,
): Column => ({
  name,
  title,
  unit,
  type,
  description: `${title} of the call`,
  ...(values === undefined ? {} : { values }),
});

const variant = (name: string, tracepoints: readonly string[], attach: Variant['attach'] = 'tracepoint'): Variant => ({
  name,
  script: `${name}.bt`,
  attach,
  bpftraceMin: '0.17',
  requires: {
    tracepoints: [...tracepoints],
    functions: attach === 'tracepoint' ? [] : ['handle_mm_fault'],
    btf: attach === 'fentry',
  },
});

const lockTracepoints = [
  'mmap_lock:mmap_lock_start_locking',
  'mmap_lock:mmap_lock_acquire_returned',
  'mmap_lock:mmap_lock_released',
];

const acquisitions = map('@acquisitions', 'acquisitions', 'count', 'count', 'events', [
  mode,
  { name: 'success', kind: 'enum', values: yesNo },
  { name: 'downgrade', kind: 'enum', values: yesNo },
  comm,
]);

function stream(part: Pick<Stream, 'name' | 'title' | 'kind' | 'isDefault' | 'variants'> & Partial<Stream>): Stream {
  return {
    question: `${part.title}?`,
    insteadOf: [],
    parameters: [pid],
    maps: [],
    columns: [],
    lossMeaning: 'Counts and latencies of this stream are whole; of the printed calls some are not in the table.',
    ...part,
  };
}

/** The probes of the fault path, as they are: names of figures must be the real ones. */
const pathManifests: readonly ProbeManifest[] = ['vfio-fault', 'pfn-remap', 'pfn-insert', 'dma-map', 'lock-assert'].map(
  (probe) => {
    const text = readFileSync(new URL(`../../../probes/${probe}/manifest.json`, import.meta.url), 'utf8');
    return JSON.parse(text) as ProbeManifest;
  },
);

/** Both probes of locks and faults. */
export const feedManifests: readonly ProbeManifest[] = [
  {
    manifestVersion: 1,
    name: 'mmap-lock',
    title: 'mmap_lock by mode',
    question:
      'Which mode did every mmap_lock acquisition take, how long did it wait, how long was it held, and who did it?',
    caveats: [
      'released fires before the lock is given up, so a hold is a little short.',
      'bpftrace itself is left out.',
    ],
    streams: [
      stream({
        name: 'latency',
        title: 'waits and holds by mode and process',
        kind: 'tally',
        isDefault: true,
        insteadOf: ['counts'],
        variants: [variant('latency', lockTracepoints)],
        maps: [
          acquisitions,
          map('@wait', 'wait', 'count', 'buckets', 'figure', [mode, bucket]),
          map('@hold', 'hold', 'count', 'buckets', 'figure', [mode, bucket]),
          map('@wait_total', 'waitTotal', 'ns', 'sum', 'figure', [mode, comm]),
          map('@hold_total', 'holdTotal', 'ns', 'sum', 'figure', [mode, comm]),
        ],
        lossMeaning:
          'Acquisitions are counted in the kernel and are whole. A wait or hold whose begin was not seen is missing from the latencies.',
      }),
      stream({
        name: 'counts',
        title: 'acquisitions by mode and process',
        kind: 'tally',
        isDefault: false,
        insteadOf: ['latency'],
        variants: [variant('counts', lockTracepoints.slice(1, 2))],
        maps: [acquisitions],
      }),
      stream({
        name: 'detail',
        title: 'slow acquisitions, one by one',
        kind: 'call',
        isDefault: true,
        parameters: [pid, thresholdNs],
        variants: [variant('detail', lockTracepoints)],
        columns: [
          column('atNs', 'time', 'ns', 'timeNs'),
          column('cpu', 'CPU', 'id', 'u16'),
          column('pid', 'pid', 'id', 'u32'),
          column('tid', 'tid', 'id', 'u32'),
          column('mode', 'mode', 'none', 'u8', lockModes),
          column('success', 'acquired', 'none', 'u8', yesNo),
          column('waitNs', 'wait', 'ns', 'f64'),
          column('holdNs', 'hold', 'ns', 'f64'),
          column('comm', 'process', 'none', 'text'),
        ],
      }),
    ],
  },
  {
    manifestVersion: 1,
    name: 'page-fault',
    title: 'page faults',
    question: 'How many page faults come, of which kind, from whom, and under which lock are they handled?',
    caveats: ['A retried fault is handled more than once.'],
    streams: [
      stream({
        name: 'entries',
        title: 'faults by access and cause',
        kind: 'tally',
        isDefault: true,
        variants: [variant('entries', ['exceptions:page_fault_user', 'exceptions:page_fault_kernel'])],
        maps: [
          map('@faults', 'faults', 'count', 'count', 'events', [
            { name: 'access', kind: 'enum', values: { '0': 'read', '1': 'write', '2': 'instruction' } },
            { name: 'cause', kind: 'enum', values: { '0': 'not-present', '1': 'protection' } },
            { name: 'origin', kind: 'enum', values: { '0': 'user', '1': 'kernel' } },
            comm,
          ]),
        ],
      }),
      stream({
        name: 'handled',
        title: 'handled faults by lock mode',
        kind: 'tally',
        isDefault: false,
        variants: [variant('handled-fentry', [], 'fentry'), variant('handled-kprobe', [], 'kprobe')],
        maps: [
          map('@handled', 'handled', 'count', 'count', 'events', [
            { name: 'access', kind: 'enum', values: { '0': 'read', '1': 'write' } },
            { name: 'lockMode', kind: 'enum', values: { '0': 'mmap-read', '1': 'vma-read' } },
            { name: 'retried', kind: 'enum', values: yesNo },
            comm,
          ]),
          map('@handled_latency', 'handledLatency', 'count', 'buckets', 'figure', [
            { name: 'lockMode', kind: 'enum', values: { '0': 'mmap-read', '1': 'vma-read' } },
            bucket,
          ]),
        ],
      }),
    ],
  },
];

/** All probes. */
export const allManifests: readonly ProbeManifest[] = [...feedManifests, ...pathManifests];
