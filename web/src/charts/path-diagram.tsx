import type { ReactNode } from 'react';
import type { FaultPath, PathEdge, PathNode } from '@faultline/shared';

type Props = {
  readonly path: FaultPath;
  /** Words of a node: calls and quantile, ready to be shown. */
  readonly wordsOf: (node: PathNode) => { readonly figures: string; readonly exact: string };
  /** How a lock mode looks: its colour and its word. */
  readonly lockOf: (lock: string) => { readonly color: string; readonly name: string };
};

const columnWidth = 232;
const nodeWidth = 214;
const nodeHeight = 42;
const rowHeight = 62;
const railWidth = 6;

/** The fault path as a vertical diagram: functions as boxes, calls as lines as thick as the traffic, locks as a rail. */
export function PathDiagram({ path, wordsOf, lockOf }: Props): ReactNode {
  const rows = Math.max(...path.nodes.map(({ row }) => row)) + 1;
  const peak = Math.max(1, ...path.edges.map(({ count }) => count));
  const [width, height] = [3 * columnWidth, rows * rowHeight];
  const nodeOf = new Map(path.nodes.map((node) => [node.id, node]));
  return (
    <svg
      className="path-diagram"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`the fault path: ${path.nodes.map((node) => `${node.name} ${wordsOf(node).figures}`).join('; ')}`}
    >
      {path.edges.map((edge) => (
        <Edge
          key={`${edge.from} ${edge.to}`}
          edge={edge}
          from={nodeOf.get(edge.from)}
          to={nodeOf.get(edge.to)}
          peak={peak}
        />
      ))}
      {path.nodes.map((node) => (
        <Box key={node.id} node={node} words={wordsOf(node)} lockOf={lockOf} />
      ))}
    </svg>
  );
}

function placeOf({ column, row }: PathNode): { readonly x: number; readonly y: number } {
  return { x: column * columnWidth + (columnWidth - nodeWidth) / 2, y: row * rowHeight + 8 };
}

function Edge({
  edge,
  from,
  to,
  peak,
}: {
  readonly edge: PathEdge;
  readonly from: PathNode | undefined;
  readonly to: PathNode | undefined;
  readonly peak: number;
}): ReactNode {
  if (from === undefined || to === undefined) return null;
  const [start, end] = [placeOf(from), placeOf(to)];
  const [x1, y1] = [start.x + nodeWidth / 2, start.y + nodeHeight];
  const [x2, y2] = [end.x + nodeWidth / 2, end.y];
  const middle = y2 - (rowHeight - nodeHeight) / 2;
  // Log: one call in a million is still a line, and a million are no wall.
  const thickness = edge.count === 0 ? 1 : 1.5 + (5 * Math.log1p(edge.count)) / Math.log1p(peak);
  return (
    <path
      className={edge.count === 0 ? 'path-edge path-edge-idle' : 'path-edge'}
      d={`M${x1} ${y1}V${middle}H${x2}V${y2}`}
      strokeWidth={thickness}
    />
  );
}

function Box({
  node,
  words,
  lockOf,
}: {
  readonly node: PathNode;
  readonly words: { readonly figures: string; readonly exact: string };
  readonly lockOf: Props['lockOf'];
}): ReactNode {
  const { x, y } = placeOf(node);
  const isBroken = node.violations > 0;
  return (
    <g className={`path-node path-${node.kind}${isBroken ? ' path-broken' : ''}`} transform={`translate(${x} ${y})`}>
      <title>{words.exact}</title>
      <rect className="path-box" width={nodeWidth} height={nodeHeight} rx="4" />
      {railsOf(node).map(({ lock, top, share }) => (
        <rect key={lock} x="0" y={top} width={railWidth} height={share} fill={lockOf(lock).color} />
      ))}
      <text className="path-name" x="14" y="17">
        {node.name.length > 31 ? `${node.name.slice(0, 30)}…` : node.name}
      </text>
      <text className="path-figures" x="14" y="33">
        {words.figures}
      </text>
      {isBroken ? (
        <text className="path-cross" x={nodeWidth + 10} y="25">
          ✕ needs the write lock
        </text>
      ) : null}
    </g>
  );
}

/** The parts of a node's rail: as high as the share of calls under that lock. */
function railsOf({
  locks,
}: PathNode): readonly { readonly lock: string; readonly top: number; readonly share: number }[] {
  const total = Math.max(
    1,
    locks.reduce((sum, { count }) => sum + count, 0),
  );
  const countAbove = (at: number): number => locks.slice(0, at).reduce((sum, { count }) => sum + count, 0);
  return locks.map(({ lock, count }, at) => ({
    lock,
    top: (nodeHeight * countAbove(at)) / total,
    share: (nodeHeight * count) / total,
  }));
}
