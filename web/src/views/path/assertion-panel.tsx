import { type ReactNode, memo } from 'react';
import { formatExact, formatPlural } from '@faultline/shared';
import { type AssertionView, type Violation, assertionTable, selectAssertion } from '../../store/select-fault-path.ts';
import { Panel } from '../../widgets/panel.tsx';
import { Spoken } from '../live/spoken.tsx';
import { StatusBody } from '../live/status-body.tsx';
import { usePanel } from '../live/use-panel.ts';

const title = 'mmap lock assertion';

/** What mmap_assert_write_locked would say: violations first, with who and where from. */
export const AssertionPanel = memo(function AssertionPanel(): ReactNode {
  const panel = usePanel({ id: 'assertion', title, select: selectAssertion, rank: 'slow', tableOf: assertionTable });
  const { view } = panel;
  const { status } = view;
  return (
    <Panel
      id="assertion"
      title={title}
      unit="mmap_assert_write_locked, evaluated at remap_pfn_range"
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      frameRef={panel.frameRef}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="assertion" said={panel.said} />}
    >
      <StatusBody status={status} shape="table" targetId={panel.targetId}>
        {() => <Verdicts view={view} />}
      </StatusBody>
    </Panel>
  );
});

function Verdicts({ view }: { readonly view: AssertionView }): ReactNode {
  const { violations, warns, checks } = view;
  return (
    <div className="verdicts">
      {violations.length === 0 ? (
        <p className="verdict-clean">
          none in {formatPlural(checks, 'check')}
          {checks === 0 ? ': remap_pfn_range has not been called yet' : ''}
        </p>
      ) : (
        violations.map((violation) => <ViolationItem key={violation.key} violation={violation} />)
      )}
      <p className="quiet">
        {checks > 0
          ? `The flags of the VMA really changed in ${formatExact(view.needed)} of ${formatPlural(checks, 'check')}. `
          : ''}
        {warns.length === 0
          ? 'The kernel itself has WARNed of nothing.'
          : `The kernel itself has WARNed ${formatPlural(
              warns.reduce((sum, { count }) => sum + count, 0),
              'time',
            )}:`}
      </p>
      {warns.map(({ key, count, process, stack }) => (
        <details key={key} className="verdict">
          <summary>
            {formatExact(count)} × WARN in {process}
          </summary>
          <pre>{stack.join('\n')}</pre>
        </details>
      ))}
    </div>
  );
}

function ViolationItem({ violation }: { readonly violation: Violation }): ReactNode {
  const { count, site, expected, actual, kernel, mine, process, stack } = violation;
  return (
    <details className="verdict verdict-broken" open>
      <summary>
        <b>✕ {formatExact(count)} × violated</b> at {site} in {process}: expected <b>{expected}</b>, found{' '}
        <b>{actual}</b>
      </summary>
      <p className="quiet">
        the kernel’s own condition (somebody holds it for write): {kernel} · held for write by this task: {mine}
      </p>
      <pre>{stack.join('\n')}</pre>
    </details>
  );
}
