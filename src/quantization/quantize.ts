import type { ConvNode } from '../graph/graph.js';
import { type Lanes, unitOf } from '../graph/lanes.js';
import type { FloatWeights, Network, QuantizedWeights, Weights } from '../graph/network.js';
import { largestSafeLane } from '../graph/sums.js';
import type { Factors } from './compensate.js';
import { correctedBias, largestScales, leastSquaresScales, roundFilter } from './filters.js';
import { chooseLanes } from './lanes.js';
import type { Range, Ranges } from './observe.js';
import type { RoundedWeights } from './refine.js';
import { SCHEMES, type Scheme } from './schemes.js';

/*
 * From a float network and what calibration saw of it to an int8 one:
 *
 *   observe (observe.ts)  ->  round filters, correct biases (refine.ts, or filters.ts for the simpler schemes)
 *                         ->  lanes of activations (lanes.ts)  ->  verify (sensitivity.ts)
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
  /** By roundedWeights(), for schemes that compensate; a layer that is not among them is rounded to the nearest. */
  readonly rounded?: ReadonlyMap<string, RoundedWeights>;
}

/** The graph stays as it is. The same input gives the same bytes. */
export function quantizeNetwork(network: Network, ranges: Ranges, options: SchemeOptions = {}): Network {
  const { scheme = SCHEMES.best, keepFloat = new Set<string>() } = options;
  const { graph } = network;
  const convs = graph.nodes.filter((node): node is ConvNode => node.kind === 'conv');
  const floatOf = (node: ConvNode) => network.weights.get(node.name) as FloatWeights;
  const meanOf = (node: ConvNode) => {
    const { sum, pixels } = ranges.get(node.inputs[0] as string) as Range;
    return sum.map((total) => total / pixels);
  };
  const roundedOf = (node: ConvNode) =>
    (scheme.compensated && options.rounded?.get(node.name)) || nearest(node, floatOf(node), scheme.refined ? meanOf(node) : undefined);
  const rounded = new Map(convs.map((node) => [node.name, roundedOf(node)]));
  const lanes = chooseLanes(
    graph,
    ranges,
    (node) => {
      const { filter, scale } = rounded.get(node.name) as RoundedWeights;
      return largestSafeLane(node, { filter, scale, zeroPoint: 0, bias: new Int32Array(node.channels).fill(LARGEST_BIAS) });
    },
    scheme,
    new Map(convs.map((node) => [node.inputs[0] as string, factorsOf(rounded.get(node.name))])),
  );
  const weights = new Map<string, Weights>();
  for (const node of convs) {
    const input = lanes.get(node.inputs[0] as string) as Lanes;
    const float = keepFloat.has(node.name);
    weights.set(node.name, float ? floatOf(node) : inLanes(node, rounded.get(node.name) as RoundedWeights, input, meanOf(node)));
  }
  return { ...network, weights, lanes };
}

const factorsOf = (weights: RoundedWeights | undefined) => (weights?.rows ? (weights as Factors) : undefined);

/** @param mean of the input: then scales and biases are refined */
function nearest(node: ConvNode, weights: FloatWeights, mean: Float64Array | undefined): RoundedWeights {
  const scale = (mean ? leastSquaresScales : largestScales)(weights.filter, node.channels);
  const filter = roundFilter(weights.filter, scale);
  return { filter, scale, bias: mean ? correctedBias(node, weights, { filter, scale }, mean) : weights.bias };
}

/** Gives the bias its unit. */
function inLanes(node: ConvNode, weights: RoundedWeights, input: Lanes, mean: Float64Array): QuantizedWeights {
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
