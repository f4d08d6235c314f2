import { type ConvNode, isDepthwise } from '../graph/graph.js';
import { type Lanes, scaleOf } from '../graph/lanes.js';
import type { FloatWeights, Network, QuantizedWeights, Weights } from '../graph/network.js';
import { largestSafeLane } from '../graph/sums.js';
import { correctedBias, largestScales, leastSquaresScales, roundFilter } from './filters.js';
import { chooseLanes } from './lanes.js';
import type { Ranges } from './observe.js';
import { SCHEMES, type Scheme } from './schemes.js';

/*
 * From a float network and what calibration saw of it to an int8 one:
 *
 *   observe (observe.ts)  ->  scales of filters (filters.ts)  ->  lanes of activations (lanes.ts)
 *                         ->  round filters, correct biases (filters.ts)  ->  verify (sensitivity.ts)
 *
 * Weights are int8 with a scale a channel. Activations travel in 16-bit lanes, because that is what dot_i16x8_s
 * multiplies: precision beyond 8 bits costs no time, so it is used. A scale a channel in front of depthwise convolutions
 * equalises channels exactly, which cross-layer equalisation (arXiv 1906.04721, section 4.1) does for ReLU alone.
 */

/** Biases stay below this, so that sums have the other half of an i32. */
const LARGEST_BIAS = 2 ** 30;

export interface SchemeOptions {
  readonly scheme?: Scheme;
  /** Names of convolutions that stay in float32. */
  readonly keepFloat?: ReadonlySet<string>;
}

/** The graph stays as it is. The same input gives the same bytes. */
export function quantizeNetwork(network: Network, ranges: Ranges, options: SchemeOptions = {}): Network {
  const { scheme = SCHEMES.best, keepFloat = new Set<string>() } = options;
  const { graph } = network;
  const convs = graph.nodes.filter((node): node is ConvNode => node.kind === 'conv');
  const floatOf = (node: ConvNode) => network.weights.get(node.name) as FloatWeights;
  const scalesOf = scheme.refined ? leastSquaresScales : largestScales;
  const scales = new Map(convs.map((node) => [node.name, scalesOf(floatOf(node).filter, node.channels)]));
  const lanes = chooseLanes(
    graph,
    ranges,
    (node) => {
      const scale = scales.get(node.name) as Float32Array;
      const filter = roundFilter(floatOf(node).filter, scale);
      return largestSafeLane(node, { filter, scale, zeroPoint: 0, bias: new Int32Array(node.channels).fill(LARGEST_BIAS) });
    },
    scheme,
  );
  const weights = new Map<string, Weights>();
  for (const node of convs) {
    const input = node.inputs[0] as string;
    if (keepFloat.has(node.name)) {
      weights.set(node.name, floatOf(node));
      continue;
    }
    const { sum, pixels } = ranges.get(input) as { sum: Float64Array; pixels: number };
    const mean = scheme.refined ? sum.map((total) => total / pixels) : undefined;
    weights.set(node.name, quantizeWeights(node, floatOf(node), scales.get(node.name) as Float32Array, lanes.get(input) as Lanes, mean));
  }
  return { ...network, weights, lanes };
}

function quantizeWeights(
  node: ConvNode,
  weights: FloatWeights,
  scale: Float32Array,
  input: Lanes,
  mean: Float64Array | undefined,
): QuantizedWeights {
  const inputScale = (c: number) => scaleOf(input, isDepthwise(node) ? c : 0);
  // A channel whose weights are next to nothing beside its bias: a coarser filter scale keeps the bias within an i32.
  // (h-sigmoid's own 3 joins the bias when it is packed.)
  const shift = node.activation === 'hardSigmoid' ? 3 : 0;
  const coarse = scale.map((s, c) => Math.max(s, (Math.abs(weights.bias[c] as number) + shift) / (LARGEST_BIAS * 0.99) / inputScale(c)));
  const filter = roundFilter(weights.filter, coarse);
  const bias = mean ? correctedBias(node, weights, { filter, scale: coarse }, mean) : weights.bias;
  return {
    filter,
    scale: coarse,
    zeroPoint: 0,
    bias: Int32Array.from(bias, (b, c) => Math.round(b / ((coarse[c] as number) * inputScale(c)))),
  };
}
