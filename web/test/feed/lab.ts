/** A lab that boots nothing: what it says goes on only when it is told to. */
import type { BootLab, LabMachine, LabView, LabWorkload, LabWorkloadRun, StartWorkload } from '@faultline/shared';
import { barBytes } from './fault-path-load.ts';

const stages: readonly (Pick<LabMachine, 'stage'> & Partial<LabMachine>)[] = [
  { stage: 'downloading linux-image-6.12.107+deb12-amd64', doneBytes: 31_457_280, totalBytes: 101_711_872 },
  { stage: 'unpacking 6.12.107+deb12-amd64' },
  { stage: 'booting (emulated: no KVM here)' },
  { stage: 'attaching the probes' },
];

/** What becomes of guests is the server's business. */
export type LabEvents = {
  readonly up: (machine: LabMachine) => void;
  readonly gone: (machine: LabMachine) => void;
};

/** The lab of the feed. */
export class FeedLab {
  private readonly machines = new Map<string, LabMachine>();
  private readonly steps = new Map<string, number>();
  private readonly runs: LabWorkloadRun[] = [];
  private readonly events: LabEvents;
  private bootCount = 0;

  constructor(events: LabEvents) {
    this.events = events;
  }

  view(): LabView {
    return {
      accelerator: 'tcg',
      kernels: [
        { name: '6.1', title: 'Debian 12, Linux 6.1', isCached: true },
        { name: '6.12', title: 'Debian 12 security, Linux 6.12', isCached: false },
      ],
      workloads: [
        bar('touch', 'map the BAR and read every page of it'),
        bar('dma-map', 'VFIO_IOMMU_MAP_DMA of a BAR that was not touched: the path of the thread'),
        { ...bar('sysfs', 'mmap of the BAR through sysfs'), takesAlignment: false },
        { ...bar('contention', 'threads beside threads'), takesThreads: true },
      ],
      machines: [...this.machines.values()],
      workloadRuns: this.runs,
    };
  }

  /** A guest that is up already. */
  add(id: string, kernel: string): void {
    this.machines.set(id, { ...this.prepared(id, kernel), ...running(id) });
  }

  boot({ kernel, barBytes: size = barBytes }: BootLab): LabMachine {
    this.bootCount += 1;
    const machine = { ...this.prepared(`lab-${kernel}-${this.bootCount}`, kernel), barBytes: size };
    this.machines.set(machine.id, machine);
    this.steps.set(machine.id, 0);
    return machine;
  }

  stop(id: string): LabMachine | undefined {
    const machine = this.machines.get(id);
    if (machine === undefined) return undefined;
    this.machines.delete(id);
    this.events.gone(machine);
    return { ...machine, state: 'stopping', stage: 'stopping' };
  }

  run(machineId: string, request: StartWorkload): LabWorkloadRun {
    const { workload, isMisaligned = false, repetitions = 1, threads } = request;
    const run: LabWorkloadRun = {
      id: `workload-${this.runs.length + 1}`,
      machineId,
      workload,
      isMisaligned,
      sizeBytes: request.sizeBytes ?? barBytes,
      repetitions,
      ...(threads === undefined ? {} : { threads }),
      state: 'running',
      startedAtMs: Date.now(),
      lineCount: 0,
      lines: [],
    };
    this.runs.push(run);
    return run;
  }

  /** Every boot comes one stage further, every workload to its end. */
  advance(): void {
    for (const [id, step] of this.steps) {
      const machine = this.machines.get(id);
      const next = stages[step + 1];
      if (machine === undefined || next === undefined) this.steps.delete(id);
      else this.steps.set(id, step + 1);
      if (machine === undefined) continue;
      const { doneBytes: _done, totalBytes: _total, ...rest } = machine;
      if (next !== undefined) {
        this.machines.set(id, { ...rest, ...next });
        continue;
      }
      const up: LabMachine = { ...rest, ...running(id) };
      this.machines.set(id, up);
      this.events.up(up);
    }
    for (const run of this.runs.filter(({ state }) => state === 'running')) {
      const lines = [reportOf(run, { isDone: false }), reportOf(run, { isDone: true })];
      Object.assign(run, { state: 'done', exitStatus: 0, lineCount: run.repetitions + 1, lines });
    }
  }

  /** What runs kills its kernel. */
  killKernels(said: string, stack: readonly string[]): void {
    for (const run of this.runs.filter(({ state }) => state === 'running')) {
      const problem = `it killed the kernel: ${said}`;
      Object.assign(run, { state: 'failed', problem, oopses: [{ said, stack }] });
      const machine = this.machines.get(run.machineId);
      if (machine !== undefined)
        this.machines.set(run.machineId, { ...machine, problem: said, remedy: 'Boot another.' });
    }
  }

  /** Every boot under way comes to nothing. */
  failBoots(problem: string, remedy: string): void {
    for (const id of this.steps.keys()) {
      const machine = this.machines.get(id);
      if (machine !== undefined)
        this.machines.set(id, { ...machine, state: 'failed', stage: 'failed', problem, remedy });
    }
    this.steps.clear();
  }

  private prepared(id: string, kernel: string): LabMachine {
    const [first = { stage: 'preparing' }] = stages;
    return { id, kernel, barBytes, state: 'preparing', startedAtMs: Date.now(), ...first };
  }
}

function bar(name: string, title: string): LabWorkload {
  return { name, title, takesAlignment: true, takesThreads: false };
}

/** A line as vfio-load prints it. */
function reportOf(run: LabWorkloadRun, { isDone }: { readonly isDone: boolean }): string {
  const { workload: mode, repetitions: repetition, sizeBytes: bytes } = run;
  const times = isDone ? repetition : 1;
  const pages = bytes / 4096;
  const isDma = mode === 'dma-map';
  const none = { zaps: 0, resets: 0, fileMaps: 0, anonPages: 0 };
  const did = {
    barMaps: times,
    populations: times,
    pagesTouched: isDma ? 0 : times * pages,
    dmaMaps: isDma ? times : 0,
  };
  const head = { mode, isDone, repetition, bytes, pages, isAligned: !run.isMisaligned };
  return JSON.stringify({ ...head, ...did, ...none, elapsedNs: times * 36_400_000 });
}

function running(id: string): Pick<LabMachine, 'state' | 'stage' | 'targetId' | 'wasRestored' | 'isEmulated' | 'era'> {
  return { state: 'running', stage: 'running', targetId: id, wasRestored: false, isEmulated: true, era: 'a' };
}
