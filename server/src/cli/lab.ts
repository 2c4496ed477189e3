/** `faultline lab`: real kernels in QEMU. Its exit statuses tell the lab's failures from the workload's. */
import {
  cacheFolder,
  cacheUsage,
  cleanLab,
  describeOops,
  findAccelerator,
  isKernelCached,
  type LabError,
  type LabStage,
  type Oops,
  readKernelList,
  readOopses,
} from '@faultline/lab';
import { formatBytes, formatSeconds, oopsesShownMax, type RunView } from '@faultline/shared';
import { type OpenGuest, openGuest } from '../lab/open-guest.ts';
import { listRunning, registerGuest, stopRunning } from '../lab/running-guests.ts';
import { surviveOopses, untilOops } from '../lab/until-oops.ts';
import { runWorkload, type WorkloadEnd, workloads } from '../lab/workload.ts';
import { noteWorkload } from '../lab/setup.ts';
import type { CataloguedProbe } from '../probes/catalogue.ts';
import type { Library } from '../sessions/library.ts';
import type { Tracing } from '../sessions/tracing.ts';
import { chooseStreams } from './arguments.ts';
import type { BootWords, LabWords, RunWords } from './lab-words.ts';
import { describeRecording, isWhole } from '../exports/report.ts';
import { sayRecorded } from './record.ts';
import { complaint, redraw, type Terminal } from './terminal.ts';
import { textTable, wrapText } from '../exports/text-table.ts';

/** Exit statuses. 69 is EX_UNAVAILABLE: the lab broke, and nothing was learnt about the kernel or the workload. */
const labStatus = { done: 0, workloadFailed: 1, usage: 2, incomplete: 3, broken: 69 } as const;

/** What `lab` needs besides. */
export type LabSurroundings = {
  readonly tracing: Tracing;
  readonly probes: readonly CataloguedProbe[];
  readonly terminal: Terminal;
  readonly interrupted: AbortSignal;
  /** Where it is recorded, if it is. */
  readonly library?: Library | undefined;
};

/** Carries it out; the exit status. */
export async function lab(request: LabWords, surroundings: LabSurroundings): Promise<number> {
  const { terminal } = surroundings;
  switch (request.command) {
    case 'list':
      return list(request.isJson, terminal);
    case 'stop':
      return stop(request.isJson, terminal);
    case 'clean':
      return clean(request, terminal);
    case 'boot':
      return boot(request, surroundings);
    case 'run':
      return runOnce(request, surroundings);
  }
}

async function list(isJson: boolean, terminal: Terminal): Promise<number> {
  const kernels = await readKernelList();
  if (!kernels.ok) return complain(kernels.error, terminal);
  const choice = await findAccelerator();
  const rows = await Promise.all(
    kernels.value.map(async (kernel) => ({
      name: kernel.name,
      title: kernel.title,
      isHere: await isKernelCached(kernel),
    })),
  );
  const [usage, running] = [await cacheUsage(), await listRunning()];
  if (isJson) {
    terminal.out(
      `${JSON.stringify({ ...choice, kernels: rows, workloads, folder: cacheFolder(), usage, running }, undefined, 2)}\n`,
    );
    return labStatus.done;
  }
  const columns = [
    { title: 'kernel', align: 'left' },
    { title: 'what it is', align: 'left', wraps: true },
    { title: 'here', align: 'left' },
  ] as const;
  const kernelRows = rows.map(({ name, title, isHere }) => [name, title, isHere ? 'yes' : 'to be downloaded']);
  const workloadColumns = [columns[0], columns[1]].map((column, at) =>
    at === 0 ? { ...column, title: 'workload' } : column,
  );
  const lines = [
    ...textTable(columns, kernelRows, terminal.width),
    '',
    ...textTable(
      workloadColumns,
      workloads.map(({ name, title }) => [name, title]),
      terminal.width,
    ),
    '',
    ...[
      choice.accelerator === 'kvm'
        ? 'Guests run with KVM.'
        : `Guests are emulated (${choice.whyEmulated}): counts and ratios carry over, latencies do not.`,
      keptWords(usage),
      ...running.map(({ pid, kernel }) => `Running: ${kernel}, started by process ${pid}.`),
    ].flatMap((line) => wrapText(line, terminal.width)),
  ];
  terminal.out(`${lines.join('\n')}\n`);
  return labStatus.done;
}

/** What the lab keeps, and which command removes how much of it. */
export function keptWords(usage: Awaited<ReturnType<typeof cacheUsage>>): string {
  const bytesOf = (some: typeof usage): string => formatBytes(some.reduce((sum, { bytes }) => sum + bytes, 0));
  const snapshots = bytesOf(usage.filter(({ kind }) => kind === 'snapshots'));
  const how = 'faultline lab clean removes those, with --all everything';
  return `Kept in ${cacheFolder()}: ${bytesOf(usage)}, of it ${snapshots} of snapshots (${how}).`;
}

async function stop(isJson: boolean, terminal: Terminal): Promise<number> {
  const stopped = await stopRunning();
  if (isJson) terminal.out(`${JSON.stringify({ stopped })}\n`);
  else
    terminal.out(
      stopped.length === 0
        ? 'no guest was running\n'
        : stopped.map(({ kernel, pid }) => `stopped ${kernel} (process ${pid})\n`).join(''),
    );
  return labStatus.done;
}

async function clean(
  request: { readonly what: 'snapshots' | 'everything'; readonly isJson: boolean },
  terminal: Terminal,
): Promise<number> {
  const before = await cacheUsage();
  await cleanLab(request.what);
  const after = await cacheUsage();
  const bytes = before.reduce((sum, one) => sum + one.bytes, 0) - after.reduce((sum, one) => sum + one.bytes, 0);
  terminal.out(request.isJson ? `${JSON.stringify({ freedBytes: bytes })}\n` : `freed ${formatBytes(bytes)}\n`);
  return labStatus.done;
}

async function boot(request: BootWords, surroundings: LabSurroundings): Promise<number> {
  const { terminal, interrupted } = surroundings;
  const opened = await open(request, surroundings);
  if (typeof opened === 'number') return opened;
  const { guest, bootMs } = opened;
  const identity = await guest.target.identity();
  const facts = {
    kernel: request.kernel,
    release: identity.ok ? identity.value.release : undefined,
    bootMs,
    wasRestored: guest.wasRestored,
    isEmulated: guest.target.isEmulated,
  };
  if (request.isJson) terminal.out(`${JSON.stringify(facts)}\n`);
  else
    terminal.out(
      `${request.kernel} is up (${facts.release ?? 'unknown release'}) after ${formatSeconds(bootMs)}${guest.wasRestored ? ', from its snapshot' : ', cold'}\n`,
    );
  if (request.isOnce) return labStatus.done;
  await using _registered = await registerGuest(request.kernel);
  terminal.err('Ctrl-C, or faultline lab stop elsewhere, ends it\n');
  const ended = await Promise.race([guest.target.died, untilAborted(interrupted)]);
  if (ended === undefined) return labStatus.done;
  return complain(guest.target.guest.machine.asError(ended, undefined), terminal);
}

async function runOnce(request: RunWords, surroundings: LabSurroundings): Promise<number> {
  const { terminal, tracing, interrupted } = surroundings;
  const opened = await open(request, surroundings);
  if (typeof opened === 'number') return opened;
  const { guest, bootMs, tell } = opened;
  await using _registered = await registerGuest(request.kernel);
  const session = await tracing.session(guest.target.id);
  if (!session.ok) return complain({ ...session.error, kind: 'broken' }, terminal);
  tell.say({ stage: `running ${request.workload}` });
  const note = (lines: readonly string[]): Promise<string | undefined> =>
    noteWorkload(surroundings.library, tracing, {
      kernel: buildOf(request, guest),
      target: guest.target,
      request,
      lines,
    });
  await note([]);
  const ends = await repeat(request, surroundings, guest);
  const noteProblem = await note(ends.at(-1)?.lines ?? []);
  if (noteProblem !== undefined) terminal.err(`  not noted in its session: ${noteProblem}\n`);
  tell.say({ stage: 'closing the counts' });
  await Promise.all(
    tracing
      .runs()
      .filter(
        ({ id, state }) => guest.runs.some((run) => run.id === id) && (state === 'running' || state === 'starting'),
      )
      .map(({ id }) => tracing.stopRun(id)),
  );
  tell.end();
  const summary = session.value.summary();
  const lines = ends.flatMap((end) => end.lines);
  const last = ends.at(-1);
  if (request.isJson) {
    terminal.out(
      `${JSON.stringify({ kernel: request.kernel, bootMs, wasRestored: guest.wasRestored, workload: request.workload, ends, session: summary }, undefined, 2)}\n`,
    );
  } else {
    terminal.out(
      [
        ...describeRecording(summary, tracing.probes(), terminal.width),
        '',
        `${request.workload} said${lines.length === 0 ? ' nothing.' : ':'}`,
        ...lines.map((line) => `  ${line}`),
        '',
      ].join('\n'),
    );
    sayRecorded(summary, terminal);
  }
  const oopses = readOopses(guest.target.guest.machine.console).filter(({ kind }) => kind !== 'WARN');
  if (oopses.length > 0 && !interrupted.aborted) return sayOopses(request, oopses, terminal);
  if (last === undefined || last.kind === 'lost') {
    const why = last?.problem ?? (interrupted.aborted ? 'stopped' : 'it did not run');
    return complain(guest.target.guest.machine.asError(`the workload's guest was lost: ${why}`, interrupted), terminal);
  }
  if (last.kind === 'failed') {
    terminal.err(
      complaint(
        `the workload failed: ${last.problem ?? ''}`,
        'The lab is in order; its lines above say what the kernel refused.',
      ),
    );
    return labStatus.workloadFailed;
  }
  return isWhole(summary) ? labStatus.done : labStatus.incomplete;
}

/** The kernel as it was asked for; with a module of one's own, that build of it. */
function buildOf({ kernel, ownModule }: RunWords, { target }: OpenGuest): string {
  return ownModule === undefined ? kernel : target.guest.kernel.name;
}

/** A kernel that a workload killed is an answer, not the lab's failure: which BUG, on which path. */
function sayOopses({ kernel, workload }: RunWords, oopses: readonly Oops[], terminal: Terminal): number {
  terminal.err(
    complaint(
      `${workload} killed the kernel ${kernel}: ${oopses.slice(0, oopsesShownMax).map(describeOops).join('; ')}`,
      'This is the kernel’s answer, not the lab’s failure. What was counted until then is above.',
    ),
  );
  return labStatus.workloadFailed;
}

/** Once, or again and again until the asked-for time is over. */
async function repeat(
  request: RunWords,
  { interrupted }: LabSurroundings,
  guest: OpenGuest,
): Promise<readonly WorkloadEnd[]> {
  const beganMs = performance.now();
  const ends: WorkloadEnd[] = [];
  await surviveOopses(guest.target);
  do {
    const running = runWorkload(guest.target, request, () => undefined, interrupted);
    ends.push(await untilOops(guest.target, running));
  } while (
    request.durationMs !== undefined &&
    performance.now() - beganMs < request.durationMs &&
    ends.at(-1)?.kind === 'done' &&
    !interrupted.aborted
  );
  return ends;
}

type Opened = { readonly guest: OpenGuest; readonly bootMs: number; readonly tell: StageLine };

async function open(request: BootWords | RunWords, surroundings: LabSurroundings): Promise<Opened | number> {
  const { terminal, tracing, probes, interrupted } = surroundings;
  const runs = chooseStreams({ targetId: '', ...request }, tracing.probes());
  if (!runs.ok) {
    terminal.err(complaint(runs.error.message, runs.error.remedy));
    return labStatus.usage;
  }
  const tell = new StageLine(terminal);
  const beganMs = performance.now();
  const guest = await openGuest(
    tracing,
    probes,
    { ...request, runs: runs.value, targetId: `lab-${request.kernel.replaceAll(/[^A-Za-z0-9.-]/g, '-')}` },
    (stage) => tell.say(stage),
    interrupted,
  );
  tell.end();
  if (!guest.ok) return complain(guest.error, terminal);
  for (const reason of guest.value.refused) terminal.err(`  not traced: ${reason}\n`);
  for (const run of guest.value.runs) sayFailure(run, terminal);
  if (guest.value.snapshotProblem !== undefined)
    terminal.err(`  no snapshot, so the next boot is a cold one too: ${guest.value.snapshotProblem}\n`);
  return { guest: guest.value, bootMs: Math.round(performance.now() - beganMs), tell };
}

function sayFailure(run: RunView, terminal: Terminal): void {
  if (run.state !== 'failed') return;
  terminal.err(
    `  FAILED: ${run.failure?.message ?? `${run.probe}:${run.stream}`}\n    → ${run.failure?.remedy ?? ''}\n`,
  );
}

function complain(error: LabError, terminal: Terminal): number {
  terminal.err(complaint(error.message, error.remedy));
  return error.kind === 'unknown' ? labStatus.usage : labStatus.broken;
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** The stage that goes on: with its seconds redrawn in place on a terminal, otherwise a line a stage. */
class StageLine {
  private readonly terminal: Terminal;
  private readonly beganMs = performance.now();
  private stage: LabStage | undefined;
  private said = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  say(stage: LabStage): void {
    this.stage = stage;
    if (this.terminal.isErrTty) {
      this.timer ??= setInterval(() => this.draw(), 200);
      this.draw();
    } else if (stage.stage !== this.said) {
      this.terminal.err(`${formatSeconds(performance.now() - this.beganMs)} ${stage.stage}${amountOf(stage)}\n`);
    }
    this.said = stage.stage;
  }

  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.terminal.isErrTty) this.terminal.err('\r\u001b[K');
  }

  private draw(): void {
    if (this.stage === undefined) return;
    redraw(
      this.terminal,
      `${formatSeconds(performance.now() - this.beganMs)} ${this.stage.stage}${amountOf(this.stage)}`,
    );
  }
}

function amountOf({ doneBytes, totalBytes }: LabStage): string {
  if (totalBytes === undefined) return '';
  return doneBytes === undefined
    ? ` (${formatBytes(totalBytes)})`
    : ` (${formatBytes(doneBytes)} of ${formatBytes(totalBytes)})`;
}
