/** The mmap lock assertion: who breaks it, by stack, beside what the kernel itself says. */
import { cellsOf, formatExact, totalOf } from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type PanelStatus, metricStatus } from './panel-status.ts';
import type { Scope } from './scope.ts';
import { allProcesses, answered } from './select-fault-path.ts';
import type { TableData } from './table-data.ts';

/** One line of the assertion panel. */
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

/** The lock assertion: violations by stack, the kernel's own words, and how much was checked. */
export type AssertionView = {
  readonly status: PanelStatus;
  readonly checks: number;
  readonly violations: readonly Violation[];
  readonly warns: readonly {
    readonly key: string;
    readonly process: string;
    readonly count: number;
    readonly stack: readonly string[];
  }[];
  readonly scope: Scope | undefined;
};

/** What the mmap lock assertion would say. A stream that runs and has checked nothing is no empty panel: that is an answer. */
export function selectAssertion(shown: Shown): AssertionView {
  const status = metricStatus(shown, 'checks');
  const { session } = shown;
  const none = { checks: 0, violations: [], warns: [], scope: undefined };
  if (session === undefined) return { status, ...none };
  return {
    status: answered(shown, status, 'lock-assert'),
    checks: totalOf(session, 'checks', {}),
    scope: allProcesses(shown),
    violations: cellsOf(session, 'violations')
      .map(({ dims, value }) => ({
        key: JSON.stringify(dims),
        site: String(dims['site']),
        expected: String(dims['expected']),
        actual: String(dims['actual']),
        kernel: String(dims['kernel']),
        mine: String(dims['mine']),
        needed: String(dims['needed']),
        process: String(dims['comm']),
        count: value,
        stack: String(dims['stack']).split(';'),
      }))
      .toSorted((left, right) => right.count - left.count),
    warns: cellsOf(session, 'warns')
      .map(({ dims, value }) => ({
        key: JSON.stringify(dims),
        process: String(dims['comm']),
        count: value,
        stack: String(dims['stack']).split(';'),
      }))
      .toSorted((left, right) => right.count - left.count),
  };
}

/** The violations as a table, for copying. */
export function assertionTable(view: AssertionView): TableData {
  return {
    columns: ['count', 'site', 'expected', 'actual', 'kernel', 'mine', 'needed', 'process', 'stack'].map((title) => ({
      id: title,
      title,
      align: title === 'count' ? ('end' as const) : ('start' as const),
    })),
    rows: view.violations.map((one) => ({
      key: one.key,
      cells: [
        formatExact(one.count),
        one.site,
        one.expected,
        one.actual,
        one.kernel,
        one.mine,
        one.needed,
        one.process,
        one.stack.join(' < '),
      ],
    })),
  };
}
