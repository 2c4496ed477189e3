/** The session's folder as a .tar.gz that another Faultline imports, and any tar unpacks. */
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { sessionFiles } from '@faultline/shared';
import type { ExportSource } from './source.ts';

const blockBytes = 512;

/** Two files in one folder named after the session, in POSIX ustar. */
export async function* exportArchive(source: ExportSource): AsyncGenerator<Uint8Array> {
  const packed = Readable.from(tarOf(source)).pipe(createGzip());
  for await (const chunk of packed) yield Buffer.from(chunk);
}

async function* tarOf(source: ExportSource): AsyncGenerator<Uint8Array> {
  const { manifest, journalBytes } = source;
  const mtimeSec = Math.floor(manifest.lastAtMs / 1000);
  const text = Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`);
  yield tarHeader(`${manifest.id}/${sessionFiles.manifest}`, text.length, mtimeSec);
  yield text;
  yield padding(text.length);
  yield tarHeader(`${manifest.id}/${sessionFiles.journal}`, journalBytes, mtimeSec);
  yield* source.journal();
  yield padding(journalBytes);
  yield Buffer.alloc(2 * blockBytes);
}

/** A ustar header of a regular file. Names have at most 100 bytes: an id's limit leaves the rest to the prefix. */
function tarHeader(name: string, size: number, mtimeSec: number): Buffer {
  const header = Buffer.alloc(blockBytes);
  const slash = name.lastIndexOf('/');
  header.write(name.slice(slash + 1), 0, 100);
  header.write('0000600\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${octal(size, 11)} `, 124);
  header.write(`${octal(mtimeSec, 11)} `, 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\u000000', 257, 'latin1');
  header.write(name.slice(0, slash), 345, 155);
  header.write(`${octal(checksum(header), 6)}\0 `, 148);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** Of a header whose own checksum is blanks. */
function checksum(header: Buffer): number {
  return header.reduce((sum, byte) => sum + byte, 0);
}

function padding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);
}
