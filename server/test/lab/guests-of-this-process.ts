/** The QEMU processes that are children of this one: none may be left behind. */
import { readdirSync, readFileSync } from 'node:fs';

/** Their process ids. */
export function guestsOfThisProcess(): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return (
        stat.includes('(qemu-system') && stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(process.pid)
      );
    } catch {
      return false;
    }
  });
}
