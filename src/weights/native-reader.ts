import { ModelFormatError } from '../errors.js';
import { type Graph, imageInput, inferShapes, type Node } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { Network, Weights } from '../graph/network.js';
import { checkPreprocessing, parseJson, readLabels } from './metadata.js';
import { type Description, FORMAT, filterShape, VERSION } from './native.js';
import { expectTensor, refuseExtra, type TensorFile, toFloat32, toInt8, toInt32 } from './tensors.js';

// This package's own files, which anybody may have changed. native.ts writes them and says what is in them.

const ACTIVATIONS = ['none', 'relu', 'relu6', 'hardSwish', 'hardSigmoid'];
const CURVES = ['sigmoid', 'swish'];

export const isNative = (file: TensorFile): boolean => file.metadata['format'] === FORMAT;

/** @throws ModelFormatError for a file whose description or tensors do not fit together */
export function readNative(file: TensorFile): Network {
  const description = parseJson(file.metadata['network'] ?? '', 'description of the network') as Description;
  if (description?.version !== 1 && description?.version !== VERSION) {
    throw new ModelFormatError(`the file has format version ${description?.version}; this release reads versions 1 to ${VERSION}.`);
  }
  const graph = checkGraph(description.version === 1 ? withOutputs(description.graph) : description.graph);
  const used = new Set<string>();
  const take = (name: string, shape: readonly number[]) => {
    used.add(name);
    return expectTensor(file, name, shape);
  };
  const weights = new Map<string, Weights>();
  const channels = new Map(inferShapes(graph.nodes, imageInput(graph.resolution, graph.resolution)));
  for (const node of graph.nodes) {
    if (node.kind !== 'conv') continue;
    const name = `${node.name}.filter`;
    const filter = take(name, filterShape(node));
    const bias = take(`${node.name}.bias`, [node.channels]);
    if (filter.dtype !== 'I8') {
      weights.set(node.name, { filter: toFloat32(name, filter), bias: toFloat32(`${node.name}.bias`, bias) });
      continue;
    }
    const scale = toFloat32(`${node.name}.scale`, take(`${node.name}.scale`, [node.channels]));
    const zeroPoint = description.zeroPoints?.[node.name] ?? 0;
    if (!Number.isInteger(zeroPoint) || Math.abs(zeroPoint) > 128)
      throw new ModelFormatError(`"${node.name}": zero point ${zeroPoint} cannot be.`);
    weights.set(node.name, { filter: toInt8(name, filter), scale, zeroPoint, bias: toInt32(`${node.name}.bias`, bias) });
  }
  const lanes = new Map<string, Lanes>();
  for (const [name, entry] of Object.entries(description.lanes ?? {})) {
    const shape = channels.get(name);
    const { low, high } = entry ?? {};
    const sound = shape && Number.isInteger(low) && Number.isInteger(high) && low >= -32768 && high <= 32767 && low < high;
    if (!sound) throw new ModelFormatError(`the range of tensor "${name}" is damaged or of no tensor of the network.`);
    const scale = entry.scale ?? toFloat32(`${name}.lanes`, take(`${name}.lanes`, [shape[2]]));
    const { unit } = entry;
    const scales = [...(typeof scale === 'number' ? [scale] : scale), ...(unit === undefined ? [] : [unit])];
    if (!scales.every((s) => Number.isFinite(s) && s > 0)) throw new ModelFormatError(`the scale of tensor "${name}" is to be above zero.`);
    lanes.set(name, { scale, low, high, ...(unit === undefined ? {} : { unit }) });
  }
  refuseExtra(file, used);
  const labels = readLabels(file.metadata['labels'], graph.classes);
  return { graph, weights, lanes, preprocessing: checkPreprocessing(description.preprocessing), ...(labels ? { labels } : {}) };
}

const LARGEST_SIDE = 1 << 16;

const withOutputs = ({ embedding, ...graph }: Graph & { readonly embedding?: string }): Graph => ({
  ...graph,
  outputs: { logits: graph.nodes?.at?.(-1)?.name ?? '', embedding: embedding ?? '' },
});

/** A graph out of a file is anybody's JSON: kinds, numbers and connections are checked before anything is built on them. */
function checkGraph(graph: Graph): Graph {
  const fail = (what: string): never => {
    throw new ModelFormatError(`the file's description of the network is damaged: ${what}.`);
  };
  const count = (value: unknown, what: string, least = 1, most = LARGEST_SIDE): number =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most ? (value as number) : fail(`${what} is ${value}`);
  if (typeof graph !== 'object' || graph === null || !Array.isArray(graph.nodes) || graph.nodes.length === 0) fail('it has no nodes');
  if (graph.nodes.length > 10000) fail(`${graph.nodes.length} nodes`);
  if (typeof graph.architecture !== 'string') fail('it names no architecture');
  if (!(Number.isFinite(graph.width) && graph.width > 0)) fail(`its width is ${graph.width}`);
  count(graph.resolution, 'its resolution', 32, 512);
  count(graph.classes, 'its number of classes', 0, 1e6);
  for (const node of graph.nodes as readonly (Node | null)[]) {
    const sound =
      node && typeof node.name === 'string' && Array.isArray(node.inputs) && node.inputs.every((name) => typeof name === 'string');
    if (!sound) fail('a node has no name or inputs');
    checkNode(node as Node, fail, count);
  }
  if (graph.probabilities !== undefined && graph.probabilities !== 'sigmoid') fail(`its probabilities are by "${graph.probabilities}"`);
  const { logits, embedding } = graph.outputs ?? {};
  const missing = [embedding, ...(graph.classes > 0 ? [logits] : [])].find((name) => !graph.nodes.some((node) => node.name === name));
  if (missing !== undefined || embedding === undefined) fail(`no node makes its output "${missing}"`);
  const shapes = inferShapes(graph.nodes, imageInput(graph.resolution, graph.resolution));
  const shape = logits === undefined ? undefined : shapes.get(logits);
  if (graph.classes > 0 && shape?.join() !== [1, 1, graph.classes].join())
    fail(`its logits are ${shape?.join('x')} values, not ${graph.classes}`);
  return graph;
}

function checkNode(
  node: Node,
  fail: (what: string) => never,
  count: (value: unknown, what: string, least?: number, most?: number) => number,
): void {
  const { name } = node;
  switch (node.kind) {
    case 'conv': {
      for (const pair of [node.kernel, node.strides]) {
        if (!Array.isArray(pair) || pair.length !== 2) fail(`${name} has no kernel or strides`);
        for (const side of pair) count(side, `${name}: a side of its kernel or stride`, 1, 64);
      }
      if (Array.isArray(node.padding)) {
        if (node.padding.length !== 4) fail(`${name} has a padding of ${node.padding.length} numbers`);
        for (const side of node.padding) count(side, `${name}: its padding`, 0, 64);
      } else if (node.padding !== 'same' && node.padding !== 'valid') fail(`${name} has padding "${node.padding}"`);
      count(node.inputChannels, `${name}: its number of input channels`);
      count(node.channels, `${name}: its number of channels`, 1, 1e6);
      if (node.groups !== 1 && (node.groups !== node.inputChannels || node.channels !== node.inputChannels))
        fail(`${name} has ${node.groups} groups`);
      if (!ACTIVATIONS.includes(node.activation)) fail(`${name} has activation "${node.activation}"`);
      return;
    }
    case 'activation':
      if (![...ACTIVATIONS, ...CURVES].includes(node.activation)) fail(`${name} has activation "${node.activation}"`);
      return;
    case 'add':
      if (!ACTIVATIONS.includes(node.activation)) fail(`${name} has activation "${node.activation}"`);
      return;
    case 'affine':
      for (const value of [node.alpha, node.beta, node.low ?? 0, node.high ?? 0])
        if (!Number.isFinite(value)) fail(`${name} has a factor of ${value}`);
      return;
    case 'multiply':
    case 'globalAveragePool':
      return;
    default:
      fail(`${name} is of unknown kind "${(node as { kind: unknown }).kind}"`);
  }
}
