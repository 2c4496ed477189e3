/** The last resort against a process on a target, and what it comes to. */
import { pipeCloseMaxMs, killedWaitMaxMs } from '@faultline/shared';
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
  const timers: NodeJS.Timeout[] = [setTimeout(() => process.release(), pipeCloseMaxMs)];
  const late = new Promise<Exit>((resolve) => {
    timers.push(setTimeout(resolve, killedWaitMaxMs, unkillable));
  });
  const exit = await Promise.race([process.exited, late]);
  for (const timer of timers) clearTimeout(timer);
  return exit;
}
