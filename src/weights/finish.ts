import { UnsupportedModelError } from '../errors.js';
import { fuse } from '../graph/fusion.js';
import { type Graph, INPUT, type Node, type Shape } from '../graph/graph.js';
import { finer, type Lanes } from '../graph/lanes.js';
import type { Network, Preprocessing } from '../graph/network.js';
import type { Built } from './built.js';
import { recognize } from './recognize.js';

/** What the image's values are brought to: [0, 1] as they are. */
const UNIT: Pick<Preprocessing, 'mean' | 'std'> = { mean: [0, 0, 0], std: [1, 1, 1] };
/** A network that divides its input by more than this takes raw bytes: no image of 0 to 1 needs it. */
const BYTES = 32;
/** Backbones end at a 32nd of the image's side, dilated ones at an 8th; larger outputs are images of their own. */
const LEAST_STRIDE = 8;

/**
 * What was built of a file to a network: float ones are fused, the classifier is told from the features, nodes are named.
 *
 * @param otherwise how images are prepared where the network's own first layers do not tell
 */
export function finish(given: Built, format: string, otherwise: Preprocessing): Network {
  const built = pooled(given, format);
  const { nodes, weights, lanes, output, resolution, shapes } = built;
  const graph: Graph = { architecture: 'custom', width: 1, resolution, classes: 0, nodes, outputs: { embedding: output } };
  const unfused: Network = { graph, weights, lanes, preprocessing: { ...otherwise, ...UNIT } };
  const network = lanes.size > 0 ? unfused : fuse(unfused);
  if (built.end !== 'sigmoid') refineLogits(lanes, output);
  const told = { ...network, preprocessing: preprocessingOf(network, otherwise) };
  return recognize({ ...told, graph: withRoles(told.graph, shapes.get(output) as Shape, built.end) });
}

/** A backbone without a pool ends with an image of features: as one vector it gives their mean. */
function pooled(built: Built, format: string): Built {
  const { nodes, lanes, output, shapes, end, resolution } = built;
  const [height, width, channels] = shapes.get(output) as Shape;
  if (height * width === 1) return built;
  if (end || Math.max(height, width) * LEAST_STRIDE > resolution) {
    throw new UnsupportedModelError(
      `${format}: the output has ${height}x${width} pixels; networks that classify an image or give its features are read.`,
    );
  }
  const pool = { kind: 'globalAveragePool', name: 'pool', inputs: [output] } as const;
  const own = lanes.get(output);
  return {
    ...built,
    nodes: [...nodes, pool],
    lanes: own ? new Map([...lanes, [pool.name, own]]) : lanes,
    shapes: new Map([...shapes, [pool.name, [1, 1, channels]]]),
    output: pool.name,
  };
}

/**
 * Logits in steps of a tenth tie often, and a tie decides a class by its index. Their range stays what the file says, their
 * steps become as fine as 16-bit lanes allow. Not before a sigmoid: there each class is judged alone.
 */
function refineLogits(lanes: Map<string, Lanes>, output: string): void {
  const own = lanes.get(output);
  if (own && own.high - own.low < 1024) lanes.set(output, finer(own));
}

/** Whether the network begins with arithmetic that says what values it takes. */
function preprocessingOf({ graph, preprocessing }: Network, otherwise: Preprocessing): Preprocessing {
  const triple = (value: (c: number) => number) => [value(0), value(1), value(2)] as const;
  const { mean, std } = preprocessing;
  const first = graph.nodes.find(({ inputs }) => inputs[0] === INPUT);
  if (first?.kind === 'affine') return { ...otherwise, ...UNIT, std: triple(() => (Math.abs(first.alpha) * BYTES < 1 ? 1 / 255 : 1)) };
  if (std.join() === '1,1,1' && mean.join() === '0,0,0') return otherwise;
  // Arithmetic of a value a channel has become the preprocessing itself.
  const unit = Math.max(...std) > BYTES ? 255 : 1;
  return { ...otherwise, mean: triple((c) => (mean[c] as number) / unit), std: triple((c) => (std[c] as number) / unit) };
}

/** The last fully connected layer is the classifier if it is followed by probabilities, or by nothing that bends its values. */
function withRoles(graph: Graph, [, , channels]: Shape, end: Built['end']): Graph {
  const last = graph.nodes.find(({ name }) => name === graph.outputs.embedding) as Node;
  const linear = last.kind === 'conv' && last.activation === 'none';
  if (end === 'normalization' || (!end && !linear)) return graph;
  const outputs = { logits: last.name, embedding: featuresBefore(graph, last) };
  return { ...graph, classes: channels, outputs, ...(end === 'sigmoid' ? { probabilities: end } : {}) };
}

/** The pool that the classifier reads, through whatever layers; without one, what the last layer reads. */
function featuresBefore(graph: Graph, last: Node): string {
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  let earliest = last;
  for (let node: Node | undefined = last; node; node = byName.get(node.inputs[0] as string)) {
    if (node.kind === 'globalAveragePool') return node.name;
    if (node.kind === 'conv' && node.kernel[0] * node.kernel[1] > 1) break;
    earliest = node;
  }
  return earliest === last ? last.name : (earliest.name as string);
}
