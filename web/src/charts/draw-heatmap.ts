/** Draws a heatmap of latencies over time on a canvas: cells, then the lines of p50, p99 and max. */
import { type LatencyColumn, rowBounds } from '@faultline/shared';

/** What is drawn and on which scales. */
export type HeatPicture = {
  readonly columns: readonly LatencyColumn[];
  readonly fromNs: number;
  readonly toNs: number;
  readonly lowNs: number;
  readonly highNs: number;
  readonly floorPerSec: number;
  readonly topPerSec: number;
  /** Shares of the height at which a line is drawn behind the cells. */
  readonly gridShares: readonly number[];
};

/** Where in the canvas, in whole device px. */
export type Box = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };

/** The colours that come from the theme. */
export type Ink = {
  readonly line: string;
  readonly halo: string;
  readonly grid: string;
  /** From few to many; see heat-ramp. */
  readonly ramp: Uint32Array;
};

/** How each line is dashed, in css px; also shown in the legend. */
export const lineDashes = { p50: [], p99: [5, 3], max: [1.5, 2.5] } as const;

/** Draws the whole picture. `scale` is device px a css px. */
export function drawHeatmap(
  context: CanvasRenderingContext2D,
  picture: HeatPicture,
  box: Box,
  ink: Ink,
  scale: number,
): void {
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  if (box.width < 1 || box.height < 1) return;
  const placed = picture.columns.map((column) => ({ column, ...xOf(picture, box, column) }));
  const image = context.createImageData(box.width, box.height);
  drawCells(new Uint32Array(image.data.buffer), picture, box, placed, ink.ramp);
  context.putImageData(image, box.left, box.top);
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  drawGrid(context, picture, box, ink, scale);
  for (const name of ['max', 'p99', 'p50'] as const) {
    const dash = lineDashes[name].map((length) => length * scale);
    drawLine(context, placed, (column) => column[name], picture, box, { ink, dash, scale });
  }
  context.restore();
}

type Placed = { readonly column: LatencyColumn; readonly left: number; readonly right: number };

/** The px columns of a bin, counted from the box's left edge. */
function xOf(picture: HeatPicture, box: Box, column: LatencyColumn): { readonly left: number; readonly right: number } {
  const at = (ns: number): number => Math.round(((ns - picture.fromNs) / (picture.toNs - picture.fromNs)) * box.width);
  const left = at(column.fromNs);
  return { left, right: Math.max(left + 1, at(column.toNs)) };
}

/** The px row of a latency, counted from the box's top edge. */
function yOf(picture: HeatPicture, box: Box, ns: number): number {
  const share = Math.log(Math.max(ns, picture.lowNs) / picture.lowNs) / Math.log(picture.highNs / picture.lowNs);
  return Math.round(box.height * (1 - Math.min(1, share)));
}

/** Cells px by px, each row of buckets once and then copied down: cheaper than 5,000 rectangles. */
function drawCells(
  pixels: Uint32Array,
  picture: HeatPicture,
  box: Box,
  placed: readonly Placed[],
  ramp: Uint32Array,
): void {
  const range = Math.log(picture.topPerSec / picture.floorPerSec);
  const edges = rowEdges(picture, box);
  const rowsInUse = new Set<number>();
  for (const { column, left, right } of placed) {
    const floor = (picture.floorPerSec * (column.toNs - column.fromNs)) / 1e9;
    const from = Math.max(0, left);
    const to = Math.min(box.width, right);
    for (let index = 0; index < column.rows.length; index += 1) {
      const count = column.rows[index] ?? 0;
      if (count === 0) continue;
      const color = ramp[heatStep(Math.log(count / floor) / range, ramp.length)] ?? 0;
      const top = edges(column.rowLow + index).top * box.width;
      rowsInUse.add(column.rowLow + index);
      for (let at = top + from; at < top + to; at += 1) pixels[at] = color;
    }
  }
  for (const row of rowsInUse) {
    const { top, bottom } = edges(row);
    for (let y = top + 1; y < bottom; y += 1) pixels.copyWithin(y * box.width, top * box.width, (top + 1) * box.width);
  }
}

function heatStep(heat: number, steps: number): number {
  return Math.max(0, Math.min(steps - 1, Math.round(heat * (steps - 1))));
}

/** Where each row of buckets lies, by row number: worked out once a picture. */
function rowEdges(picture: HeatPicture, box: Box): (row: number) => { readonly top: number; readonly bottom: number } {
  const known: { readonly top: number; readonly bottom: number }[] = [];
  return (row) => {
    const found = known[row];
    if (found !== undefined) return found;
    const { lowNs, highNs } = rowBounds(row);
    const bottom = Math.max(1, yOf(picture, box, lowNs));
    const edge = { top: Math.min(bottom - 1, yOf(picture, box, highNs)), bottom };
    known[row] = edge;
    return edge;
  };
}

function drawGrid(context: CanvasRenderingContext2D, picture: HeatPicture, box: Box, ink: Ink, scale: number): void {
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = ink.grid;
  for (const share of picture.gridShares) {
    context.fillRect(box.left, Math.round(box.top + box.height * (1 - share)), box.width, scale);
  }
  context.globalCompositeOperation = 'source-over';
}

function drawLine(
  context: CanvasRenderingContext2D,
  placed: readonly Placed[],
  valueOf: (column: LatencyColumn) => number | undefined,
  picture: HeatPicture,
  box: Box,
  look: { readonly ink: Ink; readonly dash: readonly number[]; readonly scale: number },
): void {
  context.beginPath();
  let wasDrawn = false;
  for (const { column, left, right } of placed) {
    const value = valueOf(column);
    if (value === undefined) {
      wasDrawn = false;
      continue;
    }
    const y = box.top + yOf(picture, box, value);
    if (wasDrawn) context.lineTo(box.left + left, y);
    else context.moveTo(box.left + left, y);
    context.lineTo(box.left + right, y);
    wasDrawn = true;
  }
  context.setLineDash([]);
  context.lineWidth = 3.6 * look.scale;
  context.strokeStyle = look.ink.halo;
  context.globalAlpha = 0.8;
  context.stroke();
  context.globalAlpha = 1;
  context.setLineDash([...look.dash]);
  context.lineWidth = 1.4 * look.scale;
  context.strokeStyle = look.ink.line;
  context.stroke();
  context.setLineDash([]);
}
