/** The mmap lock assertion of a session: who broke it, by stack, beside what the kernel itself said. */
import type { Dims } from '../protocol.ts';
import { cellsOf } from './fault-path.ts';
import type { LiveSession } from './live-session.ts';
import { totalOf } from './source.ts';

/** One way in which the assertion was broken. */
export type Violation = {
  readonly key: string;
  readonly site: string;
  readonly expected: string;
  readonly actual: string;
  readonly kernel: string;
  readonly mine: string;
  /** Whether the flags of the VMA, which the lock protects, really changed: yes, no. */
  readonly needed: string;
  readonly process: string;
  readonly count: number;
  readonly stack: readonly string[];
};

/** A WARN of the kernel itself. */
export type KernelWarn = Pick<Violation, 'key' | 'process' | 'count' | 'stack'>;

/** How often the lock was checked, and what was found; the most frequent first. */
export type Assertion = {
  readonly checks: number;
  readonly violations: readonly Violation[];
  readonly warns: readonly KernelWarn[];
  /** How often a kernel that asks its assertion (mmap_assert_write_locked) has to WARN in these calls: up to twice for each. */
  readonly warnsDue: number;
};

/** What was checked and found in a session. */
export function assertionOf(session: LiveSession): Assertion {
  const word = (dims: Dims, name: string): string => String(dims[name]);
  return {
    checks: totalOf(session, 'checks', {}),
    violations: cellsOf(session, 'violations')
      .map(({ dims, value }) => ({
        key: JSON.stringify(dims),
        site: word(dims, 'site'),
        expected: word(dims, 'expected'),
        actual: word(dims, 'actual'),
        kernel: word(dims, 'kernel'),
        mine: word(dims, 'mine'),
        needed: word(dims, 'needed'),
        process: word(dims, 'comm'),
        count: value,
        stack: word(dims, 'stack').split(';'),
      }))
      .toSorted((left, right) => right.count - left.count),
    warns: cellsOf(session, 'warns')
      .map(({ dims, value }) => ({
        key: JSON.stringify(dims),
        process: word(dims, 'comm'),
        count: value,
        stack: word(dims, 'stack').split(';'),
      }))
      .toSorted((left, right) => right.count - left.count),
    warnsDue: totalOf(session, 'assertions', { kernel: 'violated' }),
  };
}
