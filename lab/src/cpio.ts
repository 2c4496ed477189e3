/** Writes an initramfs: a cpio archive in the "newc" form, the only one the kernel reads. */

/** One entry: a file with its bytes, a folder, or a link. */
export type CpioEntry =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Uint8Array; readonly isExecutable: boolean }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly to: string };

/** The archive; folders must come before what lies in them. All belongs to root, and nothing in it depends on the time. */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const [at, entry] of entries.entries()) add(parts, at + 1, entry.path, modeOf(entry), contentOf(entry));
  add(parts, 0, 'TRAILER!!!', 0, new Uint8Array(0));
  return Buffer.concat(parts);
}

function modeOf(entry: CpioEntry): number {
  if (entry.kind === 'folder') return 0o040755;
  if (entry.kind === 'link') return 0o120777;
  return entry.isExecutable ? 0o100755 : 0o100644;
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'folder') return new Uint8Array(0);
  return entry.kind === 'link' ? Buffer.from(entry.to) : entry.bytes;
}

function add(parts: Uint8Array[], inode: number, path: string, mode: number, content: Uint8Array): void {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device major and minor, rdev major and minor, length of the name, check
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const head = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
  parts.push(Buffer.from(head), name, padding(head.length + name.length), content, padding(content.length));
}

/** Name and content each end at a multiple of four. */
function padding(size: number): Uint8Array {
  return new Uint8Array((4 - (size % 4)) % 4);
}
