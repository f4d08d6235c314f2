import { blockChannels, buildGraph } from '../architecture/build.js';
import { ARCHITECTURE_NAMES, ARCHITECTURES, type ArchitectureName } from '../architecture/tables.js';
import { ModelFormatError, UnsupportedModelError } from '../errors.js';
import type { ConvNode, Graph } from '../graph/graph.js';
import { type FloatWeights, IMAGENET_PREPROCESSING, type Network, type Weights } from '../graph/network.js';
import { foldBatchNorm } from './fold.js';
import { toChannelsLast } from './layout.js';
import { readLabels, readPreprocessing } from './metadata.js';
import { type Convention, tensorNames } from './names.js';
import { readPretrained } from './pretrained.js';
import { expectTensor, refuseExtra, type TensorFile, toFloat32 } from './tensors.js';
import { WIDTHS } from './widths.js';

// Files that Python wrote: named tensors, PyTorch's layouts, batch norm beside the convolutions.

export interface CheckpointOptions {
  readonly architecture?: ArchitectureName;
  readonly width?: number;
}

/** Whether the file's names are some training framework's, and whose. */
export function conventionOf(file: TensorFile): Convention | undefined {
  if (file.tensors.has('features.0.0.weight')) return 'torchvision';
  if (file.tensors.has('conv_stem.weight')) return 'timm';
  return undefined;
}

/** Names are the same at any width, so a node's names can be asked for before the width is known. */
function firstDimension(file: TensorFile, name: string): number {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new ModelFormatError(`tensor "${name}" is missing.`);
  return tensor.shape[0] ?? 0;
}

export const expandsFrom = (graph: Graph) => {
  const names = new Set(graph.nodes.map((node) => node.name));
  return (block: number) => names.has(`blocks.${block}.expand`);
};

/** The architectures all of whose filters the file names, with the right kernel sizes. */
function identify(file: TensorFile, convention: Convention): ArchitectureName {
  const fits = (architecture: ArchitectureName) => {
    const graph = buildGraph(architecture);
    const expands = expandsFrom(graph);
    const convs = graph.nodes.filter((node): node is ConvNode => node.kind === 'conv');
    const wanted = convs.map((node) => tensorNames(convention, architecture, node, expands).filter);
    const filters = [...file.tensors].filter(([, { shape }]) => shape.length === 4 || shape.length === 2);
    return (
      wanted.length === filters.length &&
      convs.every((node, i) => {
        const shape = file.tensors.get(wanted[i] as string)?.shape;
        return shape !== undefined && (shape[2] ?? 1) === node.kernel[0];
      })
    );
  };
  const found = ARCHITECTURE_NAMES.find(fits);
  if (!found) throw nearest(file, convention);
  return found;
}

/** Says what is missing or too much, measured against the architecture that shares the most names. */
function nearest(file: TensorFile, convention: Convention): Error {
  const candidates = ARCHITECTURE_NAMES.map((architecture) => {
    const graph = buildGraph(architecture);
    const expands = expandsFrom(graph);
    const names = new Set<string>();
    for (const node of graph.nodes) if (node.kind === 'conv') names.add(tensorNames(convention, architecture, node, expands).filter);
    const missing = [...names].filter((name) => !file.tensors.has(name));
    const filters = [...file.tensors].filter(([, { shape }]) => shape.length === 4 || shape.length === 2).map(([name]) => name);
    const extra = filters.filter((name) => !names.has(name));
    return { architecture, missing, extra, distance: missing.length + extra.length };
  }).sort((a, b) => a.distance - b.distance);
  const [best] = candidates;
  const list = (names: string[] = []) => names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  return new ModelFormatError(
    `the ${convention} tensors fit no architecture of the family; nearest is ${best?.architecture}` +
      (best?.missing.length ? `, but missing: ${list(best.missing)}` : '') +
      (best?.extra.length ? `, extra: ${list(best.extra)}` : '') +
      (best?.distance === 0 ? ', but kernel sizes differ' : '') +
      '.',
  );
}

/** The graph whose channels are the file's. */
function graphOf(file: TensorFile, convention: Convention, options: CheckpointOptions, tensorflow: boolean): Graph {
  const architecture = options.architecture ?? identify(file, convention);
  const table = ARCHITECTURES[architecture];
  const standard = buildGraph(architecture);
  const expands = expandsFrom(standard);
  const channelsOf = (name: string) => {
    const node = standard.nodes.find((candidate) => candidate.name === name);
    return firstDimension(file, tensorNames(convention, architecture, node as ConvNode, expands).filter);
  };
  const stemChannels = channelsOf('stem');
  const outs = table.blocks.map((_, i) => channelsOf(`blocks.${i}.project`));
  const fits = (width: number) => blockChannels(table, width, stemChannels).every(({ out }, i) => out === outs[i]);
  const estimate = (outs.at(-1) as number) / (table.blocks.at(-1)?.out as number);
  const width = options.width ?? [...WIDTHS, estimate].find(fits);
  if (width === undefined) {
    throw new UnsupportedModelError(
      `the blocks' channels (${outs.join(', ')}) are those of no width multiplier of ${architecture}; give options.width.`,
    );
  }
  return buildGraph(architecture, {
    width,
    classes: channelsOf('classifier'),
    stemChannels,
    headChannels: channelsOf('head'),
    padding: tensorflow ? 'same' : 'symmetric',
    ...(table.features ? { featureChannels: channelsOf('features') } : {}),
  });
}

/** timm's tf_ networks were trained with it. */
const TENSORFLOW_EPSILON = 1e-3;

export const batchNormEpsilon = (convention: Convention, architecture: ArchitectureName) =>
  convention === 'timm' ? 1e-5 : ARCHITECTURES[architecture].batchNormEpsilon;

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

/**
 * Named tensors of a training framework to a float network.
 *
 * @param config the text of a config.json beside the weights: timm's says how they were trained
 */
export function readCheckpoint(file: TensorFile, convention: Convention, options: CheckpointOptions = {}, config?: string): Network {
  const pretrained = convention === 'timm' && config ? readPretrained(config) : {};
  const graph = graphOf(file, convention, options, pretrained.tensorflow === true);
  const used = new Set<string>();
  const weights = new Map<string, Weights>();
  const epsilon = pretrained.tensorflow ? TENSORFLOW_EPSILON : batchNormEpsilon(convention, graph.architecture as ArchitectureName);
  for (const node of graph.nodes) if (node.kind === 'conv') weights.set(node.name, readConv(file, convention, graph, node, used, epsilon));
  refuseExtra(file, used);
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
