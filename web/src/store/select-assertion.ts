/** The mmap lock assertion: who breaks it, by stack, beside what the kernel itself says. */
import { type Assertion, assertionOf, formatExact } from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type PanelStatus, metricStatus } from './panel-status.ts';
import type { Scope } from './scope.ts';
import { allProcesses, answered } from './select-fault-path.ts';
import type { TableData } from './table-data.ts';

/** The lock assertion: violations by stack, the kernel's own words, and how much was checked. */
export type AssertionView = Assertion & { readonly status: PanelStatus; readonly scope: Scope | undefined };

/** What the mmap lock assertion would say. A stream that runs and has checked nothing is no empty panel: that is an answer. */
export function selectAssertion(shown: Shown): AssertionView {
  const status = metricStatus(shown, 'checks');
  const { session } = shown;
  if (session === undefined) return { status, checks: 0, violations: [], warns: [], warnsDue: 0, scope: undefined };
  return { status: answered(shown, status, 'lock-assert'), scope: allProcesses(shown), ...assertionOf(session) };
}

/** The violations as a table, for copying. */
export function assertionTable(view: Assertion): TableData {
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
