import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { type ExportFormat, exportFormats } from '../src/exports/formats.ts';
import { deriveSession } from '../src/queries/derive-session.ts';
import { openExportSource } from '../src/sessions/export-source.ts';
import { importSession } from '../src/sessions/import-session.ts';
import { readPerfetto } from './fakes/perfetto-schema.ts';
import { readPprof } from './fakes/read-pprof.ts';
import { openTempStore } from './fakes/temp-store.ts';

/** Real sessions of lab guests; how they were made is in the README beside them. */
const folder = fileURLToPath(new URL('fixtures/sessions/', import.meta.url));
const kernels = ['6.1', '6.12'];
const formats = Object.keys(exportFormats) as readonly ExportFormat[];

/** Binary formats as lines of JSON that a diff can be read of; the others are text. */
const readers: Readonly<Partial<Record<ExportFormat, (bytes: Buffer) => Promise<readonly unknown[]>>>> = {
  archive: async (bytes) => gunzipSync(bytes).toString('utf8').split('\n'),
  perfetto: async (bytes) => readPerfetto(bytes),
  pprof: async (bytes) => [readPprof(gunzipSync(bytes))],
  parquet: (bytes) => {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    return parquetReadObjects({ file });
  },
};

async function exported(kernel: string, format: ExportFormat): Promise<Buffer> {
  await using temp = await openTempStore();
  const imported = await importSession(temp.store.library, `${folder}${kernel}.tar.gz`);
  if (!imported.ok) throw new Error(imported.error.message);
  const found = temp.store.library.findReadable(imported.value.id);
  if (!found.ok) throw new Error(found.error.message);
  const pieces = await Array.fromAsync(exportFormats[format].write(openExportSource(found.value)));
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

async function golden(kernel: string, format: ExportFormat): Promise<string> {
  const bytes = await exported(kernel, format);
  const read = readers[format];
  if (read === undefined) return bytes.toString('utf8');
  return `${(await read(bytes)).map((one) => (typeof one === 'string' ? one : JSON.stringify(one, undefined, 1))).join('\n')}\n`;
}

describe.each(kernels)('exports of a session of a lab guest with Linux %s', (kernel) => {
  it.each(formats)('are in %s what they were when they were looked at last', async (format) => {
    await expect(await golden(kernel, format)).toMatchFileSnapshot(`${folder}${kernel}/${format}.txt`);
  });

  it('are of a session whose totals and tables can be made, though a word here is a number there', async () => {
    await using temp = await openTempStore();
    const imported = await importSession(temp.store.library, `${folder}${kernel}.tar.gz`);
    if (!imported.ok) throw new Error(imported.error.message);
    await expect(deriveSession(join(temp.folder, imported.value.id), 'test')).resolves.toBeUndefined();
  });

  it('are the same bytes each time', async () => {
    for (const format of formats)
      expect((await exported(kernel, format)).equals(await exported(kernel, format))).toBe(true);
  });

  it('hold the violation where there is one: on 6.1, under the callstacks of touch and of dma-map', async () => {
    const stacks = readPerfetto(await exported(kernel, 'perfetto')).flatMap(({ frames }) => frames ?? []);
    const outermost = ['asm_exc_page_fault', 'entry_SYSCALL_64_after_hwframe'];
    expect(outermost.filter((frame) => stacks.includes(frame))).toEqual(kernel === '6.1' ? outermost : []);
    expect((await exported(kernel, 'folded')).toString().match(/;violations 1$/gm) ?? []).toHaveLength(
      kernel === '6.1' ? 2 : 0,
    );
  });
});
