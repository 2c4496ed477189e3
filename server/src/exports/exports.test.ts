import { guardText, unguardText } from '@faultline/shared';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readOpenMetrics } from '../../test/fakes/read-openmetrics.ts';
import { evil, recordStackedSession } from '../../test/fakes/stacked-session.ts';
import { openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { openExportSource } from '../sessions/export-source.ts';
import { csvCell } from './csv.ts';
import { type ExportFormat, exportFormats } from './formats.ts';

let temp: TempStore;

beforeAll(async () => {
  temp = await openTempStore();
  await recordStackedSession(temp);
});

afterAll(() => temp[Symbol.asyncDispose]());

async function bytesOf(format: ExportFormat): Promise<Buffer> {
  const found = temp.store.library.findReadable('s');
  if (!found.ok) throw new Error(found.error.message);
  const pieces = await Array.fromAsync(exportFormats[format].write(openExportSource(found.value)));
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

const stack = 'remap_pfn_range;vfio_pci_mmap_fault;handle_mm_fault';

const textOf = async (format: ExportFormat): Promise<string> => (await bytesOf(format)).toString();

describe('CSV', () => {
  it('has a row with the manifest, one for each counter, call and quiet span; numbers as they are, words for numbers', async () => {
    const lines = (await textOf('csv')).split('\r\n');
    expect(lines[0]).toBe(
      'kind,run,probe,stream,tick,atMs,fromNs,toNs,metric,value,mode,stack,comm,bucket,cpu,endedAtNs,holdNs,manifest',
    );
    expect(lines[1]).toMatch(/^session,{17}"\{""formatVersion"":/);
    expect(lines).toHaveLength(13);
    expect(lines[3]).toBe('count,0,busy,stacked,1,100,1000000,501000000,wait,3,,,,20,,,,');
    expect(lines[5]).toBe(`count,0,busy,stacked,1,100,1000000,501000000,violations,0,mmap-read,${stack},',,,,,`);
    expect(lines[6]).toBe(`count,0,busy,stacked,1,100,1000000,501000000,violations,0,mmap-read,${stack},,,,,,`);
    expect(lines[7]).toBe('span,1,busy,detail,1,100,1000000,501000000,,,,,,,,,,');
    expect(lines[9]).toBe('call,1,busy,detail,1,100,,3000500,,,unknown:9,,app,,1,3000500,1,');
    expect(lines[10]).toBe('span,0,busy,stacked,2,200,501000000,1001000000,,,,,,,,,,');
  });

  it('gives a spreadsheet no formula', async () => {
    expect(await textOf('csv')).toContain(`"'=HYPERLINK(""http://x"",""<script>"")"`);
    fc.assert(
      fc.property(fc.string(), (text) => {
        const cell = csvCell(text);
        expect(cell.replace(/^"/, '').trimStart()).not.toMatch(/^[=+\-@]/);
        expect(unguardText(guardText(text))).toBe(text);
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
    expect(rows).toHaveLength(6);
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
      [1_000_000, { 'mmap-read': 2 }],
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
    expect(traceEvents.filter(({ ph }) => ph === 'i')).toMatchObject([
      { name: 'unbound', ts: 100_000 },
      { name: 'events lost', pid: 0, ts: 1_000_000, args: { lost: 12 } },
    ]);
  });
});

describe('notes', () => {
  it('are in every export that has a place for texts', async () => {
    const marked = temp.store.library.findReadable('s');
    temp.store.library.edit('s', () => ({ notes: [{ atMs: 1_500, text: 'seen on two machines' }] }));
    for (const format of ['jsonl', 'csv', 'chrome-json', 'perfetto', 'text'] as const)
      expect([format, (await textOf(format)).includes('seen on two machines')]).toEqual([format, true]);
    temp.store.library.edit('s', () => ({ notes: marked.ok ? marked.value.manifest.notes : [] }));
  });
});

describe('folded stacks', () => {
  it('run from the process to what was counted, outermost frame first', async () => {
    expect(await textOf('folded')).toBe(`${evil};handle_mm_fault;vfio_pci_mmap_fault;remap_pfn_range;violations 8\n`);
  });
});

describe('OpenMetrics', () => {
  it('has exact totals and buckets in seconds, an end, and no label for a process or a stack', async () => {
    const text = await textOf('openmetrics');
    expect(text).toContain('faultline_busy_violations_total{stream="stacked",mode="mmap-read"} 8\n');
    expect(text).toMatch(/faultline_busy_wait_seconds_bucket\{stream="stacked",le="3.1e-8"\} 3\n/);
    expect(text).toContain('faultline_busy_wait_seconds_bucket{stream="stacked",le="+Inf"} 5\n');
    expect(text).not.toMatch(/HYPERLINK|remap_pfn_range|comm=/);
    expect(readOpenMetrics(text).samples.size).toBeGreaterThan(50);
  });
});

describe('the text for a mail', () => {
  it('has at most 72 columns, the kernel, the workload, the marks, the counts, the stacks and the ledger', async () => {
    const text = await textOf('text');
    for (const line of text.split('\n')) expect([line, line.length <= 72]).toEqual([line, true]);
    expect(text.match(/^ +violations +mmap-read/gm)).toHaveLength(1);
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
        if (bytes >= 20_000) break;
      }
      expect(read).toBeGreaterThan(10);
      expect(read).toBeLessThan(100_000);
    }
  }, 30_000);
});
