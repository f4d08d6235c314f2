import { buildGraph } from '../../src/architecture/build.js';
import type { ConvNode, Graph, Node } from '../../src/graph/graph.js';
import { IMAGENET_PREPROCESSING, type Network } from '../../src/graph/network.js';
import { recognize } from '../../src/weights/recognize.js';

// Networks whose nodes have numbers for names, as readers of operators make them.

const graphOf = (options = {}) => buildGraph('mobilenet_v3_small', { width: 0.25, classes: 3, resolution: 64, ...options });

/** The same network under numbers. */
function numbered(graph: Graph): Network {
  const places = new Map(graph.nodes.map(({ name }, i) => [name, `${i}`]));
  const of = (name: string) => places.get(name) ?? name;
  const nodes = graph.nodes.map((node): Node => {
    const moved = { ...node, name: of(node.name), inputs: node.inputs.map(of) };
    if (moved.kind !== 'conv') return moved;
    const { batchNorm: _, ...rest } = moved;
    return rest;
  });
  const outputs = { ...(graph.outputs.logits ? { logits: of(graph.outputs.logits) } : {}), embedding: of(graph.outputs.embedding) };
  const weights = new Map(
    nodes.filter(({ kind }) => kind === 'conv').map(({ name }) => [name, { filter: new Float32Array(1), bias: new Float32Array(1) }]),
  );
  const lanes = new Map([['0', { scale: 1, low: 0, high: 1 }]]);
  return { graph: { ...graph, architecture: 'custom', width: 1, nodes, outputs }, weights, lanes, preprocessing: IMAGENET_PREPROCESSING };
}
const namesOf = ({ graph }: Network) => graph.nodes.map(({ name }) => name);
const dense = (name: string, input: string, inputChannels: number, channels: number): ConvNode => ({
  kind: 'conv',
  name,
  inputs: [input],
  kernel: [1, 1],
  strides: [1, 1],
  padding: 'valid',
  inputChannels,
  channels,
  groups: 1,
  activation: 'none',
});

it('gives the nodes, their tensors and the outputs the names of the architecture', () => {
  const graph = graphOf();
  const network = recognize(numbered(graph));
  expect(network.graph).toEqual(graph);
  expect([...network.weights.keys()]).toEqual(graph.nodes.filter(({ kind }) => kind === 'conv').map(({ name }) => name));
  expect([...network.lanes.keys()]).toEqual(['stem']);
});

it('tells widths, and how channels follow them', () => {
  for (const options of [{ width: 0.35 }, { width: 0.75, expansion: 'factor' }, { stemChannels: 16, headChannels: 100 }] as const) {
    const graph = graphOf(options);
    expect(recognize(numbered(graph)).graph).toEqual(graph);
  }
});

it('leaves other networks as they are', () => {
  const graph = graphOf();
  const changed = (change: (node: ConvNode) => Partial<ConvNode>) => {
    const nodes = graph.nodes.map((node) =>
      node.kind === 'conv' && node.name === 'blocks.1.depthwise' ? { ...node, ...change(node) } : node,
    );
    return numbered({ ...graph, nodes });
  };
  const stride = changed(() => ({ strides: [2, 1] }));
  expect(recognize(stride)).toBe(stride);
  const kernel = changed(() => ({ kernel: [5, 5], padding: [2, 2, 2, 2] }));
  expect(recognize(kernel)).toBe(kernel);
  const none = numbered({
    ...graph,
    nodes: [{ kind: 'globalAveragePool', name: 'pool', inputs: ['input'] }],
    outputs: { embedding: 'pool' },
  });
  expect(recognize(none)).toBe(none);
});

it('names layers behind the pool, whatever number of them', () => {
  const graph = graphOf();
  const body = graph.nodes.slice(0, -2);
  const head = (graph.nodes.find(({ name }) => name === 'head') as ConvNode).channels;
  const tails: [Node[], string[]][] = [
    [[dense('a', 'pool', head, 3)], ['classifier']],
    [
      [dense('a', 'pool', head, 8), dense('b', 'a', 8, 3)],
      ['features', 'classifier'],
    ],
    [
      [dense('a', 'pool', head, 8), dense('b', 'a', 8, 8), dense('c', 'b', 8, 3)],
      ['features', 'dense.1', 'classifier'],
    ],
  ];
  for (const [tail, names] of tails) {
    const outputs = { logits: (tail.at(-1) as Node).name, embedding: 'pool' };
    const network = recognize(numbered({ ...graph, nodes: [...body, ...tail], outputs }));
    expect(namesOf(network).slice(-tail.length)).toEqual(names);
    expect(network.graph.outputs).toEqual({ logits: 'classifier', embedding: 'pool' });
  }
  // Without classes the last layer gives features.
  const features = recognize(numbered({ ...graph, classes: 0, nodes: graph.nodes.slice(0, -1), outputs: { embedding: 'features' } }));
  expect(namesOf(features).at(-1)).toBe('features');
  const v2 = buildGraph('mobilenet_v2', { width: 0.35, classes: 3, resolution: 64 });
  const hidden = [...v2.nodes.slice(0, -1), dense('a', 'pool', 1280, 8), dense('b', 'a', 8, 3)];
  expect(namesOf(recognize(numbered({ ...v2, nodes: hidden, outputs: { logits: 'b', embedding: 'pool' } }))).slice(-2)).toEqual([
    'dense.0',
    'classifier',
  ]);
});

it('names nodes after the convolution before them where the architecture has another number of them', () => {
  const graph = graphOf();
  const scaled: Node = { kind: 'affine', name: 'scaled', inputs: ['input'], alpha: 2, beta: 0 };
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (node.inputs[0] === 'input') return [scaled, { ...node, inputs: ['scaled'] }];
    if (node.name !== 'classifier') return [node];
    const swish = (name: string, input: string): Node => ({ kind: 'activation', name, inputs: [input], activation: 'hardSwish' });
    return [swish('s', 'features'), swish('t', 's'), { ...node, inputs: ['t'] }];
  });
  const network = recognize(numbered({ ...graph, nodes }));
  expect(namesOf(network)).toEqual(
    graph.nodes.flatMap(({ name }) =>
      name === 'stem' ? ['input.affine', name] : name === 'classifier' ? ['features.activation', 'features.activation2', name] : [name],
    ),
  );
  expect(network.graph.nodes.at(-1)?.inputs).toEqual(['features.activation2']);
});
