import { QuantizationError } from '../errors.js';
import { type ConvNode, countReaders, type Graph, INPUT, isDepthwise, type Node } from '../graph/graph.js';
import { GATE_LANES, type Lanes } from '../graph/lanes.js';
import type { Range, Ranges } from './observe.js';
import type { Scheme } from './schemes.js';

/** 16-bit lanes keep this much room above what calibration saw: they have it to spare, and unseen images then rarely clip. */
const HEADROOM = 2;
const LARGEST_LANE = 32767;
const STEPS = 255;
/** Of values, left outside of an 8-bit range chosen by percentile. */
const OUTSIDE = 1e-4;
/** A tensor of zeros: any range does. */
const SMALLEST = 1e-6;

const largest = ({ min, max }: Range, c: number) => Math.max(Math.abs(min[c] as number), Math.abs(max[c] as number));
const lowest = ({ min }: Range) => min.reduce((a, b) => Math.min(a, b));
const highest = ({ max }: Range) => max.reduce((a, b) => Math.max(a, b));

/** 8 bits with a zero point: [low, high] spans 255 steps and contains zero. */
function eightBits(min: number, max: number): { scale: number; low: number; high: number } {
  const [bottom, top] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = Math.max(top - bottom, SMALLEST) / STEPS;
  const low = Math.round(bottom / scale);
  return { scale, low, high: low + STEPS };
}

function eightBitRange(range: Range, scheme: Scheme): readonly [number, number] {
  const [min, max] = [lowest(range), highest(range)];
  if (!range.histogram || scheme.range === 'minMax') return [min, max];
  return scheme.range === 'percentile' ? range.histogram.percentile(OUTSIDE) : range.histogram.leastSquares(min, max, STEPS);
}

/**
 * Where every tensor's real values lie in integer lanes.
 *
 * @param safeLane the largest lane that cannot overflow a convolution's sums
 * @param rows of tensors whose reader's filter was multiplied by a factor an input channel: its scales follow them
 */
export function chooseLanes(
  graph: Graph,
  ranges: Ranges,
  safeLane: (node: ConvNode) => number,
  scheme: Scheme,
  rows: ReadonlyMap<string, Float32Array | undefined>,
): Map<string, Lanes> {
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
    // Logits are compared with each other: their steps stay fine.
    const bits = only.length === 0 ? 16 : narrow(node) ? scheme.bottleneckBits : scheme.bits;
    if (isGate(node, only, counts.get(name))) {
      lanes.set(name, bits === 16 ? GATE_LANES : { scale: 1 / STEPS, low: 0, high: STEPS });
      continue;
    }
    if (node?.kind === 'multiply' && lanes.get(node.inputs[1] as string) === GATE_LANES) {
      lanes.set(name, lanes.get(node.inputs[0] as string) as Lanes);
      continue;
    }
    const channels = range.min.length;
    const perChannel =
      scheme.perChannel &&
      name !== graph.outputs.embedding &&
      only.length > 0 &&
      only.every((reader) => reader.kind === 'conv' && isDepthwise(reader) && reader.inputs.length === 1);
    if (bits === 8) {
      if (!perChannel) {
        lanes.set(name, eightBits(...eightBitRange(range, scheme)));
        continue;
      }
      // Channels share a zero point: 0 where there is a ReLU, the middle where there is none.
      const low = lowest(range) < 0 ? -128 : 0;
      const high = low + STEPS;
      const scale = (c: number) =>
        Math.max((range.max[c] as number) / high, low < 0 ? (range.min[c] as number) / low : 0, SMALLEST / STEPS);
      lanes.set(name, { scale: Float32Array.from({ length: channels }, (_, c) => scale(c)), low, high });
      continue;
    }
    const most = limit(name);
    // What a gate passes on has the gated tensor's lanes.
    const gated = only.find((reader) => reader.kind === 'multiply' && reader.inputs[0] === name)?.name;
    const factors = rows.get(name) ?? rows.get(gated ?? name);
    const isRelu6 = node !== undefined && 'activation' in node && node.activation === 'relu6';
    const scaleFor = (magnitude: number) => Math.max(isRelu6 ? 6 : name === INPUT ? magnitude : magnitude * HEADROOM, SMALLEST) / most;
    if (factors) {
      const unit = factors.reduce((least, factor, c) => Math.max(least, scaleFor(largest(range, c)) / factor), 0);
      lanes.set(name, { scale: factors.map((factor) => factor * unit), low: -most, high: most, unit });
      continue;
    }
    const scale = perChannel
      ? Float32Array.from({ length: channels }, (_, c) => scaleFor(largest(range, c)))
      : scaleFor(Math.max(-lowest(range), highest(range)));
    lanes.set(name, { scale, low: -most, high: most });
  }
  return lanes;
}

/** Between blocks, where nothing bends the values: a projection, and its sum with the residual. */
const narrow = (node: Node | undefined): boolean =>
  node !== undefined && (node.kind === 'conv' || node.kind === 'add') && node.activation === 'none';

/** An h-sigmoid that only gates: its range is [0, 1] whatever calibration saw. */
function isGate(node: Node | undefined, readers: readonly Node[], count: number | undefined): boolean {
  if (node === undefined || count !== 1) return false;
  const sigmoid = 'activation' in node && node.activation === 'hardSigmoid';
  return sigmoid && readers.every((reader) => reader.kind === 'multiply' && reader.inputs[1] === node.name);
}
