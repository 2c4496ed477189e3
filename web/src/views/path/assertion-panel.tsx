import { type ReactNode, memo } from 'react';
import { type Assertion, formatExact, formatPlural, type Violation } from '@faultline/shared';
import { assertionTable, selectAssertion } from '../../store/select-assertion.ts';
import { Panel } from '../../widgets/panel.tsx';
import { ScopeNote } from '../live/scope-note.tsx';
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
      id={panel.elementId}
      title={title}
      unit="mmap_assert_write_locked, evaluated at remap_pfn_range"
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      controls={<ScopeNote scope={view.scope} />}
      frameRef={panel.frameRef}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="assertion" said={panel.said} />}
    >
      <StatusBody status={status} shape="table" targetId={panel.targetId}>
        {() => <Verdicts view={view} unchecked="remap_pfn_range has not been called yet" />}
      </StatusBody>
    </Panel>
  );
});

/** Violations first, each with its stack; how much was checked; what the kernel itself said. */
export function Verdicts({
  view,
  unchecked,
}: {
  readonly view: Assertion;
  /** Why nothing was checked, where that is so. */
  readonly unchecked: string;
}): ReactNode {
  const { violations, warns, warnsDue, checks } = view;
  return (
    <div className="verdicts">
      {violations.length === 0 ? (
        <p className={checks > 0 ? 'verdict-clean' : 'verdict-unchecked'}>
          none in {formatPlural(checks, 'check')}
          {checks === 0 ? `: ${unchecked}` : ''}
        </p>
      ) : (
        violations.map((violation, at) => (
          <ViolationItem key={violation.key} violation={violation} isFirst={at === 0} />
        ))
      )}
      <p className="verdict-warns">
        {warns.length === 0
          ? `The kernel itself has WARNed of nothing${silence(warnsDue)}.`
          : `The kernel itself has WARNed ${formatPlural(
              warns.reduce((sum, { count }) => sum + count, 0),
              'time',
            )}${warnsDue > 0 ? `, ${formatPlural(warnsDue, 'WARN')} of its assertion due` : ''}:`}
      </p>
      {warns.map(({ key, count, process, stack }) => (
        <details key={key} className="verdict">
          <summary>
            {formatExact(count)} × WARN in {process}, at {stack[0]}
          </summary>
          <Stack frames={stack} />
        </details>
      ))}
    </div>
  );
}

/** What the kernel does not say. */
function silence(warnsDue: number): string {
  return warnsDue === 0 ? '' : `, though its assertion is violated ${formatPlural(warnsDue, 'time')} in these calls`;
}

function ViolationItem({
  violation,
  isFirst,
}: {
  readonly violation: Violation;
  readonly isFirst: boolean;
}): ReactNode {
  const { count, site, expected, actual, kernel, mine, needed, process, stack } = violation;
  return (
    <details className="verdict verdict-broken" open={isFirst}>
      <summary>
        <b>✕ {formatExact(count)} × violated</b> at {site} in {process}: expected <b>{expected}</b>, found{' '}
        <b>{actual}</b>
        <small> {starterOf(stack)}</small>
      </summary>
      <dl className="verdict-columns">
        <Verdict
          title="the kernel’s own condition"
          hint="somebody holds the lock for write: what mmap_assert_write_locked tests"
          words={kernel}
        />
        <Verdict title="held by this task" hint="the strict condition: this task holds it for write" words={mine} />
        <div title="whether the flags of the VMA, which the lock protects, really changed">
          <dt>needed</dt>
          <dd>{needed === 'yes' ? 'yes, flags changed' : 'no, flags were set'}</dd>
        </div>
      </dl>
      <Stack frames={stack} />
    </details>
  );
}

function Verdict({
  title,
  hint,
  words,
}: {
  readonly title: string;
  readonly hint: string;
  readonly words: string;
}): ReactNode {
  const isBroken = words === 'violated';
  return (
    <div title={hint}>
      <dt>{title}</dt>
      <dd className={isBroken ? 'is-broken' : undefined}>
        {isBroken ? '✕ ' : '✓ '}
        {words}
      </dd>
    </div>
  );
}

/** The stack from the inside out, as the kernel prints it. */
function Stack({ frames }: { readonly frames: readonly string[] }): ReactNode {
  return <pre>{frames.join('\n')}</pre>;
}

/** What tells two stacks of one site apart at a glance: who started it. */
function starterOf(stack: readonly string[]): string {
  if (stack.includes('fixup_user_fault')) return 'from MAP_DMA';
  return stack.some((frame) => /exc_page_fault|do_user_addr_fault|do_page_fault/.test(frame))
    ? 'from an instruction'
    : '';
}
