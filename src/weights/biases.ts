import { LARGEST_BIAS } from '../graph/lanes.js';
import type { QuantizedWeights } from '../graph/network.js';

/**
 * Gives integer filters their biases. The weights of a channel that died in training are next to nothing beside its bias, which is
 * then beyond an i32 in their unit, or cut off there by a converter. Such a channel gets coarser weights, so that its bias leaves
 * its sums room; what they lose is a 2^-31st of the bias for each step of each input.
 *
 * @param filter channels innermost
 * @param bias in real numbers
 * @param step of the input
 */
export function withBiases(
  { filter, scale, zeroPoint }: { filter: Int8Array; scale: ArrayLike<number>; zeroPoint: number },
  bias: ArrayLike<number>,
  step: number,
): QuantizedWeights {
  const coarser = Float32Array.from(scale, (s, c) => Math.max(s, Math.abs(bias[c] as number) / LARGEST_BIAS / step));
  const shares = coarser.map((s, c) => (scale[c] as number) / s);
  return {
    filter: shares.some((share) => share < 1)
      ? filter.map((q, i) => zeroPoint + Math.round((q - zeroPoint) * (shares[i % shares.length] as number)))
      : filter,
    scale: coarser,
    zeroPoint,
    bias: Int32Array.from(coarser, (s, c) => Math.round((bias[c] as number) / (step * s))),
  };
}
