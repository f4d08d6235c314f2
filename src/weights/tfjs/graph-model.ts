import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import type { Activation, Padding } from '../../graph/graph.js';
import type { Network, Preprocessing } from '../../graph/network.js';
import { arithmetic } from '../arithmetic.js';
import { NetworkBuilder } from '../builder.js';
import type { Constant, Operation } from '../constants.js';
import { finish } from '../finish.js';
import { batchNormAffine } from '../fold.js';
import { resolutionOf } from '../resolution.js';
import { ALIASES, type GraphNode, inputsOf, ordered, outputOf } from './order.js';

// A GraphDef in JSON, as TensorFlow's converter writes it: frozen, with Grappler's fusions or without.

const MOST_NODES = 10_000;
const ARITHMETIC: Readonly<Record<string, Operation>> = {
  Add: 'add',
  AddV2: 'add',
  BiasAdd: 'add',
  Sub: 'subtract',
  Mul: 'multiply',
  RealDiv: 'divide',
  Div: 'divide',
};
const ACTIVATIONS: Readonly<Record<string, Activation>> = { Relu: 'relu', Relu6: 'relu6', HardSwish: 'hardSwish' };
const textOf = (base64: string): string => {
  try {
    return atob(base64);
  } catch {
    return base64;
  }
};
const isNode = (value: unknown): value is GraphNode => {
  const { name, op, input } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    typeof op === 'string' &&
    (input === undefined || (Array.isArray(input) && input.every((i) => typeof i === 'string')))
  );
};
export function readGraphModel(
  nodes: readonly unknown[],
  model: Readonly<Record<string, unknown>>,
  weights: ReadonlyMap<string, Constant>,
  preprocessing: Preprocessing,
): Network {
  if (nodes.length > MOST_NODES) throw new UnsupportedModelError(`tfjs: ${nodes.length} nodes; up to ${MOST_NODES} are read.`);
  const bad = nodes.find((node) => !isNode(node));
  if (bad !== undefined) throw new ModelFormatError(`tfjs: a node of the graph is damaged: ${JSON.stringify(bad)?.slice(0, 80)}.`);
  return new Importer(nodes as readonly GraphNode[], weights).network(model, preprocessing);
}

class Importer {
  private readonly byName: ReadonlyMap<string, GraphNode>;
  private readonly builder: NetworkBuilder;
  private readonly placeholder: GraphNode;

  constructor(
    nodes: readonly GraphNode[],
    private readonly weights: ReadonlyMap<string, Constant>,
  ) {
    this.byName = new Map(nodes.map((node) => [node.name, node]));
    const placeholders = nodes.filter(({ op }) => op === 'Placeholder');
    const [placeholder] = placeholders;
    if (!placeholder || placeholders.length > 1)
      throw new UnsupportedModelError(`tfjs: ${placeholders.length} inputs; one image was expected.`);
    this.placeholder = placeholder;
    const shape = placeholder.attr?.['shape']?.shape?.dim?.map(({ size }) => Number(size));
    this.builder = new NetworkBuilder('tfjs', 3, resolutionOf('tfjs', shape ?? [-1, -1, -1, 3]));
  }

  network(model: Readonly<Record<string, unknown>>, preprocessing: Preprocessing): Network {
    const output = outputOf(this.byName, model);
    for (const node of ordered(this.byName, output)) this.add(node);
    return finish(this.builder.build(output), 'tfjs', preprocessing);
  }

  private add(node: GraphNode): void {
    const { name, op } = node;
    const { builder } = this;
    const inputs = inputsOf(node);
    const [first, second] = inputs;
    const operation = ARITHMETIC[op];
    const activation = ACTIVATIONS[op];
    if (operation) arithmetic(builder, name, operation, first, second);
    else if (activation) builder.activation(name, first, activation);
    else if (ALIASES.has(op)) builder.alias(name, first);
    else
      switch (op) {
        case 'Placeholder':
          if (node !== this.placeholder) throw builder.unsupported('several inputs.');
          builder.input(name);
          return;
        case 'Const': {
          const constant = this.weights.get(name);
          if (!constant) throw builder.damaged(`the weights of "${name}" are not in weightsManifest.`);
          builder.constants.set(name, constant);
          return;
        }
        case 'Conv2D':
        case '_FusedConv2D':
        case 'FusedConv2D':
        case 'DepthwiseConv2dNative':
        case '_FusedDepthwiseConv2dNative':
        case 'FusedDepthwiseConv2dNative':
          this.addConv(node, op.includes('Depthwise'));
          return;
        case 'MatMul':
        case '_FusedMatMul':
        case 'FusedMatMul':
          this.addDense(node);
          return;
        case 'AddN':
          this.addSum(name, inputs);
          return;
        case 'FusedBatchNorm':
        case 'FusedBatchNormV2':
        case 'FusedBatchNormV3': {
          const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => this.constant(node, i).values);
          const norm = {
            name,
            gamma,
            beta,
            mean: mean as Float32Array,
            variance: variance as Float32Array,
            epsilon: node.attr?.['epsilon']?.f ?? 1e-4,
          };
          const { gain, offset } = batchNormAffine(norm);
          builder.channels(name, first, gain, offset);
          return;
        }
        case 'Minimum':
        case 'Maximum': {
          const index = builder.constant(first) ? 0 : 1;
          const limit = this.constant(node, index).values;
          if (limit.length !== 1) throw builder.unsupported(`a ${op} with a constant of ${limit.length} values.`);
          builder.affine(name, inputs[1 - index], op === 'Minimum' ? { high: limit[0] } : { low: limit[0] });
          return;
        }
        case 'ClipByValue':
          builder.affine(name, first, { low: this.constant(node, 1).values[0], high: this.constant(node, 2).values[0] });
          return;
        case 'Pad':
        case 'PadV2': {
          const sides = [...this.constant(node, 1).values];
          const zero = inputs[2] === undefined || this.constant(node, 2).values.every((value) => value === 0);
          if (sides.length !== 8 || [0, 1, 6, 7].some((i) => sides[i] !== 0) || !zero)
            throw builder.unsupported('a Pad of more than zeros at the sides of an image.');
          builder.pad(name, first, sides.slice(2, 6) as [number, number, number, number]);
          return;
        }
        case 'Mean': {
          const axes = [...this.constant(node, 1).values].map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
          if (axes.join() !== '1,2') throw builder.unsupported(`a Mean over axes ${axes}.`);
          builder.globalPool(name, first);
          return;
        }
        case 'AvgPool': {
          const [, height = 0, width = 0] = this.list(node, 'ksize');
          builder.averagePool(name, first, { kernel: [height, width], ...this.window(node) });
          return;
        }
        case 'Softmax':
        case 'Sigmoid':
          builder.end(name, first, op === 'Softmax' ? 'softmax' : 'sigmoid');
          return;
        default:
          throw builder.unsupported(`operator ${op} ("${name}"); the networks of the family have none of it.`);
      }
  }

  private constant(node: GraphNode, index: number): Constant {
    const constant = this.builder.constant(inputsOf(node)[index]);
    if (!constant) throw this.builder.unsupported(`input ${index} of ${node.op} "${node.name}" is not in the file.`);
    return constant;
  }

  private list({ attr }: GraphNode, name: string): number[] {
    return (attr?.[name]?.list?.i ?? []).map(Number);
  }

  private window(node: GraphNode): { strides: [number, number]; padding: Padding } {
    const [, strideHeight = 1, strideWidth = 1] = this.list(node, 'strides');
    const format = textOf(node.attr?.['data_format']?.s ?? '');
    const dilated = this.list(node, 'dilations').some((dilation) => dilation !== 1);
    if (format === 'NCHW' || dilated) throw this.builder.unsupported(`a ${node.op} that is ${dilated ? 'dilated' : 'NCHW'}.`);
    const padding = textOf(node.attr?.['padding']?.s ?? '');
    const explicit = this.list(node, 'explicit_paddings').slice(2, 6) as unknown as [number, number, number, number];
    return { strides: [strideHeight, strideWidth], padding: padding === 'SAME' ? 'same' : padding === 'EXPLICIT' ? explicit : 'valid' };
  }

  /** The bias and activation that Grappler has fused into an operator. */
  private fused(node: GraphNode, channels: number): { bias: Float32Array; activation: Activation } {
    const steps = (node.attr?.['fused_ops']?.list?.s ?? []).map(textOf);
    let bias = new Float32Array(channels);
    let activation: Activation = 'none';
    for (const step of steps) {
      const own = ACTIVATIONS[step];
      if (step === 'BiasAdd') bias = Float32Array.from(this.constant(node, 2).values);
      else if (own) activation = own;
      else throw this.builder.unsupported(`a ${node.op} with ${step}.`);
    }
    return { bias, activation };
  }

  private addConv(node: GraphNode, depthwise: boolean): void {
    const { shape, values } = this.constant(node, 1);
    const [height = 0, width = 0, inputs = 0, outputs = 0] = shape;
    if (depthwise && outputs !== 1) throw this.builder.unsupported('a depthwise multiplier above 1.');
    const channels = depthwise ? inputs : outputs;
    const { bias, activation } = this.fused(node, channels);
    const how = { kernel: [height, width] as const, ...this.window(node), channels, groups: depthwise ? channels : 1, activation };
    this.builder.conv(node.name, inputsOf(node)[0], how, { filter: Float32Array.from(values), bias });
  }

  private addDense(node: GraphNode): void {
    const { shape, values } = this.constant(node, 1);
    const [rows = 0, columns = 0] = shape;
    const transposed = node.attr?.['transpose_b']?.b === true;
    if (shape.length !== 2 || node.attr?.['transpose_a']?.b === true)
      throw this.builder.unsupported(`a MatMul with a matrix of shape [${shape}].`);
    const [inputs, channels] = transposed ? [columns, rows] : [rows, columns];
    const matrix = new Float32Array(values.length);
    if (!transposed) matrix.set(values);
    else for (let o = 0; o < channels; o++) for (let i = 0; i < inputs; i++) matrix[i * channels + o] = values[o * inputs + i] as number;
    const { bias, activation } = this.fused(node, channels);
    this.builder.dense(node.name, inputsOf(node)[0], matrix, bias, activation);
  }

  private addSum(name: string, inputs: readonly string[]): void {
    const [first, ...others] = inputs;
    let sum = first as string;
    for (const [i, other] of others.entries()) {
      const next = i === others.length - 1 ? name : `${name} of ${i + 2}`;
      arithmetic(this.builder, next, 'add', sum, other);
      sum = next;
    }
    if (others.length === 0) this.builder.alias(name, first);
  }
}
