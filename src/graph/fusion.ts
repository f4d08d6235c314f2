import { type ConvNode, countReaders, type Graph, type Node, outputNames, renameOutputs } from './graph.js';
import type { FloatWeights, Network } from './network.js';

/*
 * Rewrites that save a pass over memory. Each takes a float network and gives one that computes the same; all are run
 * once, at load.
 */

type Rewrite = (network: Network) => Network;

/** Runs every rewrite until none finds anything more to do. */
export function fuse(network: Network): Network {
  const rewrites: Rewrite[] = [fuseHardSigmoid, fuseActivation, fuseResidual];
  let before: Network;
  do {
    before = network;
    for (const rewrite of rewrites) network = rewrite(network);
  } while (network !== before);
  return network;
}

/** `producer` takes over the work of `gone`, and stands in its place; what read `gone` now reads it. */
function absorb(network: Network, producer: ConvNode, gone: Node, change: Partial<ConvNode>, weights?: FloatWeights): Network {
  const renamed = (name: string) => (name === gone.name ? producer.name : name);
  const nodes = network.graph.nodes.flatMap((node): Node[] => {
    if (node === producer) return [];
    if (node === gone) return [{ ...producer, ...change }];
    return [{ ...node, inputs: node.inputs.map(renamed) }];
  });
  const { outputs } = network.graph;
  const graph: Graph = { ...network.graph, nodes, outputs: renameOutputs(outputs, renamed) };
  return { ...network, graph, weights: weights ? new Map(network.weights).set(producer.name, weights) : network.weights };
}

/** The convolution that makes a tensor which nothing but `reader` reads. */
function soleProducer(network: Network, reader: Node, input = 0): ConvNode | undefined {
  const name = reader.inputs[input] as string;
  if (countReaders(network.graph.nodes).get(name) !== 1 || outputNames(network.graph.outputs).includes(name)) return undefined;
  const node = network.graph.nodes.find((candidate) => candidate.name === name);
  return node?.kind === 'conv' ? node : undefined;
}

function fuseActivation(network: Network): Network {
  for (const node of network.graph.nodes) {
    if (node.kind !== 'activation') continue;
    const conv = soleProducer(network, node);
    if (conv?.activation === 'none' && conv.inputs.length === 1) {
      return absorb(network, conv, node, { activation: node.activation });
    }
  }
  return network;
}

/** relu6(x + 3) / 6, however a converter has spelled it, is h-sigmoid: its 3 may already lie in the bias. */
function fuseHardSigmoid(network: Network): Network {
  for (const node of network.graph.nodes) {
    if (node.kind !== 'affine' || Math.abs(node.alpha - 1 / 6) > 1e-3 || node.beta !== 0) continue;
    let reader: Node = node;
    let shift = 3;
    const between = network.graph.nodes.find((candidate) => candidate.name === node.inputs[0]);
    if (between?.kind === 'affine') {
      const relu6 = between.low === 0 && Math.abs((between.high ?? 0) - 6) < 0.05;
      if (between.alpha !== 1 || Math.abs(between.beta - 3) > 0.05 || !relu6) continue;
      reader = between;
      shift = 0;
    }
    const conv = soleProducer(network, reader);
    if (!conv || conv.activation !== (shift ? 'relu6' : 'none')) continue;
    const weights = network.weights.get(conv.name) as FloatWeights;
    const shifted = { filter: weights.filter, bias: weights.bias.map((b) => b - shift) };
    const without = { ...network, graph: { ...network.graph, nodes: network.graph.nodes.filter((n) => n === node || n !== reader) } };
    return absorb(without, conv, node, { activation: 'hardSigmoid' }, shifted);
  }
  return network;
}

/** A residual is added where the projection's sums still are in registers. */
function fuseResidual(network: Network): Network {
  for (const node of network.graph.nodes) {
    if (node.kind !== 'add' || node.inputs[0] === node.inputs[1]) continue;
    for (const [mine, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const conv = soleProducer(network, node, mine);
      const pointwise = conv && conv.groups === 1 && conv.kernel[0] * conv.kernel[1] * conv.strides[0] * conv.strides[1] === 1;
      if (!pointwise || conv.activation !== 'none' || conv.inputs.length !== 1) continue;
      if (node.activation !== 'none' && node.activation !== 'relu' && node.activation !== 'relu6') continue;
      const residual = node.inputs[other] as string;
      return absorb(network, conv, node, { inputs: [conv.inputs[0] as string, residual], activation: node.activation });
    }
  }
  return network;
}
