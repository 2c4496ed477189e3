import { describe, expect, it } from 'vitest';
import { writeCpio } from './cpio.ts';

const archive = writeCpio([
  { kind: 'folder', path: 'bin' },
  { kind: 'file', path: 'bin/odd', bytes: Buffer.from('abc'), isExecutable: true },
  { kind: 'link', path: 'lib', to: '/r/lib' },
]);

/** Reads it back by the format's own description, since a machine need not have the cpio program. */
function entriesOf(bytes: Buffer): readonly { path: string; mode: number; content: string }[] {
  const entries = [];
  for (let at = 0; ; ) {
    const number = (field: number): number =>
      Number.parseInt(bytes.toString('latin1', at + 6 + field * 8, at + 14 + field * 8), 16);
    expect(bytes.toString('latin1', at, at + 6)).toBe('070701');
    const [mode, size, nameSize] = [number(1), number(6), number(11)];
    const path = bytes.toString('utf8', at + 110, at + 110 + nameSize - 1);
    const start = Math.ceil((at + 110 + nameSize) / 4) * 4;
    if (path === 'TRAILER!!!') return entries;
    entries.push({ path, mode, content: bytes.toString('utf8', start, start + size) });
    at = Math.ceil((start + size) / 4) * 4;
  }
}

describe('an initramfs', () => {
  it('holds folders, files and links with their modes, each aligned to four bytes', () => {
    expect(archive.length % 4).toBe(0);
    expect(entriesOf(archive)).toEqual([
      { path: 'bin', mode: 0o040755, content: '' },
      { path: 'bin/odd', mode: 0o100755, content: 'abc' },
      { path: 'lib', mode: 0o120777, content: '/r/lib' },
    ]);
  });

  it('is the same for the same content, whenever it is made', () => {
    expect(writeCpio([{ kind: 'folder', path: 'a' }])).toEqual(writeCpio([{ kind: 'folder', path: 'a' }]));
  });
});
