import type { ReactNode } from 'react';

/** The shapes of marks. */
export type MarkShape = 'circle' | 'square' | 'triangle' | 'diamond' | 'cross';

const paths: Readonly<Record<MarkShape, string>> = {
  circle: 'M5 1a4 4 0 1 1 0 8a4 4 0 1 1 0-8z',
  square: 'M1.5 1.5h7v7h-7z',
  triangle: 'M5 .8L9.4 9H.6z',
  diamond: 'M5 .6L9.4 5L5 9.4L.6 5z',
  cross: 'M1.7.6L5 3.9L8.3.6L9.4 1.7L6.1 5L9.4 8.3L8.3 9.4L5 6.1L1.7 9.4L.6 8.3L3.9 5L.6 1.7z',
};

/** The shape that goes with a colour, so that colour is never alone. Hatched ones are drawn as an outline. */
export function MarkGlyph({
  color,
  shape,
  isHatched,
}: {
  readonly color: string;
  readonly shape: MarkShape;
  readonly isHatched: boolean;
}): ReactNode {
  return (
    <svg className="mark" width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
      <path d={paths[shape]} fill={isHatched ? 'none' : color} stroke={color} strokeWidth={isHatched ? 1.4 : 0} />
    </svg>
  );
}
