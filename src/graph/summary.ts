import { type ConvNode, type Graph, imageInput, inferShapes, isDepthwise, type Node, type Shape } from './graph.js';

export interface LayerSummary {
  readonly name: string;
  readonly kind: string;
  readonly output: Shape;
  readonly parameters: number;
  readonly madds: number;
}

/** One row of the table of blocks: the stem, an inverted residual, the head or the classifier. */
export interface BlockSummary {
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
  /** Of the depthwise or only spatial convolution; 1 where there is none. */
  readonly kernel: number;
  readonly stride: number;
  /** Expanded channels; undefined outside inverted residuals. */
  readonly expand?: number;
  readonly squeezeExcite: boolean;
  readonly activation: string;
  readonly parameters: number;
  /** Multiply-adds. */
  readonly madds: number;
}

export interface NetworkSummary {
  readonly architecture: string;
  readonly width: number;
  readonly resolution: number;
  readonly classes: number;
  /** What makes probabilities of the logits; missing where there is no classifier. */
  readonly probabilities?: 'softmax' | 'sigmoid';
  readonly parameters: number;
  readonly madds: number;
  readonly blocks: readonly BlockSummary[];
  readonly layers: readonly LayerSummary[];
}

function parameters(node: ConvNode): number {
  const filter = node.kernel[0] * node.kernel[1] * (node.inputChannels / node.groups) * node.channels;
  return filter + node.channels * (node.batchNorm ? 2 : 1);
}

export const multiplyAdds = (node: ConvNode, [height, width]: Shape): number =>
  height * width * node.kernel[0] * node.kernel[1] * (node.inputChannels / node.groups) * node.channels;

/** The activation that a convolution leaves to the next node. */
function curveOf(nodes: readonly Node[], { name }: ConvNode): string | undefined {
  const reader = nodes.find(({ kind, inputs }) => kind === 'activation' && inputs[0] === name);
  return reader && 'activation' in reader ? reader.activation : undefined;
}

/** Counts a graph's parameters and multiply-adds, layer by layer and block by block, as torchvision counts them. */
export function summarize(graph: Graph, height = graph.resolution, width = graph.resolution): NetworkSummary {
  const shapes = inferShapes(graph.nodes, imageInput(height, width));
  const shapeOf = (name: string) => shapes.get(name) as Shape;
  const layers: LayerSummary[] = graph.nodes.map((node) => {
    const output = shapeOf(node.name);
    const kind =
      node.kind !== 'conv'
        ? node.kind
        : isDepthwise(node)
          ? 'depthwise'
          : output[0] * output[1] === 1
            ? 'fullyConnected'
            : node.kernel[0] * node.kernel[1] === 1
              ? 'pointwise'
              : 'convolution';
    const conv = node.kind === 'conv';
    return { name: node.name, kind, output, parameters: conv ? parameters(node) : 0, madds: conv ? multiplyAdds(node, output) : 0 };
  });
  const blockOf = (name: string) => (name.startsWith('blocks.') ? name.split('.', 2).join('.') : name);
  const blocks: BlockSummary[] = [];
  for (const name of new Set(graph.nodes.map((node) => blockOf(node.name)))) {
    const inside = graph.nodes.filter((node) => blockOf(node.name) === name);
    const counted = layers.filter((layer) => blockOf(layer.name) === name);
    const spatial = inside.find((node): node is ConvNode => node.kind === 'conv' && node.kernel[0] > 1);
    const first = inside[0];
    const last = inside.at(-1);
    if (!first || !last || counted.every((layer) => layer.madds === 0)) continue;
    const conv = spatial ?? (first as ConvNode);
    blocks.push({
      name,
      input: shapeOf(first.inputs[0] as string),
      output: shapeOf(last.name),
      kernel: spatial?.kernel[0] ?? 1,
      stride: spatial?.strides[0] ?? 1,
      ...(name.startsWith('blocks.') && spatial ? { expand: spatial.channels } : {}),
      squeezeExcite: inside.some((node) => node.kind === 'multiply'),
      activation: curveOf(inside, conv) ?? conv.activation,
      parameters: counted.reduce((sum, layer) => sum + layer.parameters, 0),
      madds: counted.reduce((sum, layer) => sum + layer.madds, 0),
    });
  }
  return {
    architecture: graph.architecture,
    width: graph.width,
    resolution: graph.resolution,
    classes: graph.classes,
    ...(graph.classes > 0 ? { probabilities: graph.probabilities ?? 'softmax' } : {}),
    parameters: layers.reduce((sum, layer) => sum + layer.parameters, 0),
    madds: layers.reduce((sum, layer) => sum + layer.madds, 0),
    blocks,
    layers,
  };
}
