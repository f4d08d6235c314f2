import { QuantizationError } from '../errors.js';
import { type ConvNode, countReaders, type Graph, INPUT, isDepthwise, type Node } from '../graph/graph.js';
import { GATE_LANES, type Lanes } from '../graph/lanes.js';
import { EIGHT_BIT_GATE, eightBits, eightBitsPerChannel, STEPS, stepCosts } from './eight-bits.js';
import type { Factors } from './factors.js';
import type { Range, Ranges } from './observe.js';
import type { Scheme } from './schemes.js';

/**
 * 16-bit lanes keep this much room above what calibration saw. They need it: behind many blocks a picture of a rare
 * class makes values seven times as large as a hundred others do. Eight times would cost each picture 2 dB.
 */
const HEADROOM = 4;
/**
 * Of a tensor's largest magnitude, what each of its channels has room for at least: one that no image has shown may wake up.
 * Not more than what half of the others need: one channel of large values must not make all steps coarse.
 */
const LEAST_ROOM = 1 / 8;
const LARGEST_LANE = 32767;
/** A tensor of zeros: any range does. */
const SMALLEST = 1e-6;

const largest = ({ min, max }: Range, c: number) => Math.max(Math.abs(min[c] as number), Math.abs(max[c] as number));
/** The median of what channels hold that some image has shown. */
function medianLargest(range: Range): number {
  const awake = Array.from(range.min, (_, c) => largest(range, c)).filter((magnitude) => magnitude > 0);
  return awake.sort((a, b) => a - b)[awake.length >> 1] ?? 0;
}
const lowest = ({ min }: Range) => min.reduce((a, b) => Math.min(a, b));
const highest = ({ max }: Range) => max.reduce((a, b) => Math.max(a, b));

/**
 * Where every tensor's real values lie in integer lanes.
 *
 * @param safeLane the largest lane that cannot overflow a convolution's sums
 * @param rows of tensors whose reader's filter was multiplied by a factor an input channel: its scales follow them
 * @param names of the tensors that are wanted, in an order in which each comes after what it is made of; all of them where left out
 */
export function chooseLanes(
  graph: Graph,
  ranges: Ranges,
  safeLane: (node: ConvNode) => number,
  scheme: Scheme,
  rows: ReadonlyMap<string, Factors | undefined>,
  names: readonly string[] = [INPUT, ...graph.nodes.map((node) => node.name)],
): Map<string, Lanes> {
  const lanes = new Map<string, Lanes>();
  const readers = (name: string) => graph.nodes.filter((node) => node.inputs.includes(name));
  const counts = countReaders(graph.nodes);
  const bitsOf = bitsIn(graph, scheme);
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  /** What a tensor's readers can bear; through a gate, what the gated tensor's readers can. */
  const limit = (name: string): number =>
    readers(name).reduce((least, node) => {
      if (node.kind === 'conv' && node.inputs[0] === name) return Math.min(least, Math.floor(safeLane(node)));
      return node.kind === 'multiply' && node.inputs[0] === name ? Math.min(least, limit(node.name)) : least;
    }, LARGEST_LANE);

  for (const name of names) {
    const range = ranges.get(name);
    if (!range) throw new QuantizationError(`calibration saw nothing of "${name}".`);
    const node = byName.get(name);
    const only = readers(name);
    const bits = bitsOf(name);
    const isRelu6 = node !== undefined && 'activation' in node && node.activation === 'relu6';
    if (isGate(node, only, counts.get(name))) {
      lanes.set(name, bits === 16 || scheme.compensated ? GATE_LANES : EIGHT_BIT_GATE);
      continue;
    }
    if (bits === 16 && node?.kind === 'multiply' && lanes.get(node.inputs[1] as string) === GATE_LANES) {
      const gated = lanes.get(node.inputs[0] as string) as Lanes;
      if (gated.high - gated.low > 255) {
        lanes.set(name, gated);
        continue;
      }
    }
    const perChannel =
      scheme.perChannel && only.length > 0 && only.every((reader) => readsPerChannel(reader, name, bits === 8 && scheme.compensated));
    if (bits === 8) {
      const taken = rows.get(name);
      if (taken?.unit) {
        const { unit } = taken;
        const { low } = stepCosts(range, scheme);
        lanes.set(name, { scale: taken.rows.map((factor) => factor * unit), low, high: low + STEPS, unit });
      } else lanes.set(name, perChannel ? eightBitsPerChannel(range, scheme, isRelu6 ? 6 : undefined) : eightBits(range, scheme));
      continue;
    }
    const most = limit(name);
    // What a gate passes on has the gated tensor's lanes.
    const gate = only.find((reader) => reader.kind === 'multiply' && reader.inputs[0] === name)?.name;
    const factors = (rows.get(name) ?? rows.get(gate ?? name))?.rows;
    const scaleFor = (magnitude: number) => Math.max(isRelu6 ? 6 : name === INPUT ? magnitude : magnitude * HEADROOM, SMALLEST) / most;
    if (factors) {
      const unit = factors.reduce((least, factor, c) => Math.max(least, scaleFor(largest(range, c)) / factor), 0);
      lanes.set(name, { scale: factors.map((factor) => factor * unit), low: -most, high: most, unit });
      continue;
    }
    const magnitude = Math.max(-lowest(range), highest(range));
    const least = Math.min(magnitude * LEAST_ROOM, medianLargest(range));
    const scale = perChannel ? Float32Array.from(range.min, (_, c) => scaleFor(Math.max(largest(range, c), least))) : scaleFor(magnitude);
    lanes.set(name, { scale, low: -most, high: most });
  }
  return lanes;
}

/** Bits of each tensor by a scheme. */
export function bitsIn({ nodes }: Pick<Graph, 'nodes'>, scheme: Scheme): (tensor: string) => 8 | 16 {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const read = countReaders(nodes);
  const onePixel = new Set<string>();
  for (const { name, kind, inputs } of nodes) if (kind === 'globalAveragePool' || onePixel.has(inputs[0] as string)) onePixel.add(name);
  return (name) => {
    // Logits are compared with each other: their steps stay fine.
    if (!read.has(name) || scheme.wide?.has(name) || (scheme.wideVectors && onePixel.has(name))) return 16;
    return narrow(byName.get(name)) ? scheme.bottleneckBits : scheme.bits;
  };
}

/** Whether a node reads a tensor channel by channel, so that each may have a scale of its own. */
function readsPerChannel(reader: Node, name: string, compensated = false): boolean {
  if (reader.inputs[0] !== name || reader.inputs.indexOf(name, 1) > 0) return false;
  if (reader.kind === 'conv') return isDepthwise(reader) && reader.inputs.length === 1;
  return compensated && (reader.kind === 'globalAveragePool' || reader.kind === 'multiply');
}

/** Between blocks, where nothing bends the values: a projection, and its sum with the residual. */
const narrow = (node: Node | undefined): boolean =>
  node !== undefined && (node.kind === 'conv' || node.kind === 'add') && node.activation === 'none';

/** A sigmoid that only gates: its range is [0, 1] whatever calibration saw. */
function isGate(node: Node | undefined, readers: readonly Node[], count: number | undefined): boolean {
  if (node === undefined || count !== 1) return false;
  const sigmoid = 'activation' in node && (node.activation === 'hardSigmoid' || node.activation === 'sigmoid');
  return sigmoid && readers.every((reader) => reader.kind === 'multiply' && reader.inputs[1] === node.name);
}
