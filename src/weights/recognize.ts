import { buildGraph } from '../architecture/build.js';
import { ARCHITECTURE_NAMES } from '../architecture/tables.js';
import { type ConvNode, type Graph, type Node, renameOutputs } from '../graph/graph.js';
import type { Network } from '../graph/network.js';
import { WIDTHS } from './widths.js';

const convsOf = (graph: Graph) => graph.nodes.filter((node): node is ConvNode => node.kind === 'conv');

const signature = (graph: Graph): string =>
  convsOf(graph)
    .map(({ kernel, strides, groups, inputChannels, channels }) => [...kernel, ...strides, groups, inputChannels, channels].join())
    .join(';');

/** Finds the architecture whose convolutions the graph has, in order, and gives the nodes that architecture's names. */
export function recognize(network: Network): Network {
  const { graph } = network;
  const wanted = signature(graph);
  for (const architecture of ARCHITECTURE_NAMES) {
    for (const width of WIDTHS) {
      const standard = buildGraph(architecture, { width, classes: graph.classes });
      if (signature(standard) === wanted) return rename(network, { ...standard, resolution: graph.resolution });
    }
  }
  return network;
}

/** Nodes get the architecture's names, kind by kind in order; where it has not as many, the last convolution's: blocks.3.excite.multiply. */
function rename(network: Network, standard: Graph): Network {
  const convs = convsOf(standard);
  const names = new Map<string, string>();
  const ofKind = (graph: Graph, kind: Node['kind']) => graph.nodes.filter((node) => node.kind === kind);
  const standardName = (node: Node): string | undefined => {
    const [own, theirs] = [ofKind(network.graph, node.kind), ofKind(standard, node.kind)];
    return own.length === theirs.length ? theirs[own.indexOf(node)]?.name : undefined;
  };
  const taken = new Set<string>();
  let next = 0;
  let last = 'input';
  for (const node of network.graph.nodes) {
    let name = (node.kind !== 'conv' && standardName(node)) || `${last}.${node.kind}`;
    if (node.kind === 'conv') name = last = convs[next++]?.name as string;
    for (let i = 2; taken.has(name); i++) name = `${last}.${node.kind}${i}`;
    taken.add(name);
    names.set(node.name, name);
  }
  const renamed = (name: string) => names.get(name) ?? name;
  const counted = new Map(convs.map((conv) => [conv.name, conv.batchNorm ?? false]));
  const nodes = network.graph.nodes.map((node) => {
    const moved = { ...node, name: renamed(node.name), inputs: node.inputs.map(renamed) };
    return moved.kind === 'conv' ? { ...moved, batchNorm: counted.get(moved.name) ?? false } : moved;
  });
  const { architecture, width } = standard;
  return {
    ...network,
    graph: { ...network.graph, architecture, width, nodes, outputs: renameOutputs(network.graph.outputs, renamed) },
    weights: new Map([...network.weights].map(([name, weights]) => [renamed(name), weights])),
    lanes: new Map([...network.lanes].map(([name, lanes]) => [renamed(name), lanes])),
  };
}
