import type { ReactNode } from 'react';
import {
  type ComparedSideView,
  formatCount,
  formatExact,
  formatNs,
  formatPlural,
  type PathNode,
  eraTitle,
} from '@faultline/shared';
import { PathDiagram } from '../../charts/path-diagram.tsx';
import { modeMark } from '../../store/marks.ts';
import { assertionTable } from '../../store/select-assertion.ts';
import {
  type LockBar,
  lockBars,
  lockTable,
  pathDifference,
  pathTable,
  type SideName,
  sideMarks,
  sideNames,
} from '../../store/select-compare-charts.ts';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';
import { EmptyState } from '../../widgets/panel-states.tsx';
import { Verdicts } from '../path/assertion-panel.tsx';
import { ComparePanel } from './compare-panel.tsx';
import type { Compared } from '../../store/select-compare.ts';

/** The fault path of one side; what differs from the other is marked. */
export function SidePathPanel({ answer, side }: Compared & { readonly side: SideName }): ReactNode {
  const own = answer[side];
  const other = answer[side === 'baseline' ? 'candidate' : 'baseline'];
  return (
    <ComparePanel
      id={`path-${side}`}
      title={`the path of a fault, ${own.title}`}
      unit="calls of one run, p99"
      table={own.path === undefined ? undefined : pathTable(answer.baseline.path, answer.candidate.path)}
      legend={<PathLegend side={side} view={own} />}
    >
      {own.path === undefined ? (
        <EmptyState why="The fault handler of vfio was not traced on this side." />
      ) : (
        <PathDiagram
          path={own.path}
          beside={other.path}
          wordsOf={wordsOf}
          lockOf={modeMark}
          differenceOf={(node) => pathDifference(node, other.path)}
        />
      )}
    </ComparePanel>
  );
}

function PathLegend({ side, view }: { readonly side: SideName; readonly view: ComparedSideView }): ReactNode {
  return (
    <>
      <span className="readout">
        <MarkGlyph {...sideMarks[side]} />
        {view.era === undefined ? 'era not known' : eraTitle(view.era)}
      </span>
      {['vma-read', 'mmap-read', 'mmap-write'].map((lock) => (
        <span key={lock} className="readout">
          <MarkGlyph {...modeMark(lock)} />
          {modeMark(lock).name}
        </span>
      ))}
      <span className="quiet">≠ differs from the other side</span>
    </>
  );
}

function wordsOf(node: PathNode): { readonly figures: string; readonly exact: string } {
  if (node.kind === 'inlined')
    return { figures: 'inlined here', exact: `${node.name}: inlined, so nothing can attach to it` };
  if (node.total === undefined) return { figures: 'not measured', exact: `${node.name}: no probe counts it` };
  const locks = node.locks.map(({ lock, count }) => `${lock} ${formatExact(count)}`).join(', ');
  const p99 = node.p99Ns === undefined ? '' : ` · p99 ${formatNs(node.p99Ns)}`;
  return {
    figures: `${formatCount(node.total)}${p99}`,
    exact: [`${node.name}: ${formatExact(node.total)} calls a run`, locks].filter((part) => part !== '').join('; '),
  };
}

/** Under which lock faults ran, side beside side. */
export function LockPanel({ candidate }: Compared): ReactNode {
  const bars = lockBars(candidate);
  return (
    <ComparePanel
      id="locks"
      title="lock held during a fault"
      unit="share of faults, mean of the runs"
      table={bars.length === 0 ? undefined : lockTable(bars)}
    >
      {bars.length === 0 ? (
        <EmptyState why="The lock was not sampled: vfio-fault was not traced, or nothing faulted." />
      ) : (
        <div className="lock-bars">
          {bars.map((bar) => (
            <LockBarRow key={bar.side} bar={bar} />
          ))}
        </div>
      )}
    </ComparePanel>
  );
}

function LockBarRow({ bar: { side, parts } }: { readonly bar: LockBar }): ReactNode {
  return (
    <div className="lock-bar">
      <span className="side-name">
        <MarkGlyph {...sideMarks[side]} />
        {side}
      </span>
      <span className="lock-bar-parts">
        {parts.map(({ lock, mark, share, words }) => (
          <span
            key={lock}
            className="lock-bar-part"
            style={{ width: `${share * 100}%`, borderColor: mark.color }}
            title={`${lock}: ${words}`}
          >
            <MarkGlyph {...mark} />
            {lock} {words}
          </span>
        ))}
        {parts.length === 0 ? <span className="quiet">no fault</span> : null}
      </span>
    </div>
  );
}

/** The lock assertion of both sides, violations first. */
export function AssertionPanels({ answer }: Compared): ReactNode {
  return sideNames.map((side) => {
    const { title, assertion, runs } = answer[side];
    return (
      <div key={side} className={`cell-assertion-${side}`}>
        <ComparePanel
          id={`assertion-${side}`}
          title={`mmap lock assertion, ${title}`}
          unit={`all ${formatPlural(runs.length, 'run')} together`}
          table={assertionTable(assertion)}
          isTable
        >
          <Verdicts view={assertion} unchecked="remap_pfn_range was not called in these runs" />
        </ComparePanel>
      </div>
    );
  });
}
