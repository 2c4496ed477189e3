/**
 * The lab: real kernels in QEMU with a real (emulated) PCI device behind an IOMMU, bound to vfio-pci. Prepares what a
 * guest needs, boots it or restores a snapshot of it, and gives a link to the agent in it.
 */
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { err, ok, type Result } from '@faultline/shared';
import { type Accelerator, findAccelerator, giveUpKvm } from './accelerator.ts';
import type { AgentError } from './agent-link.ts';
import { cacheFolder, digestOf, noteUse } from './cache.ts';
import { run } from './command.ts';
import { buildToolsDisk, busyboxProgram, programOfPackage, xzProgram } from './guest-image.ts';
import { noteImages, pruneImages } from './image-pruning.ts';
import { keepConsole } from './kept-console.ts';
import { findKernel, type KernelEntry, withOwnModule } from './kernel-list.ts';
import type { LabError, TellStage } from './lab-error.ts';
import { Machine, type MachineSpec } from './machine.ts';
import { prepareKernel } from './prepared-kernel.ts';
import { goOn, hasSnapshot, readSnapshot, snapshotPath, type SnapshotNote, writeSnapshot } from './snapshot.ts';

/** What to boot. */
export type BootRequest = {
  readonly kernel: string;
  /** A patch over vfio-pci-core, or a folder with modules to use instead of the kernel's. */
  readonly ownModule?: string | undefined;
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
  /** What distinguishes it from the kernel it is based on: module, patch and digest; undefined where nothing does. */
  readonly build: string | undefined;
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

/** Downloads and builds all that a guest of this needs, and boots nothing; the key is that of the guest. */
export async function prepareGuest(
  request: Omit<BootRequest, 'heldKey' | 'start'>,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Pick<Guest, 'buildKey' | 'build'>, LabError>> {
  const prepared = await prepare(request, tell, signal);
  if (!prepared.ok) return prepared;
  return ok({ buildKey: buildKeyOf(prepared.value.spec), build: prepared.value.build });
}

function buildKeyOf({ vmlinux, initramfs }: MachineSpec): string {
  return digestOf([vmlinux, initramfs]);
}

/** From the snapshot where there is one and it can be restored, otherwise cold. */
async function startGuest(
  { kernel, build, spec, qemuVersion }: Prepared,
  request: BootRequest,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Guest, LabError>> {
  const key = digestOf([JSON.stringify(spec), qemuVersion, request.heldKey]);
  const images = [spec.initramfs, spec.toolsDisk];
  for (const image of images) await noteUse(dirname(image));
  const guestOf = (machine: Machine, note: SnapshotNote | undefined): Guest => {
    void machine.ended.then(async () => {
      if (machine.hasHung) await keepConsole(kernel.name, machine.console);
    });
    return {
      kernel,
      buildKey: buildKeyOf(spec),
      build,
      machine,
      accelerator: spec.accelerator,
      barBytes: spec.barBytes,
      note,
      save: async (fresh) => {
        await rm(snapshotPath(key), { recursive: true, force: true });
        const saved = await writeSnapshot(machine, key, fresh);
        if (!saved.ok) return saved;
        await noteImages(snapshotPath(key), images);
        await pruneImages();
        return saved;
      },
    };
  };
  if (request.start === 'fastest' && (await hasSnapshot(key))) {
    tell({ stage: 'restoring the snapshot' });
    const restored = await restore(spec, key, signal);
    if (restored.ok) {
      await noteImages(snapshotPath(key), images);
      return ok(guestOf(restored.value.machine, restored.value.note));
    }
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
      ? [
          ...['apt', 'packages', 'unpacked', 'kernels', 'vmlinux', 'programs', 'initramfs', 'tools', 'consoles'],
          ...['builds', 'sources', 'modules'],
        ]
      : []),
  ];
  for (const kind of kinds) await rm(join(cacheFolder(), kind), { recursive: true, force: true });
}

type Prepared = {
  readonly kernel: KernelEntry;
  readonly build: string | undefined;
  readonly spec: MachineSpec;
  readonly qemuVersion: string;
};

async function prepare(
  request: Omit<BootRequest, 'heldKey' | 'start'>,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Prepared, LabError>> {
  const found = await findKernel(request.kernel);
  if (!found.ok) return found;
  const entry = request.ownModule === undefined ? found : await withOwnModule(found.value, request.ownModule);
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
  const { vmlinux, initramfs, build } = kernel.value;
  const spec: MachineSpec = {
    vmlinux,
    initramfs,
    toolsDisk: tools.value,
    barBytes: request.barBytes,
    accelerator: (await findAccelerator()).accelerator,
  };
  return ok({ kernel: entry.value, build, spec, qemuVersion: qemu.value.split('\n')[0] ?? '' });
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
