import { toFloat16 } from '../../scripts/tflite.mjs';
import type { Activation, ConvNode } from '../../src/graph/graph.js';
import type { FloatWeights, Network } from '../../src/graph/network.js';

// Float networks as TensorFlow.js files: a graph model with everything spelled out, as the converter leaves it without Grappler's
// fusions, and a layers model as Keras describes it.

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface TfjsFiles {
  readonly model: Record<string, unknown>;
  readonly shard: Uint8Array;
}

export const SHARD = 'group1-shard1of1.bin';
const SIXTH = 1 / 6;

const shapeOf = ({ kernel, inputChannels, channels, groups }: ConvNode): number[] =>
  groups > 1 ? [...kernel, channels, 1] : [...kernel, inputChannels, channels];

/** How weights are kept. */
export type Kept = 'float32' | 'float16' | 'uint8' | 'uint16';

function filesOf(weights: readonly Weight[], topology: unknown, more: Record<string, unknown>, kept: Kept): TfjsFiles {
  const parts: Uint8Array[] = [];
  const entries = weights.map(({ name, shape, values }) => {
    if (kept === 'float16') {
      parts.push(new Uint8Array(toFloat16(values).buffer));
      return { name, shape, dtype: 'float32', quantization: { dtype: kept, original_dtype: 'float32' } };
    }
    if (kept === 'float32' || values.length < 16) {
      parts.push(new Uint8Array(values.slice().buffer));
      return { name, shape, dtype: 'float32' };
    }
    const min = values.reduce((a, b) => Math.min(a, b));
    const scale = (values.reduce((a, b) => Math.max(a, b)) - min) / (kept === 'uint8' ? 255 : 65535) || 1;
    const steps = values.map((value) => Math.round((value - min) / scale));
    parts.push(kept === 'uint8' ? Uint8Array.from(steps) : new Uint8Array(Uint16Array.from(steps).buffer));
    return { name, shape, dtype: 'float32', quantization: { dtype: kept, min, scale } };
  });
  const model = { ...more, modelTopology: topology, weightsManifest: [{ paths: [SHARD], weights: entries }] };
  return { model, shard: new Uint8Array(Buffer.concat(parts)) };
}

/** Biases as sums behind convolutions, h-swish and h-sigmoid in four operators. */
export function graphModel({ graph, weights }: Network, kept: Kept = 'float32'): TfjsFiles {
  const nodes: Record<string, unknown>[] = [];
  const held: Weight[] = [];
  const push = (op: string, name: string, input: readonly string[], attr: Record<string, unknown> = {}) => {
    nodes.push({ name, op, input, attr });
    return name;
  };
  const constant = (name: string, shape: readonly number[], values: Float32Array) => {
    held.push({ name, shape, values });
    return push('Const', name, []);
  };
  const number = (value: number, at: string) => constant(`${at}/${value.toFixed(3)}`, [], Float32Array.of(value));
  const activated = (name: string, x: string, activation: Activation): string => {
    if (activation === 'none') return x;
    if (activation === 'relu' || activation === 'relu6') return push(activation === 'relu' ? 'Relu' : 'Relu6', `${name}/relu`, [x]);
    const six = push('Relu6', `${name}/relu6`, [push('AddV2', `${name}/add3`, [x, number(3, name)])]);
    const scaled = push('Mul', `${name}/sixth`, [number(SIXTH, name), activation === 'hardSwish' ? x : six]);
    return activation === 'hardSwish' ? push('Mul', `${name}/swish`, [scaled, six]) : scaled;
  };
  const sides = [-1, graph.resolution, graph.resolution, 3].map((size) => ({ size: `${size}` }));
  const made = new Map([['input', push('Placeholder', 'input', [], { shape: { shape: { dim: sides } } })]]);
  const axes = constant('axes', [2], Float32Array.of(1, 2));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => made.get(name) as string);
    let output: string;
    if (node.kind === 'conv') {
      const own = weights.get(node.name) as FloatWeights;
      const filter = constant(`${node.name}/filter`, shapeOf(node), own.filter);
      const strides = { list: { i: ['1', ...node.strides.map(String), '1'] } };
      const attr = { strides, padding: { s: btoa(node.padding === 'same' ? 'SAME' : 'VALID') } };
      const conv = push(node.groups > 1 ? 'DepthwiseConv2dNative' : 'Conv2D', `${node.name}/conv`, [inputs[0] as string, filter], attr);
      const bias = constant(`${node.name}/bias`, [node.channels], own.bias);
      output = activated(node.name, push('AddV2', `${node.name}/biased`, [bias, conv]), node.activation);
    } else if (node.kind === 'globalAveragePool') output = push('Mean', node.name, [...inputs, axes], { keep_dims: { b: true } });
    else if (node.kind === 'add') output = push('AddN', node.name, inputs);
    else if (node.kind === 'activation') {
      const sigmoid = push('Sigmoid', `${node.name}/sigmoid`, inputs);
      output = node.activation === 'swish' ? push('Mul', node.name, [sigmoid, ...inputs]) : sigmoid;
    } else output = push('Mul', node.name, [...inputs].reverse());
    made.set(node.name, output);
  }
  const last = push('Softmax', 'probabilities', [made.get(graph.outputs.logits as string) as string]);
  // The converter promises no order.
  const topology = { node: [...nodes].reverse(), versions: {} };
  return filesOf(held, topology, { format: 'graph-model', signature: { outputs: { out: { name: `${last}:0` } } } }, kept);
}

const KERAS: Readonly<Record<Activation, string>> = {
  none: 'linear',
  relu: 'relu',
  relu6: 'relu6',
  hardSwish: 'hard_swish',
  hardSigmoid: 'hard_sigmoid',
};

/** A Functional model inside of a Sequential, as Teachable Machine makes them. */
export function layersModel({ graph, weights }: Network, kept: Kept = 'float32'): TfjsFiles {
  const layers: Record<string, unknown>[] = [];
  const held: Weight[] = [];
  const push = (kind: string, name: string, inputs: readonly string[], config: Record<string, unknown> = {}) => {
    const inbound = inputs.length > 0 ? [inputs.map((input) => [input, 0, 0, {}])] : [];
    layers.push({ class_name: kind, name, config: { name, ...config }, inbound_nodes: inbound });
    return name;
  };
  const batch = [null, graph.resolution, graph.resolution, 3];
  const made = new Map([['input', push('InputLayer', 'input_1', [], { batch_input_shape: batch })]]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => made.get(name) as string);
    const name = node.name.replaceAll('.', '_');
    if (node.kind === 'conv') {
      const own = weights.get(node.name) as FloatWeights;
      const depthwise = node.groups > 1;
      const { strides, padding, kernel } = node;
      const config = { strides, padding, use_bias: true, activation: KERAS[node.activation], kernel_size: kernel };
      push(depthwise ? 'DepthwiseConv2D' : 'Conv2D', name, inputs, config);
      held.push({ name: `${name}/${depthwise ? 'depthwise_kernel' : 'kernel'}`, shape: shapeOf(node), values: own.filter });
      held.push({ name: `${name}/bias`, shape: [node.channels], values: own.bias });
    } else if (node.kind === 'globalAveragePool') push('GlobalAveragePooling2D', name, inputs, { keepdims: true });
    else if (node.kind === 'activation') push('Activation', name, inputs, { activation: node.activation });
    else push(node.kind === 'add' ? 'Add' : 'Multiply', name, inputs);
    made.set(node.name, name);
  }
  const last = made.get(graph.outputs.logits as string);
  const inner = { name: 'model', layers, input_layers: [['input_1', 0, 0]], output_layers: [[last, 0, 0]] };
  const config = {
    name: 'outer',
    layers: [
      { class_name: 'Functional', config: inner },
      { class_name: 'Flatten', config: { name: 'flatten' } },
    ],
  };
  const topology = { keras_version: '3.0.0', model_config: { class_name: 'Sequential', config } };
  return filesOf(held, topology, { format: 'layers-model' }, kept);
}

export const jsonOf = ({ model }: TfjsFiles): Uint8Array => new TextEncoder().encode(JSON.stringify(model));

/** The weights in files of those names, cut anywhere, as the converter cuts them at 4 MB. */
export function sharded({ model, shard }: TfjsFiles, names: readonly string[]): File[] {
  const [{ weights }] = model['weightsManifest'] as [{ weights: unknown }];
  const json = JSON.stringify({ ...model, weightsManifest: [{ paths: names, weights }] });
  const size = Math.ceil(shard.length / names.length);
  const shards = names.map((name, i) => new File([shard.slice(i * size, (i + 1) * size) as BlobPart], name));
  return [...shards, new File([json], 'model.json')];
}

/** As a page has them: a File[] of all files. */
export const fileListOf = (files: TfjsFiles, json = jsonOf(files)): File[] => [
  new File([json as BlobPart], 'model.json'),
  new File([files.shard as BlobPart], SHARD),
];
