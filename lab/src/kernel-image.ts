/** What a kernel package or a build tree holds: the bootable image, its modules, its config. */
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { err, ok, type Result, vmlinuxBytesMax } from '@faultline/shared';
import type { LabError } from './lab-error.ts';

/** The files of one kernel. */
export type KernelFiles = {
  readonly release: string;
  readonly bzImage: string;
  /** Module name (with underscores) → file, perhaps compressed. */
  readonly modules: ReadonlyMap<string, string>;
  /** Names of what is built in, where the kernel says so. */
  readonly builtin: ReadonlySet<string>;
  readonly config: string | undefined;
};

const imagePattern = /^(?:vmlinuz(?:-.+)?|bzImage)$/;
const modulePattern = /^(.+)\.ko(?:\.xz|\.zst|\.gz)?$/;

/**
 * Looks for the image, the modules and the config below the folders of a kernel. Of a module that is below several, the one
 * of the last folder counts: installed modules rather than those of the build tree.
 */
export async function findKernelFiles(folders: readonly string[]): Promise<Result<KernelFiles, LabError>> {
  const files = (await Promise.all(folders.map(filesBelow))).flat();
  const where = folders.join(' and ');
  const bzImage = files.find((file) => imagePattern.test(basename(file)));
  if (bzImage === undefined) return err(noKernel(`${where} holds no vmlinuz or bzImage`));
  const release = releaseOf(await readFile(bzImage));
  if (release === undefined) return err(noKernel(`${bzImage} is not a bzImage for x86`));
  const modules = new Map<string, string>();
  for (const file of files) {
    const name = modulePattern.exec(basename(file))?.[1];
    if (name !== undefined) modules.set(name.replaceAll('-', '_'), file);
  }
  const builtinFile = files.find((file) => basename(file) === 'modules.builtin');
  // A tree may have all that is needed built in; then it says so.
  if (modules.size === 0 && builtinFile === undefined) return err(noKernel(`no modules (.ko) below ${where}`));
  const builtin = builtinFile === undefined ? '' : await readFile(builtinFile, 'utf8');
  const config =
    files.find((file) => basename(file) === `config-${release}`) ??
    files.find((file) => folders.some((folder) => file === join(folder, '.config')));
  return ok({
    release,
    bzImage,
    modules,
    builtin: new Set(builtin.split('\n').map((line) => basename(line, '.ko').replaceAll('-', '_'))),
    config,
  });
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The release that a bzImage says it is (Documentation/arch/x86/boot.rst: kernel_version at 0x20e). */
export function releaseOf(image: Uint8Array): string | undefined {
  const view = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  if (view.length < 0x260 || view.toString('latin1', 0x202, 0x206) !== 'HdrS') return undefined;
  const at = view.readUInt16LE(0x20e) + 0x200;
  return view.toString('latin1', at, Math.min(view.indexOf(0, at), at + 200)).split(' ')[0];
}

/**
 * Writes what QEMU boots: the uncompressed ELF vmlinux cut out of a bzImage, which is up seconds sooner under emulation
 * than an image that unpacks itself; or the bzImage as it is, where the kernel has no entry for that (CONFIG_PVH). `xz` is
 * the program of that name.
 */
export async function extractVmlinux(bzImage: string, to: string, xz: string): Promise<Result<void, LabError>> {
  const image = await readFile(bzImage);
  // payload_offset and payload_length (boot protocol 2.08).
  const start = ((image[0x1f1] ?? 0) || 4) * 512 + 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c));
  // Its last four bytes are the size of what is packed: put behind it by the build, but gzip's own, without which it is torn.
  const vmlinux = await unpack(isGzip(payload) ? payload : payload.subarray(0, -4), xz);
  if (!vmlinux.ok) return err({ ...vmlinux.error, message: `${bzImage}: ${vmlinux.error.message}` });
  if (vmlinux.value.toString('latin1', 0, 4) !== '\x7fELF') return err(noKernel(`${bzImage} holds no ELF kernel`));
  await writeFile(to, vmlinux.value.includes(pvhNote) ? vmlinux.value : image);
  return ok(undefined);
}

/** Type and name of the ELF note with the entry (XEN_ELFNOTE_PHYS32_ENTRY), as it lies behind the sizes of the two. */
const pvhNote = Buffer.from('\x12\0\0\0Xen\0', 'latin1');

/** A module's bytes, unpacked. */
export async function readModule(file: string, xz: string): Promise<Result<Buffer, LabError>> {
  const bytes = await readFile(file);
  return file.endsWith('.ko') ? ok(bytes) : unpack(bytes, xz);
}

async function unpack(bytes: Buffer, xz: string): Promise<Result<Buffer, LabError>> {
  const magic = bytes.toString('hex', 0, 4);
  try {
    if (magic === '28b52ffd') return ok(zstdDecompressSync(bytes, { maxOutputLength: vmlinuxBytesMax }));
    if (magic === 'fd377a58') return ok(await pipeThrough(xz, ['-dc'], bytes));
    if (isGzip(bytes)) return ok(gunzipSync(bytes, { maxOutputLength: vmlinuxBytesMax }));
    return err({
      kind: 'unknown',
      message: `packed in a way the lab does not know (first bytes ${magic})`,
      remedy: 'It knows CONFIG_KERNEL_GZIP, _XZ and _ZSTD, and the same of modules.',
    });
  } catch (cause) {
    return err(noKernel(`cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}`));
  }
}

function isGzip(bytes: Buffer): boolean {
  return bytes.toString('hex', 0, 2) === '1f8b';
}

async function pipeThrough(program: string, args: readonly string[], bytes: Buffer): Promise<Buffer> {
  const running = promisify(execFile)(program, args, { encoding: 'buffer', maxBuffer: vmlinuxBytesMax });
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(bytes);
  return (await running).stdout;
}

function noKernel(message: string): LabError {
  return {
    kind: 'unknown',
    message,
    remedy:
      'A kernel needs vmlinuz or bzImage and its modules, as `make modules_install INSTALL_MOD_PATH=…` lays them.',
  };
}
