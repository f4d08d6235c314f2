import { buildGraph } from '../architecture/build.js';
import { ARCHITECTURE_NAMES, ARCHITECTURES, type ArchitectureName } from '../architecture/tables.js';
import { type ConvNode, type Graph, imageInput, inferShapes, isDepthwise, type Node, renameOutputs } from '../graph/graph.js';
import type { Network } from '../graph/network.js';
import { WIDTHS } from './widths.js';

const convsOf = (nodes: readonly Node[]) => nodes.filter((node): node is ConvNode => node.kind === 'conv');

const signature = (convs: readonly ConvNode[]): string =>
  convs
    .map(({ kernel, strides, groups, inputChannels, channels }) => [...kernel, ...strides, groups, inputChannels, channels].join())
    .join(';');

interface Parts {
  /** Convolutions of the backbone, in order. */
  readonly body: readonly ConvNode[];
  /** Fully connected layers at the end, whatever number of them. */
  readonly tail: readonly ConvNode[];
}

function partsOf(graph: Graph): Parts {
  const convs = convsOf(graph.nodes);
  const shapes = inferShapes(graph.nodes, imageInput(graph.resolution, graph.resolution));
  let end = convs.length;
  while (
    end > 0 &&
    shapes
      .get((convs[end - 1] as ConvNode).name)
      ?.slice(0, 2)
      .join() === '1,1'
  )
    end--;
  return { body: convs.slice(0, end), tail: convs.slice(end) };
}

/** Finds the architecture whose backbone the graph has, and gives the nodes that architecture's names. */
export function recognize(network: Network): Network {
  const { graph } = network;
  const own = partsOf(graph);
  const wanted = signature(own.body);
  const blocks = own.body.filter(isDepthwise).length;
  const [stemChannels, headChannels] = [own.body[0]?.channels, own.body.at(-1)?.channels];
  if (!stemChannels || !headChannels) return network;
  for (const architecture of ARCHITECTURE_NAMES) {
    if (ARCHITECTURES[architecture].blocks.length !== blocks) continue;
    for (const width of WIDTHS) {
      for (const expansion of ['factor', 'channels'] as const) {
        const standard = buildGraph(architecture, { width, stemChannels, headChannels, expansion });
        if (signature(partsOf(standard).body) === wanted) return rename(network, own, standard);
      }
    }
  }
  return network;
}

/** Fully connected layers: V3's first one, those of a head of one's own, the classifier. */
function tailNames(architecture: ArchitectureName, count: number, classes: number): string[] {
  const last = classes > 0 ? count - 1 : count;
  const features = ARCHITECTURES[architecture].features !== undefined;
  return Array.from({ length: count }, (_, i) => (i === last ? 'classifier' : i === 0 && features ? 'features' : `dense.${i}`));
}

/** Nodes get the architecture's names, kind by kind in order; where it has not as many, the last convolution's: blocks.3.excite.multiply. */
function rename(network: Network, own: Parts, standard: Graph): Network {
  const body = convsOf(standard.nodes);
  const { architecture, width } = standard;
  const convNames = [
    ...own.body.map((_, i) => (body[i] as ConvNode).name),
    ...tailNames(architecture as ArchitectureName, own.tail.length, network.graph.classes),
  ];
  const counted = new Map(body.map(({ name, batchNorm }) => [name, batchNorm ?? false]));
  const ofKind = (nodes: readonly Node[], kind: Node['kind']) => nodes.filter((node) => node.kind === kind);
  const standardNames = new Map<Node, string>();
  for (const kind of ['add', 'multiply', 'globalAveragePool', 'activation', 'affine'] as const) {
    const [mine, theirs] = [ofKind(network.graph.nodes, kind), ofKind(standard.nodes, kind)];
    if (mine.length === theirs.length) for (const [i, node] of mine.entries()) standardNames.set(node, (theirs[i] as Node).name);
  }
  const names = new Map<string, string>();
  const taken = new Set<string>();
  let next = 0;
  let last = 'input';
  for (const node of network.graph.nodes) {
    let name = standardNames.get(node) ?? `${last}.${node.kind}`;
    if (node.kind === 'conv') name = last = convNames[next++] as string;
    for (let i = 2; taken.has(name); i++) name = `${last}.${node.kind}${i}`;
    taken.add(name);
    names.set(node.name, name);
  }
  const renamed = (name: string) => names.get(name) ?? name;
  const nodes = network.graph.nodes.map((node) => {
    const moved = { ...node, name: renamed(node.name), inputs: node.inputs.map(renamed) };
    return moved.kind === 'conv' ? { ...moved, batchNorm: counted.get(moved.name) ?? false } : moved;
  });
  return {
    ...network,
    graph: { ...network.graph, architecture, width, nodes, outputs: renameOutputs(network.graph.outputs, renamed) },
    weights: new Map([...network.weights].map(([name, weights]) => [renamed(name), weights])),
    lanes: new Map([...network.lanes].map(([name, lanes]) => [renamed(name), lanes])),
  };
}
