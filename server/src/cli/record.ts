/** `faultline record`: traces for a while, then prints what was counted. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  addLedgers,
  formatCount,
  formatSeconds,
  type RecordSummary,
  type RunView,
  type StartRun,
} from '@faultline/shared';
import type { SessionSource, Tracing } from '../sessions/tracing.ts';
import { describeRecording, isWhole } from '../exports/report.ts';
import { usageStatus } from './arguments.ts';
import { complaint, redraw, type Terminal } from './terminal.ts';

/** What `record` was told; no run where none can attach. */
export type RecordRequest = {
  readonly targetId: string;
  readonly runs: readonly StartRun[];
  readonly durationMs: number;
  readonly isJson: boolean;
};

/** What `record` needs besides. */
export type RecordSurroundings = {
  readonly terminal: Terminal;
  /** Aborted by the first SIGINT or SIGTERM: the recording ends early and is printed. */
  readonly interrupted: AbortSignal;
};

/** Exit statuses of a recording. */
const recordStatus = { complete: 0, failed: 1, incomplete: 3 } as const;

const lookEveryMs = 100;
/** Progress where it can't be redrawn in place: a line this often. */
const lineEveryMs = 5_000;

/** Records and prints. Status 0 complete, 3 when anything was lost, 1 when a stream could not trace (to the end), 2 for a target that is not there. */
export async function record(
  tracing: Tracing,
  request: RecordRequest,
  surroundings: RecordSurroundings,
): Promise<number> {
  const { terminal, interrupted } = surroundings;
  const session = await tracing.session(request.targetId);
  if (!session.ok) {
    terminal.err(complaint(session.error.message, session.error.remedy));
    return session.error.kind === 'unknown-target' ? usageStatus : recordStatus.failed;
  }
  if (request.runs.length === 0) {
    const asked = request.targetId === 'host' ? '' : ` --target ${request.targetId}`;
    terminal.err(
      complaint(
        `nothing that runs by default can attach on ${request.targetId}, so nothing was recorded`,
        `faultline doctor${asked} says why, and what to do.`,
      ),
    );
    return recordStatus.failed;
  }
  const progress = new Progress(terminal, request.durationMs);
  const started = await startAll(tracing, request, terminal);
  if ('status' in started) return started.status;
  const { runIds } = started;
  const own = (): readonly RunView[] => tracing.runs().filter(({ id }) => runIds.includes(id));
  const isAttached = await untilAttached(own, progress, interrupted);
  if (isAttached) await untilOver(own, request.durationMs, progress, interrupted);
  progress.end();
  const running = own().filter(({ state }) => state !== 'stopped' && state !== 'failed');
  await Promise.all(running.map(({ id }) => tracing.stopRun(id)));
  for (const run of own()) complainAboutFailure(run, terminal);
  if (!isAttached) {
    if (interrupted.aborted)
      terminal.err(complaint('interrupted before the probes were attached', 'Nothing was recorded.'));
    return recordStatus.failed;
  }
  return printSummary(tracing, session.value, request, terminal);
}

function printSummary(tracing: Tracing, session: SessionSource, request: RecordRequest, terminal: Terminal): number {
  const summary = session.summary();
  if (request.isJson) terminal.out(`${JSON.stringify(summary, undefined, 2)}\n`);
  else {
    terminal.out(`${describeRecording(summary, tracing.probes(), terminal.width).join('\n')}\n`);
    sayRecorded(summary, terminal);
  }
  if (summary.runs.some(({ run }) => run.state === 'failed')) return recordStatus.failed;
  return isWhole(summary) ? recordStatus.complete : recordStatus.incomplete;
}

/** Which session it has become, where it was recorded. */
export function sayRecorded({ recordingId: id }: RecordSummary, terminal: Pick<Terminal, 'err'>): void {
  if (id !== undefined) terminal.err(`recorded as ${id} (faultline summary ${id})\n`);
}

/** Starts all or none: a recording that lacks a part which was asked for is no recording. The exit status where none was started. */
async function startAll(
  tracing: Tracing,
  request: RecordRequest,
  terminal: Terminal,
): Promise<{ readonly runIds: readonly string[] } | { readonly status: number }> {
  const ids: string[] = [];
  for (const one of request.runs) {
    const run = await tracing.startRun(one);
    if (run.ok) {
      ids.push(run.value.id);
      continue;
    }
    terminal.err(complaint(`${one.probe}:${one.stream ?? ''} can't record: ${run.error.message}`, run.error.remedy));
    await Promise.all(ids.map((id) => tracing.stopRun(id)));
    return { status: run.error.kind === 'bad-parameter' ? usageStatus : recordStatus.failed };
  }
  return { runIds: ids };
}

/** Waits until every run is attached. False: one failed, or the wait was interrupted. */
async function untilAttached(
  own: () => readonly RunView[],
  progress: Progress,
  interrupted: AbortSignal,
): Promise<boolean> {
  for (;;) {
    const runs = own();
    if (runs.some(({ state }) => state === 'failed') || interrupted.aborted) return false;
    const attached = runs.filter(({ state }) => state !== 'starting');
    if (attached.length === runs.length) return true;
    progress.say('attaching', `${attached.length} of ${runs.length}`);
    await pause(lookEveryMs, interrupted);
  }
}

/** Waits for the duration, the interruption, or the end of every run. */
async function untilOver(
  own: () => readonly RunView[],
  durationMs: number,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<void> {
  const beganMs = performance.now();
  for (;;) {
    const runs = own();
    const passedMs = performance.now() - beganMs;
    progress.show(passedMs, runs);
    const isAnyAlive = runs.some(({ state }) => state === 'running');
    if (passedMs >= durationMs || interrupted.aborted || !isAnyAlive) return;
    await pause(Math.min(lookEveryMs, durationMs - passedMs), interrupted);
  }
}

/** Waits, or less when interrupted. */
async function pause(ms: number, interrupted: AbortSignal): Promise<void> {
  await wait(Math.max(1, ms), undefined, { signal: interrupted }).catch((error: unknown) => {
    if (!interrupted.aborted) throw error;
  });
}

function complainAboutFailure({ probe, stream, state, failure }: RunView, terminal: Terminal): void {
  if (state !== 'failed') return;
  // The message names probe and stream.
  terminal.err(complaint(failure?.message ?? `${probe}:${stream} failed for an unknown reason`, failure?.remedy ?? ''));
  if (failure?.stderr !== undefined && failure.stderr.trim() !== '') {
    terminal.err(`  bpftrace said: ${failure.stderr.trim().split('\n').slice(0, 5).join('\n  ')}\n`);
  }
}

/** One line about what goes on: redrawn in place on a terminal, else repeated every few seconds. */
class Progress {
  readonly #terminal: Terminal;
  readonly #durationMs: number;
  #phase = '';
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #isOpen = false;

  constructor(terminal: Terminal, durationMs: number) {
    this.#terminal = terminal;
    this.#durationMs = durationMs;
  }

  show(passedMs: number, runs: readonly RunView[]): void {
    const { seenCount, lostCount, missingCount, malformedCount, droppedCount } = addLedgers(
      runs.map(({ ledger }) => ledger),
    );
    const bad = lostCount + missingCount + malformedCount + droppedCount;
    const failed = runs
      .filter(({ state }) => state === 'failed')
      .map(({ probe, stream }) => ` · ${probe}:${stream} FAILED`);
    const clock = `${formatSeconds(Math.min(passedMs, this.#durationMs))} of ${formatSeconds(this.#durationMs)}`;
    this.say('recording', `${clock} · seen ${formatCount(seenCount)} · lost ${formatCount(bad)}${failed.join('')}`);
  }

  say(phase: string, text: string): void {
    if (this.#terminal.isErrTty) {
      redraw(this.#terminal, `${phase} ${text}`);
      this.#isOpen = true;
      return;
    }
    const nowMs = performance.now();
    if (phase === this.#phase && nowMs - this.#saidAtMs < lineEveryMs) return;
    this.#phase = phase;
    this.#saidAtMs = nowMs;
    this.#terminal.err(`${phase} ${text}\n`);
  }

  /** Clears the line that was redrawn. */
  end(): void {
    if (this.#isOpen) this.#terminal.err('\r\u001b[K');
    this.#isOpen = false;
  }
}
