import type * as h5wasm from 'h5wasm';
import { buildGraph } from '../../src/architecture/build.js';
import { fuse } from '../../src/graph/fusion.js';
import { type ConvNode, isDepthwise } from '../../src/graph/graph.js';
import type { FloatWeights, Network } from '../../src/graph/network.js';
import { pseudoRandom } from '../pseudo-random.js';
import { type KerasLayer, kerasArchive, places, put } from './keras-writer.js';
import { layersModel } from './tfjs-writer.js';

// Networks of random numbers, laid out as Keras does it.

const EPSILON = 1e-3;

export interface Layer {
  readonly node: ConvNode;
  readonly kernel: Float32Array;
  readonly shape: number[];
  readonly bias?: Float32Array;
  readonly norm?: readonly [Float32Array, Float32Array, Float32Array, Float32Array];
}

/** Random numbers for every layer, and the network that they make. */
export function layersOf(architecture: 'mobilenet_v3_small' | 'mobilenet_v3_large', width = 0.35) {
  const graph = buildGraph(architecture, { width, classes: 7, padding: 'same' });
  const weights = new Map<string, FloatWeights>();
  const layers = graph.nodes
    .filter((node): node is ConvNode => node.kind === 'conv')
    .map((node): Layer => {
      const window = (node.kernel[0] * node.kernel[1] * node.inputChannels) / node.groups;
      const values = (name: string, count: number, scale: number, offset = 0) =>
        pseudoRandom(`${node.name} ${name}`, count, (u) => offset + scale * u);
      const kernel = values('kernel', window * node.channels, 1 / Math.sqrt(window));
      const shape = isDepthwise(node) ? [...node.kernel, node.channels, 1] : [...node.kernel, node.inputChannels, node.channels];
      if (!node.batchNorm) {
        const bias = values('bias', node.channels, 0.3);
        weights.set(node.name, { filter: kernel, bias });
        return { node, kernel, shape, bias };
      }
      const norm = [
        values('gamma', node.channels, 0.4, 1),
        values('beta', node.channels, 0.3),
        values('mean', node.channels, 0.2),
        values('variance', node.channels, 0.5, 1),
      ] as const;
      const [gamma, beta, mean, variance] = norm;
      const gain = gamma.map((g, c) => g / Math.sqrt((variance[c] as number) + EPSILON));
      weights.set(node.name, {
        filter: kernel.map((w, i) => w * (gain[i % node.channels] as number)),
        bias: beta.map((b, c) => b - (mean[c] as number) * (gain[c] as number)),
      });
      return { node, kernel, shape, norm };
    });
  const preprocessing = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 0.875, interpolation: 'bilinear' } as const;
  return { layers, network: fuse({ graph, weights, lanes: new Map(), preprocessing }) };
}

const NORM = ['gamma:0', 'beta:0', 'moving_mean:0', 'moving_variance:0'];

/** keras.applications' own names: expanded_conv_3/squeeze_excite/Conv_1. */
function legacyName({ name }: ConvNode): string {
  const [, block, role] = /^blocks\.(\d+)\.(\w+)$/.exec(name) ?? [];
  const top: Record<string, string> = { stem: 'Conv', head: 'Conv_1', features: 'Conv_2', classifier: 'Logits' };
  if (block === undefined) return top[name] as string;
  const prefix = block === '0' ? 'expanded_conv' : `expanded_conv_${block}`;
  return `${prefix}/${({ reduce: 'squeeze_excite/Conv', excite: 'squeeze_excite/Conv_1' } as Record<string, string>)[role as string] ?? role}`;
}

/** A group of a layer's name holds its variables under the same name again; attributes tell the order. */
export function legacy(file: h5wasm.File, layers: readonly Layer[]): void {
  const names: string[] = ['input_1', 'rescaling'];
  const layer = (name: string, variables: [string, Float32Array, number[]][]) => {
    names.push(name);
    // HDF5 makes the groups of a path one inside the other.
    let group: h5wasm.Group = file;
    const depth = name.split('/').length;
    for (const [i, part] of [...name.split('/'), ...name.split('/')].entries()) {
      if (i === depth)
        group.create_attribute(
          'weight_names',
          variables.map(([variable]) => `${name}/${variable}`),
        );
      const inner = group.keys().includes(part) ? group.get(part) : group.create_group(part);
      group = inner as h5wasm.Group;
    }
    for (const [variable, data, shape] of variables) put(group, variable, data, shape);
  };
  file.create_group('input_1');
  file.create_group('rescaling');
  for (const { node, kernel, shape, bias, norm } of layers) {
    const name = legacyName(node);
    const kernelName = isDepthwise(node) ? 'depthwise_kernel:0' : 'kernel:0';
    layer(name, [[kernelName, kernel, shape], ...(bias ? [['bias:0', bias, [bias.length]] as [string, Float32Array, number[]]] : [])]);
    if (norm)
      layer(
        `${name}/BatchNorm`,
        norm.map((data, i) => [NORM[i] as string, data, [data.length]]),
      );
  }
  file.create_attribute('layer_names', names);
}

/** Keras 3: layers/conv2d_3/vars/0. */
export function modern(file: h5wasm.File, layers: readonly Layer[]): void {
  const root = file.create_group('layers');
  const counts = new Map<string, number>();
  const layer = (kind: string, variables: [Float32Array, number[]][]) => {
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const vars = root.create_group(count ? `${kind}_${count}` : kind).create_group('vars');
    variables.forEach(([data, shape], i) => {
      put(vars, String(i), data, shape);
    });
  };
  for (const { node, kernel, shape, bias, norm } of layers) {
    layer(isDepthwise(node) ? 'depthwise_conv2d' : 'conv2d', [
      [kernel, shape],
      ...(bias ? [[bias, [bias.length]] as [Float32Array, number[]]] : []),
    ]);
    if (norm)
      layer(
        'batch_normalization',
        norm.map((data) => [data, [data.length]]),
      );
  }
}

/** Keras 3 names a layer's inputs as tensors, each with the layer that it comes from. */
function named(layer: KerasLayer): KerasLayer {
  const [inbound] = layer.inbound_nodes as [string][][];
  const tensors = (inbound ?? []).map(([from]) => ({ class_name: '__keras_tensor__', config: { keras_history: [from, 0, 0] } }));
  return { ...layer, inbound_nodes: tensors.length > 0 ? [{ args: tensors.length > 1 ? [tensors] : tensors, kwargs: {} }] : [] };
}

/** The Functional model inside of a Sequential that tfjs-writer.ts describes, as an archive. */
export function nestedArchive(network: Network): Promise<Uint8Array> {
  const { model_config: outer } = layersModel(network).model['modelTopology'] as { model_config: { config: { layers: KerasLayer[] } } };
  const [inner, ...rest] = outer.config.layers as [KerasLayer, ...KerasLayer[]];
  const own = inner.config as unknown as { layers: KerasLayer[] };
  const layers = [{ ...inner, config: { ...own, layers: own.layers.map(named) } }, ...rest];
  const placeOf = places();
  const variables = new Map<string, [Float32Array, readonly number[]][]>();
  for (const node of network.graph.nodes) {
    if (node.kind !== 'conv') continue;
    const { filter, bias } = network.weights.get(node.name) as FloatWeights;
    const depthwise = node.groups > 1;
    const shape = depthwise ? [...node.kernel, node.channels, 1] : [...node.kernel, node.inputChannels, node.channels];
    variables.set(`layers/functional/${placeOf(depthwise ? 'DepthwiseConv2D' : 'Conv2D')}`, [
      [filter, shape],
      [bias, [node.channels]],
    ]);
  }
  return kerasArchive({ class_name: 'Sequential', config: { name: 'sequential', layers } }, variables);
}
