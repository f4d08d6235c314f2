import type { Lanes } from '../graph/lanes.js';

/** What is left of a tensor's values in its lanes: row by row, channels innermost. */
export const snapped = (values: Float32Array, lanes: Lanes): Float32Array => snap(values.slice(), lanes);

/** The same, in place. */
export function snap(values: Float32Array, { scale, low, high }: Lanes): Float32Array {
  const channels = typeof scale === 'number' ? 1 : scale.length;
  const steps = typeof scale === 'number' ? Float32Array.of(scale) : scale;
  for (let i = 0, c = 0; i < values.length; i++) {
    const step = steps[c] as number;
    const lane = Math.round((values[i] as number) / step);
    values[i] = (lane < low ? low : lane > high ? high : lane) * step;
    if (++c === channels) c = 0;
  }
  return values;
}
