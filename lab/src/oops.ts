/** What a kernel complained about on its console, as it says it: oopses, BUGs, bad pages, WARNs, each with its stack. */
import { guestHungSec, oopsesMax } from '@faultline/shared';

/** One complaint. */
export type Oops = {
  /** `BUG` ends at least the thread; `bad-page` is memory that is mapped where it should not be; `WARN` goes on. */
  readonly kind: 'BUG' | 'bad-page' | 'WARN';
  /** The kernel's own words, such as "kernel BUG at mm/memory.c:2436!". */
  readonly what: string;
  /** The function in which it happened; undefined where the console does not say. */
  readonly at: string | undefined;
  /** Functions, innermost first, without those the kernel is not sure of. */
  readonly stack: readonly string[];
};

const beginnings: readonly (readonly [Oops['kind'], RegExp])[] = [
  ['bad-page', /^(BUG: Bad page \w+ in process .*)$/],
  ['BUG', /^(kernel BUG at .*|BUG: (?:kernel NULL pointer|unable to handle).*|general protection fault.*)$/],
  ['WARN', /^WARNING: CPU: \d+ PID: \d+ at (.*)$/],
];

/** Reads the console's text, the oldest complaint first; at most oopsesMax. */
export function readOopses(console: string): readonly Oops[] {
  const oopses: { kind: Oops['kind']; what: string; at: string | undefined; stack: string[] }[] = [];
  let isInTrace = false;
  for (const raw of console.split('\n')) {
    const line = raw.replace(/^\[\s*[\d.]+\](?:\[.*?\])?\s?/, '').replace(/\r$/, '');
    const begun = beginnings.flatMap(([kind, pattern]) => {
      const what = pattern.exec(line)?.[1];
      return what === undefined ? [] : [{ kind, what, at: undefined, stack: [] }];
    })[0];
    if (begun !== undefined) {
      if (oopses.length === oopsesMax) break;
      oopses.push(begun);
      isInTrace = false;
    }
    const last = oopses.at(-1);
    if (last === undefined) continue;
    const at = /^RIP: 0010:([^+\s]+)/.exec(line)?.[1];
    if (at !== undefined) last.at ??= at;
    if (line.startsWith('Call Trace:')) isInTrace = last.stack.length === 0;
    else if (/^ *<\/TASK>/.test(line) || /^(?:RIP|Modules linked in|---)/.test(line)) isInTrace = false;
    else if (isInTrace) {
      const frame = /^ +([A-Za-z_][\w.]*)\+0x/.exec(line)?.[1];
      if (frame !== undefined) last.stack.push(frame);
    }
  }
  return oopses;
}

/** Whether a kernel says that a CPU of it has been stuck for longer than it ever takes to do what it does. */
export function saysHung(text: string): boolean {
  const stuck = text.matchAll(/soft lockup - CPU#\d+ stuck for (\d+)s/g);
  return stuck.some(([, seconds]) => Number(seconds) >= guestHungSec);
}

/**
 * Whether a kernel says that a CPU of it has no timer any more. Seen of emulated ones: an interrupt that their APIC had given to the
 * CPU was never served, and every later one waited for it. Such a guest counts on, but what waits for RCU, as attaching and detaching
 * do, takes minutes.
 */
export function saysTimerLost(text: string): boolean {
  return /Possible timer handling issue on cpu=\d+/.test(text);
}

/** One line for people: what, where, and the first functions of the stack. */
export function describeOops({ what, at, stack }: Oops): string {
  const place = at === undefined ? '' : ` in ${at}`;
  const path = stack.filter((frame) => frame !== at).slice(0, 4);
  return `${what}${place}${path.length === 0 ? '' : ` (from ${path.join(', ')})`}`;
}
