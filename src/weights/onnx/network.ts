import { UnsupportedModelError } from '../../errors.js';
import { type Activation, INPUT_CHANNELS, type Padding } from '../../graph/graph.js';
import type { Lanes } from '../../graph/lanes.js';
import { IMAGENET_PREPROCESSING, type Network, type Weights } from '../../graph/network.js';
import { type ConvShape, NetworkBuilder, resolutionOf } from '../builder.js';
import type { Constant, Operation } from '../constants.js';
import { finish } from '../finish.js';
import { batchNormAffine } from '../fold.js';
import { toChannelsLast } from '../layout.js';
import { type OnnxModel, type OnnxNode, type OnnxTensor, readModel } from './model.js';
import { isEightBit, lanesOf, type Quantized, quantizedWeights, realValues } from './quantized.js';

const ARITHMETIC: Readonly<Record<string, Operation>> = { Add: 'add', Sub: 'subtract', Mul: 'multiply', Div: 'divide' };
/** Operators that leave values as they are, or turn an image whose layout we know. */
const ALIASES = new Set(['Identity', 'Flatten', 'Reshape', 'Squeeze', 'Unsqueeze', 'Dropout', 'Cast', 'Transpose']);

/**
 * An .onnx file of PyTorch, PaddlePaddle or TensorFlow to a network, operator by operator: to a float one, or to the int8 one
 * that QDQ and QLinear operators describe.
 *
 * @throws ModelFormatError for a damaged file, UnsupportedModelError for operators outside the family
 */
export function readOnnx(bytes: Uint8Array): Network {
  return new Importer(readModel(bytes)).network();
}

class Importer {
  private readonly builder: NetworkBuilder;
  private readonly constants: Map<string, OnnxTensor>;
  private readonly quantized = new Map<string, Quantized>();
  private readonly consumers = new Map<string, OnnxNode[]>();
  /** Activations that a convolution before them has taken over. */
  private readonly fused = new Set<OnnxNode>();
  /** What computes the shape for a Reshape. */
  private readonly shapes = new Set<string>();

  constructor(private readonly model: OnnxModel) {
    const [batch, ...sides] = model.input.shape;
    // Some converters keep TensorFlow's order and turn the image first.
    const last = sides[2] === INPUT_CHANNELS && sides[0] !== INPUT_CHANNELS;
    const [channels, height, width] = last ? [sides[2], sides[0], sides[1]] : sides;
    if (model.input.shape.length !== 4 || channels !== INPUT_CHANNELS) {
      throw new UnsupportedModelError(`onnx: the input has shape [${model.input.shape}]; [n, 3, height, width] was expected.`);
    }
    this.builder = new NetworkBuilder('onnx', 1, resolutionOf('onnx', [batch ?? 0, height ?? 0, width ?? 0, channels]));
    this.constants = new Map(model.constants);
    for (const node of model.nodes) for (const name of node.inputs) this.consumers.set(name, [...(this.consumers.get(name) ?? []), node]);
  }

  network(): Network {
    const { input, nodes, output } = this.model;
    this.builder.input(input.name);
    for (const node of nodes) this.add(node);
    return finish(this.builder.build(output), 'onnx', IMAGENET_PREPROCESSING);
  }

  // --- constants

  private constant(node: OnnxNode, index: number): OnnxTensor {
    const tensor = this.constants.get(node.inputs[index] ?? '');
    if (!tensor) throw new UnsupportedModelError(`onnx: input ${index} of ${node.operator} "${node.output}" is not in the file.`);
    return tensor;
  }

  /** Real numbers that the file holds, quantized or not. */
  private real(name: string | undefined): Constant | undefined {
    const quantized = this.quantized.get(name ?? '');
    if (quantized) return { shape: quantized.tensor.shape, values: realValues(quantized, name as string) };
    const tensor = this.constants.get(name ?? '');
    if (!tensor) return undefined;
    const { shape, values } = tensor;
    return { shape, values: values instanceof Float32Array || values instanceof Float64Array ? values : Float64Array.from(values) };
  }

  private scalar(node: OnnxNode, index: number): number | undefined {
    const constant = this.real(node.inputs[index]);
    return constant?.values.length === 1 ? constant.values[0] : undefined;
  }

  // --- quantization of activations

  /** What follows a tensor: the range that it is quantized to, after an activation that belongs to it. */
  private next(name: string): { readonly activation: Activation; readonly lanes?: Lanes; readonly fused?: OnnxNode } {
    const readers = this.consumers.get(name) ?? [];
    const quantize = readers.find(({ operator }) => operator === 'QuantizeLinear');
    if (quantize) return { activation: 'none', lanes: this.lanesOf(quantize, 1) };
    const [only] = readers;
    const activation = readers.length === 1 && only ? this.activationOf(only) : undefined;
    if (!only || !activation) return { activation: 'none' };
    const after = this.consumers.get(only.output)?.find(({ operator }) => operator === 'QuantizeLinear');
    return after ? { activation, lanes: this.lanesOf(after, 1), fused: only } : { activation: 'none' };
  }

  private lanesOf(node: OnnxNode, scale: number): Lanes {
    return lanesOf(this.constants.get(node.inputs[scale] ?? ''), this.constants.get(node.inputs[scale + 1] ?? ''), node.output);
  }

  private activationOf(node: OnnxNode): Activation | undefined {
    if (node.operator === 'Relu') return 'relu';
    const { low, high } = node.operator === 'Clip' ? this.clip(node) : {};
    return low === 0 && high === 6 ? 'relu6' : undefined;
  }

  private clip(node: OnnxNode): { low?: number | undefined; high?: number | undefined } {
    return {
      low: node.attributes.get('min')?.float ?? this.scalar(node, 1),
      high: node.attributes.get('max')?.float ?? this.scalar(node, 2),
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
        const constant = this.real(name);
        if (constant && !builder.isComputed(name)) builder.constants.set(name, constant);
      }
      builder.arithmetic(output, operation, inputs[0], inputs[1], 'none', lanes);
      const folded = builder.constant(output);
      if (folded) this.constants.set(output, { ...folded, type: 'float32' });
      return;
    }
    if (ALIASES.has(operator)) {
      const constant = this.constants.get(input ?? '');
      if (constant) this.constants.set(output, operator === 'Transpose' ? transposed(constant, node) : constant);
      else {
        if (operator === 'Transpose') this.checkTurn(node);
        builder.alias(output, input, lanes);
      }
      return;
    }
    switch (operator) {
      case 'Constant':
        this.addConstant(node);
        return;
      case 'Conv':
      case 'ConvInteger':
        this.addConv(node, input, this.filterOf(node, 1), operator === 'Conv' ? this.real(inputs[2]) : undefined, this.next(output));
        return;
      case 'Gemm':
      case 'MatMul':
      case 'MatMulInteger':
        this.addDense(node, input, this.filterOf(node, 1), operator === 'Gemm' ? this.real(inputs[2]) : undefined, this.next(output));
        return;
      case 'QLinearConv':
        this.addConv(node, input, this.packed(node, 3), this.biasOf(node, 8), { activation: 'none', lanes: this.lanesOf(node, 6) });
        return;
      case 'QLinearMatMul':
        this.addDense(node, input, this.packed(node, 3), undefined, { activation: 'none', lanes: this.lanesOf(node, 6) });
        return;
      case 'QGemm': {
        const quantizes = this.constants.has(inputs[7] ?? '');
        const after = quantizes ? { lanes: this.lanesOf(node, 7) } : {};
        this.addDense(node, input, this.packed(node, 3), this.biasOf(node, 6), { activation: 'none', ...after });
        return;
      }
      case 'QLinearAdd':
      case 'QLinearMul':
        builder.arithmetic(output, operator === 'QLinearAdd' ? 'add' : 'multiply', input, inputs[3], 'none', this.lanesOf(node, 6));
        return;
      case 'QLinearGlobalAveragePool':
        builder.globalPool(output, input, this.lanesOf(node, 3));
        return;
      case 'BatchNormalization': {
        const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => this.constant(node, i).values) as [
          Float32Array,
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        const { gain, offset } = batchNormAffine({
          name: output,
          gamma,
          beta,
          mean,
          variance,
          epsilon: node.attributes.get('epsilon')?.float ?? 1e-5,
        });
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
        const index = this.scalar(node, 0) === undefined ? 1 : 0;
        builder.affine(
          output,
          inputs[1 - index],
          operator === 'Min' ? { high: this.scalar(node, index) } : { low: this.scalar(node, index) },
          lanes,
        );
        return;
      }
      case 'Pad': {
        const pads = node.attributes.get('pads')?.ints ?? [...this.constant(node, 1).values];
        const sides = [pads[2], pads[6], pads[3], pads[7]] as [number, number, number, number];
        const mode = node.attributes.get('mode')?.text ?? 'constant';
        if (pads.length !== 8 || [0, 1, 4, 5].some((i) => pads[i] !== 0) || mode !== 'constant')
          throw builder.unsupported(`a Pad of [${pads}].`);
        builder.pad(output, input, sides, lanes);
        return;
      }
      case 'GlobalAveragePool':
        builder.globalPool(output, input, lanes);
        return;
      case 'AveragePool': {
        const [height = 0, width = 0] = node.attributes.get('kernel_shape')?.ints ?? [];
        builder.averagePool(output, input, { kernel: [height, width], ...this.window(node) }, lanes);
        return;
      }
      case 'ReduceMean': {
        const axes = node.attributes.get('axes')?.ints ?? [...(this.constants.get(inputs[1] ?? '')?.values ?? [])];
        const spatial = axes.map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
        if (spatial.join() !== '2,3' && spatial.join() !== '1,2') throw new UnsupportedModelError(`onnx: a ReduceMean over axes ${axes}.`);
        builder.globalPool(output, input, lanes);
        return;
      }
      case 'Softmax':
        builder.end(output, input, 'softmax');
        return;
      case 'Sigmoid':
        builder.end(output, input, 'sigmoid');
        return;
      case 'LpNormalization':
        builder.end(output, input, 'normalization');
        return;
      default:
        throw new UnsupportedModelError(`onnx: operator ${operator}; the networks of the family have none of it.`);
    }
  }

  /** From one order of an image's axes to the other: ours is the same in both. */
  private checkTurn({ inputs, attributes }: OnnxNode): void {
    const order = attributes.get('perm')?.ints.join() ?? '';
    const [height, width] = this.builder.shape(inputs[0]);
    if (order !== '0,3,1,2' && order !== '0,2,3,1' && height * width > 1)
      throw this.builder.unsupported(`a Transpose to the order [${order}].`);
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
    const constant = this.constants.get(input ?? '');
    if (operator === 'QuantizeLinear') this.builder.alias(output, input, this.lanesOf(node, 1));
    else if (operator === 'DequantizeLinear') {
      if (constant) this.quantized.set(output, this.packed(node, 0, node.attributes.get('axis')?.int ?? 1));
      else this.builder.alias(output, input, this.builder.isComputed(input ?? '') ? this.lanesOf(node, 1) : undefined);
    } else if (operator === 'DynamicQuantizeLinear') {
      // Quantized by what the image holds, in numbers that cancel: the real values are what goes on.
      this.builder.alias(output, input);
      const [, scale = '', zero = ''] = outputs;
      this.constants.set(scale, { shape: [], type: 'float32', values: Float32Array.of(1) });
      this.constants.set(zero, { shape: [], type: 'uint8', values: Uint8Array.of(0) });
    } else return false;
    return true;
  }

  private addConstant({ output, attributes }: OnnxNode): void {
    const whole = attributes.get('value')?.tensor;
    const numbers = attributes.get('value_floats')?.floats ?? attributes.get('value_ints')?.ints;
    const single = attributes.get('value_float')?.float ?? attributes.get('value_int')?.int;
    if (whole) this.constants.set(output, whole);
    else if (numbers) this.constants.set(output, { shape: [numbers.length], type: 'float32', values: Float64Array.from(numbers) });
    else if (single !== undefined) this.constants.set(output, { shape: [], type: 'float32', values: Float64Array.of(single) });
  }

  // --- convolutions

  /** A tensor, its scale and its zero point, which follow each other among the inputs. */
  private packed(node: OnnxNode, index: number, axis = 0): Quantized {
    const tensor = this.constant(node, index);
    const zeros = this.constants.get(node.inputs[index + 2] ?? '')?.values ?? Uint8Array.of(0);
    return { tensor, scales: this.constant(node, index + 1).values, zeroPoints: zeros, axis };
  }

  /** The filter behind a DequantizeLinear, of an integer operator, or a float one. */
  private filterOf(node: OnnxNode, index: number): Quantized | Constant {
    const quantized = this.quantized.get(node.inputs[index] ?? '');
    if (quantized) return quantized;
    const tensor = this.constant(node, index);
    if (!isEightBit(tensor)) return this.real(node.inputs[index]) as Constant;
    const zeros = this.constants.get(node.inputs[index + 2] ?? '')?.values ?? Uint8Array.of(0);
    const plain = { tensor, scales: [1], zeroPoints: zeros, axis: node.operator === 'ConvInteger' ? 0 : 1 };
    return { shape: tensor.shape, values: realValues(plain, node.output) };
  }

  /** An int32 bias, in units of input scale x filter scale. */
  private biasOf(node: OnnxNode, index: number): Constant | undefined {
    const tensor = this.constants.get(node.inputs[index] ?? '');
    if (!tensor) return undefined;
    const input = this.constant(node, 1).values[0] as number;
    const scales = this.constant(node, 4).values;
    const values = Float64Array.from(tensor.values, (value, c) => value * input * (scales[scales.length === 1 ? 0 : c] as number));
    return { shape: tensor.shape, values };
  }

  private window(node: OnnxNode): { strides: [number, number]; padding: Padding } {
    const ints = (name: string, otherwise: readonly number[]) => node.attributes.get(name)?.ints ?? otherwise;
    const [top = 0, left = 0, bottom = 0, right = 0] = ints('pads', [0, 0, 0, 0]);
    const strides = ints('strides', [1, 1]) as [number, number];
    const automatic = node.attributes.get('auto_pad')?.text ?? 'NOTSET';
    if (strides.length !== 2 || ints('dilations', [1, 1]).some((dilation) => dilation !== 1) || Math.min(top, bottom, left, right) < 0) {
      throw this.builder.unsupported(`a ${node.operator} that is dilated or cut off.`);
    }
    if (automatic === 'SAME_UPPER') return { strides, padding: 'same' };
    if (automatic !== 'NOTSET' && automatic !== 'VALID' && automatic !== '') throw this.builder.unsupported(`padding ${automatic}.`);
    return { strides, padding: top + bottom + left + right === 0 ? 'valid' : [top, bottom, left, right] };
  }

  private addConv(
    node: OnnxNode,
    input: string | undefined,
    filter: Quantized | Constant,
    bias: Constant | undefined,
    next: ReturnType<Importer['next']>,
  ): void {
    const { shape } = 'tensor' in filter ? filter.tensor : filter;
    const [channels = 0, perGroup = 0, height = 0, width = 0] = shape;
    if (shape.length !== 4 || channels * perGroup * height * width === 0) {
      throw new UnsupportedModelError(`onnx: a Conv of a filter of shape [${shape}].`);
    }
    const ordered = (values: Float32Array) => toChannelsLast(values, [channels, perGroup, height, width]);
    const groups = node.attributes.get('group')?.int ?? 1;
    this.push(node, input, { kernel: [height, width], ...this.window(node), channels, groups }, filter, ordered, bias, next);
  }

  private addDense(
    node: OnnxNode,
    input: string | undefined,
    filter: Quantized | Constant,
    bias: Constant | undefined,
    next: ReturnType<Importer['next']>,
  ): void {
    const { operator, attributes } = node;
    const { shape } = 'tensor' in filter ? filter.tensor : filter;
    const [rows = 0, columns = 0] = shape;
    if (shape.length !== 2) throw new UnsupportedModelError(`onnx: a ${operator} with a matrix of shape [${shape}].`);
    const plain =
      [attributes.get('alpha')?.float ?? 1, attributes.get('beta')?.float ?? 1, attributes.get('transA')?.int ?? 0].join() === '1,1,0';
    if (!plain) throw new UnsupportedModelError('onnx: a Gemm that scales or transposes its input.');
    const transposes = attributes.get('transB')?.int === 1;
    const [channels, inputs] = transposes ? [rows, columns] : [columns, rows];
    const kernel = this.builder.denseKernel(input, inputs);
    const depth = inputs / (kernel[0] * kernel[1]);
    const ordered = (values: Float32Array) => {
      const first = transposes ? values : turned(values, inputs, channels);
      return toChannelsLast(first, [channels, depth, kernel[0], kernel[1]]);
    };
    this.push(node, input, { kernel, strides: [1, 1], padding: 'valid', channels, groups: 1 }, filter, ordered, bias, next);
  }

  /** In integers where the input, the filter and the output all are; else in real numbers. */
  private push(
    node: OnnxNode,
    input: string | undefined,
    shape: ConvShape,
    filter: Quantized | Constant,
    ordered: (values: Float32Array) => Float32Array,
    bias: Constant | undefined,
    { activation, lanes, fused }: ReturnType<Importer['next']>,
  ): void {
    const { channels } = shape;
    const offsets = bias?.values ?? new Float32Array(channels);
    if (offsets.length !== channels) throw this.builder.damaged(`${offsets.length} biases for ${channels} channels.`);
    const own = this.builder.lanesOf(input);
    const integers = 'tensor' in filter && own && lanes ? quantizedWeights(filter, channels, offsets, own, ordered) : undefined;
    const real = () => ('tensor' in filter ? realValues(filter, node.output) : Float32Array.from(filter.values));
    const weights: Weights = integers ?? { filter: ordered(real()), bias: Float32Array.from(offsets) };
    this.builder.conv(
      node.output,
      input,
      { ...shape, activation: integers ? activation : 'none' },
      weights,
      integers || !fused ? lanes : undefined,
    );
    if (integers && fused) this.fused.add(fused);
  }
}

/** [rows, columns] to [columns, rows]. */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c] as number;
  return result;
}

function transposed(tensor: OnnxTensor, node: OnnxNode): OnnxTensor {
  const [rows = 0, columns = 0] = tensor.shape;
  if (tensor.shape.length !== 2 || !(tensor.values instanceof Float32Array)) {
    throw new UnsupportedModelError(`onnx: a Transpose of the constant "${node.inputs[0]}" of shape [${tensor.shape}].`);
  }
  return { ...tensor, shape: [columns, rows], values: turned(tensor.values, rows, columns) };
}
