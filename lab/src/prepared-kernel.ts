/** A kernel made ready to boot: its uncompressed image, and an initramfs with its modules, or with others in their place. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '@faultline/shared';
import { cached, digestOf, isCached } from './cache.ts';
import { type DebianPackage, unpackNamed, unpackPackage } from './debian.ts';
import { buildGuestPrograms, buildInitramfs, programOfPackage, xzProgram } from './guest-image.ts';
import { extractVmlinux, findKernelFiles, type KernelFiles, readModule } from './kernel-image.ts';
import { findKernel, type KernelEntry } from './kernel-list.ts';
import type { LabError, TellStage } from './lab-error.ts';
import { buildModule, type OwnModules, readModules } from './module-build.ts';

/** What a machine boots. `build` says what distinguishes it from the kernel it is based on, where something does. */
export type PreparedKernel = {
  readonly vmlinux: string;
  readonly initramfs: string;
  readonly build: string | undefined;
};

/** Whether a kernel's files are here already; of a build, those of its base. */
export async function isKernelCached(entry: KernelEntry): Promise<boolean> {
  const base = await baseOf(entry);
  return base.ok && isCached('kernels', kernelKey(base.value));
}

/**
 * A module of a kernel of the list (such as vfio_pci_core of 6.1, or of the build 6.1-v1), unpacked, and built if need be: for
 * swapModule.
 */
export async function readModuleOf(
  kernel: string,
  module: string,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Buffer, LabError>> {
  const entry = await findKernel(kernel);
  if (!entry.ok) return entry;
  const base = await baseOf(entry.value);
  if (!base.ok) return base;
  const xz = await programOfPackage(xzProgram, tell, signal);
  if (!xz.ok) return xz;
  const unpacked = await unpackKernel(base.value, { xz: xz.value }, tell, signal);
  if (!unpacked.ok) return unpacked;
  const own = await ownModules(entry.value, base.value, unpacked.value, tell, signal);
  if (!own.ok) return own;
  const files = await unpacked.value.findFiles();
  if (!files.ok) return files;
  const file = own.value?.files.get(module) ?? files.value.modules.get(module);
  if (file !== undefined) return readModule(file, xz.value);
  return err({ kind: 'unknown', message: `${kernel} has no module ${module}`, remedy: 'Choose another.' });
}

type Unpackers = { readonly busybox: string; readonly xz: string };

/**
 * The kernel's uncompressed image and initramfs. A Debian kernel is resolved to a version once and stays that version
 * until the lab is cleaned, so that runs of different days compare the same build. A folder is looked at anew each time.
 */
export async function prepareKernel(
  entry: KernelEntry,
  unpackers: Unpackers,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<PreparedKernel, LabError>> {
  const programs = await buildGuestPrograms(tell);
  if (!programs.ok) return programs;
  const base = await baseOf(entry);
  if (!base.ok) return base;
  const unpacked = await unpackKernel(base.value, unpackers, tell, signal);
  if (!unpacked.ok) return unpacked;
  const { vmlinux, resolved, findFiles } = unpacked.value;
  const own = await ownModules(entry, base.value, unpacked.value, tell, signal);
  if (!own.ok) return own;
  const kernel = { key: digestOf([resolved.key, ...(own.value === undefined ? [] : [own.value.key])]), findFiles };
  const initramfs = await buildInitramfs(kernel, own.value?.files ?? new Map(), programs.value, unpackers, tell);
  if (!initramfs.ok) return initramfs;
  return ok({ vmlinux, initramfs: initramfs.value, build: own.value && `${base.value.name}, ${own.value.title}` });
}

/** The kernel itself, or the one that a build is based on. */
async function baseOf(entry: KernelEntry): Promise<Result<KernelEntry, LabError>> {
  const { source } = entry;
  if (source.kind !== 'module' && source.kind !== 'modules-folder') return ok(entry);
  const base = await findKernel(source.base);
  if (!base.ok || base.value.source.kind === 'debian' || base.value.source.kind === 'folder') return base;
  return err({
    kind: 'unknown',
    message: `${source.base} is a build of a module itself`,
    remedy: 'Base the build on a kernel.',
  });
}

type UnpackedKernel = {
  readonly vmlinux: string;
  readonly resolved: Resolved;
  readonly findFiles: () => Promise<Result<KernelFiles, LabError>>;
};

async function unpackKernel(
  base: KernelEntry,
  { xz }: Pick<Unpackers, 'xz'>,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<UnpackedKernel, LabError>> {
  const resolved = await resolveKernel(base, tell, signal);
  if (!resolved.ok) return resolved;
  const { key, folders } = resolved.value;
  const findFiles = (): ReturnType<typeof findKernelFiles> => findKernelFiles(folders);
  const vmlinux = await cached('vmlinux', key, async (draft) => {
    const files = await findFiles();
    if (!files.ok) return files;
    tell({ stage: `unpacking ${files.value.release}` });
    return extractVmlinux(files.value.bzImage, join(draft, 'vmlinux'), xz);
  });
  if (!vmlinux.ok) return vmlinux;
  return ok({ vmlinux: join(vmlinux.value, 'vmlinux'), resolved: resolved.value, findFiles });
}

/** The modules that a build has instead of its base's, or beside them; undefined for a kernel as it is. */
async function ownModules(
  { source }: KernelEntry,
  base: KernelEntry,
  { vmlinux, findFiles }: UnpackedKernel,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<OwnModules | undefined, LabError>> {
  if (source.kind === 'modules-folder') return readModules(source.path);
  if (source.kind !== 'module') return ok(undefined);
  if (base.source.kind !== 'debian') {
    return err({
      kind: 'unknown',
      message: `${base.name} is no kernel of Debian's, so the lab has no headers to build a module with`,
      remedy: 'Build the module yourself, and give the folder with its .ko.',
    });
  }
  const files = await findFiles();
  if (!files.ok) return files;
  const kernel = { release: files.value.release, vmlinux, suite: base.source.suite };
  return buildModule({ module: source.module, patch: source.patch }, kernel, tell, signal);
}

type Resolved = { readonly folders: readonly string[]; readonly key: string };

async function resolveKernel(
  entry: KernelEntry,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Resolved, LabError>> {
  const { source } = entry;
  if (source.kind === 'folder') {
    const folders = [source.path, ...(source.modules === undefined ? [] : [source.modules])];
    const files = await findKernelFiles(folders);
    return files.ok ? ok({ folders, key: await keyOfFolder(files.value) }) : files;
  }
  if (source.kind !== 'debian') return err(notItself(entry));
  const pin = await cached('kernels', kernelKey(entry), async (draft) => {
    const unpacked = await unpackDebianKernel(source, tell, signal);
    if (!unpacked.ok) return unpacked;
    await writeFile(join(draft, 'folders'), unpacked.value.join('\n'));
    return ok(undefined);
  });
  if (!pin.ok) return pin;
  const folders = (await readFile(join(pin.value, 'folders'), 'utf8')).split('\n');
  return ok({ folders, key: digestOf(folders) });
}

/**
 * The folders of a Debian kernel. Newer ones are split (7.2 is): linux-image is empty, linux-binary has the image,
 * linux-modules the modules, linux-base the list of what is built in.
 */
async function unpackDebianKernel(
  source: DebianPackage,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<readonly string[], LabError>> {
  const image = await unpackPackage(source, tell, signal);
  if (!image.ok) return image;
  const version = /^linux-image-(.+)$/.exec(image.value.name)?.[1];
  const isWhole = (await findKernelFiles([image.value.folder])).ok;
  if (isWhole || version === undefined) return ok([image.value.folder]);
  const folders: string[] = [];
  for (const part of ['linux-base', 'linux-binary', 'linux-modules']) {
    const unpacked = await unpackNamed(`${part}-${version}`, source.suite, tell, signal);
    if (!unpacked.ok) return unpacked;
    folders.push(unpacked.value.folder);
  }
  return ok(folders);
}

/** What decides about a kernel of a folder: its image by content, and when each of its modules was last written. */
async function keyOfFolder({ bzImage, modules }: KernelFiles): Promise<string> {
  const facts = await Promise.all(
    [...modules].map(async ([name, file]) => {
      const { size, mtimeMs } = await stat(file);
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
  return digestOf([await readFile(bzImage), ...facts]);
}

function kernelKey(entry: KernelEntry): string {
  // The word is the form of the note: another form, another place.
  return digestOf(['folders', JSON.stringify(entry.source)]);
}

function notItself({ name }: KernelEntry): LabError {
  return { kind: 'broken', message: `${name} is no kernel by itself`, remedy: 'This is a mistake of the lab.' };
}
