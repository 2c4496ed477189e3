import type { ReactNode } from 'react';
import type { FaultPath, PathEdge, PathNode } from '@faultline/shared';
import { MarkGlyph, type MarkShape } from '../widgets/mark-glyph.tsx';

type Props = {
  readonly path: FaultPath;
  /** Words of a node: calls and quantile, ready to be shown. */
  readonly wordsOf: (node: PathNode) => { readonly figures: string; readonly exact: string };
  /** How a lock mode looks: its colour, its shape and its word. */
  readonly lockOf: (lock: string) => LockMark;
  /** A path that stands beside this one: both get room for as many rows, and lines as thick for the same traffic. */
  readonly beside?: FaultPath | undefined;
  /** How a node differs from that of another path, in a word or two; undefined where it does not. */
  readonly differenceOf?: (node: PathNode) => string | undefined;
};

type LockMark = {
  readonly color: string;
  readonly shape: MarkShape;
  readonly isHatched: boolean;
  readonly name: string;
};

const columnWidth = 232;
const nodeWidth = 214;
const nodeHeight = 42;
const rowHeight = 62;
const railWidth = 6;

/** The fault path as a vertical diagram: functions as boxes, calls as lines as thick as the traffic, locks as a rail. */
export function PathDiagram({ path, wordsOf, lockOf, beside, differenceOf }: Props): ReactNode {
  const paths = beside === undefined ? [path] : [path, beside];
  const rows = Math.max(...paths.flatMap(({ nodes }) => nodes.map(({ row }) => row))) + 1;
  const peak = Math.max(1, ...paths.flatMap(({ edges }) => edges.map(({ count }) => count)));
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
        <Box
          key={node.id}
          node={node}
          words={wordsOf(node)}
          lockOf={lockOf}
          difference={differenceOf?.(node)}
          railHeight={
            path.edges.some(({ from, to }) => from === node.id && isBelow(node, nodeOf.get(to)))
              ? rowHeight
              : nodeHeight
          }
        />
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

/** Whether the lock goes on into the box right below: then the rail does too. */
function isBelow(node: PathNode, next: PathNode | undefined): boolean {
  return next?.column === node.column && next.row === node.row + 1 && next.locks.length > 0;
}

function Box({
  node,
  words,
  lockOf,
  difference,
  railHeight,
}: {
  readonly node: PathNode;
  readonly words: { readonly figures: string; readonly exact: string };
  readonly lockOf: Props['lockOf'];
  readonly difference: string | undefined;
  readonly railHeight: number;
}): ReactNode {
  const { x, y } = placeOf(node);
  const [most] = node.locks;
  return (
    <g
      className={`path-node path-${node.kind}${node.violations > 0 ? ' path-broken' : ''}${difference === undefined ? '' : ' path-differs'}`}
      transform={`translate(${x} ${y})`}
    >
      <title>{words.exact}</title>
      <rect className="path-box" width={nodeWidth} height={nodeHeight} rx="4" />
      <Rail locks={node.locks} height={railHeight} lockOf={lockOf} />
      <text className="path-name" x="14" y="17">
        {node.name}
      </text>
      <text className="path-figures" x="14" y="33">
        {words.figures}
      </text>
      {most === undefined ? null : (
        <g transform={`translate(${nodeWidth - 16} 25)`}>
          <MarkGlyph {...lockOf(most.lock)} />
        </g>
      )}
      {difference === undefined ? null : (
        <text className="path-difference" x={nodeWidth - (most === undefined ? 8 : 22)} y="33" textAnchor="end">
          ≠ {difference}
        </text>
      )}
      {node.violations > 0 ? (
        <text className="path-cross" x={nodeWidth + 10} y="17">
          ✕ needs the write lock
          {most === undefined ? null : (
            <tspan className="path-cross-held" x={nodeWidth + 10} dy="17">
              held: {lockOf(most.lock).name}
            </tspan>
          )}
        </text>
      ) : null}
    </g>
  );
}

/** The locks at a box, each with its share of the height. */
function Rail({
  locks,
  height,
  lockOf,
}: {
  readonly locks: PathNode['locks'];
  readonly height: number;
  readonly lockOf: Props['lockOf'];
}): ReactNode {
  const total = locks.reduce((sum, { count }) => sum + count, 0);
  const tops = locks.map((_, at) => locks.slice(0, at).reduce((sum, { count }) => sum + count, 0));
  return locks.map(({ lock, count }, at) => (
    <rect
      key={lock}
      className="path-rail"
      y={(height * (tops[at] ?? 0)) / total}
      width={railWidth}
      height={(height * count) / total}
      fill={lockOf(lock).color}
    />
  ));
}
