/** The last resort against a process on a target, and what it comes to. */
import { within } from '@faultline/lab';
import { killedWaitMaxMs, pipeCloseMaxMs } from '@faultline/shared';
import type { Exit, TargetProcess } from './target.ts';

/** The end of a process that SIGKILL did not end. */
export const unkillable: Exit = {
  problem: { kind: 'failed', message: 'the process did not end on SIGKILL either: its kernel holds it' },
};

/**
 * SIGKILL, then its pipes let go (a signal may not be permitted), and its end: `unkillable` when none has come by
 * killedWaitMaxMs. `pid` as for TargetProcess.signal.
 */
export async function killForGood(process: TargetProcess, pid: number | undefined): Promise<Exit> {
  process.signal('SIGKILL', pid);
  const release = setTimeout(() => process.release(), pipeCloseMaxMs);
  const exit = await within(process.exited, killedWaitMaxMs, unkillable);
  clearTimeout(release);
  return exit;
}
