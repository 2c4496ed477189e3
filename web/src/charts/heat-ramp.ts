/** The one colour ramp of all heatmaps: viridis, perceptually even, safe for colour blindness. */

const stops: readonly (readonly [red: number, green: number, blue: number])[] = [
  [68, 1, 84],
  [72, 36, 117],
  [65, 68, 135],
  [53, 95, 141],
  [42, 120, 142],
  [33, 145, 140],
  [34, 168, 132],
  [68, 191, 112],
  [122, 209, 81],
  [189, 223, 38],
  [253, 231, 37],
];

const steps = 128;

/** The ramp from its lowest to its highest colour, as px of an ImageData on a little-endian machine. */
export const heatPixels: Uint32Array = Uint32Array.from({ length: steps }, (_, step) => {
  const at = (step / (steps - 1)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(at));
  const low = stops[index] ?? [0, 0, 0];
  const high = stops[index + 1] ?? low;
  const mix = (channel: 0 | 1 | 2): number => Math.round(low[channel] + (high[channel] - low[channel]) * (at - index));
  return 0xff00_0000 + mix(2) * 0x1_0000 + mix(1) * 0x100 + mix(0);
});

/** The ramp as a CSS gradient, for its scale. */
export const heatGradient: string = `linear-gradient(90deg, ${stops.map((stop) => `rgb(${stop.join(' ')})`).join(', ')})`;
