import { QuantizationError } from '../errors.js';
import { type ConvNode, countReaders, type Graph, INPUT, isDepthwise, type Node } from '../graph/graph.js';
import type { FloatWeights, Lanes, Network, QuantizedWeights, Weights } from '../graph/network.js';
import { largestSafeLane, scaleOf } from '../runtime/pack.js';
import { GATE_LANES } from '../runtime/plan.js';
import type { Range, Ranges } from './observe.js';

/*
 * The scheme. Weights are int8 with a scale a channel. Activations travel in 16-bit lanes, because that is what
 * dot_i16x8_s multiplies: precision beyond 8 bits costs no time, so it is used. Tensors that only depthwise
 * convolutions read have a scale a channel, which folds into that channel's multiplier.
 */

/** Lanes keep this much room above what calibration saw: 16 bits have it to spare, and unseen images then rarely clip. */
const HEADROOM = 2;
const LARGEST_LANE = 32767;
/** Biases stay below this, so that sums have the other half of an i32. */
const LARGEST_BIAS = 2 ** 30;

/** Rounds one filter to int8: symmetric, a scale a channel. */
export function quantizeFilter(filter: Float32Array, channels: number): { filter: Int8Array; scale: Float32Array } {
  const scale = new Float32Array(channels);
  for (let i = 0, c = 0; i < filter.length; i++) {
    const magnitude = (filter[i] as number) < 0 ? -(filter[i] as number) : (filter[i] as number);
    if (magnitude > (scale[c] as number)) scale[c] = magnitude;
    if (++c === channels) c = 0;
  }
  // A channel of zeros: any scale does.
  for (let c = 0; c < channels; c++) scale[c] = (scale[c] as number) / 127 || 1e-6;
  return { filter: roundFilter(filter, scale), scale };
}

function roundFilter(filter: Float32Array, scale: Float32Array): Int8Array {
  const rounded = new Int8Array(filter.length);
  const { round } = Math;
  for (let i = 0, c = 0; i < filter.length; i++) {
    const q = round((filter[i] as number) / (scale[c] as number));
    rounded[i] = q > 127 ? 127 : q < -127 ? -127 : q;
    if (++c === scale.length) c = 0;
  }
  return rounded;
}

const largest = ({ min, max }: Range, c: number) => Math.max(Math.abs(min[c] as number), Math.abs(max[c] as number));

/** Float network and observed ranges to quantized network. The graph stays as it is. */
export function quantizeNetwork(network: Network, ranges: Ranges): Network {
  const { graph } = network;
  const rounded = new Map<string, { filter: Int8Array; scale: Float32Array }>();
  for (const node of graph.nodes) {
    if (node.kind === 'conv')
      rounded.set(node.name, quantizeFilter((network.weights.get(node.name) as FloatWeights).filter, node.channels));
  }
  const lanes = chooseLanes(graph, ranges, (node) => {
    const { filter, scale } = rounded.get(node.name) as { filter: Int8Array; scale: Float32Array };
    return largestSafeLane(node, { filter, scale, zeroPoint: 0, bias: new Int32Array(node.channels).fill(LARGEST_BIAS) });
  });
  const weights = new Map<string, Weights>();
  for (const node of graph.nodes) {
    if (node.kind !== 'conv') continue;
    const own = network.weights.get(node.name) as FloatWeights;
    weights.set(node.name, quantizeWeights(node, own, lanes.get(node.inputs[0] as string) as Lanes));
  }
  return { ...network, weights, lanes };
}

function quantizeWeights(node: ConvNode, { filter, bias }: FloatWeights, input: Lanes): QuantizedWeights {
  let { filter: rounded, scale } = quantizeFilter(filter, node.channels);
  const inputScale = (c: number) => scaleOf(input, isDepthwise(node) ? c : 0);
  // A channel whose weights are next to nothing beside its bias: a coarser filter scale keeps the bias within an i32.
  // (h-sigmoid's own 3 joins the bias when it is packed.)
  const shift = node.activation === 'hardSigmoid' ? 3 : 0;
  const coarse = scale.map((s, c) => Math.max(s, (Math.abs(bias[c] as number) + shift) / (LARGEST_BIAS * 0.99) / inputScale(c)));
  if (coarse.some((s, c) => s !== scale[c])) {
    scale = coarse;
    rounded = roundFilter(filter, coarse);
  }
  return {
    filter: rounded,
    scale,
    zeroPoint: 0,
    bias: Int32Array.from(bias, (b, c) => Math.round(b / ((scale[c] as number) * inputScale(c)))),
  };
}

function chooseLanes(graph: Graph, ranges: Ranges, safeLane: (node: ConvNode) => number): Map<string, Lanes> {
  const lanes = new Map<string, Lanes>();
  const readers = (name: string) => graph.nodes.filter((node) => node.inputs.includes(name));
  const counts = countReaders(graph.nodes);
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  /** What a tensor's readers can bear; through a gate, what the gated tensor's readers can. */
  const limit = (name: string): number =>
    readers(name).reduce((least, node) => {
      if (node.kind === 'conv' && node.inputs[0] === name) return Math.min(least, Math.floor(safeLane(node)));
      return node.kind === 'multiply' && node.inputs[0] === name ? Math.min(least, limit(node.name)) : least;
    }, LARGEST_LANE);

  for (const name of [INPUT, ...graph.nodes.map((node) => node.name)]) {
    const range = ranges.get(name);
    if (!range) throw new QuantizationError(`calibration saw nothing of "${name}".`);
    const node = byName.get(name);
    const only = readers(name);
    if (isGate(node, only, counts.get(name))) {
      lanes.set(name, GATE_LANES);
      continue;
    }
    if (node?.kind === 'multiply' && lanes.get(node.inputs[1] as string) === GATE_LANES) {
      lanes.set(name, lanes.get(node.inputs[0] as string) as Lanes);
      continue;
    }
    const most = limit(name);
    const low = -most;
    const high = most;
    const scaleFor = (magnitude: number) => {
      const isRelu6 = node !== undefined && 'activation' in node && node.activation === 'relu6';
      const room = isRelu6 ? 6 : name === INPUT ? magnitude : magnitude * HEADROOM;
      return Math.max(room, 1e-6) / most;
    };
    const channels = range.min.length;
    const perChannel =
      only.length > 0 && only.every((reader) => reader.kind === 'conv' && isDepthwise(reader) && reader.inputs.length === 1);
    if (perChannel && name !== graph.embedding) {
      lanes.set(name, { scale: Float32Array.from({ length: channels }, (_, c) => scaleFor(largest(range, c))), low, high });
      continue;
    }
    let magnitude = 0;
    for (let c = 0; c < channels; c++) magnitude = Math.max(magnitude, largest(range, c));
    lanes.set(name, { scale: scaleFor(magnitude), low, high });
  }
  return lanes;
}

/** An h-sigmoid that only gates: its range is [0, 1] whatever calibration saw. */
function isGate(node: Node | undefined, readers: readonly Node[], count: number | undefined): boolean {
  if (node === undefined || count !== 1) return false;
  const sigmoid = 'activation' in node && node.activation === 'hardSigmoid';
  return sigmoid && readers.every((reader) => reader.kind === 'multiply' && reader.inputs[1] === node.name);
}
