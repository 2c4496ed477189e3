/** Puts a lab guest and the tracer together: boots it, traces it, and leaves a snapshot in which tracing is attached already. */
import { bootGuest, digestOf, type LabError, type LabStage, saysHung, saysTimerLost } from '@faultline/lab';
import {
  attachPollMs,
  err,
  ok,
  type ProbeManifest,
  type Result,
  type RunView,
  type StartRun,
  streamsMeantBy,
} from '@faultline/shared';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { CataloguedProbe } from '../probes/catalogue.ts';
import type { Tracing } from '../sessions/tracing.ts';
import { GuestTarget } from '../targets/guest.ts';

/** What to boot and what to trace in it. */
export type GuestRequest = {
  readonly kernel: string;
  /** A patch over vfio-pci-core (.cocci), or a folder with modules to use instead of the kernel's. */
  readonly ownModule?: string | undefined;
  readonly barBytes: number;
  readonly bpftrace: string;
  /** Id of the target it becomes. */
  readonly targetId: string;
  readonly start: 'fastest' | 'cold';
  /** Streams to trace; the target's id is filled in. */
  readonly runs: readonly StartRun[];
};

/** A guest that is traced. */
export type OpenGuest = {
  readonly target: GuestTarget;
  readonly runs: readonly RunView[];
  /** Streams that could not start there, each with why. */
  readonly refused: readonly string[];
  readonly wasRestored: boolean;
  /** Why the next boot will be a cold one. */
  readonly snapshotProblem: string | undefined;
};

/** The fault path: what is traced in a guest when nobody chose. */
export const faultPathProbes = 'vfio-fault,pfn-remap,pfn-insert,dma-map,lock-assert';

/** Its streams, ready to be started in a guest. */
export function faultPathRuns(manifests: readonly ProbeManifest[]): readonly StartRun[] {
  return faultPathProbes.split(',').flatMap((probe) => {
    const manifest = manifests.find(({ name }) => name === probe);
    return manifest === undefined
      ? []
      : streamsMeantBy(manifest).map(({ name }) => ({ targetId: '', probe, stream: name }));
  });
}

/**
 * Boots, adds the target to the tracer, starts the streams, waits until each is attached or has failed. Once more, cold, where the
 * guest hangs meanwhile.
 */
export async function openGuest(
  tracing: Tracing,
  probes: readonly CataloguedProbe[],
  request: GuestRequest,
  tell: (stage: LabStage) => void,
  signal: AbortSignal | undefined,
): Promise<Result<OpenGuest, LabError>> {
  const opened = await openOnce(tracing, probes, request, tell, signal);
  if (opened.ok || opened.error.kind !== 'broken') return opened;
  if (!saysHung(opened.error.message) && !saysTimerLost(opened.error.message)) return opened;
  tell({ stage: 'the guest hung while its probes attached; trying once more' });
  return openOnce(tracing, probes, { ...request, start: 'cold' }, tell, signal);
}

async function openOnce(
  tracing: Tracing,
  probes: readonly CataloguedProbe[],
  request: GuestRequest,
  tell: (stage: LabStage) => void,
  signal: AbortSignal | undefined,
): Promise<Result<OpenGuest, LabError>> {
  const heldKey = await heldKeyOf(probes, request.runs);
  const { kernel, ownModule, barBytes, bpftrace, start } = request;
  const guest = await bootGuest({ kernel, ownModule, barBytes, bpftrace, start, heldKey }, tell, signal);
  if (!guest.ok) return guest;
  const target = new GuestTarget(request.targetId, guest.value);
  // Attaching takes up to half a minute under emulation: without its guest, everything that waits for it ends at once.
  const end = (): void => void target[Symbol.asyncDispose]();
  signal?.addEventListener('abort', end);
  try {
    return await trace(tracing, target, request, tell, signal);
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** Makes a target of the guest and starts the streams in it. */
async function trace(
  tracing: Tracing,
  target: GuestTarget,
  request: GuestRequest,
  tell: (stage: LabStage) => void,
  signal: AbortSignal | undefined,
): Promise<Result<OpenGuest, LabError>> {
  const { guest } = target;
  const added = tracing.addTarget(target);
  if (!added.ok) {
    await target[Symbol.asyncDispose]();
    return err({ kind: 'broken', message: added.error.message, remedy: added.error.remedy });
  }
  const wasRestored = guest.note !== undefined;
  const started: string[] = [];
  const refused: string[] = [];
  for (const run of request.runs) {
    if (signal?.aborted === true) break;
    tell({ stage: wasRestored ? 'taking up tracing' : `attaching ${run.probe}` });
    const answer = await tracing.startRun({ ...run, targetId: target.id });
    if (answer.ok) started.push(answer.value.id);
    else refused.push(`${run.probe}:${run.stream ?? ''}: ${answer.error.message}`);
  }
  if (!wasRestored)
    tell({
      stage: `waiting for ${started.length} ${started.length === 1 ? 'probe' : 'probes'} to attach${target.isEmulated ? ' (emulated: half a minute)' : ''}`,
    });
  const stopWatching = guest.machine.onLine((line) => {
    if (saysTimerLost(line)) guest.machine.endHung(line);
  });
  const snapshotProblem = await target.settle(() => tell({ stage: 'writing the snapshot' }));
  const runs = await untilAttached(tracing, started, signal);
  stopWatching();
  const lost = await target.lostReason();
  if (lost !== undefined) {
    // Nobody is told of a guest that died on the way up, so nobody else would take it away.
    await tracing.removeTarget(target.id);
    return err(guest.machine.asError(lost, signal));
  }
  return ok({ target, runs, refused, wasRestored, snapshotProblem });
}

/** Names a set of scripts by their contents and parameters: another script, another snapshot. */
async function heldKeyOf(probes: readonly CataloguedProbe[], runs: readonly StartRun[]): Promise<string> {
  const parts: (string | Uint8Array)[] = [];
  for (const run of runs) {
    const probe = probes.find((one) => one.manifest.name === run.probe);
    const stream = probe?.manifest.streams.find((one) => one.name === run.stream);
    parts.push(JSON.stringify([run.probe, run.stream, run.parameters ?? {}]));
    for (const variant of stream?.variants ?? []) {
      parts.push(JSON.stringify(variant), await readFile(join(probe?.folder ?? '', variant.script)));
    }
  }
  return digestOf(parts);
}

async function untilAttached(
  tracing: Tracing,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly RunView[]> {
  for (;;) {
    const runs = tracing.runs().filter(({ id }) => ids.includes(id));
    if (runs.every(({ state }) => state !== 'starting') || signal?.aborted === true) return runs;
    await wait(attachPollMs);
  }
}
