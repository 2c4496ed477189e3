/** CPU time of a process on a target, from /proc: what tracing itself costs. */
import { readText, type Target } from '../targets/target.ts';

/** Kernel ticks a second in /proc/PID/stat: USER_HZ is 100 on every Linux that Faultline runs on. */
const userHz = 100;

/** User plus system time so far, ms; undefined where it can't be read (the process is gone, or not ours to see). */
export async function processCpuMs(target: Target, pid: number): Promise<number | undefined> {
  const stat = await readText(target, `/proc/${pid}/stat`);
  if (!stat.ok) return undefined;
  // The name in parentheses may hold blanks and parentheses: count from the last one.
  const fields = stat.value.slice(stat.value.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? (ticks * 1000) / userHz : undefined;
}
