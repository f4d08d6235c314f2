import { blockChannels, buildGraph } from '../architecture/build.js';
import { ARCHITECTURES, type ArchitectureName } from '../architecture/tables.js';
import { ModelFormatError, UnsupportedModelError } from '../errors.js';
import type { ConvNode, Graph, Node } from '../graph/graph.js';
import { type FloatWeights, IMAGENET_PREPROCESSING, type Network, type Weights } from '../graph/network.js';
import { foldBatchNorm } from './fold.js';
import { type HeadActivation, readHead } from './head.js';
import { type Identity, identify, isTail } from './identify.js';
import { toChannelsLast } from './layout.js';
import { readLabels, readPreprocessing } from './metadata.js';
import { batchNormEpsilon, type Convention, expandsFrom, tensorNames } from './names.js';
import { readPretrained } from './pretrained.js';
import { expectTensor, refuseExtra, type TensorFile, toFloat32 } from './tensors.js';
import { WIDTHS } from './widths.js';

// Files that Python wrote: named tensors, PyTorch's layouts, batch norm beside the convolutions.

export interface CheckpointOptions {
  readonly architecture?: ArchitectureName;
  readonly width?: number;
  /** Between the fully connected layers of a head of one's own in a PyTorch checkpoint, which its tensors do not tell: 'relu' by default. */
  readonly headActivation?: HeadActivation;
}

/** Whether the file's names are some training framework's, and whose. */
export function conventionOf(file: TensorFile): Convention | undefined {
  if (file.tensors.has('features.0.0.weight') || file.tensors.has('layers.0.weight')) return 'torchvision';
  if (file.tensors.has('conv_stem.weight')) return 'timm';
  if (file.tensors.has('first_conv.conv.weight')) return 'proxyless';
  return undefined;
}

/** Names are the same at any width, so a node's names can be asked for before the width is known. */
function firstDimension(file: TensorFile, name: string): number {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new ModelFormatError(`tensor "${name}" is missing.`);
  return tensor.shape[0] ?? 0;
}

/** The graph whose channels are the file's, with or without the architecture's own layers behind the backbone. */
function graphOf(
  file: TensorFile,
  convention: Convention,
  options: CheckpointOptions,
  { architecture, standard }: Identity,
  tensorflow: boolean,
): Graph {
  const table = ARCHITECTURES[architecture];
  const plain = buildGraph(architecture);
  const expands = expandsFrom(plain);
  const channelsOf = (name: string) => {
    const node = plain.nodes.find((candidate) => candidate.name === name);
    return firstDimension(file, tensorNames(convention, architecture, node as ConvNode, expands).filter);
  };
  const stemChannels = channelsOf('stem');
  const outs = table.blocks.map((_, i) => channelsOf(`blocks.${i}.project`));
  const expanded = table.blocks.map((_, i) => channelsOf(`blocks.${i}.depthwise`));
  const expansionAt = (width: number) =>
    (['channels', 'factor'] as const).find((expansion) =>
      blockChannels(table, width, stemChannels, expansion).every(({ out, expand }, i) => out === outs[i] && expand === expanded[i]),
    );
  const estimate = (outs.at(-1) as number) / (table.blocks.at(-1)?.out as number);
  const width = options.width ?? [...WIDTHS, estimate].find(expansionAt);
  if (width === undefined) {
    throw new UnsupportedModelError(
      `the blocks' channels (${outs.join(', ')}) are those of no width multiplier of ${architecture}; give options.width.`,
    );
  }
  // timm keeps V3's first layer behind the pool whatever the classifier is.
  const features = table.features && (standard || file.tensors.has('conv_head.weight'));
  const graph = buildGraph(architecture, {
    width,
    ...(standard ? { classes: channelsOf('classifier') } : {}),
    stemChannels,
    headChannels: channelsOf('head'),
    padding: tensorflow ? 'same' : 'symmetric',
    expansion: expansionAt(width) ?? 'channels',
    ...(features ? { featureChannels: channelsOf('features') } : {}),
  });
  if (standard) return graph;
  const nodes = graph.nodes.filter((node) => !isTail(node) || (features && node.name === 'features'));
  return { ...graph, classes: 0, nodes, outputs: { embedding: (nodes.at(-1) as Node).name } };
}

/** timm's tf_ networks were trained with it. */
const TENSORFLOW_EPSILON = 1e-3;

/** Reads one convolution and folds its batch norm: gamma / sqrt(variance + epsilon) into the filter, the rest into a bias. */
function readConv(
  file: TensorFile,
  convention: Convention,
  graph: Graph,
  node: ConvNode,
  used: Set<string>,
  epsilon: number,
): FloatWeights {
  const architecture = graph.architecture as ArchitectureName;
  const names = tensorNames(convention, architecture, node, expandsFrom(graph));
  const read = (name: string, shape: readonly number[]) => {
    used.add(name);
    return toFloat32(name, expectTensor(file, name, shape));
  };
  const shape = [node.channels, node.inputChannels / node.groups, ...node.kernel] as const;
  // Fully connected layers are matrices in some files and 1x1 convolutions in others.
  const matrix = file.tensors.get(names.filter)?.shape.length === 2;
  const filter = read(names.filter, matrix ? shape.slice(0, 2) : shape);
  const ordered = toChannelsLast(filter, shape);
  if (names.bias) return { filter: ordered, bias: read(names.bias, [node.channels]) };
  const norm = (part: string) => read(`${names.batchNorm}.${part}`, [node.channels]);
  const [gamma, beta, mean, variance] = [norm('weight'), norm('bias'), norm('running_mean'), norm('running_var')];
  const plain = { filter: ordered, bias: new Float32Array(node.channels) };
  return foldBatchNorm(plain, { name: names.batchNorm as string, gamma, beta, mean, variance, epsilon });
}

/** What the file holds besides the backbone, behind it. */
function withHead(file: TensorFile, used: Set<string>, graph: Graph, weights: Map<string, Weights>, activation: HeadActivation): Graph {
  const input = graph.outputs.embedding;
  const channels = graph.nodes.reduce((last, node) => (node.kind === 'conv' ? node.channels : last), 0);
  const head = readHead(file, used, input, channels, activation);
  for (const [name, own] of head.weights) weights.set(name, own);
  const nodes = [...graph.nodes, ...head.nodes];
  if (head.classes === 0) return { ...graph, nodes };
  return { ...graph, classes: head.classes, nodes, outputs: { embedding: 'pool', logits: (head.nodes.at(-1) as Node).name } };
}

/**
 * Named tensors of a training framework to a float network.
 *
 * @param config the text of a config.json beside the weights: timm's says how they were trained
 */
export function readCheckpoint(file: TensorFile, convention: Convention, options: CheckpointOptions = {}, config?: string): Network {
  const pretrained = convention === 'timm' && config ? readPretrained(config) : {};
  const identity = identify(file, convention, options.architecture);
  const { standard } = identity;
  const backbone = graphOf(file, convention, options, identity, pretrained.tensorflow === true);
  const used = new Set<string>();
  const weights = new Map<string, Weights>();
  const epsilon = pretrained.tensorflow ? TENSORFLOW_EPSILON : batchNormEpsilon(convention, backbone.architecture as ArchitectureName);
  for (const node of backbone.nodes)
    if (node.kind === 'conv') weights.set(node.name, readConv(file, convention, backbone, node, used, epsilon));
  if (standard) refuseExtra(file, used);
  const graph = standard ? backbone : withHead(file, used, backbone, weights, options.headActivation ?? 'relu');
  const named = pretrained.labels?.length === graph.classes ? pretrained.labels : undefined;
  const labels = readLabels(file.metadata['labels'], graph.classes) ?? named;
  return {
    graph,
    weights,
    lanes: new Map(),
    preprocessing: readPreprocessing(file.metadata['preprocessing']) ?? pretrained.preprocessing ?? IMAGENET_PREPROCESSING,
    ...(labels ? { labels } : {}),
  };
}
