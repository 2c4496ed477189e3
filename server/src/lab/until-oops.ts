/** Workloads that may kill the kernel: it goes on after its first oops for as long as it takes to hear what the probes saw. */
import { heartbeatIntervalMs, oopsHeartbeats } from '@faultline/shared';
import { readOopses } from '@faultline/lab';
import { setTimeout as wait } from 'node:timers/promises';
import type { GuestTarget } from '../targets/guest.ts';
import type { WorkloadEnd } from './workload.ts';

/**
 * Lets the guest live on after an oops, as far as it can (the lab's guests panic at the first one otherwise), and say all it has to say: the
 * stacks of bad pages are of a level that its console leaves out.
 */
export async function surviveOopses({ guest }: GuestTarget): Promise<void> {
  // Where it cannot be written the guest panics as before, and that is seen too.
  for (const [name, value] of [
    ['panic_on_oops', '0'],
    ['printk', '8'],
  ] as const)
    await guest.machine.agent.writeFile(`/proc/sys/kernel/${name}`, Buffer.from(value));
}

/**
 * The workload's end; or, once the kernel has complained, `lost` a few heartbeats later: what oopsed may hold locks for ever,
 * and then nothing that waits for them ends, not by SIGKILL either.
 */
export async function untilOops({ guest }: GuestTarget, running: Promise<WorkloadEnd>): Promise<WorkloadEnd> {
  const { machine } = guest;
  let tell: () => void = () => undefined;
  const oopsed = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const stop = machine.onLine((line) => {
    if (readOopses(line).some(({ kind }) => kind !== 'WARN')) tell();
  });
  const afterOops = oopsed.then(async (): Promise<WorkloadEnd> => {
    await wait(oopsHeartbeats * heartbeatIntervalMs);
    return { kind: 'lost', lines: [], exitStatus: undefined, problem: 'the kernel oopsed' };
  });
  try {
    return await Promise.race([running, afterOops]);
  } finally {
    stop();
  }
}
