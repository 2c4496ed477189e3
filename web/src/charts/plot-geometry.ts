/** The frame that all charts over time share, so that their edges and their cursors line up. */

/** Margins of the plot inside its panel, px. */
export const plotMargin = { left: 54, right: 12, top: 8, bottom: 20 } as const;

/** A tick of the time axis: where (0..1), and its word. */
export type TimeTick = { readonly share: number; readonly label: string };

/** A stretch of the plot, 0..1 from its left edge. */
export type Stretch = { readonly key: string; readonly from: number; readonly to: number };
