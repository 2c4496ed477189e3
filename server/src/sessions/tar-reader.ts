/** Regular files of a tar stream, strictly: whatever is not what Faultline writes is refused, never skipped over. */
import { sessionFiles } from '@faultline/shared';

/** The file is not what it should be; the message says how. */
export class HostileFileError extends Error {}

/** One file of the archive. Its bytes must be read before the next is asked for. */
export type TarFile = {
  readonly name: (typeof sessionFiles)[keyof typeof sessionFiles];
  readonly size: number;
  readonly bytes: () => AsyncGenerator<Buffer>;
};

const blockBytes = 512;

/** Pieces of a stream by number of bytes. */
class ByteFeed {
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Up to `size` bytes in pieces; fewer where the stream ends. */
  async *take(size: number): AsyncGenerator<Buffer> {
    let wanted = size;
    while (wanted > 0) {
      if (this.rest.length === 0) {
        const next = await this.chunks.next();
        if (next.done === true) return;
        this.rest = next.value;
      }
      const piece = this.rest.subarray(0, wanted);
      this.rest = this.rest.subarray(piece.length);
      wanted -= piece.length;
      yield piece;
    }
  }

  async whole(size: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.take(size)) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}

/** The files of an archive, in its order; folders are passed over. Throws HostileFileError. */
export async function* readTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<TarFile> {
  const feed = new ByteFeed(chunks);
  const seen = new Set<string>();
  for (;;) {
    const header = await feed.whole(blockBytes);
    if (header.length < blockBytes) throw new HostileFileError('the archive is truncated');
    if (header.every((byte) => byte === 0)) {
      if (seen.size === 0) throw new HostileFileError('the archive is empty');
      return;
    }
    const { name, size, type } = readHeader(header);
    if (type === '5' && size === 0) continue;
    if (type !== '0')
      throw new HostileFileError(`the archive holds something that is no file: ${JSON.stringify(name)}`);
    const known = Object.values(sessionFiles).find((one) =>
      new RegExp(`^(?:\\./)?[a-zA-Z0-9._-]{1,150}/${one}$`).test(name),
    );
    if (known === undefined || name.includes('..'))
      throw new HostileFileError(
        `the archive holds a file that belongs to no session: ${JSON.stringify(name.slice(0, 200))}`,
      );
    if (seen.has(known)) throw new HostileFileError(`the archive holds ${known} twice`);
    seen.add(known);
    let taken = 0;
    const bytes = async function* (): AsyncGenerator<Buffer> {
      for await (const piece of feed.take(size)) {
        taken += piece.length;
        yield piece;
      }
      if (taken < size) throw new HostileFileError('the archive is truncated');
      await feed.whole((blockBytes - (size % blockBytes)) % blockBytes);
    };
    yield { name: known, size, bytes };
    if (taken < size) throw new Error('broken invariant: a file of the archive was not read');
  }
}

function readHeader(header: Buffer): { readonly name: string; readonly size: number; readonly type: string } {
  if (header.toString('latin1', 257, 262) !== 'ustar') throw new HostileFileError('it is no tar archive');
  const copy = Buffer.from(header);
  copy.fill(0x20, 148, 156);
  const sum = copy.reduce((total, byte) => total + byte, 0);
  if (octalOf(header, 148, 8) !== sum) throw new HostileFileError('a header of the archive is damaged');
  const size = octalOf(header, 124, 12);
  if (size === undefined) throw new HostileFileError('a header of the archive has no size');
  const prefix = textOf(header, 345, 155);
  const name = textOf(header, 0, 100);
  const type = header.toString('latin1', 156, 157);
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, type: type === '\u0000' ? '0' : type };
}

function textOf(header: Buffer, at: number, length: number): string {
  const text = header.toString('utf8', at, at + length);
  const end = text.indexOf('\u0000');
  return end === -1 ? text : text.slice(0, end);
}

function octalOf(header: Buffer, at: number, length: number): number | undefined {
  const field = header
    .toString('latin1', at, at + length)
    .replaceAll('\0', ' ')
    .trim();
  const digits = /^[0-7]{1,12}$/.exec(field)?.[0];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}
