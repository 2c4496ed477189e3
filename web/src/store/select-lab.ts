/** The lab on the page: kernels, guests on their way, workloads; and which of the two live views is shown. */
import type { LabKernel, LabMachine, LabView, Problem } from '@faultline/shared';
import type { Shown } from './app-state.ts';
import type { Command } from './loaded.ts';
import type { LiveViewName } from './page-state.ts';
import { type WorkloadRow, workloadRow } from './select-workloads.ts';

/** Workloads of a guest that are in sight. */
const rowsMax = 8;

/** A guest with what was run in it. */
export type LabMachineCard = {
  readonly machine: LabMachine;
  readonly seconds: number;
  /** What was run in it, the newest first. */
  readonly rows: readonly WorkloadRow[];
  /** A workload runs in it. */
  readonly isBusy: boolean;
  readonly command: Command | undefined;
};

/** The page of the lab. */
export type LabPage = {
  readonly lab: LabView | undefined;
  readonly problem: Problem | undefined;
  readonly kernels: readonly { readonly kernel: LabKernel; readonly command: Command | undefined }[];
  readonly machines: readonly LabMachineCard[];
};

/** Everything of the lab. */
export function selectLab(shown: Shown): LabPage {
  const { lab, commands } = shown.app;
  const value = lab?.kind === 'ready' ? lab.value : undefined;
  return {
    lab: value,
    problem: lab?.kind === 'failed' ? lab.problem : undefined,
    kernels: (value?.kernels ?? []).map((kernel) => ({ kernel, command: commands.get(`boot ${kernel.name}`) })),
    machines: (value?.machines ?? []).map((machine) => {
      const runs = (value?.workloadRuns ?? []).filter(({ machineId }) => machineId === machine.id).toReversed();
      return {
        machine,
        seconds: Math.max(0, Math.round((shown.nowMs - machine.startedAtMs) / 1000)),
        rows: runs.slice(0, rowsMax).map((run) => workloadRow(run, machine)),
        isBusy: runs.some(({ state }) => state === 'running'),
        command: commands.get(`lab ${machine.id}`),
      };
    }),
  };
}

/** The view of the live page: the chosen one; else the fault path where a probe of it has run, in either column. */
export function selectLiveView(shown: Shown): LiveViewName {
  if (shown.page.view !== undefined) return shown.page.view;
  const runs = [shown.live, shown.other?.live].flatMap((live) => live?.view.runs ?? []);
  return runs.some(({ probe }) => probe === 'vfio-fault') ? 'path' : 'locks';
}

/** A kernel that could be booted where the machine looked at can't trace vfio; undefined where it can, or there is no lab. */
export function selectLabOffer(shown: Shown): string | undefined {
  const { lab, plans } = shown.app;
  const plan = shown.target === undefined ? undefined : plans.get(shown.target.id);
  if (lab?.kind !== 'ready' || plan?.kind !== 'ready' || shown.target?.kind !== 'host') return undefined;
  const canTrace = plan.value.some(({ probe, chosen }) => probe === 'vfio-fault' && chosen !== undefined);
  return canTrace || lab.value.machines.length > 0 ? undefined : lab.value.kernels[0]?.name;
}
