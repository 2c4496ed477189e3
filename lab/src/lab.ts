/**
 * The lab: real kernels in QEMU with a real (emulated) PCI device behind an IOMMU, bound to vfio-pci. Prepares what a
 * guest needs, boots it or restores a snapshot of it, and gives a link to the agent in it.
 */
import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '@faultline/shared';
import { type Accelerator, findAccelerator, giveUpKvm } from './accelerator.ts';
import type { AgentError } from './agent-link.ts';
import { cached, cacheFolder, digestOf, isCached } from './cache.ts';
import { run } from './command.ts';
import { type DebianPackage, unpackPackage } from './debian.ts';
import {
  buildGuestPrograms,
  buildInitramfs,
  buildToolsDisk,
  busyboxProgram,
  programOfPackage,
  xzProgram,
} from './guest-image.ts';
import { extractVmlinux, findKernelFiles, type KernelFiles } from './kernel-image.ts';
import { findKernel, type KernelEntry } from './kernel-list.ts';
import type { LabError, TellStage } from './lab-error.ts';
import { Machine, type MachineSpec } from './machine.ts';
import { goOn, hasSnapshot, readSnapshot, snapshotPath, type SnapshotNote, writeSnapshot } from './snapshot.ts';

/** What to boot. */
export type BootRequest = {
  readonly kernel: string;
  readonly barBytes: number;
  readonly bpftrace: string;
  /** Says what is attached in the snapshot: another word, another snapshot. */
  readonly heldKey: string;
  /** `cold` boots although there is a snapshot. */
  readonly start: 'fastest' | 'cold';
};

/** A guest that runs. */
export type Guest = {
  readonly kernel: KernelEntry;
  /** What was booted, by content: another kernel, module or program of the guest, another word. */
  readonly buildKey: string;
  readonly machine: Machine;
  readonly accelerator: Accelerator;
  readonly barBytes: number;
  /** What the snapshot holds, when it was restored from one. */
  readonly note: SnapshotNote | undefined;
  /** Writes a snapshot of this guest, for the next boot of the same request. */
  readonly save: (note: SnapshotNote) => Promise<Result<void, LabError>>;
};

/** Boots a kernel: from its snapshot where there is one, otherwise cold, once more when the guest panics on the way. */
export async function bootGuest(
  request: BootRequest,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Guest, LabError>> {
  const prepared = await prepare(request, tell, signal);
  if (!prepared.ok) return prepared;
  const { kernel, spec } = prepared.value;
  const started = await startGuest(prepared.value, request, tell, signal);
  if (started.ok || started.error.kind === 'stopped' || /not installed/.test(started.error.message)) return started;
  const [reason = ''] = started.error.message.split('\n');
  tell({ stage: `${reason}; trying once more` });
  await keepConsole(kernel.name, started.error.message);
  // A KVM that starts a CPU may still not run a kernel, or crawl: hypervisors that have no hardware to pass on do. A kernel
  // that panicked did run.
  if (spec.accelerator === 'kvm' && !/panicked/.test(reason)) giveUpKvm(`with KVM ${reason}`);
  const { accelerator } = await findAccelerator();
  return startGuest({ ...prepared.value, spec: { ...spec, accelerator } }, request, tell, signal);
}

/** From the snapshot where there is one and it can be restored, otherwise cold. */
async function startGuest(
  { kernel, spec, qemuVersion }: Prepared,
  request: BootRequest,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Guest, LabError>> {
  const key = digestOf([JSON.stringify(spec), qemuVersion, request.heldKey]);
  const guestOf = (machine: Machine, note: SnapshotNote | undefined): Guest => ({
    kernel,
    buildKey: digestOf([spec.vmlinux, spec.initramfs]),
    machine,
    accelerator: spec.accelerator,
    barBytes: spec.barBytes,
    note,
    save: async (fresh) => {
      await rm(snapshotPath(key), { recursive: true, force: true });
      return writeSnapshot(machine, key, fresh);
    },
  });
  if (request.start === 'fastest' && (await hasSnapshot(key))) {
    tell({ stage: 'restoring the snapshot' });
    const restored = await restore(spec, key, signal);
    if (restored.ok) return ok(guestOf(restored.value.machine, restored.value.note));
    if (restored.error.kind === 'stopped') return restored;
    tell({ stage: `the snapshot could not be restored (${restored.error.message.split('\n')[0]}); booting instead` });
    await rm(snapshotPath(key), { recursive: true, force: true });
  }
  const cold = await coldBoot(spec, tell, signal);
  return cold.ok ? ok(guestOf(cold.value, undefined)) : cold;
}

/** Everything the lab has downloaded and built is removed. */
export async function cleanLab(what: 'snapshots' | 'everything'): Promise<void> {
  const kinds = [
    'snapshots',
    ...(what === 'everything'
      ? ['apt', 'packages', 'unpacked', 'kernels', 'vmlinux', 'programs', 'initramfs', 'tools', 'consoles']
      : []),
  ];
  for (const kind of kinds) await rm(join(cacheFolder(), kind), { recursive: true, force: true });
}

/** Whether a kernel's files are here already. */
export async function isKernelCached(entry: KernelEntry): Promise<boolean> {
  return isCached('kernels', kernelKey(entry));
}

type Prepared = { readonly kernel: KernelEntry; readonly spec: MachineSpec; readonly qemuVersion: string };

async function prepare(
  request: BootRequest,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Prepared, LabError>> {
  const entry = await findKernel(request.kernel);
  if (!entry.ok) return entry;
  const qemu = await run('qemu-system-x86_64', ['--version']);
  if (!qemu.ok) return qemu;
  const busybox = await programOfPackage(busyboxProgram, tell, signal);
  if (!busybox.ok) return busybox;
  const xz = await programOfPackage(xzProgram, tell, signal);
  if (!xz.ok) return xz;
  const kernel = await prepareKernel(entry.value, { busybox: busybox.value, xz: xz.value }, tell, signal);
  if (!kernel.ok) return kernel;
  const tools = await buildToolsDisk(request.bpftrace, tell);
  if (!tools.ok) return tools;
  const spec: MachineSpec = {
    ...kernel.value,
    toolsDisk: tools.value,
    barBytes: request.barBytes,
    accelerator: (await findAccelerator()).accelerator,
  };
  return ok({ kernel: entry.value, spec, qemuVersion: qemu.value.split('\n')[0] ?? '' });
}

/**
 * The kernel's uncompressed image and initramfs. A Debian kernel is resolved to a version once and stays that version
 * until the lab is cleaned, so that runs of different days compare the same build. A folder is looked at anew each time.
 */
async function prepareKernel(
  entry: KernelEntry,
  unpackers: { readonly busybox: string; readonly xz: string },
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<{ readonly vmlinux: string; readonly initramfs: string }, LabError>> {
  const programs = await buildGuestPrograms(tell);
  if (!programs.ok) return programs;
  const resolved = await resolveKernel(entry, tell, signal);
  if (!resolved.ok) return resolved;
  const { key, folders } = resolved.value;
  const findFiles = (): ReturnType<typeof findKernelFiles> => findKernelFiles(folders);
  const vmlinux = await cached('vmlinux', key, async (draft) => {
    const files = await findFiles();
    if (!files.ok) return files;
    tell({ stage: `unpacking ${files.value.release}` });
    return extractVmlinux(files.value.bzImage, join(draft, 'vmlinux'), unpackers.xz);
  });
  if (!vmlinux.ok) return vmlinux;
  const initramfs = await buildInitramfs({ key, findFiles }, programs.value, unpackers, tell);
  return initramfs.ok ? ok({ vmlinux: join(vmlinux.value, 'vmlinux'), initramfs: initramfs.value }) : initramfs;
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
  const pin = await cached('kernels', kernelKey(entry), async (draft) => {
    const unpacked = await unpackKernel(source, tell, signal);
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
async function unpackKernel(
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
    const pattern = `${part}-${version.replaceAll(/[.+]/g, String.raw`\$&`)}`;
    const unpacked = await unpackPackage({ pattern, suite: source.suite }, tell, signal);
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

async function coldBoot(
  spec: MachineSpec,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Machine, LabError>> {
  const choice = await findAccelerator();
  tell({ stage: choice.accelerator === 'kvm' ? 'booting (KVM)' : `booting (emulated: ${choice.whyEmulated})` });
  const machine = await Machine.start(spec, { incomingFd: undefined, firstId: 1, signal });
  if (!machine.ok) return machine;
  const stop = machine.value.onLine((line) => {
    const stage = /^faultline-stage (\w+)/.exec(line)?.[1];
    if (stage !== undefined) tell({ stage: `booting: ${stage}` });
  });
  const up = await machine.value.untilUp(spec.accelerator, signal);
  stop();
  if (up.ok) return machine;
  await machine.value[Symbol.asyncDispose]();
  return up;
}

async function restore(
  spec: MachineSpec,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Result<{ readonly machine: Machine; readonly note: SnapshotNote }, LabError>> {
  const snapshot = await readSnapshot(key);
  if (!snapshot.ok) return snapshot;
  await using memory = await open(snapshot.value.memory, 'r');
  const { note } = snapshot.value;
  const machine = await Machine.start(spec, { incomingFd: memory.fd, firstId: note.nextId, signal });
  if (!machine.ok) return machine;
  const awake = await goOn(machine.value);
  const answer = awake.ok ? await machine.value.agent.clockNs() : awake;
  if (answer.ok) return ok({ machine: machine.value, note });
  const error = machine.value.asError(messageOf(answer.error), signal);
  await machine.value[Symbol.asyncDispose]();
  return err(error);
}

function messageOf(error: LabError | AgentError): string {
  if ('message' in error) return error.message;
  return error.kind === 'lost' ? error.reason : `the guest's clock cannot be read (errno ${error.errno})`;
}

/** The console of a boot that failed and was tried again: kept, since nobody sees it otherwise. */
async function keepConsole(kernel: string, text: string): Promise<void> {
  await cached('consoles', `${new Date().toISOString().replaceAll(':', '')}-${kernel}`, async (draft) => {
    await writeFile(join(draft, 'console.txt'), text);
    return ok(undefined);
  });
}
