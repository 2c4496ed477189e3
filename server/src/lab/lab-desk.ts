/** The lab of a server: guests that people boot, each a target of its own, and the workloads run in them. */
import { randomUUID } from 'node:crypto';
import {
  describeOops,
  findAccelerator,
  isKernelCached,
  keepConsole,
  type LabStage,
  type Oops,
  readKernelList,
  readOopses,
} from '@faultline/lab';
import {
  type BootLab,
  eraOfVariant,
  err,
  formatBytes,
  guestRemoveMaxMs,
  labMachinesMax,
  labWorkloadRunsMax,
  type LabMachine,
  type LabView,
  type LabWorkloadRun,
  ok,
  oopsesShownMax,
  type Result,
  type StartRun,
  type StartWorkload,
  workloadLinesShownMax,
} from '@faultline/shared';
import type { CataloguedProbe } from '../probes/catalogue.ts';
import type { Library } from '../sessions/library.ts';
import type { Refusal } from '../sessions/refusal.ts';
import type { Tracing } from '../sessions/tracing.ts';
import type { GuestTarget } from '../targets/guest.ts';
import { openGuest } from './open-guest.ts';
import { noteWorkload } from './setup.ts';
import { surviveOopses, untilOops } from './until-oops.ts';
import { runWorkload, workloads } from './workload.ts';

const defaultBarBytes = 64 * 1024 * 1024;

/** What the desk works with. */
export type LabDeskOptions = {
  readonly tracing: Tracing;
  readonly probes: readonly CataloguedProbe[];
  readonly bpftrace: string;
  /** What is traced in every guest. */
  readonly runs: readonly StartRun[];
  readonly clock: () => number;
  /** Where what is traced in the guests is recorded, if it is. */
  readonly library?: Library | undefined;
};

type Kept = {
  view: LabMachine;
  readonly stopping: AbortController;
  target: GuestTarget | undefined;
  /** Resolves when the boot has come to an end, good or bad. */
  booted: Promise<void>;
};

/** What a server's faces may ask of the lab. */
export interface Lab extends AsyncDisposable {
  view(): Promise<Result<LabView, Refusal>>;
  /** Begins to boot; resolves at once with what is going on. */
  boot(request: BootLab): Promise<Result<LabMachine, Refusal>>;
  /** Ends a guest, or its boot; forgets one that failed. */
  stop(machineId: string): Promise<Result<LabMachine, Refusal>>;
  /** Begins a workload in a guest that runs. */
  runWorkload(machineId: string, request: StartWorkload): Result<LabWorkloadRun, Refusal>;
}

export class LabDesk implements Lab {
  private readonly options: LabDeskOptions;
  private readonly machines = new Map<string, Kept>();
  private readonly workloadRuns: LabWorkloadRun[] = [];

  constructor(options: LabDeskOptions) {
    this.options = options;
  }

  async view(): Promise<Result<LabView, Refusal>> {
    const list = await readKernelList();
    if (!list.ok) return err({ kind: 'lab-problem', message: list.error.message, remedy: list.error.remedy });
    const kernels = await Promise.all(
      list.value.map(async (kernel) => ({
        name: kernel.name,
        title: kernel.title,
        isCached: await isKernelCached(kernel),
      })),
    );
    return ok({
      ...(await findAccelerator()),
      kernels,
      workloads: [...workloads],
      machines: [...this.machines.values()].map(({ view }) => view),
      workloadRuns: this.workloadRuns.map(copied),
    });
  }

  async boot(request: BootLab): Promise<Result<LabMachine, Refusal>> {
    const list = await readKernelList();
    if (!list.ok || !list.value.some(({ name }) => name === request.kernel)) {
      const message = `the lab has no kernel ${request.kernel}`;
      return err({ kind: 'lab-problem', message, remedy: 'GET /api/v1/lab lists those it has.' });
    }
    const barBytes = request.barBytes ?? defaultBarBytes;
    if (!Number.isInteger(Math.log2(barBytes))) {
      return err({ kind: 'bad-parameter', message: 'a BAR’s size is a power of two', remedy: 'Such as 67108864.' });
    }
    if (this.machines.size >= labMachinesMax) {
      return err({
        kind: 'lab-problem',
        message: `${labMachinesMax} guests are there already`,
        remedy: 'Stop one first.',
      });
    }
    const id = `lab-${request.kernel}-${randomUUID().slice(0, 4)}`;
    const view: LabMachine = {
      id,
      kernel: request.kernel,
      barBytes,
      state: 'preparing',
      stage: 'preparing',
      startedAtMs: this.options.clock(),
    };
    const kept: Kept = { view, stopping: new AbortController(), target: undefined, booted: Promise.resolve() };
    this.machines.set(id, kept);
    kept.booted = this.bring(kept);
    return ok(kept.view);
  }

  async stop(machineId: string): Promise<Result<LabMachine, Refusal>> {
    const kept = this.machines.get(machineId);
    if (kept === undefined) return err(unknownMachine(machineId));
    const view = { ...kept.view, state: 'stopping', stage: 'stopping' } as const;
    kept.view = view;
    kept.stopping.abort();
    await kept.booted;
    const { target } = kept;
    if (target !== undefined) {
      // Without its guest, everything that waits for it ends at once.
      const late = setTimeout(() => void endHung(target), guestRemoveMaxMs);
      await this.options.tracing.removeTarget(target.id);
      clearTimeout(late);
    }
    this.machines.delete(machineId);
    return ok(view);
  }

  runWorkload(machineId: string, request: StartWorkload): Result<LabWorkloadRun, Refusal> {
    const kept = this.machines.get(machineId);
    if (kept === undefined) return err(unknownMachine(machineId));
    const { target } = kept;
    if (target === undefined || kept.view.state !== 'running') {
      return err({ kind: 'lab-problem', message: `${machineId} is not running`, remedy: 'Wait until it is up.' });
    }
    const refusal = refuseWorkload(kept.view, request) ?? this.refuseSecond(machineId) ?? refuseDead(kept);
    if (refusal !== undefined) return err(refusal);
    const run: LabWorkloadRun = {
      id: randomUUID(),
      machineId,
      workload: request.workload,
      isMisaligned: request.isMisaligned ?? false,
      sizeBytes: request.sizeBytes ?? kept.view.barBytes,
      repetitions: request.repetitions ?? 1,
      ...(request.threads === undefined ? {} : { threads: request.threads }),
      state: 'running',
      startedAtMs: this.options.clock(),
      lineCount: 0,
      lines: [],
    };
    this.workloadRuns.push(run);
    if (this.workloadRuns.length > labWorkloadRunsMax) this.workloadRuns.shift();
    void this.follow(run, target, kept);
    return ok(copied(run));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.machines.keys()].map((id) => this.stop(id)));
  }

  private async bring(kept: Kept): Promise<void> {
    const { kernel, barBytes, id } = kept.view;
    const { tracing, probes, bpftrace, runs } = this.options;
    const tell = ({ stage, doneBytes, totalBytes }: LabStage): void => {
      const { doneBytes: _done, totalBytes: _total, ...rest } = kept.view;
      kept.view = {
        ...rest,
        stage,
        ...(doneBytes === undefined ? {} : { doneBytes }),
        ...(totalBytes === undefined ? {} : { totalBytes }),
      };
    };
    const request = { kernel, barBytes, bpftrace, targetId: id, start: 'fastest', runs } as const;
    const opened = await openGuest(tracing, probes, request, tell, kept.stopping.signal);
    if (!opened.ok) {
      const { message, remedy } = opened.error;
      kept.view = { ...kept.view, state: 'failed', stage: 'failed', problem: message, remedy };
      return;
    }
    const { target, runs: attached, wasRestored, snapshotProblem, refused } = opened.value;
    kept.target = target;
    // A build's handler may do what no era does, whatever its functions are called.
    const era =
      target.guest.build !== undefined
        ? undefined
        : eraOfVariant(attached.find(({ probe }) => probe === 'vfio-fault')?.variant);
    const problems = [...(snapshotProblem === undefined ? [] : [`no snapshot: ${snapshotProblem}`]), ...refused];
    kept.view = {
      ...kept.view,
      state: 'running',
      stage: 'running',
      targetId: target.id,
      wasRestored,
      isEmulated: target.isEmulated,
      ...(era === undefined ? {} : { era }),
      ...(problems.length === 0 ? {} : { problem: problems.join('; ') }),
    };
    void target.died.then((reason) => {
      if (kept.view.state !== 'running') return;
      const remedy = 'Its figures stay until you remove it; boot it again.';
      kept.view = { ...kept.view, state: 'failed', stage: 'failed', problem: reason, remedy };
    });
  }

  /** A VFIO group can be opened once, and nobody else maps a BAR that it has claimed. */
  private refuseSecond(machineId: string): Refusal | undefined {
    const busy = this.workloadRuns.find((run) => run.machineId === machineId && run.state === 'running');
    if (busy === undefined) return undefined;
    return {
      kind: 'lab-problem',
      message: `${busy.workload} runs in ${machineId}, and its device can be used by one program at a time`,
      remedy: 'Wait until it has ended; GET /api/v1/lab says when.',
    };
  }

  private async follow(run: LabWorkloadRun, target: GuestTarget, kept: Kept): Promise<void> {
    const { view, stopping } = kept;
    const { workload, sizeBytes: barBytes, isMisaligned, repetitions, threads } = run;
    const take = (line: string): void => {
      run.lineCount += 1;
      run.lines.push(line);
      if (run.lines.length > workloadLinesShownMax) run.lines.shift();
    };
    const request = { workload, barBytes, isMisaligned, repetitions, threads };
    const { tracing, library } = this.options;
    const note = (lines: readonly string[]): Promise<string | undefined> =>
      noteWorkload(library, tracing, { kernel: view.kernel, target, request, lines });
    await note([]);
    await surviveOopses(target);
    const end = await untilOops(target, runWorkload(target, request, take, stopping.signal));
    const oopses = oopsesOf(target);
    const noteProblem = await note(end.lines);
    const [first] = oopses;
    if (first !== undefined) {
      run.oopses = oopses.slice(0, oopsesShownMax).map((one) => ({ said: describeOops(one), stack: [...one.stack] }));
      if (kept.view.state === 'running')
        kept.view = {
          ...kept.view,
          problem: `${workload} killed its kernel: ${describeOops(first)}`,
          remedy: bootAnother,
        };
    }
    run.state = end.kind === 'done' && first === undefined ? 'done' : 'failed';
    if (end.exitStatus !== undefined) run.exitStatus = end.exitStatus;
    const killed = first === undefined ? undefined : `it killed the kernel: ${describeOops(first)}`;
    const problem =
      killed ?? end.problem ?? (noteProblem === undefined ? undefined : `not noted in its session: ${noteProblem}`);
    if (problem !== undefined) run.problem = problem;
  }
}

/** Ends a guest that answers nobody, and keeps what it printed: nobody else is told why. */
async function endHung({ guest }: GuestTarget): Promise<void> {
  const { console } = guest.machine;
  await guest.machine[Symbol.asyncDispose]();
  await keepConsole(guest.kernel.name, console);
}

const bootAnother = 'Its figures stay. Stop it, and boot another for more.';

/** What its kernel died of, the oldest first; a WARN is not among them. */
function oopsesOf({ guest }: GuestTarget): readonly Oops[] {
  return readOopses(guest.machine.console).filter(({ kind }) => kind !== 'WARN');
}

/** What an oopsed kernel counts is no truth any more: it may have locks held for ever and pages in the wrong place. */
function refuseDead({ target, view }: Kept): Refusal | undefined {
  const [first] = target === undefined ? [] : oopsesOf(target);
  if (first === undefined) return undefined;
  return { kind: 'lab-problem', message: `the kernel of ${view.id} has oopsed: ${first.what}`, remedy: bootAnother };
}

/** Why a workload cannot be run so, if it cannot. */
function refuseWorkload(machine: LabMachine, request: StartWorkload): Refusal | undefined {
  const known = workloads.find(({ name }) => name === request.workload);
  if (known === undefined) {
    const remedy = `There are: ${workloads.map(({ name }) => name).join(', ')}.`;
    return badParameter(`there is no workload ${request.workload}`, remedy);
  }
  if (request.isMisaligned === true && !known.takesAlignment)
    return badParameter(
      `${known.name} cannot be misaligned: the kernel chooses where a file is mapped`,
      'Leave it out.',
    );
  if (request.threads !== undefined && !known.takesThreads)
    return badParameter(`${known.name} has one thread`, 'Leave threads out.');
  if ((request.sizeBytes ?? 0) > machine.barBytes) {
    const message = `the BAR of ${machine.id} has ${formatBytes(machine.barBytes)}`;
    return badParameter(message, 'Ask for less, or boot a guest with a larger one.');
  }
  return undefined;
}

function badParameter(message: string, remedy: string): Refusal {
  return { kind: 'bad-parameter', message, remedy };
}

function copied(run: LabWorkloadRun): LabWorkloadRun {
  return { ...run, lines: [...run.lines] };
}

function unknownMachine(id: string): Refusal {
  return { kind: 'unknown-machine', message: `there is no guest ${id}`, remedy: 'GET /api/v1/lab lists them.' };
}
