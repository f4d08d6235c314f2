import type { ConvNode } from '../graph/graph.js';
import { LARGEST_BIAS, type Lanes, unitOf } from '../graph/lanes.js';
import type { QuantizedWeights } from '../graph/network.js';
import { largestSafeLane } from '../graph/sums.js';
import { correctedBias, type RoundedWeights, roundFilter } from './filters.js';

/** The largest lane of its input that a layer's sums can bear, whatever its bias. */
export const safeLaneOf = (node: ConvNode, { filter, scale }: RoundedWeights): number =>
  largestSafeLane(node, { filter, scale, zeroPoint: 0, bias: new Int32Array(node.channels).fill(LARGEST_BIAS) });

/** Gives the bias its unit. */
export function inLanes(node: ConvNode, weights: RoundedWeights, input: Lanes, mean: Float64Array): QuantizedWeights {
  const inputScale = (c: number) => unitOf(node, input, c);
  const { filter, scale, bias } = coarsened(node, weights, inputScale, mean);
  return {
    filter,
    scale,
    zeroPoint: 0,
    bias: Int32Array.from(bias, (b, c) => Math.round(b / ((scale[c] as number) * inputScale(c)))),
  };
}

/** A channel whose weights are next to nothing beside its bias: a coarser scale keeps the bias within an i32. */
function coarsened(node: ConvNode, weights: RoundedWeights, inputScale: (c: number) => number, mean: Float64Array): RoundedWeights {
  // h-sigmoid's own 3 joins the bias when it is packed.
  const shift = node.activation === 'hardSigmoid' ? 3 : 0;
  const least = weights.bias.map((b, c) => (Math.abs(b) + shift) / (LARGEST_BIAS * 0.99) / inputScale(c));
  if (least.every((s, c) => s <= (weights.scale[c] as number))) return weights;
  const scale = weights.scale.map((s, c) => Math.max(s, least[c] as number));
  const real = Float32Array.from(weights.filter, (q, i) => q * (weights.scale[i % scale.length] as number));
  const filter = roundFilter(real, scale);
  const inRows = mean.map((value, c) => value / (weights.rows?.[c] ?? 1));
  return { ...weights, filter, scale, bias: correctedBias(node, { filter: real, bias: weights.bias }, { filter, scale }, inRows) };
}
