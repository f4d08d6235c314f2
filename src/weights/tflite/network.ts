import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import {
  type Activation,
  type ConvNode,
  type Graph,
  INPUT,
  INPUT_CHANNELS,
  imageInput,
  inferShapes,
  type Node,
  type Padding,
  type UnnamedNode,
} from '../../graph/graph.js';
import type { Lanes } from '../../graph/lanes.js';
import type { Network, Preprocessing, Weights } from '../../graph/network.js';
import { recognize } from '../recognize.js';
import { floats, int32s, isConstant, lanesOf, readModel, scalarOf, type TfliteOperator, type TfliteTensor } from './model.js';

const ACTIVATIONS: Readonly<Record<number, Activation>> = { 0: 'none', 1: 'relu', 3: 'relu6' };

/**
 * A .tflite file to a network: quantized files to the quantized network that they are, operator by operator, float
 * files to a float one.
 *
 * @throws ModelFormatError for a damaged file, UnsupportedModelError for operators outside the family
 */
export function readTflite(bytes: Uint8Array): Network {
  return new Importer(bytes).network();
}

class Importer {
  private readonly nodes: Node[] = [];
  private readonly weights = new Map<string, Weights>();
  private readonly lanes = new Map<string, Lanes>();
  /** The node whose output each tensor is. */
  private readonly names = new Map<number, string>();
  /** Zeros around a tensor, which the convolution that reads it adds itself. */
  private readonly pads = new Map<number, readonly [number, number, number, number]>();
  private readonly model;

  constructor(bytes: Uint8Array) {
    this.model = readModel(bytes);
  }

  network(): Network {
    const { input, operators } = this.model;
    const [, height, width, channels] = input.shape;
    if (input.shape.length !== 4 || channels !== INPUT_CHANNELS || height === undefined || height !== width) {
      throw new UnsupportedModelError(`tflite: the input has shape [${input.shape}]; [1, side, side, 3] was expected.`);
    }
    this.names.set(input.index, INPUT);
    this.noteLanes(INPUT, input);
    for (const operator of operators) this.add(operator);
    const last = this.nodes.at(-1);
    const embedding = this.nodes.filter((node) => node.kind === 'globalAveragePool').at(-1);
    if (last?.kind !== 'conv' || !embedding)
      throw new UnsupportedModelError('tflite: the network does not end with a pool and a classifier.');
    const graph: Graph = {
      architecture: 'custom',
      width: 1,
      resolution: height,
      classes: last.channels,
      nodes: this.nodes,
      outputs: { logits: last.name, embedding: embedding.name },
    };
    inferShapes(graph.nodes, imageInput(height, height));
    this.refineLogits(last.name);
    return recognize({ graph, weights: this.weights, lanes: this.lanes, preprocessing: this.preprocessing() });
  }

  /**
   * Logits in steps of a tenth tie often, and a tie decides a class by its index. Their range stays what the file says,
   * their steps become as fine as 16-bit lanes allow.
   */
  private refineLogits(name: string): void {
    const lanes = this.lanes.get(name);
    if (lanes) this.lanes.set(name, { scale: (lanes.scale as number) / 64, low: lanes.low * 64, high: lanes.high * 64 });
  }

  /**
   * An 8-bit input is the pixel itself: its scale and zero point say what that means to the network. A float one that the
   * graph does not rescale is TF-slim's [-1, 1].
   */
  private preprocessing(): Preprocessing {
    const lanes = this.model.input.type !== 'float32' ? this.lanes.get(INPUT) : undefined;
    const rescaled = this.nodes[0]?.kind === 'affine';
    const centre = lanes ? -lanes.low / 255 : rescaled ? 0 : 0.5;
    const spread = lanes ? 1 / (255 * (lanes.scale as number)) : rescaled ? 1 : 0.5;
    return { mean: [centre, centre, centre], std: [spread, spread, spread], crop: 0.875, interpolation: 'bilinear' };
  }

  private noteLanes(name: string, tensor: TfliteTensor): void {
    const lanes = lanesOf(tensor);
    if (lanes && !this.lanes.has(name)) this.lanes.set(name, lanes);
  }

  private name(tensor: TfliteTensor | undefined, padded = false): string {
    const name = tensor && this.names.get(tensor.index);
    if (!name) throw new ModelFormatError(`tflite: tensor ${tensor?.index} is read before it is computed.`);
    if (this.pads.has(tensor.index) && !padded) throw new UnsupportedModelError('tflite: a PAD in front of no convolution.');
    return name;
  }

  private push(operator: TfliteOperator, node: UnnamedNode): string {
    const name = `t${operator.output.index}`;
    this.nodes.push({ ...node, name });
    this.names.set(operator.output.index, name);
    this.noteLanes(name, operator.output);
    return name;
  }

  /** The operator changes nothing: its output is its input by another number. */
  private alias(operator: TfliteOperator): void {
    const name = this.name(operator.inputs[0]);
    this.names.set(operator.output.index, name);
    this.noteLanes(name, operator.output);
  }

  private add(operator: TfliteOperator): void {
    const { name, inputs, options, output } = operator;
    const [first, second] = inputs;
    switch (name) {
      case 'CONV_2D':
      case 'DEPTHWISE_CONV_2D':
      case 'FULLY_CONNECTED':
        this.addConv(operator);
        return;
      case 'RESHAPE':
      case 'SQUEEZE':
      case 'SOFTMAX':
      case 'QUANTIZE':
      case 'DEQUANTIZE':
        this.alias(operator);
        return;
      case 'PAD': {
        const [batch0, batch1, top = 0, bottom = 0, left = 0, right = 0, ...channels] = int32s(second);
        if ([batch0, batch1, ...channels].some((zeros) => zeros !== 0) || channels.length !== 2 || Math.min(top, bottom, left, right) < 0)
          throw new UnsupportedModelError('tflite: a PAD of more than the sides of an image.');
        this.alias(operator);
        this.pads.set(operator.output.index, [top, bottom, left, right]);
        return;
      }
      case 'HARD_SWISH':
      case 'RELU':
      case 'RELU6': {
        const activation = name === 'HARD_SWISH' ? 'hardSwish' : name === 'RELU' ? 'relu' : 'relu6';
        this.push(operator, { kind: 'activation', inputs: [this.name(first)], activation });
        return;
      }
      case 'MEAN':
      case 'AVERAGE_POOL_2D': {
        const [, height = 0, width = 0] = first?.shape ?? [];
        const whole = name === 'MEAN' ? int32s(second).join() === '1,2' : options?.i32(3) === width && options.i32(4) === height;
        if (!whole) throw new UnsupportedModelError(`tflite: a ${name} of less than the whole image.`);
        const same = height * width === 1 && first?.scales[0] === output.scales[0] && first?.zeroPoints[0] === output.zeroPoints[0];
        if (same) this.alias(operator);
        else this.push(operator, { kind: 'globalAveragePool', inputs: [this.name(first)] });
        return;
      }
      default:
        this.addArithmetic(operator);
    }
  }

  /** ADD, SUB and MUL, of two tensors or of a tensor and a number. */
  private addArithmetic(operator: TfliteOperator): void {
    const { name, inputs, options } = operator;
    const [a, b] = inputs as [TfliteTensor, TfliteTensor];
    if (!a || !b) throw new ModelFormatError(`tflite: a ${name} of ${inputs.length} inputs.`);
    const activation = this.activation(options?.i8(0));
    const constant = inputs.find(isConstant);
    if (constant) {
      const tensor = constant === a ? b : a;
      if (name === 'SUB' && constant === a) throw new UnsupportedModelError('tflite: a number minus a tensor.');
      const value = scalarOf(constant);
      const affine = name === 'MUL' ? { alpha: value, beta: 0 } : { alpha: 1, beta: name === 'ADD' ? value : -value };
      const range = activation === 'none' ? {} : activation === 'relu6' ? { low: 0, high: 6 } : { low: 0 };
      this.push(operator, { kind: 'affine', inputs: [this.name(tensor)], ...affine, ...range });
      return;
    }
    if (name === 'SUB' || (name === 'MUL' && activation !== 'none')) throw new UnsupportedModelError(`tflite: a ${name} of two tensors.`);
    const size = ({ shape }: TfliteTensor) => shape.reduce((x, y) => x * y, 1);
    const names = (name === 'MUL' && size(b) > size(a) ? [b, a] : [a, b]).map((tensor) => this.name(tensor));
    if (name === 'MUL') this.push(operator, { kind: 'multiply', inputs: names });
    else this.push(operator, { kind: 'add', inputs: names, activation });
  }

  private activation(code: number | undefined): Activation {
    const activation = ACTIVATIONS[code ?? 0];
    if (!activation) throw new UnsupportedModelError(`tflite: fused activation ${code}.`);
    return activation;
  }

  private addConv(operator: TfliteOperator): void {
    const { name, inputs, options, output } = operator;
    const [input, filter, bias] = inputs;
    if (!input || !filter || !isConstant(filter)) throw new UnsupportedModelError(`tflite: a ${name} whose filter is not in the file.`);
    const depthwise = name === 'DEPTHWISE_CONV_2D';
    const dense = name === 'FULLY_CONNECTED';
    const [first = 1, kernelHeight = 1, kernelWidth = 1, last = 1] = dense ? [filter.shape[0], 1, 1, filter.shape[1]] : filter.shape;
    const channels = depthwise ? last : first;
    const inputChannels = input.shape.at(-1) ?? 0;
    if (depthwise && (options?.i32(3, 1) !== 1 || inputChannels !== channels))
      throw new UnsupportedModelError('tflite: a depthwise multiplier above 1.');
    if (!depthwise && last !== inputChannels)
      throw new ModelFormatError(`tflite: a ${name} of ${inputChannels} channels has a filter for ${last}.`);
    const pads = this.pads.get(input.index);
    const valid = dense || options?.i8(0) === 1;
    if (pads && !valid) throw new UnsupportedModelError('tflite: a PAD in front of a convolution that pads.');
    const padding: Padding = pads ?? (valid || kernelHeight * kernelWidth === 1 ? 'valid' : 'same');
    const node: Omit<ConvNode, 'name'> = {
      kind: 'conv',
      inputs: [this.name(input, true)],
      kernel: [kernelHeight, kernelWidth],
      strides: dense ? [1, 1] : [options?.i32(2, 1) ?? 1, options?.i32(1, 1) ?? 1],
      padding,
      inputChannels,
      channels,
      groups: depthwise ? channels : 1,
      activation: this.activation(options?.i8(dense ? 0 : depthwise ? 4 : 3)),
    };
    if (bias && bias.shape[0] !== channels) throw new ModelFormatError(`tflite: ${bias.shape[0]} biases for ${channels} channels.`);
    const own = this.push(operator, node);
    this.weights.set(own, readWeights(filter, bias, channels, depthwise));
    if (filter.type !== 'float32' && (!lanesOf(input) || !lanesOf(output))) {
      throw new UnsupportedModelError(`tflite: ${name} ${output.index} has quantized weights and float tensors.`);
    }
  }
}

/** As int8: 128 less than uint8, which is the highest bit turned. */
function signed({ data, type }: TfliteTensor): Int8Array<ArrayBuffer> {
  const values = new Int8Array(data);
  if (type === 'uint8') for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) ^ -128;
  return values;
}

function readWeights(filter: TfliteTensor, bias: TfliteTensor | undefined, channels: number, depthwise: boolean): Weights {
  // Depthwise filters lie as ours do; dense ones have the output channel first.
  const window = filter.shape.reduce((product, side) => product * side, 1) / channels;
  const order = <T extends Float32Array | Int8Array>(values: T): T => {
    if (depthwise) return values;
    const result = values.slice() as T;
    for (let i = 0, to = 0; i < window; i++) {
      for (let o = 0, from = i; o < channels; o++, to++, from += window) result[to] = values[from] as number;
    }
    return result;
  };
  if (filter.type === 'float32') {
    return { filter: order(floats(filter)), bias: bias ? floats(bias) : new Float32Array(channels) };
  }
  const scales = filter.scales.length === 1 ? Array.from({ length: channels }, () => filter.scales[0] as number) : filter.scales;
  if (scales.length !== channels || !scales.every((s) => s >= 0 && Number.isFinite(s))) {
    throw new ModelFormatError(`tflite: filter ${filter.index} has ${filter.scales.length} scales for ${channels} channels.`);
  }
  const points = new Set(filter.zeroPoints);
  if (points.size > 1) throw new UnsupportedModelError('tflite: a filter with a zero point per channel.');
  const shift = filter.type === 'uint8' ? 128 : 0;
  return {
    filter: order(signed(filter)),
    scale: Float32Array.from(scales),
    zeroPoint: (filter.zeroPoints[0] ?? 0) - shift,
    bias: bias ? int32s(bias) : new Int32Array(channels),
  };
}
