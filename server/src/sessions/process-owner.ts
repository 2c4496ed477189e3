/** Who a process is beyond its number, so that one that died is told from another that got its number since. */
import { readFileSync } from 'node:fs';
import type { ProcessOwner } from '@faultline/shared';

/** This process. */
export function ownProcess(): ProcessOwner {
  return { pid: process.pid, startTicks: startTicksOf(process.pid) ?? 0, bootId: bootId() };
}

/** Whether that very process still lives on this machine. */
export function isAlive(owner: ProcessOwner): boolean {
  return owner.bootId === bootId() && startTicksOf(owner.pid) === owner.startTicks;
}

/** Field 22 of /proc/PID/stat; undefined where there is no such process, or only what is left of one. */
function startTicksOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold blanks and parentheses: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isGone = fields[0] === 'Z' || fields[0] === 'X';
    return isGone ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
