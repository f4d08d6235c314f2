import { fuse } from '../graph/fusion.js';
import { type ConvNode, isDepthwise, type Node } from '../graph/graph.js';
import { type Lanes, scaleOf, unitOf } from '../graph/lanes.js';
import { type FloatWeights, isQuantized, type Network, type QuantizedWeights } from '../graph/network.js';

/** The float network that a network is, or that lies behind it. */
export const floatNetwork = (network: Network): Network => (network.lanes.size > 0 ? dequantize(network) : network);

/**
 * The float network behind a quantized one.
 *
 * A quantized file holds no ReLU where saturation does its work: an output whose range begins at zero is a ReLU, one
 * that also ends at 6 is a ReLU6. Run in float without those clamps, such a file gives noise; they are put back here.
 */
function dequantize(network: Network): Network {
  const weights = new Map<string, FloatWeights>();
  for (const node of network.graph.nodes) {
    if (node.kind !== 'conv') continue;
    const own = network.weights.get(node.name);
    if (!own) continue;
    const input = network.lanes.get(node.inputs[0] as string);
    weights.set(node.name, isQuantized(own) ? floatWeights(own, input as Lanes, node) : own);
  }
  const nodes = network.graph.nodes.map((node) => clamped(node, network.lanes.get(node.name)));
  return fuse({ ...network, graph: { ...network.graph, nodes }, weights, lanes: new Map() });
}

function floatWeights({ filter, scale, zeroPoint, bias }: QuantizedWeights, input: Lanes, node: ConvNode): FloatWeights {
  // Rows that have taken a scale in give it back.
  const rows = input.unit === undefined || isDepthwise(node) ? undefined : input;
  const values = new Float32Array(filter.length);
  for (let i = 0, c = 0, row = 0; i < filter.length; i++) {
    const value = ((filter[i] as number) - zeroPoint) * (scale[c] as number);
    values[i] = rows ? (value * (rows.unit as number)) / scaleOf(rows, row % node.inputChannels) : value;
    if (++c < scale.length) continue;
    c = 0;
    row++;
  }
  return {
    filter: values,
    bias: Float32Array.from(bias, (b, c) => b * (scale[c] as number) * unitOf(node, input, c)),
  };
}

function clamped(node: Node, lanes: Lanes | undefined): Node {
  if (lanes?.low !== 0 || typeof lanes.scale !== 'number') return node;
  const top = lanes.high * lanes.scale;
  const isSix = Math.abs(top - 6) < 0.02;
  if ((node.kind === 'conv' || node.kind === 'add') && node.activation === 'none') return { ...node, activation: isSix ? 'relu6' : 'relu' };
  if (node.kind === 'affine' && node.low === undefined) return isSix ? { ...node, low: 0, high: 6 } : { ...node, low: 0 };
  return node;
}
