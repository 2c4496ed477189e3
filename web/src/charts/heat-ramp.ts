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

/** CSS colours from the lowest to the highest. */
const heatRamp: readonly string[] = Array.from({ length: steps }, (_, step) => {
  const at = (step / (steps - 1)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(at));
  const low = stops[index] ?? [0, 0, 0];
  const high = stops[index + 1] ?? low;
  const mix = ([0, 1, 2] as const).map((channel) =>
    Math.round(low[channel] + (high[channel] - low[channel]) * (at - index)),
  );
  return `rgb(${mix.join(' ')})`;
});

/** The ramp as a CSS gradient, for its scale. */
export const heatGradient = `linear-gradient(90deg, ${stops.map((stop) => `rgb(${stop.join(' ')})`).join(', ')})`;

/** The colour of a value between 0 and 1. */
export function heatColor(heat: number): string {
  return heatRamp[Math.max(0, Math.min(steps - 1, Math.round(heat * (steps - 1))))] ?? '';
}
