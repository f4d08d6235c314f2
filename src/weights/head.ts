import { UnsupportedModelError } from '../errors.js';
import type { Activation, ConvNode, Node } from '../graph/graph.js';
import type { FloatWeights } from '../graph/network.js';
import { batchNormAffine } from './fold.js';
import { toChannelsLast } from './layout.js';
import { type TensorFile, toFloat32 } from './tensors.js';

/*
 * The head of one's own that people put on a backbone: Linear layers and batch norms in a chain, told by their tensors. Layers
 * without tensors leave gaps in a Sequential's numbers: what is between two Linear layers is an activation, and perhaps a Dropout.
 */

export type HeadActivation = Extract<Activation, 'relu' | 'relu6' | 'hardSwish' | 'none'>;

/** PyTorch's nn.BatchNorm1d. */
const EPSILON = 1e-5;

interface Layer {
  /** 'classifier.4' */
  readonly path: string;
  readonly parts: ReadonlyMap<string, readonly number[]>;
}

export interface Head {
  readonly nodes: readonly Node[];
  readonly weights: ReadonlyMap<string, FloatWeights>;
  /** 0 where the file holds none. */
  readonly classes: number;
}

/** The tensors that no layer of the backbone has, module by module in the file's order. */
function layersOf(file: TensorFile, used: ReadonlySet<string>): Layer[] {
  const layers = new Map<string, Map<string, readonly number[]>>();
  for (const [name, { shape }] of file.tensors) {
    if (used.has(name) || name.endsWith('.num_batches_tracked')) continue;
    const dot = name.lastIndexOf('.');
    const path = name.slice(0, Math.max(0, dot));
    const parts = layers.get(path) ?? new Map<string, readonly number[]>();
    layers.set(path, parts.set(name.slice(dot + 1), shape));
  }
  // Safetensors files list names by the alphabet: 10 comes before 2.
  return [...layers].map(([path, parts]) => ({ path, parts })).sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }));
}

/** How many layers without tensors lie between two neighbours of a Sequential; undefined where they are none. */
function gapBetween(before: string, after: string): number | undefined {
  const [a, b] = [before, after].map((path) => /^(.*?)\.?(\d+)$/.exec(path));
  return a && b && a[1] === b[1] ? Number(b[2]) - Number(a[2]) - 1 : undefined;
}

/**
 * @param input the tensor that the head reads, of `channels` values
 * @param activation what is between two Linear layers, which no tensor tells
 * @throws UnsupportedModelError that names the tensors that are no such chain
 */
export function readHead(file: TensorFile, used: ReadonlySet<string>, input: string, channels: number, activation: HeadActivation): Head {
  const layers = layersOf(file, used);
  const last = layers.findLastIndex(({ parts }) => parts.has('weight') && (parts.get('weight')?.length ?? 0) > 1);
  const nodes: Node[] = [];
  const weights = new Map<string, FloatWeights>();
  const read = (name: string) => toFloat32(name, file.tensors.get(name) as NonNullable<ReturnType<TensorFile['tensors']['get']>>);
  let tensor = input;
  let width = channels;
  let linear = false;
  for (const [i, { path, parts }] of layers.entries()) {
    const gap = i === 0 ? 0 : gapBetween((layers[i - 1] as Layer).path, path);
    const shape = parts.get('weight') ?? [];
    const norm = shape.length === 1 && parts.has('running_mean') && parts.has('running_var');
    const dense = shape.length >= 2 && shape.slice(2).every((side) => side === 1);
    if (linear && gap !== 0 && (dense || gap !== undefined)) {
      if (activation !== 'none') {
        nodes.push({ kind: 'activation', name: `dense.${i}.activation`, inputs: [tensor], activation });
        tensor = `dense.${i}.activation`;
      }
      linear = false;
    }
    const fits = norm ? shape[0] === width : dense && shape[1] === width;
    const expected = norm ? ['weight', 'bias', 'running_mean', 'running_var'] : ['weight', 'bias'];
    if (!fits || [...parts.keys()].some((name) => !expected.includes(name))) throw notUnderstood(layers, i, width);
    const outputs = shape[0] as number;
    const name = i === last ? 'classifier' : `dense.${i}`;
    const conv: Omit<ConvNode, 'inputChannels' | 'channels' | 'groups'> = {
      kind: 'conv',
      name,
      inputs: [tensor],
      kernel: [1, 1],
      strides: [1, 1],
      padding: 'valid',
      activation: 'none',
      batchNorm: false,
    };
    nodes.push({ ...conv, inputChannels: width, channels: outputs, groups: norm ? width : 1 });
    if (norm) {
      const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
        parts.has(part) ? read(`${path}.${part}`) : undefined,
      );
      const { gain, offset } = batchNormAffine({
        name: path,
        gamma,
        beta,
        mean: mean as Float32Array,
        variance: variance as Float32Array,
        epsilon: EPSILON,
      });
      weights.set(name, { filter: gain, bias: offset });
    } else {
      const bias = parts.has('bias') ? read(`${path}.bias`) : new Float32Array(outputs);
      if (bias.length !== outputs) throw notUnderstood(layers, i, width);
      weights.set(name, { filter: toChannelsLast(read(`${path}.weight`), [outputs, width, 1, 1]), bias });
      linear = true;
    }
    tensor = name;
    width = outputs;
  }
  return { nodes, weights, classes: last < 0 ? 0 : width };
}

function notUnderstood(layers: readonly Layer[], at: number, width: number): UnsupportedModelError {
  const names = layers
    .slice(at)
    .flatMap(({ path, parts }) => [...parts].map(([part, shape]) => `${path ? `${path}.` : ''}${part} [${shape}]`));
  const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
  return new UnsupportedModelError(
    `the head's tensors are no chain of Linear and BatchNorm1d layers from ${width} values on: ${names.slice(0, 4).join(', ')}${more}. ` +
      'Export the whole network with torch.onnx.export() and load the .onnx file.',
  );
}
