import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef } from 'react';
import { plotMargin } from './plot-geometry.ts';

/** The part that is chosen, 0..1 of the whole. */
export type BrushRange = { readonly from: number; readonly to: number };

type Props = {
  readonly range: BrushRange;
  /** The shortest part that can be chosen, 0..1. */
  readonly shortest: number;
  /** Read out for the edges. */
  readonly words: { readonly from: string; readonly to: string };
  readonly onChange: (range: BrushRange) => void;
};

type Grip = 'from' | 'to' | 'all' | 'new';

/** How near to an edge a press counts as one on it, px. */
const edgePx = 7;
/** A step of the arrow keys, and one with shift, 0..1. */
const step = 0.005;
const bigStep = 0.05;

/** A part of a time line, drawn by pulling: its edges, itself, or anew beside it. Its edges take arrow keys. */
export function Brush({ range, shortest, words, onChange }: Props): ReactNode {
  const areaRef = useRef<HTMLDivElement>(null);
  const pull = useRef<{ readonly grip: Grip; readonly startShare: number; readonly before: BrushRange }>(undefined);
  const shareOf = (event: PointerEvent): number => {
    const box = areaRef.current?.getBoundingClientRect();
    return box === undefined || box.width === 0 ? 0 : clip((event.clientX - box.left) / box.width);
  };
  const onDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button !== 0 || areaRef.current === null) return;
    const share = shareOf(event);
    const near = edgePx / areaRef.current.clientWidth;
    pull.current = { grip: gripAt(range, share, near), startShare: share, before: range };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onMove = (event: PointerEvent<HTMLDivElement>): void => {
    if (pull.current === undefined) return;
    const { grip, startShare, before } = pull.current;
    const share = shareOf(event);
    if (grip === 'new' && Math.abs(share - startShare) < shortest) return;
    onChange(pulled(grip, before, startShare, share, shortest));
  };
  const onKey = (edge: 'from' | 'to') => (event: KeyboardEvent) => {
    const by = (event.shiftKey ? bigStep : step) * ({ ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0);
    const to = { Home: 0, End: 1 }[event.key] ?? (by === 0 ? undefined : range[edge] + by);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onChange(pulled(edge, range, range[edge], clip(to), shortest));
  };
  const margins = { left: plotMargin.left, right: plotMargin.right, top: plotMargin.top, bottom: plotMargin.bottom };
  return (
    <div
      ref={areaRef}
      className="brush-area"
      style={margins}
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={() => {
        pull.current = undefined;
      }}
      onPointerCancel={() => {
        pull.current = undefined;
      }}
    >
      <div className="brush-shade" style={{ left: 0, width: `${range.from * 100}%` }} />
      <div className="brush-shade" style={{ left: `${range.to * 100}%`, right: 0 }} />
      <div className="brush" style={{ left: `${range.from * 100}%`, width: `${(range.to - range.from) * 100}%` }}>
        {(['from', 'to'] as const).map((edge) => (
          <div
            key={edge}
            role="slider"
            tabIndex={0}
            className={`brush-edge brush-${edge}`}
            aria-label={edge === 'from' ? 'beginning of the part' : 'end of the part'}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(range[edge] * 100)}
            aria-valuetext={words[edge]}
            onKeyDown={onKey(edge)}
          />
        ))}
      </div>
    </div>
  );
}

function clip(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/** Pulling the whole of a time line makes a new part: there is nowhere to move it to. */
function gripAt({ from, to }: BrushRange, share: number, near: number): Grip {
  if (Math.abs(share - to) <= near) return 'to';
  if (Math.abs(share - from) <= near) return 'from';
  return share > from && share < to && to - from < 1 - near ? 'all' : 'new';
}

function pulled(grip: Grip, before: BrushRange, start: number, share: number, shortest: number): BrushRange {
  switch (grip) {
    case 'from':
      return { from: Math.min(share, before.to - shortest), to: before.to };
    case 'to':
      return { from: before.from, to: Math.max(share, before.from + shortest) };
    case 'all': {
      const by = Math.min(1 - before.to, Math.max(-before.from, share - start));
      return { from: before.from + by, to: before.to + by };
    }
    case 'new':
      return { from: Math.min(start, share), to: Math.max(start, share) };
  }
}
