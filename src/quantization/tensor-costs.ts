import { throwIfAborted } from '../abort.js';
import { type ConvNode, INPUT, imageInput, inferShapes, isDepthwise, type Node, type Shape } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { FloatWeights, Network } from '../graph/network.js';
import { multiplyAdds } from '../graph/summary.js';
import { Session } from '../runtime/session.js';
import { stepCosts } from './eight-bits.js';
import { type Factors, stepFactors, takesFactors } from './factors.js';
import { bitsIn, chooseLanes } from './lanes.js';
import type { Calibration, Range, Ranges } from './observe.js';
import type { Probe } from './probe.js';
import type { Scheme } from './schemes.js';

/** What 8 bits of one tensor cost, and what they save. */
export interface TensorCost {
  readonly name: string;
  /** The variance of the error that they alone make in the logits, over the variance of the logits. */
  readonly noise: number;
  /** Estimated cycles that they save a phone's processor (Cortex-A76, Neoverse N1) at the network's own resolution. */
  readonly cycles: number;
}

/** Logits of calibration inputs, and what each tensor of 8 bits would do to them. */
export interface Costs {
  readonly logits: readonly Float32Array[];
  readonly tensors: readonly TensorCost[];
}

/** Multiply-adds a cycle of the kernels with one plane of bytes and with two, by the model of docs/phones.md. */
const ONE_PLANE = 25.5;
const TWO_PLANES = 12.8;
/** Inputs on which the error of each tensor is looked at. */
const MOST_INPUTS = 24;
/** The node that rounds a tensor to its 8 bits and gives it back. */
const SNAPPED = 'snapped';

export interface TensorCostOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onTensor?: (done: number, of: number) => void;
}

/** Rounds each tensor that would have 8 bits alone, in the float network. */
export async function tensorCosts(
  network: Network,
  { ranges, inputs }: Calibration,
  scheme: Scheme,
  { signal, onTensor }: TensorCostOptions = {},
): Promise<Costs> {
  const { graph } = network;
  const bitsOf = bitsIn(graph, scheme);
  const names = [INPUT, ...graph.nodes.map(({ name }) => name)].filter((name) => bitsOf(name) === 8);
  const shapes = inferShapes(graph.nodes, imageInput(graph.resolution, graph.resolution));
  const logits = await logitsOf(network, inputs);
  const every = Math.ceil(inputs.length / MOST_INPUTS);
  const some = inputs.filter((_, i) => i % every === 0);
  const expected = logits.filter((_, i) => i % every === 0);
  const rows = new Map(names.map((name) => [name, factorsFor(network, name, ranges, scheme)]));
  const tensors: TensorCost[] = [];
  for (const name of names) {
    const lanes = chooseLanes(graph, ranges, () => Number.POSITIVE_INFINITY, scheme, rows, [name]).get(name) as Lanes;
    const noise = relativeError(expected, await logitsOf(rounding(network, name, lanes), some));
    tensors.push({ name, noise, cycles: cyclesSaved(graph.nodes, shapes, name) });
    onTensor?.(tensors.length, names.length);
    // Whoever wants to abort gets a turn.
    await new Promise((resolve) => setTimeout(resolve));
    throwIfAborted(signal);
  }
  return { logits, tensors };
}

/** Near to what rounding will choose. */
function factorsFor({ graph, weights }: Network, tensor: string, ranges: Ranges, scheme: Scheme): Factors | undefined {
  const reader = graph.nodes.find((node): node is ConvNode => node.kind === 'conv' && node.inputs[0] === tensor);
  if (!reader || !takesFactors(graph, reader)) return undefined;
  const { filter } = weights.get(reader.name) as FloatWeights;
  return stepFactors(filter, reader.channels, reader.inputChannels, stepCosts(ranges.get(tensor) as Range, scheme));
}

/** The float network with one tensor in lanes, between two of its nodes. */
function rounding(network: Network, tensor: string, lanes: Lanes): Network {
  const snap: Node = { kind: 'affine', name: SNAPPED, inputs: [tensor], alpha: 1, beta: 0 };
  const nodes = network.graph.nodes.flatMap((node): Node[] => {
    const reading = { ...node, inputs: node.inputs.map((name) => (name === tensor ? SNAPPED : name)) };
    return node.name === tensor ? [reading, snap] : [reading];
  });
  if (tensor === INPUT) nodes.unshift(snap);
  return {
    ...network,
    graph: { ...network.graph, nodes },
    lanes: new Map([tensor, SNAPPED].map((name) => [name, lanes])),
  };
}

async function logitsOf(network: Network, inputs: readonly Probe[]): Promise<Float32Array[]> {
  const session = await Session.create(network, { simd: 'baseline', threads: 1 });
  try {
    return inputs.map(({ data, height, width }) => {
      const plan = session.infer(() => session.put({ data, shape: [1, height, width, 3] }));
      return session.output(plan.results.logits ?? plan.results.embedding).slice();
    });
  } finally {
    session.dispose();
  }
}

function relativeError(expected: readonly Float32Array[], actual: readonly Float32Array[]): number {
  let [signal, error] = [0, 0];
  expected.forEach((logits, n) => {
    const mean = logits.reduce((sum, value) => sum + value, 0) / logits.length;
    logits.forEach((value, i) => {
      signal += (value - mean) ** 2;
      error += (value - (actual[n]?.[i] as number)) ** 2;
    });
  });
  return signal > 0 ? error / signal : 0;
}

/** Dense convolutions read 8 bits in one plane of bytes and 16 in two; nothing else becomes faster. */
function cyclesSaved(nodes: readonly Node[], shapes: ReadonlyMap<string, Shape>, tensor: string): number {
  const readers = nodes.filter((node): node is ConvNode => node.kind === 'conv' && node.inputs[0] === tensor && !isDepthwise(node));
  const madds = readers.reduce((sum, node) => sum + multiplyAdds(node, shapes.get(node.name) as Shape), 0);
  return madds / TWO_PLANES - madds / ONE_PLANE;
}
