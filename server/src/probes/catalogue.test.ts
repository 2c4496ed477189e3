import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseManifest, readCatalogue } from './catalogue.ts';

const good = {
  manifestVersion: 1,
  name: 'a-probe',
  title: 'a probe',
  question: 'what?',
  caveats: [],
  streams: [
    {
      name: 'counts',
      title: 'counts',
      question: 'how many?',
      kind: 'tally',
      isDefault: true,
      insteadOf: [],
      parameters: [
        { name: 'pid', title: 'pid', unit: 'id', minimum: 0, maximum: 10, default: 0, description: 'one process' },
      ],
      columns: [],
      lossMeaning: 'none',
      variants: [
        {
          name: 'tracepoint',
          script: 'counts.bt',
          attach: 'tracepoint',
          requires: { tracepoints: ['a:b'], functions: [], btf: false },
          bpftraceMin: '0.17',
        },
      ],
      maps: [
        {
          map: '@x',
          metric: 'things',
          title: 'things',
          unit: 'count',
          kind: 'count',
          role: 'events',
          key: [{ name: 'comm', kind: 'text' }],
        },
      ],
    },
  ],
};

/** The good manifest with one thing changed, as text. */
function changed(change: (stream: (typeof good.streams)[number], manifest: typeof good) => unknown): string {
  const copy = structuredClone(good);
  const [stream] = copy.streams;
  if (stream !== undefined) change(stream, copy);
  return JSON.stringify(copy);
}

const fault = (text: string): string => {
  const manifest = parseManifest(text, 'manifest.json', 'a-probe');
  return manifest.ok ? '' : manifest.error.message;
};

describe('a manifest', () => {
  it('that fits is taken', () => {
    expect(parseManifest(JSON.stringify(good), 'manifest.json', 'a-probe').ok).toBe(true);
  });

  it.each([
    ['an unknown key', changed((stream) => Object.assign(stream, { colour: 'red' })), /colour|additional/i],
    ['a missing key', changed((stream) => Reflect.deleteProperty(stream, 'question')), /question|required/i],
    ['another folder’s name', changed((_, manifest) => Object.assign(manifest, { name: 'other' })), /not the folder's/],
    [
      'a script outside its folder',
      changed((stream) => Object.assign(stream.variants[0] ?? {}, { script: '../../etc/x.bt' })),
      /script/,
    ],
    [
      'a text before the last key',
      changed((stream) => stream.maps[0]?.key.push({ name: 'other', kind: 'text' })),
      /text must be the last/,
    ],
    [
      'buckets without a bucket',
      changed((stream) => Object.assign(stream.maps[0] ?? {}, { kind: 'buckets' })),
      /go together/,
    ],
    [
      'a default out of bounds',
      changed((stream) => Object.assign(stream.parameters[0] ?? {}, { default: 11 })),
      /outside its bounds/,
    ],
    [
      'a rival that is not there',
      changed((stream) => stream.insteadOf.push('nothing' as never)),
      /no stream of this probe/,
    ],
    ['no JSON', '{', /not valid JSON/],
  ])('with %s is refused, saying why', (_name, text, words) => {
    expect(fault(text)).toMatch(words);
  });
});

describe('the catalogue', () => {
  it('holds every probe folder of the project, all valid', async () => {
    const root = fileURLToPath(new URL('../../../probes', import.meta.url));
    const catalogue = await readCatalogue(root);
    expect(catalogue).toMatchObject({ ok: true });
    expect(catalogue.ok ? catalogue.value.map((probe) => probe.manifest.name) : []).toEqual([
      'dma-map',
      'fault-contract',
      'lock-assert',
      'mmap-lock',
      'page-fault',
      'pfn-insert',
      'pfn-remap',
      'vfio-fault',
    ]);
    const unasked = catalogue.ok
      ? catalogue.value.filter(({ manifest }) => manifest.streams.some((one) => one.isDefault))
      : [];
    // It makes each small fault of the machine several times as long: only for who asks.
    expect(unasked.map(({ manifest }) => manifest.name)).not.toContain('fault-contract');
    expect(unasked).toHaveLength(7);
  });
});
