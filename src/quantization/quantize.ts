import type { ConvNode } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { FloatWeights, Network, Weights } from '../graph/network.js';
import { factorsOf } from './factors.js';
import { correctedBias, largestScales, leastSquaresScales, type RoundedWeights, roundFilter } from './filters.js';
import { inLanes, safeLaneOf } from './integers.js';
import { chooseLanes } from './lanes.js';
import { meansOf, type Range, type Ranges } from './observe.js';
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
  const meanOf = (node: ConvNode) => meansOf(ranges.get(node.inputs[0] as string) as Range);
  const roundedOf = (node: ConvNode) =>
    (scheme.compensated && options.rounded?.get(node.name)) || nearest(node, floatOf(node), scheme.refined ? meanOf(node) : undefined);
  const rounded = new Map(convs.map((node) => [node.name, roundedOf(node)]));
  const lanes = chooseLanes(
    graph,
    ranges,
    (node) => safeLaneOf(node, rounded.get(node.name) as RoundedWeights),
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

/** @param mean of the input: then scales and biases are refined */
function nearest(node: ConvNode, weights: FloatWeights, mean: Float64Array | undefined): RoundedWeights {
  const scale = (mean ? leastSquaresScales : largestScales)(weights.filter, node.channels);
  const filter = roundFilter(weights.filter, scale);
  return { filter, scale, bias: mean ? correctedBias(node, weights, { filter, scale }, mean) : weights.bias };
}
