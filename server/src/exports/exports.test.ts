import { ensure, type Stream } from '@faultline/shared';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyProbe } from '../../test/fakes/busy-probe.ts';
import { FakeSession, fakeRun, fakeSlice } from '../../test/fakes/fake-session.ts';
import { openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { openExportSource } from '../sessions/export-source.ts';
import { csvCell } from './csv.ts';
import { type ExportFormat, exportFormats } from './formats.ts';

const [counts, detail] = busyProbe.manifest.streams;

/** Counts with a stack in their key and latencies in buckets, as the lock assertion and the fault path have them. */
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
      map: '@wait',
      metric: 'wait',
      title: 'Wait',
      unit: 'ns',
      kind: 'buckets',
      role: 'figure',
      key: [{ name: 'bucket', kind: 'bucket' }],
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
const probe = { ...busyProbe, manifest: { ...busyProbe.manifest, streams: [stacked, calls] } };
const evil = '=HYPERLINK("http://x","<script>")';

let temp: TempStore;

beforeAll(async () => {
  temp = await openTempStore();
  const runs = ['stacked', 'detail'].map((stream, index) =>
    fakeRun(index, { probe: 'busy', stream, readyNs: 1_000_000 }),
  );
  const session = new FakeSession({ id: 's', runs });
  const recording = temp.store.record(session, [probe]);
  const stack = 'remap_pfn_range;vfio_pci_mmap_fault;handle_mm_fault';
  session.push([
    fakeSlice(0, {
      fromNs: 1_000_000,
      toNs: 501_000_000,
      newCells: [
        { cell: 0, metric: 'violations', dims: { mode: 'mmap-read', stack, comm: evil } },
        { cell: 1, metric: 'wait', dims: { bucket: 20 } },
        { cell: 2, metric: 'wait', dims: { bucket: 200 } },
      ],
      cells: Uint32Array.of(0, 1, 2),
      deltas: Float64Array.of(7, 3, 2),
    }),
    fakeSlice(1, {
      fromNs: 1_000_000,
      toNs: 501_000_000,
      newTexts: [evil, 'app'],
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
  session.push([fakeSlice(0, { fromNs: 501_000_000, toNs: 1_001_000_000 })]);
  await recording.close();
  temp.store.library.edit('s', () => ({ marks: [{ atMs: 1_400, text: 'unbound' }], workload: 'sparse' }));
});

afterAll(() => temp[Symbol.asyncDispose]());

async function bytesOf(format: ExportFormat): Promise<Buffer> {
  const found = temp.store.library.findReadable('s');
  if (!found.ok) throw new Error(found.error.message);
  const pieces = await Array.fromAsync(exportFormats[format].write(openExportSource(found.value)));
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

const textOf = async (format: ExportFormat): Promise<string> => (await bytesOf(format)).toString();

describe('CSV', () => {
  it('has a row for each changed counter and each call, numbers as they are, words for numbers', async () => {
    const lines = (await textOf('csv')).split('\r\n');
    expect(lines[0]).toBe(
      'kind,run,probe,stream,atMs,fromNs,toNs,metric,value,mode,stack,comm,bucket,endedAtNs,cpu,holdNs',
    );
    expect(lines).toHaveLength(7);
    expect(lines[2]).toBe('count,0,busy,stacked,100,1000000,501000000,wait,3,,,,20,,,');
    expect(lines[5]).toBe('call,1,busy,detail,100,,3000500,,,unknown:9,,app,,3000500,1,1');
  });

  it('gives a spreadsheet no formula', async () => {
    expect(await textOf('csv')).toContain(`"'=HYPERLINK(""http://x"",""<script>"")"`);
    fc.assert(
      fc.property(fc.string(), (text) => {
        const cell = csvCell(text);
        expect(cell.replace(/^"/, '').trimStart()).not.toMatch(/^[=+\-@]/);
        if (/[",\r\n]/.test(text)) expect(cell).toMatch(/^"[\s\S]*"$/);
      }),
    );
    expect(csvCell(-5)).toBe('-5');
  });
});

describe('Parquet', () => {
  it('holds the rows of the CSV, typed, for a reader of its own', async () => {
    const bytes = await bytesOf('parquet');
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const rows = await parquetReadObjects({ file });
    expect(rows).toHaveLength(5);
    expect(rows[0]).toMatchObject({
      kind: 'count',
      run: 0,
      metric: 'violations',
      value: 7,
      comm: evil,
      mode: 'mmap-read',
    });
    expect(rows[1]).toMatchObject({ metric: 'wait', bucket: 20, value: 3 });
    expect(rows[1]?.['comm'] ?? undefined).toBeUndefined();
    expect(rows[3]).toMatchObject({ kind: 'call', mode: 'mmap-write', endedAtNs: 2_000_000, comm: evil });
  });
});

describe('Chrome trace JSON', () => {
  it('has rates that fall to 0, calls as slices with their ends, and marks', async () => {
    const { traceEvents } = JSON.parse(await textOf('chrome-json')) as { traceEvents: Record<string, unknown>[] };
    const rates = traceEvents.filter(({ ph }) => ph === 'C').map(({ ts, args }) => [ts, args]);
    expect(rates).toEqual([
      [0, { 'mmap-read': 14 }],
      [500_000, { 'mmap-read': 0 }],
    ]);
    const slices = traceEvents
      .filter(({ ph }) => ph === 'b' || ph === 'e')
      .map(({ ph, ts, id, name }) => [ph, id, ts, name]);
    expect(slices).toEqual([
      ['b', 1, 750, evil],
      ['e', 1, 1000, evil],
      ['b', 2, 2000.499, 'app'],
      ['e', 2, 2000.5, 'app'],
    ]);
    expect(traceEvents.find(({ ph }) => ph === 'i')).toMatchObject({ name: 'unbound', ts: 100_000 });
  });
});

describe('folded stacks', () => {
  it('run from the process to what was counted, outermost frame first', async () => {
    expect(await textOf('folded')).toBe(`${evil};handle_mm_fault;vfio_pci_mmap_fault;remap_pfn_range;violations 7\n`);
  });
});

describe('OpenMetrics', () => {
  it('has exact totals and buckets in seconds, an end, and no label for a process or a stack', async () => {
    const text = await textOf('openmetrics');
    expect(text).toContain('faultline_busy_violations_total{stream="stacked",mode="mmap-read"} 7\n');
    expect(text).toMatch(/faultline_busy_wait_seconds_bucket\{stream="stacked",le="3.1e-8"\} 3\n/);
    expect(text).toContain('faultline_busy_wait_seconds_bucket{stream="stacked",le="+Inf"} 5\n');
    expect(text.endsWith('# EOF\n')).toBe(true);
    expect(text).not.toMatch(/HYPERLINK|remap_pfn_range|comm=/);
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^(# |[a-z_]+(\{[^\n]*\})? [0-9.e+-]+$)/);
  });
});

describe('the text for a mail', () => {
  it('has at most 72 columns, the kernel, the workload, the marks, the counts, the stacks and the ledger', async () => {
    const text = await textOf('text');
    for (const line of text.split('\n')) expect([line, line.length <= 72]).toEqual([line, true]);
    for (const part of ['6.18.0-test', 'workload  sparse', 'unbound', 'violations', '    remap_pfn_range', 'ledger'])
      expect(text).toContain(part);
  });
});

describe('an export of a long session', () => {
  it('is written piece by piece, in order, as fast as it is taken', async () => {
    const found = temp.store.library.findReadable('s');
    if (!found.ok) throw new Error(found.error.message);
    let read = 0;
    const source = openExportSource(found.value);
    const endless = async function* (): ReturnType<typeof source.events> {
      for await (const event of source.events()) {
        yield event;
        if (event.kind !== 'tick' || event.tick.slices.length < 2) continue;
        const { slices } = event.tick;
        const again = { ...event.tick, slices: slices.map((slice) => ({ ...slice, newCells: [], newTexts: [] })) };
        for (;;) {
          read += 1;
          yield { kind: 'tick', tick: again };
        }
      }
    };
    for (const format of ['csv', 'parquet', 'chrome-json'] as const) {
      read = 0;
      const pieces = exportFormats[format].write({ ...source, events: endless });
      let bytes = 0;
      for await (const piece of pieces) {
        bytes += piece.length;
        if (bytes >= 2_000) break;
      }
      expect(read).toBeGreaterThan(10);
      expect(read).toBeLessThan(100_000);
    }
  }, 30_000);
});
