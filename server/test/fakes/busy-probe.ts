/** A probe for the busy fake bpftrace: one stream of counts, one of calls. Needs nothing of the kernel. */
import { fileURLToPath } from 'node:url';
import type { Stream } from '@faultline/shared';
import type { CataloguedProbe } from '../../src/probes/catalogue.ts';

const shared: Pick<Stream, 'question' | 'isDefault' | 'insteadOf' | 'parameters' | 'lossMeaning'> = {
  question: 'how often?',
  isDefault: true,
  insteadOf: [],
  parameters: [],
  lossMeaning: 'none',
};

function variant(script: string): Stream['variants'] {
  const requires = { tracepoints: [], functions: [], btf: false };
  return [{ name: 'tracepoint', script, attach: 'tracepoint', requires, bpftraceMin: '0.17' }];
}

const counts: Stream = {
  ...shared,
  name: 'counts',
  title: 'counts',
  kind: 'tally',
  columns: [],
  variants: variant('counts.bt'),
  maps: [
    {
      map: '@acq',
      metric: 'acquisitions',
      title: 'acquisitions',
      unit: 'count',
      kind: 'count',
      role: 'events',
      key: [
        { name: 'mode', kind: 'enum', values: { 0: 'mmap-read', 1: 'mmap-write' } },
        { name: 'success', kind: 'enum', values: { 0: 'no', 1: 'yes' } },
        { name: 'comm', kind: 'text' },
      ],
    },
  ],
};

const detail: Stream = {
  ...shared,
  name: 'detail',
  title: 'detail',
  kind: 'call',
  variants: variant('detail.bt'),
  maps: [
    { map: '@emitted', metric: 'emitted', title: 'emitted', unit: 'count', kind: 'count', role: 'emitted', key: [] },
  ],
  columns: [
    { name: 'endedAtNs', title: 'when', unit: 'ns', type: 'timeNs', description: 'when it ended' },
    { name: 'cpu', title: 'CPU', unit: 'id', type: 'u16', description: 'where' },
    { name: 'comm', title: 'process', unit: 'none', type: 'text', description: 'who' },
  ],
};

/** The probe, as a catalogue holds it. Its scripts are never opened: the fake only looks at their names. */
export const busyProbe: CataloguedProbe = {
  folder: fileURLToPath(new URL('.', import.meta.url)),
  manifest: {
    manifestVersion: 1,
    name: 'busy',
    title: 'busy',
    question: 'how often?',
    caveats: [],
    streams: [counts, detail],
  },
};

/** The program that answers to bpftrace's name. */
export const fakeBpftrace = fileURLToPath(new URL('fake-bpftrace.mjs', import.meta.url));

/** Bounds that no test reaches by accident. */
export const wideLimits = {
  bytesMax: 2 ** 40,
  ageMaxMs: 2 ** 40,
  sessionBytesMax: 2 ** 40,
  sessionAgeMaxMs: 2 ** 40,
} as const;
