import { QuantizationError } from '../errors.js';
import type { ConvNode } from './graph.js';
import type { Lanes } from './lanes.js';
import type { QuantizedWeights } from './network.js';

// How large the sums of a convolution on lanes can become.

/** The largest lane that cannot overflow a channel's 32-bit sum: every input at it, each with the weight's own sign. */
export function largestSafeLane({ channels }: ConvNode, weights: QuantizedWeights): number {
  const { filter, zeroPoint } = weights;
  // Sums of windows: whole numbers far below 2^31, which cost no memory on the way.
  const sums = new Int32Array(channels);
  for (let from = 0; from < filter.length; from += channels) {
    for (let c = 0; c < channels; c++) {
      const w = (filter[from + c] as number) - zeroPoint;
      sums[c] = (sums[c] as number) + (w < 0 ? 0 - w : w);
    }
  }
  return safeLane(sums, weights);
}

/** The same from the sums of each channel's magnitudes. */
export const safeLane = (sums: Int32Array, { bias }: QuantizedWeights): number =>
  sums.reduce((lane, sum, c) => Math.min(lane, (2 ** 31 - 1 - Math.abs(bias[c] as number)) / Math.max(sum, 1)), 32767);

/** @throws QuantizationError where the input's largest lane is above the safe one */
export function checkSums({ name }: ConvNode, safe: number, input: Pick<Lanes, 'low' | 'high'>): void {
  const largest = Math.max(Math.abs(input.low), Math.abs(input.high));
  if (largest <= safe) return;
  throw new QuantizationError(
    `${name}: with this filter, lanes of its input must stay within ${Math.floor(safe)}, or a 32-bit sum could overflow; got ${largest}.`,
  );
}
