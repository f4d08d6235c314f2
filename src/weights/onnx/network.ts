import { UnsupportedModelError } from '../../errors.js';
import { type Activation, INPUT_CHANNELS } from '../../graph/graph.js';
import { finer } from '../../graph/lanes.js';
import { IMAGENET_PREPROCESSING, type Network } from '../../graph/network.js';
import type { Source } from '../../source/types.js';
import { arithmetic } from '../arithmetic.js';
import { NetworkBuilder } from '../builder.js';
import type { Constant, Operation } from '../constants.js';
import { finish } from '../finish.js';
import { batchNormAffine } from '../fold.js';
import { SLIM_PREPROCESSING } from '../metadata.js';
import { resolutionOf } from '../resolution.js';
import { addConv, addDense, type Next, padSides, window } from './convolution.js';
import { type DataFiles, readFilesBeside } from './external.js';
import { type OnnxModel, type OnnxNode, readModel } from './model.js';
import type { Quantized } from './quantized.js';
import { transposed, Values } from './values.js';

const ARITHMETIC: Readonly<Record<string, Operation>> = { Add: 'add', Sub: 'subtract', Mul: 'multiply', Div: 'divide' };
/** Of Keras' networks, whose images keep their channels last in ONNX too. */
const TENSORFLOW_PREPROCESSING = { ...SLIM_PREPROCESSING, crop: 1 };
/** Operators that leave values as they are, or turn an image whose layout we know. */
const ALIASES = new Set(['Identity', 'Flatten', 'Reshape', 'Squeeze', 'Unsqueeze', 'Dropout', 'Cast', 'Transpose']);

/**
 * An .onnx file of PyTorch, PaddlePaddle or TensorFlow to a network, operator by operator: to a float one, or to the int8 one
 * that QDQ and QLinear operators describe.
 *
 * @throws ModelFormatError for a damaged file, UnsupportedModelError for operators outside the family
 */
export function readOnnx(bytes: Uint8Array, files?: DataFiles): Network {
  return new Importer(readModel(bytes, files)).network();
}

/** The same with tensors that lie in files beside it. @throws InputError where one is missing */
export async function readOnnxFiles(bytes: Uint8Array, source: Source): Promise<Network> {
  return readOnnx(bytes, await readFilesBeside(bytes, source));
}

class Importer {
  private readonly builder: NetworkBuilder;
  private readonly values: Values;
  private readonly consumers = new Map<string, OnnxNode[]>();
  /** Activations that a convolution before them has taken over. */
  private readonly fused = new Set<OnnxNode>();
  /** What computes the shape for a Reshape. */
  private readonly shapes = new Set<string>();
  /** Images with their channels last: TensorFlow's, before they are turned. */
  private readonly last = new Set<string>();

  constructor(private readonly model: OnnxModel) {
    const [batch, ...sides] = model.input.shape;
    // Some converters keep TensorFlow's order and turn the image first.
    const last = sides[2] === INPUT_CHANNELS && sides[0] !== INPUT_CHANNELS;
    const [channels, height, width] = last ? [sides[2], sides[0], sides[1]] : sides;
    if (model.input.shape.length !== 4 || channels !== INPUT_CHANNELS) {
      throw new UnsupportedModelError(`onnx: the input has shape [${model.input.shape}]; [n, 3, height, width] was expected.`);
    }
    this.builder = new NetworkBuilder('onnx', 1, resolutionOf('onnx', [batch ?? 0, height ?? 0, width ?? 0, channels]));
    if (last) this.last.add(model.input.name);
    this.values = new Values(model.constants);
    for (const node of model.nodes) for (const name of node.inputs) this.consumers.set(name, [...(this.consumers.get(name) ?? []), node]);
  }

  network(): Network {
    const { input, nodes, output } = this.model;
    this.builder.input(input.name);
    for (const node of nodes) {
      this.add(node);
      this.follow(node);
    }
    return finish(this.builder.build(output), 'onnx', this.last.has(input.name) ? TENSORFLOW_PREPROCESSING : IMAGENET_PREPROCESSING);
  }

  // --- quantization of activations

  /** What follows a tensor: the range that it is quantized to, after an activation that belongs to it. */
  private next(name: string): Next {
    const readers = this.consumers.get(name) ?? [];
    const quantize = readers.find(({ operator }) => operator === 'QuantizeLinear');
    if (quantize) {
      const lanes = this.values.lanesOf(quantize, 1);
      // A residual may be quantized for a convolution alone: the sum that reads it as well reads real numbers.
      const real = readers.some(({ operator }) => operator === 'Add');
      return { activation: 'none', lanes: real ? finer(lanes) : lanes };
    }
    const [only] = readers;
    const activation = readers.length === 1 && only ? this.activationOf(only) : undefined;
    if (!only || !activation) return { activation: 'none' };
    const after = this.consumers.get(only.output)?.find(({ operator }) => operator === 'QuantizeLinear');
    return after ? { activation, lanes: this.values.lanesOf(after, 1), fused: only } : { activation: 'none' };
  }

  private activationOf(node: OnnxNode): Activation | undefined {
    if (node.operator === 'Relu') return 'relu';
    const { low, high } = node.operator === 'Clip' ? this.clip(node) : {};
    return low === 0 && high === 6 ? 'relu6' : undefined;
  }

  private clip(node: OnnxNode): { low?: number | undefined; high?: number | undefined } {
    return {
      low: node.attributes.get('min')?.float ?? this.values.scalar(node, 1),
      high: node.attributes.get('max')?.float ?? this.values.scalar(node, 2),
    };
  }

  // --- operators

  private add(node: OnnxNode): void {
    const { operator, inputs, output } = node;
    const { builder } = this;
    const [input] = inputs;
    if (this.fused.has(node)) builder.alias(output, input);
    if (this.fused.has(node) || this.addShape(node) || this.addQuantization(node)) return;
    const operation = ARITHMETIC[operator];
    const { lanes } = this.next(output);
    if (operation) {
      for (const name of inputs.slice(0, 2)) {
        const constant = this.values.real(name);
        if (constant && !builder.isComputed(name)) builder.constants.set(name, constant);
      }
      arithmetic(builder, output, operation, inputs[0], inputs[1], 'none', lanes);
      const folded = builder.constant(output);
      if (folded) this.values.constants.set(output, { ...folded, type: 'float32' });
      return;
    }
    if (ALIASES.has(operator)) {
      const constant = this.values.constants.get(input ?? '');
      if (constant) this.values.constants.set(output, operator === 'Transpose' ? transposed(constant, node) : constant);
      else {
        if (operator === 'Transpose') this.checkTurn(node);
        builder.alias(output, input, lanes);
      }
      return;
    }
    switch (operator) {
      case 'Constant':
        this.values.addConstant(node);
        return;
      case 'Conv':
      case 'ConvInteger':
      case 'Gemm':
      case 'MatMul':
      case 'MatMulInteger': {
        const add = operator.startsWith('Conv') ? addConv : addDense;
        // The others' third inputs are zero points.
        const bias = operator === 'Conv' || operator === 'Gemm' ? this.values.real(inputs[2]) : undefined;
        this.convolve(add, node, input, this.values.filterOf(node, 1), bias, this.next(output));
        return;
      }
      case 'QLinearConv':
        this.convolve(addConv, node, input, this.values.packed(node, 3), this.values.biasOf(node, 8), {
          activation: 'none',
          lanes: this.values.lanesOf(node, 6),
        });
        return;
      case 'QLinearMatMul':
        this.convolve(addDense, node, input, this.values.packed(node, 3), undefined, {
          activation: 'none',
          lanes: this.values.lanesOf(node, 6),
        });
        return;
      case 'QGemm': {
        const quantizes = this.values.constants.has(inputs[7] ?? '');
        const after = quantizes ? { lanes: this.values.lanesOf(node, 7) } : {};
        this.convolve(addDense, node, input, this.values.packed(node, 3), this.values.biasOf(node, 6), { activation: 'none', ...after });
        return;
      }
      case 'QLinearAdd':
      case 'QLinearMul':
        arithmetic(builder, output, operator === 'QLinearAdd' ? 'add' : 'multiply', input, inputs[3], 'none', this.values.lanesOf(node, 6));
        return;
      case 'QLinearGlobalAveragePool':
        builder.globalPool(output, input, this.values.lanesOf(node, 3));
        return;
      case 'BatchNormalization': {
        const vector = (index: number) => this.values.constant(node, index).values as Float32Array;
        const [gamma, beta, mean, variance] = [vector(1), vector(2), vector(3), vector(4)];
        const epsilon = node.attributes.get('epsilon')?.float ?? 1e-5;
        const { gain, offset } = batchNormAffine({ name: output, gamma, beta, mean, variance, epsilon });
        builder.channels(output, input, gain, offset);
        return;
      }
      case 'HardSwish':
        builder.activation(output, input, 'hardSwish', lanes);
        return;
      case 'HardSigmoid': {
        const [alpha, beta] = [node.attributes.get('alpha')?.float ?? 0.2, node.attributes.get('beta')?.float ?? 0.5];
        builder.affine(output, input, { alpha, beta, low: 0, high: 1 }, lanes);
        return;
      }
      case 'Relu':
      case 'Clip': {
        const activation = this.activationOf(node);
        if (activation) builder.activation(output, input, activation, lanes);
        else builder.affine(output, input, this.clip(node), lanes);
        return;
      }
      case 'Min':
      case 'Max': {
        const index = this.values.scalar(node, 0) === undefined ? 1 : 0;
        builder.affine(
          output,
          inputs[1 - index],
          operator === 'Min' ? { high: this.values.scalar(node, index) } : { low: this.values.scalar(node, index) },
          lanes,
        );
        return;
      }
      case 'Pad':
        builder.pad(output, input, padSides(builder, node, this.values, this.last.has(input ?? '')), lanes);
        return;
      case 'GlobalAveragePool':
        builder.globalPool(output, input, lanes);
        return;
      case 'AveragePool': {
        const [height = 0, width = 0] = node.attributes.get('kernel_shape')?.ints ?? [];
        builder.averagePool(output, input, { kernel: [height, width], ...window(builder, node) }, lanes);
        return;
      }
      case 'ReduceMean': {
        const axes = node.attributes.get('axes')?.ints ?? [...(this.values.constants.get(inputs[1] ?? '')?.values ?? [])];
        const spatial = axes.map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
        if (spatial.join() !== '2,3' && spatial.join() !== '1,2') throw new UnsupportedModelError(`onnx: a ReduceMean over axes ${axes}.`);
        builder.globalPool(output, input, lanes);
        return;
      }
      case 'Softmax':
        builder.end(output, input, 'softmax');
        return;
      case 'Sigmoid':
        builder.end(output, input, 'sigmoid', lanes);
        return;
      case 'LpNormalization':
        builder.end(output, input, 'normalization');
        return;
      default:
        throw new UnsupportedModelError(`onnx: operator ${operator}; the networks of the family have none of it.`);
    }
  }

  private convolve(
    add: typeof addConv,
    node: OnnxNode,
    input: string | undefined,
    filter: Quantized | Constant,
    bias: Constant | undefined,
    next: Next,
  ): void {
    if (add(this.builder, node, input, filter, bias, next) && next.fused) this.fused.add(next.fused);
  }

  /** From one order of an image's axes to the other: ours is the same in both. */
  private checkTurn({ inputs, attributes }: OnnxNode): void {
    const order = attributes.get('perm')?.ints.join() ?? '';
    const [height, width] = this.builder.shape(inputs[0]);
    if (order !== '0,3,1,2' && order !== '0,2,3,1' && height * width > 1)
      throw this.builder.unsupported(`a Transpose to the order [${order}].`);
  }

  private follow({ operator, inputs, output, attributes }: OnnxNode): void {
    const order = operator === 'Transpose' ? attributes.get('perm')?.ints.join() : '';
    if (order === '0,2,3,1' || (order !== '0,3,1,2' && inputs.some((name) => this.last.has(name)))) this.last.add(output);
  }

  /** What computes the shape for a Reshape after the pool changes no value. */
  private addShape({ operator, inputs, outputs }: OnnxNode): boolean {
    const read = inputs.some((name) => this.shapes.has(name)) && !this.builder.isComputed(inputs[0] ?? '');
    if (operator !== 'Shape' && !read) return false;
    for (const name of outputs) this.shapes.add(name);
    return true;
  }

  private addQuantization(node: OnnxNode): boolean {
    const { operator, inputs, output, outputs } = node;
    const [input] = inputs;
    const constant = this.values.constants.get(input ?? '');
    if (operator === 'QuantizeLinear') this.builder.alias(output, input, this.values.lanesOf(node, 1));
    else if (operator === 'DequantizeLinear') {
      if (constant) this.values.quantized.set(output, this.values.packed(node, 0, node.attributes.get('axis')?.int ?? 1));
      else this.builder.alias(output, input, this.builder.isComputed(input ?? '') ? this.values.lanesOf(node, 1) : undefined);
    } else if (operator === 'DynamicQuantizeLinear') {
      // Quantized by what the image holds, in numbers that cancel: the real values are what goes on.
      this.builder.alias(output, input);
      const [, scale = '', zero = ''] = outputs;
      this.values.constants.set(scale, { shape: [], type: 'float32', values: Float32Array.of(1) });
      this.values.constants.set(zero, { shape: [], type: 'uint8', values: Uint8Array.of(0) });
    } else return false;
    return true;
  }
}
