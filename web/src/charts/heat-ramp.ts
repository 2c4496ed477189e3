/** The one colour ramp of all heatmaps, viridis: its stops are tokens of theme.css, because paper and screen need other ends. */
import { assert } from '@faultline/shared';

const steps = 128;

/** The ramp from few to many as px of an ImageData. The stops are CSS colours, whatever way they are written. */
export function heatRamp(cssStops: string): Uint32Array {
  const context = new OffscreenCanvas(steps, 1).getContext('2d', { willReadFrequently: true });
  assert(context !== null, 'a browser that runs this page has a 2d canvas');
  const gradient = context.createLinearGradient(0, 0, steps - 1, 0);
  // Commas between colours, not those inside of them.
  const stops = cssStops.split(/,(?![^(]*\))/);
  for (const [index, stop] of stops.entries())
    gradient.addColorStop(index / Math.max(1, stops.length - 1), stop.trim());
  context.fillStyle = gradient;
  context.fillRect(0, 0, steps, 1);
  return new Uint32Array(context.getImageData(0, 0, steps, 1).data.buffer);
}
