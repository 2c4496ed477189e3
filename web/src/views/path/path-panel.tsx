import { type ReactNode, memo } from 'react';
import { formatCount, formatExact, formatNs, formatRate, type PathNode } from '@faultline/shared';
import { PathDiagram } from '../../charts/path-diagram.tsx';
import { modeMark } from '../../store/marks.ts';
import { type FaultPathView, faultPathTable, selectFaultPath } from '../../store/select-fault-path.ts';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';
import { Panel } from '../../widgets/panel.tsx';
import { ScopeNote } from '../live/scope-note.tsx';
import { Spoken } from '../live/spoken.tsx';
import { StatusBody } from '../live/status-body.tsx';
import { TextTable } from '../live/text-table.tsx';
import { usePanel } from '../live/use-panel.ts';

const title = 'the path of a fault';

/** The diagram of the fault path. */
export const PathPanel = memo(function PathPanel(): ReactNode {
  const panel = usePanel({ id: 'path', title, select: selectFaultPath, rank: 'slow', tableOf: faultPathTable });
  const { view } = panel;
  const { status, path, pathBeside } = view;
  return (
    <Panel
      id={panel.elementId}
      title={title}
      unit="/s in the window, calls since the start, p99"
      controls={<ScopeNote scope={view.scope} />}
      note={status.kind === 'ready' ? status.note : undefined}
      lossWord={status.kind === 'ready' ? status.lossWord : undefined}
      frameRef={panel.frameRef}
      isTableOpen={panel.isTableOpen}
      onTable={status.kind === 'ready' ? panel.onTable : undefined}
      onCopy={status.kind === 'ready' ? panel.onCopy : undefined}
      spoken={<Spoken panel="path" said={panel.said} />}
      legend={path === undefined ? undefined : <Legend view={view} />}
    >
      <StatusBody status={status} shape="table" targetId={panel.targetId}>
        {() => {
          if (panel.isTableOpen) return <TextTable label={title} table={faultPathTable(view)} />;
          return path === undefined ? null : (
            <PathDiagram path={path} beside={pathBeside} wordsOf={wordsOf} lockOf={modeMark} />
          );
        }}
      </StatusBody>
    </Panel>
  );
});

function Legend({ view }: { readonly view: FaultPathView }): ReactNode {
  return (
    <>
      {['vma-read', 'mmap-read', 'mmap-write', 'none'].map((lock) => {
        const mark = modeMark(lock);
        return (
          <span key={lock} className="readout">
            <MarkGlyph {...mark} />
            {mark.name}
          </span>
        );
      })}
      <span className="quiet path-era" title={view.eraReason}>
        {view.eraWords}
      </span>
    </>
  );
}

function wordsOf(node: PathNode): { readonly figures: string; readonly exact: string } {
  const locks = node.locks.map(({ lock, count }) => `${lock} ${formatExact(count)}`).join(', ');
  if (node.kind === 'inlined')
    return { figures: 'inlined here', exact: `${node.name}: inlined, so nothing can attach to it` };
  if (node.total === undefined) return { figures: 'not measured', exact: `${node.name}: no probe counts it` };
  const figures = [
    node.perSec === undefined ? '' : formatRate(node.perSec),
    formatCount(node.total),
    node.p99Ns === undefined ? '' : `p99 ${formatNs(node.p99Ns)}`,
  ];
  const exact = [
    `${node.name}: ${formatExact(node.total)} calls`,
    locks,
    node.violations > 0 ? `${formatExact(node.violations)} violations` : '',
  ];
  const isSaid = (part: string): boolean => part !== '';
  return { figures: figures.filter(isSaid).join(' · '), exact: exact.filter(isSaid).join('; ') };
}
