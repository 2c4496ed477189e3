import type { ReactNode } from 'react';
import { sideMarks, sideNames } from '../../store/select-compare-charts.ts';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';

/** Which mark is which side. */
export function SideLegend(): ReactNode {
  return sideNames.map((side) => (
    <span key={side} className="readout">
      <MarkGlyph {...sideMarks[side]} />
      {side}
    </span>
  ));
}
