import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import { type Activation, INPUT, type Padding } from '../../graph/graph.js';
import type { Lanes } from '../../graph/lanes.js';
import type { Network, Preprocessing, Weights } from '../../graph/network.js';
import { arithmetic } from '../arithmetic.js';
import { withBiases } from '../biases.js';
import { NetworkBuilder } from '../builder.js';
import type { ConvShape } from '../built.js';
import type { Operation } from '../constants.js';
import { finish } from '../finish.js';
import { SLIM_PREPROCESSING } from '../metadata.js';
import { resolutionOf } from '../resolution.js';
import { elements } from '../tensors.js';
import { readMetadata } from './metadata.js';
import {
  int32s,
  integers,
  isConstant,
  isFloat,
  lanesOf,
  readModel,
  realNumbers,
  realValues,
  signed,
  type TfliteOperator,
  type TfliteTensor,
} from './model.js';

const ACTIVATIONS: Readonly<Record<number, Activation>> = { 0: 'none', 1: 'relu', 3: 'relu6' };
const ARITHMETIC: Readonly<Record<string, Operation>> = { ADD: 'add', SUB: 'subtract', MUL: 'multiply', DIV: 'divide' };

/**
 * A .tflite file to a network: quantized files to the quantized network that they are, operator by operator, float files, and
 * those whose weights alone are quantized, to a float one.
 *
 * @throws ModelFormatError for a damaged file, UnsupportedModelError for operators outside the family
 */
export function readTflite(bytes: Uint8Array): Network {
  return new Importer(bytes).network();
}

const idOf = (tensor: TfliteTensor | undefined): string | undefined => (tensor ? `${tensor.index}` : undefined);

class Importer {
  private readonly builder: NetworkBuilder;
  /** What a constant was before it was turned into float32. */
  private readonly origins = new Map<number, TfliteTensor>();
  private readonly model;

  constructor(private readonly bytes: Uint8Array) {
    this.model = readModel(bytes);
    const { input } = this.model;
    this.builder = new NetworkBuilder('tflite', 3, resolutionOf('tflite', input.shape));
  }

  network(): Network {
    const { input, output, operators } = this.model;
    this.builder.input(`${input.index}`);
    const lanes = lanesOf(input);
    if (lanes) this.builder.lanes.set(INPUT, lanes);
    for (const operator of operators) this.add(operator);
    const network = finish(this.builder.build(`${output.index}`), 'tflite', this.preprocessing(lanes));
    const { normalization, labels: lists } = readMetadata(this.model.metadata, this.bytes);
    const labels = lists.find(({ length }) => length > 0 && length === network.graph.classes);
    // An 8-bit input says by its own scale what a pixel means.
    const preprocessing = lanes || !normalization ? network.preprocessing : { ...network.preprocessing, ...normalization };
    return { ...network, preprocessing, ...(labels ? { labels } : {}) };
  }

  /** An 8-bit input is the pixel itself: its scale and zero point say what that means to the network. */
  private preprocessing(lanes: Lanes | undefined): Preprocessing {
    if (!lanes) return SLIM_PREPROCESSING;
    const centre = -lanes.low / 255;
    const spread = 1 / (255 * (lanes.scale as number));
    return { ...SLIM_PREPROCESSING, mean: [centre, centre, centre], std: [spread, spread, spread] };
  }

  private origin(tensor: TfliteTensor): TfliteTensor {
    return this.origins.get(tensor.index) ?? tensor;
  }

  private add(operator: TfliteOperator): void {
    const { name, inputs, output } = operator;
    const [first, second] = inputs;
    const id = `${output.index}`;
    const lanes = lanesOf(output);
    switch (name) {
      case 'CONV_2D':
      case 'DEPTHWISE_CONV_2D':
      case 'FULLY_CONNECTED':
        this.addConv(operator, lanes);
        return;
      case 'DEQUANTIZE':
        if (first && isConstant(this.origin(first))) this.origins.set(output.index, this.origin(first));
        else this.builder.alias(id, idOf(first));
        return;
      case 'RESHAPE':
      case 'SQUEEZE':
      case 'EXPAND_DIMS':
      case 'QUANTIZE':
        this.builder.alias(id, idOf(first), lanes);
        return;
      case 'TRANSPOSE': {
        const sides = first?.shape ?? [];
        const order = integers(second);
        const moved = order.filter((axis) => sides[axis] !== 1);
        if (moved.some((axis, i) => axis < (moved[i - 1] ?? 0))) {
          throw this.builder.unsupported(`a TRANSPOSE of [${sides}] to the order [${order}]; one that moves values is not read.`);
        }
        this.builder.alias(id, idOf(first), lanes);
        return;
      }
      case 'SOFTMAX':
        this.builder.end(id, idOf(first), 'softmax');
        return;
      case 'LOGISTIC':
        this.builder.end(id, idOf(first), 'sigmoid', lanes);
        return;
      // Features are given as they are; whoever wants them of length 1 asks embed() for that.
      case 'L2_NORMALIZATION':
        this.builder.end(id, idOf(first), 'normalization');
        return;
      // What computes the shape for a RESHAPE changes no value.
      case 'SHAPE':
      case 'STRIDED_SLICE':
      case 'PACK':
        if (output.type !== 'int32') throw this.builder.unsupported(`a ${name} of ${output.type}.`);
        return;
      case 'PAD': {
        const [batch0, batch1, top = 0, bottom = 0, left = 0, right = 0, ...channels] = integers(second);
        if ([batch0, batch1, ...channels].some((zeros) => zeros !== 0) || channels.length !== 2)
          throw new UnsupportedModelError('tflite: a PAD of more than the sides of an image.');
        this.builder.pad(id, idOf(first), [top, bottom, left, right], lanes);
        return;
      }
      case 'HARD_SWISH':
      case 'RELU':
      case 'RELU6':
        this.builder.activation(id, idOf(first), name === 'HARD_SWISH' ? 'hardSwish' : name === 'RELU' ? 'relu' : 'relu6', lanes);
        return;
      case 'MEAN':
        if (integers(second).sort().join() !== '1,2') throw this.builder.unsupported('a MEAN of other than the whole image.');
        this.builder.globalPool(id, idOf(first), lanes);
        return;
      case 'AVERAGE_POOL_2D': {
        const sides = [1, 2, 3, 4].map((field) => operator.options?.i32(field) ?? 0) as [number, number, number, number];
        const [strideWidth, strideHeight, width, height] = sides;
        const padding = operator.options?.i8(0) === 1 ? 'valid' : 'same';
        this.builder.averagePool(id, idOf(first), { kernel: [height, width], strides: [strideHeight, strideWidth], padding }, lanes);
        return;
      }
      default:
        this.addArithmetic(operator, lanes);
    }
  }

  private addArithmetic({ name, inputs, options, output }: TfliteOperator, lanes: Lanes | undefined): void {
    const operation = ARITHMETIC[name];
    if (!operation || inputs.length !== 2) throw new ModelFormatError(`tflite: a ${name} of ${inputs.length} inputs.`);
    for (const tensor of inputs) {
      const constant = this.origin(tensor);
      if (isConstant(constant)) this.builder.constants.set(`${tensor.index}`, { shape: constant.shape, values: realNumbers(constant) });
    }
    const [a, b] = inputs.map(idOf);
    arithmetic(this.builder, `${output.index}`, operation, a, b, this.activation(options?.i8(0)), lanes);
  }

  private activation(code: number | undefined): Activation {
    const activation = ACTIVATIONS[code ?? 0];
    if (!activation) throw new UnsupportedModelError(`tflite: fused activation ${code}.`);
    return activation;
  }

  private addConv({ name, inputs, options, output }: TfliteOperator, lanes: Lanes | undefined): void {
    const input = idOf(inputs[0]);
    const filter = inputs[1] && this.origin(inputs[1]);
    const bias = inputs[2] && this.origin(inputs[2]);
    if (!filter || !isConstant(filter)) throw new UnsupportedModelError(`tflite: a ${name} whose filter is not in the file.`);
    const depthwise = name === 'DEPTHWISE_CONV_2D';
    const dense = name === 'FULLY_CONNECTED';
    const [first = 0, height = 0, width = 0, last = 0] = filter.shape;
    if (filter.shape.length !== (dense ? 2 : 4)) throw new ModelFormatError(`tflite: a ${name} has a filter of shape [${filter.shape}].`);
    const channels = depthwise ? last : first;
    if (depthwise && options?.i32(3, 1) !== 1) throw new UnsupportedModelError('tflite: a depthwise multiplier above 1.');
    const padding: Padding = dense || options?.i8(0) === 1 ? 'valid' : 'same';
    const dilations = dense ? [1, 1] : depthwise ? [options?.i32(5, 1), options?.i32(6, 1)] : [options?.i32(4, 1), options?.i32(5, 1)];
    if (dilations.some((dilation) => (dilation ?? 1) !== 1)) throw new UnsupportedModelError('tflite: a dilated convolution.');
    const shape: ConvShape = {
      kernel: dense ? this.builder.denseKernel(input, height) : [height, width],
      strides: dense ? [1, 1] : [options?.i32(2, 1) ?? 1, options?.i32(1, 1) ?? 1],
      padding,
      channels,
      groups: depthwise ? channels : 1,
      activation: this.activation(options?.i8(dense ? 0 : depthwise ? 4 : 3)),
    };
    const step = inputs[0] && (lanesOf(inputs[0])?.scale as number | undefined);
    if ((step !== undefined) !== (lanes !== undefined))
      throw new UnsupportedModelError(`tflite: ${name} ${output.index} has quantized and float tensors.`);
    this.builder.conv(`${output.index}`, input, shape, weightsOf(filter, bias, channels, depthwise, step), lanes);
  }
}

/** @param step of the input, where it is quantized */
function weightsOf(
  filter: TfliteTensor,
  bias: TfliteTensor | undefined,
  channels: number,
  depthwise: boolean,
  step: number | undefined,
): Weights {
  // Depthwise filters lie as ours do; dense ones have the output channel first.
  const window = elements(filter.shape) / channels;
  const order = <T extends Float32Array | Int8Array>(values: T): T => {
    if (depthwise) return values;
    const result = values.slice() as T;
    for (let i = 0, to = 0; i < window; i++) {
      for (let o = 0, from = i; o < channels; o++, to++, from += window) result[to] = values[from] as number;
    }
    return result;
  };
  if (step === undefined) return { filter: order(realValues(filter)), bias: bias ? realValues(bias) : new Float32Array(channels) };
  if (isFloat(filter)) throw new UnsupportedModelError(`tflite: a quantized tensor meets the float filter ${filter.index}.`);
  const scales = filter.scales.length === 1 ? Array.from({ length: channels }, () => filter.scales[0] as number) : filter.scales;
  if (scales.length !== channels || !scales.every((s) => s >= 0 && Number.isFinite(s))) {
    throw new ModelFormatError(`tflite: filter ${filter.index} has ${filter.scales.length} scales for ${channels} channels.`);
  }
  const points = new Set(filter.zeroPoints);
  if (points.size > 1) throw new UnsupportedModelError('tflite: a filter with a zero point per channel.');
  const shift = filter.type === 'uint8' ? 128 : 0;
  const weights = { filter: order(signed(filter)), scale: scales, zeroPoint: (filter.zeroPoints[0] ?? 0) - shift };
  const biases = bias ? int32s(bias) : new Int32Array(channels);
  return withBiases(
    weights,
    Float64Array.from(biases, (b, c) => b * step * (scales[c] as number)),
    step,
  );
}
