import { UnsupportedModelError } from '../../errors.js';
import {
  type Activation,
  type ConvNode,
  type Curve,
  INPUT,
  INPUT_CHANNELS,
  imageInput,
  inferShapes,
  isDepthwise,
  type Node,
} from '../../graph/graph.js';
import { type Lanes, unitOf } from '../../graph/lanes.js';
import { type FloatWeights, isQuantized, type Network, type QuantizedWeights } from '../../graph/network.js';
import { toChannelsFirst } from '../layout.js';
import { message, type Part, Real } from './encode.js';

/*
 * A network as an ONNX model: float layers as they are, int8 layers in QDQ form. Every quantized tensor goes through
 * QuantizeLinear once and through DequantizeLinear for whoever reads it, both with one scale: onnxruntime's integer kernels
 * have no others. Channels that have scales of their own are multiplied before and behind; where a filter's rows have taken
 * those in, the second is left out. The integers are those of the network.
 *
 *   Conv -> HardSwish -> Mul(unit / scale) -> QuantizeLinear(unit) -> DequantizeLinear(unit) -> Mul(scale / unit) -> Conv
 */

const OPSET = 21;
const IR_VERSION = 10;
/** TensorProto.DataType */
const TYPES = { float32: 1, uint8: 2, int8: 3, int16: 5, int32: 6 } as const;
/** AttributeProto.AttributeType */
const [FLOAT, INT, STRING, INTS] = [1, 2, 3, 7];

type Values = Float32Array | Uint8Array | Int8Array | Int16Array | Int32Array;
type Attribute = Uint8Array;

const int = (name: string, value: number): Attribute => message([1, name], [3, value], [20, INT]);
const ints = (name: string, values: readonly number[]): Attribute => message([1, name], [8, values], [20, INTS]);
const real = (name: string, value: number): Attribute => message([1, name], [2, new Real(value)], [20, FLOAT]);
const text = (name: string, value: string): Attribute => message([1, name], [4, value], [20, STRING]);

/**
 * @returns the bytes of an .onnx file: input "input" [batch, 3, side, side], normalised as the network's preprocessing says,
 *   outputs "logits" [batch, classes], and "embedding" where there is no classifier
 * @throws UnsupportedModelError for a quantized tensor whose range no integer type of ONNX has
 */
export function writeOnnx(network: Network): Uint8Array {
  return new OnnxWriter(network).file();
}

class OnnxWriter {
  private readonly nodes: Uint8Array[] = [];
  private readonly constants: Uint8Array[] = [];
  /** Names of tensors' real values. */
  private readonly real = new Map<string, string>();

  constructor(private readonly network: Network) {}

  file(): Uint8Array {
    const { graph } = this.network;
    this.quantize(INPUT);
    for (const node of graph.nodes) this.add(node);
    const { logits, embedding } = graph.outputs;
    const last = logits ?? embedding;
    const shapes = inferShapes(graph.nodes, imageInput(graph.resolution, graph.resolution));
    const channels = shapes.get(last)?.[2] ?? 0;
    const output = logits === undefined ? 'embedding' : 'logits';
    this.node('Flatten', [this.read(last)], output);
    const side = graph.resolution;
    const model = message(
      [1, IR_VERSION],
      [2, 'mobilenet-v3-wasm'],
      [8, message([1, ''], [2, OPSET])],
      [
        7,
        message(
          [1, this.nodes],
          [2, graph.architecture],
          [5, this.constants],
          [11, valueInfo(INPUT, [INPUT_CHANNELS, side, side])],
          [12, valueInfo(output, [channels])],
        ),
      ],
      [14, this.metadata().map(([key, value]) => message([1, key], [2, value]))],
    );
    return model;
  }

  private metadata(): [string, string][] {
    const { preprocessing, labels } = this.network;
    return [
      ['preprocessing', JSON.stringify(preprocessing)],
      ...(labels ? ([['labels', JSON.stringify(labels)]] as [string, string][]) : []),
    ];
  }

  private node(type: string, inputs: readonly string[], output: string, attributes: readonly Attribute[] = []): string {
    this.nodes.push(message([1, inputs], [2, output], [3, output], [4, type], [5, attributes]));
    return output;
  }

  private constant(name: string, shape: readonly number[], values: Values): string {
    const type = TYPES[values.constructor.name.replace('Array', '').toLowerCase() as keyof typeof TYPES];
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.constants.push(message([1, shape], [2, type], [8, name], [9, bytes]));
    return name;
  }

  private number = (name: string, value: number): string => this.constant(name, [], Float32Array.of(value));

  // --- quantized tensors

  /** A tensor's integers, after what makes its real values. */
  private quantize(tensor: string): void {
    const lanes = this.network.lanes.get(tensor);
    if (!lanes) return;
    const unit = commonStep(lanes);
    const steps = [this.number(`${tensor}/step`, unit), this.constant(`${tensor}/zero`, [], zeroPointOf(tensor, lanes))];
    const scaled = this.timesChannels(tensor, `${tensor}/scaled`, lanes.scale, (scale) => unit / scale);
    this.node('QuantizeLinear', [scaled, ...steps], `${tensor}/lanes`);
    this.node('DequantizeLinear', [`${tensor}/lanes`, ...steps], `${tensor}/units`);
  }

  /** A tensor's values, for whoever reads it. @param inUnits as a filter reads them that has taken the scales in */
  private read(tensor: string, inUnits = false): string {
    const lanes = this.network.lanes.get(tensor);
    if (!lanes) return tensor;
    if (inUnits) return `${tensor}/units`;
    const known = this.real.get(tensor);
    if (known) return known;
    const unit = commonStep(lanes);
    const name = this.timesChannels(`${tensor}/units`, `${tensor}/real`, lanes.scale, (scale) => scale / unit);
    this.real.set(tensor, name);
    return name;
  }

  /** @returns the tensor as it is, where all channels have one scale */
  private timesChannels(tensor: string, name: string, scale: Lanes['scale'], factor: (scale: number) => number): string {
    if (typeof scale === 'number') return tensor;
    return this.node('Mul', [tensor, this.constant(`${name}/by`, [scale.length, 1, 1], scale.map(factor))], name);
  }

  /** A constant with a scale for each value of its first axis. */
  private dequantizedConstant(name: string, shape: readonly number[], values: Values, scale: Float32Array, zeroPoint = 0): string {
    const zeros = new (values.constructor as typeof Int8Array)(scale.length).fill(zeroPoint);
    const inputs = [
      this.constant(`${name}/lanes`, shape, values),
      this.constant(`${name}/scale`, [scale.length], scale),
      // The default is zero, and for biases the only one.
      ...(values instanceof Int32Array ? [] : [this.constant(`${name}/zero`, [scale.length], zeros)]),
    ];
    return this.node('DequantizeLinear', inputs, name, [int('axis', 0)]);
  }

  // --- nodes

  private add(node: Node): void {
    const { name, inputs } = node;
    const [first, second] = inputs as [string, string | undefined];
    // The last step of a node makes the tensor of its name.
    const steps: ((input: string, output: string) => void)[] = [];
    let input = '';
    switch (node.kind) {
      case 'conv': {
        const own = this.conv(node);
        steps.push((_, output) => this.node('Conv', own.inputs, output, own.attributes));
        if (second !== undefined) steps.push((x, output) => this.node('Add', [x, this.read(second)], output));
        this.activate(node.activation, name, steps);
        break;
      }
      case 'globalAveragePool':
        steps.push((_, output) => this.node('GlobalAveragePool', [this.read(first)], output));
        break;
      case 'multiply':
      case 'add':
        steps.push((_, output) => this.node(node.kind === 'add' ? 'Add' : 'Mul', [this.read(first), this.read(second as string)], output));
        if (node.kind === 'add') this.activate(node.activation, name, steps);
        break;
      case 'activation':
        input = this.read(first);
        this.activate(node.activation, name, steps);
        break;
      case 'affine': {
        const { alpha, beta, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = node;
        input = this.read(first);
        steps.push((x, output) => this.node('Mul', [x, this.number(`${name}/alpha`, alpha)], output));
        steps.push((x, output) => this.node('Add', [x, this.number(`${name}/beta`, beta)], output));
        if (Number.isFinite(low) || Number.isFinite(high)) this.clip(name, low, high, steps);
      }
    }
    if (steps.length === 0) steps.push((x, output) => this.node('Identity', [x], output));
    steps.forEach((step, i) => {
      const output = i === steps.length - 1 ? name : `${name}/${i}`;
      step(input, output);
      input = output;
    });
    this.quantize(name);
  }

  private conv(node: ConvNode): { inputs: string[]; attributes: Attribute[] } {
    const { name, inputs, kernel, strides, padding, groups, channels, inputChannels } = node;
    const [tensor] = inputs as [string];
    const weights = this.network.weights.get(name) as FloatWeights | QuantizedWeights;
    const shape = [channels, inputChannels / groups, ...kernel];
    const filter = toChannelsFirst(weights.filter, kernel, channels);
    const attributes = [ints('kernel_shape', kernel), ints('strides', strides), int('group', groups)];
    if (padding === 'same') attributes.push(text('auto_pad', 'SAME_UPPER'));
    else if (padding !== 'valid') attributes.push(ints('pads', [padding[0], padding[2], padding[1], padding[3]]));
    if (!isQuantized(weights)) {
      const own = [this.constant(`${name}/filter`, shape, filter), this.constant(`${name}/bias`, [channels], weights.bias)];
      return { inputs: [this.read(tensor), ...own], attributes };
    }
    const lanes = this.network.lanes.get(tensor) as Lanes;
    const { scale, zeroPoint, bias } = weights;
    const units = scale.map((s, c) => s * unitOf(node, lanes, c));
    return {
      inputs: [
        this.read(tensor, !isDepthwise(node)),
        this.dequantizedConstant(`${name}/filter`, shape, filter, scale, zeroPoint),
        this.dequantizedConstant(`${name}/bias`, [channels], bias, units),
      ],
      attributes,
    };
  }

  private activate(activation: Activation | Curve, name: string, steps: ((input: string, output: string) => void)[]): void {
    if (activation === 'none') return;
    if (activation === 'relu6') {
      this.clip(name, 0, 6, steps);
      return;
    }
    if (activation === 'swish') {
      steps.push((x, output) => this.node('Mul', [x, this.node('Sigmoid', [x], `${output}/gate`)], output));
      return;
    }
    const [type, attributes] = {
      sigmoid: ['Sigmoid', []],
      relu: ['Relu', []],
      hardSwish: ['HardSwish', []],
      hardSigmoid: ['HardSigmoid', [real('alpha', 1 / 6), real('beta', 0.5)]],
    }[activation] as [string, Attribute[]];
    steps.push((x, output) => this.node(type, [x], output, attributes));
  }

  private clip(name: string, low: number, high: number, steps: ((input: string, output: string) => void)[]): void {
    // An empty name is an input that is left out.
    const bound = (end: string, value: number) => (Number.isFinite(value) ? this.number(`${name}/${end}`, value) : '');
    steps.push((x, output) => this.node('Clip', [x, bound('low', low), bound('high', high)], output));
  }
}

/** The one step that a quantized tensor has in the file. */
const commonStep = ({ scale, unit }: Lanes): number =>
  typeof scale === 'number' ? scale : (unit ?? scale.reduce((a, b) => Math.max(a, b)));

/** The integer type that has a tensor's range, and what its zero point is there. */
function zeroPointOf(tensor: string, { low, high }: Lanes): Uint8Array | Int16Array {
  if (high - low <= 255 && low <= 0 && high >= 0 && low >= -255) return Uint8Array.of(0 - low);
  if (low >= -32768 && high <= 32767) return Int16Array.of(0);
  throw new UnsupportedModelError(`onnx: tensor "${tensor}" lies in [${low}, ${high}]; no integer type of 8 or 16 bits has that range.`);
}

function valueInfo(name: string, sides: readonly number[]): Uint8Array {
  const dims = [message([2, 'batch']), ...sides.map((side) => message([1, side]))];
  const tensor: Part[] = [
    [1, TYPES.float32],
    [2, message([1, dims])],
  ];
  return message([1, name], [2, message([1, message(...tensor)])]);
}
