import { UnsupportedModelError } from '../../errors.js';
import {
  type Activation,
  type ConvNode,
  type Curve,
  INPUT,
  imageInput,
  inferShapes,
  isCurve,
  isDepthwise,
  type Node,
  type Shape,
} from '../../graph/graph.js';
import { GATE_LANES, scaleOf, unitOf } from '../../graph/lanes.js';
import { isQuantized, type Network } from '../../graph/network.js';
import { turned } from '../layout.js';
import { anyScale, dense, depthwise, type Fields, FUSED, type OperatorName, SAME, TfliteFile, VALID } from './encode.js';
import { isScalable, Steps } from './steps.js';

/*
 * An int8 network as TensorFlow Lite's "16x8": weights of 8 bits with a scale a channel, activations of 16 with one scale a
 * tensor, no zero points. The filters are the network's own, integer by integer. What the format cannot say is said otherwise:
 *
 *   a scale a channel         before a depthwise convolution: one scale, half of the largest
 *                             before a dense one whose filter took the scales in: the filter behind, or a depthwise convolution of
 *                             ones, brings the tensor to the unit
 *   h-swish in 16 bits        ADD(x, 3) with a fused RELU6, MUL by x. That is 6 h-swish(x), and the 6 is a factor of the tensor
 *   h-sigmoid                 ADD(x, 3) with a fused RELU6, with a factor of 6
 *
 * A factor goes into the scale of the next filter; tensors know theirs.
 */

const MOST = 32767;
/** Safely more than the 3 at which an h-sigmoid ends. */
const BEYOND = 4;

/** A tensor of the file: real value in the network x factor = scale x q. */
interface Written {
  readonly number: number;
  readonly shape: readonly number[];
  readonly scale: number;
  readonly factor: number;
}

/**
 * @returns the bytes of a .tflite file: input float32 [1, side, side, 3], normalised as the network's preprocessing says,
 *   output float32 [1, classes]: logits, or the embedding where there is no classifier
 * @throws UnsupportedModelError for float layers, for activations of 8 bits and for filters with zero points
 */
export function writeTflite(network: Network): Uint8Array {
  return new TfliteWriter(network).file();
}

class TfliteWriter {
  private readonly target = new TfliteFile();
  private readonly written = new Map<string, Written>();
  /** The image, and affines of it, which are computed in float32. */
  private readonly real = new Map<string, number>();
  private readonly shapes: ReadonlyMap<string, Shape>;
  private readonly steps: Steps;

  constructor(private readonly network: Network) {
    const { graph } = network;
    this.steps = new Steps(network);
    this.shapes = inferShapes(graph.nodes, imageInput(graph.resolution, graph.resolution));
  }

  file(): Uint8Array {
    const { graph } = this.network;
    const image = this.target.tensor({ name: INPUT, type: 'float32', shape: this.shapeOf(INPUT) });
    this.real.set(INPUT, image);
    for (const node of graph.nodes) this.add(node);
    const { logits, embedding } = graph.outputs;
    const { number, shape, scale, factor } = this.read(logits ?? embedding);
    const flat = [1, shape[3] as number];
    const target = this.target.tensor({ name: 'shape', type: 'int32', shape: [2], values: Int32Array.from(flat) });
    const spec = { name: 'flat', type: 'int16', shape: flat, scales: [scale / factor] } as const;
    const vector = this.target.operator('RESHAPE', [number, target], spec);
    const output = { name: logits === undefined ? 'embedding' : 'logits', type: 'float32', shape: flat } as const;
    return this.target.bytes(image, this.target.operator('DEQUANTIZE', [vector], output));
  }

  private shapeOf = (name: string): number[] => [1, ...(this.shapes.get(name) as Shape)];

  private read(name: string): Written {
    const known = this.written.get(name);
    if (known) return known;
    const scale = this.steps.of(name);
    const shape = this.shapeOf(name);
    const number = this.target.operator('QUANTIZE', [this.real.get(name) as number], {
      name: `${name}/lanes`,
      type: 'int16',
      shape,
      scales: [scale],
    });
    return this.keep(name, { number, shape, scale, factor: 1 });
  }

  private keep(name: string, tensor: Written): Written {
    this.written.set(name, tensor);
    return tensor;
  }

  private add(node: Node): void {
    const { name, inputs, kind } = node;
    const [first, second] = inputs as [string, string];
    const shape = this.shapeOf(name);
    if (kind === 'affine') {
      this.affine(node, first, shape);
      return;
    }
    let tensor: Written;
    if (kind === 'conv') tensor = this.conv(node);
    else {
      const x = this.read(first);
      const out = (factor: number) => ({ name, scale: this.steps.of(name) * factor, shape, factor });
      if (kind === 'globalAveragePool') {
        tensor = this.operator('MEAN', [x.number, this.constant(`${name}/sides`, Int32Array.of(1, 2))], out(x.factor), { 0: ['i8', 1] });
      } else if (kind === 'multiply') {
        const y = this.read(second);
        tensor = this.operator('MUL', [x.number, y.number], out(x.factor * y.factor), { 0: ['i8', 0] });
      } else if (kind === 'add') tensor = this.sum(name, x, this.read(second), node.activation);
      else tensor = this.activated(name, x, node.activation);
    }
    this.keep(name, this.inUnits(node, tensor));
  }

  /** The tensor times unit / scale, channel by channel, where a filter took the scales in: a depthwise convolution of ones. */
  private inUnits(node: Node, tensor: Written): Written {
    const { scale } = this.steps.lanesOf(node.name);
    const unit = this.steps.unitOf(node.name);
    if (unit === undefined || typeof scale === 'number' || isScalable(node)) return tensor;
    const scales = scale.map((s) => unit / s);
    const out = { name: `${node.name}/units`, shape: tensor.shape, scale: unit * tensor.factor, factor: tensor.factor };
    const ones = { filter: new Int8Array(scales.length).fill(1), bias: new BigInt64Array(scales.length), scales };
    const constants = this.filter(out.name, [1, 1, 1, scales.length], 3, tensor.scale, ones);
    return this.operator('DEPTHWISE_CONV_2D', [tensor.number, ...constants], out, depthwise(VALID, [1, 1], FUSED.none));
  }

  private filter(
    name: string,
    shape: readonly number[],
    axis: number,
    step: number,
    { filter, bias, scales }: { filter: Int8Array; bias: BigInt64Array; scales: Float32Array },
  ): [filter: number, bias: number] {
    const sums = { shape: [bias.length], values: bias, scales: scales.map((s) => s * step) };
    return [
      this.target.tensor({ name: `${name}/filter`, type: 'int8', shape, values: filter, scales, axis }),
      this.target.tensor({ name: `${name}/bias`, type: 'int64', ...sums }),
    ];
  }

  private operator(
    name: OperatorName,
    inputs: readonly number[],
    out: Omit<Written, 'number'> & { name: string },
    fields: Fields,
  ): Written {
    const { shape, scale, factor } = out;
    const number = this.target.operator(name, inputs, { name: out.name, type: 'int16', shape, scales: [scale] }, fields);
    return { number, shape, scale, factor };
  }

  private constant(name: string, values: Int32Array, shape: readonly number[] = [values.length]): number {
    return this.target.tensor({ name, type: 'int32', shape, values });
  }

  /** clamp(alpha x + beta) of the image, in float32. */
  private affine(node: Extract<Node, { kind: 'affine' }>, input: string, shape: readonly number[]): void {
    let x = this.real.get(input);
    if (x === undefined)
      throw new UnsupportedModelError(`tflite: "${node.name}": an affine of another tensor than the image is not written.`);
    const { alpha, beta, low, high } = node;
    const steps = [
      ['MUL', alpha],
      ['ADD', beta],
      ['MAXIMUM', low],
      ['MINIMUM', high],
    ] as const;
    for (const [operator, value] of steps) {
      if (value === undefined || !Number.isFinite(value)) continue;
      const name = `${node.name}/${operator.toLowerCase()}`;
      const constant = this.target.tensor({ name: `${name}/by`, type: 'float32', shape: [1], values: Float32Array.of(value) });
      x = this.target.operator(operator, [x, constant], { name, type: 'float32', shape });
    }
    this.real.set(node.name, x);
  }

  private sum(name: string, x: Written, y: Written, activation: Activation): Written {
    if (x.factor !== y.factor) throw new UnsupportedModelError(`tflite: "${name}": a sum of an h-swish and something else is not written.`);
    const out = { name, shape: x.shape, scale: this.steps.of(name) * x.factor, factor: x.factor };
    return this.operator('ADD', [x.number, y.number], out, anyScale(FUSED[activation]));
  }

  private activated(name: string, x: Written, activation: Activation | Curve): Written {
    if (activation === 'none') return x;
    if (isCurve(activation)) return this.curve(name, x, activation);
    if (activation !== 'hardSwish' && activation !== 'hardSigmoid') return this.sum(name, x, this.number(`${name}/zero`, 0), activation);
    const six = { name: `${name}/six`, shape: x.shape, scale: 6 / MOST, factor: 6 };
    const shifted = this.operator('ADD', [x.number, this.number(`${name}/three`, 3).number], six, anyScale(FUSED.relu6));
    if (activation === 'hardSigmoid') return shifted;
    const out = { name, shape: x.shape, scale: this.steps.of(name) * 6, factor: 6 };
    return this.operator('MUL', [x.number, shifted.number], out, { 0: ['i8', 0] });
  }

  /** In 16 bits LOGISTIC has one step for its output, that of our gates. */
  private curve(name: string, x: Written, activation: Curve): Written {
    const gates = { name: activation === 'swish' ? `${name}/gate` : name, shape: x.shape, scale: scaleOf(GATE_LANES, 0), factor: 1 };
    const gate = this.operator('LOGISTIC', [x.number], gates, {});
    if (activation === 'sigmoid') return gate;
    const out = { name, shape: x.shape, scale: this.steps.of(name), factor: 1 };
    return this.operator('MUL', [x.number, gate.number], out, { 0: ['i8', 0] });
  }

  private number(name: string, value: number): Written {
    const scale = Math.max(value, 1) / MOST;
    const values = Int16Array.of(Math.round(value / scale));
    const number = this.target.tensor({ name, type: 'int16', shape: [1], values, scales: [scale] });
    return { number, shape: [1], scale, factor: 1 };
  }

  private conv(node: ConvNode): Written {
    const { name, inputs, kernel, channels, inputChannels, activation, strides } = node;
    const [tensor, residual] = inputs as [string, string | undefined];
    const weights = this.network.weights.get(name);
    if (!weights || !isQuantized(weights)) throw new UnsupportedModelError(`tflite: "${name}" has float32 weights; quantize every layer.`);
    if (weights.zeroPoint !== 0 || !(weights.filter instanceof Int8Array))
      throw new UnsupportedModelError(`tflite: "${name}" has a filter with zero points, which 16x8 has not.`);
    const narrow = isDepthwise(node);
    const x = this.padded(node, this.read(tensor));
    const lanes = this.steps.lanesOf(tensor);
    // A filter's own scales bring its output to the unit, where they can.
    const own = this.steps.lanesOf(name);
    const unit = isScalable(node) ? this.steps.unitOf(name) : undefined;
    const ratio = (c: number) => (unit === undefined ? 1 : unit / scaleOf(own, c));
    const scales = weights.scale.map((s, c) => (s / x.factor) * ratio(c));
    const bias = BigInt64Array.from(weights.bias, (b, c) => BigInt(Math.round((b * unitOf(node, lanes, c) * x.factor) / x.scale)));
    const filter = narrow ? weights.filter : turned(weights.filter, weights.filter.length / channels, channels);
    const shape = narrow ? [1, ...kernel, channels] : [channels, ...kernel, inputChannels];
    const constants = this.filter(name, shape, narrow ? 3 : 0, x.scale, { filter, bias, scales });
    const clamped = activation === 'relu' || activation === 'relu6';
    const ends = !residual && (activation === 'none' || clamped);
    const fused = ends ? FUSED[activation] : 0;
    const fields = (narrow ? depthwise : dense)(x.padding, strides, fused);
    const out = { name: ends ? name : `${name}/sums`, shape: this.shapeOf(name), scale: this.sumStep(node), factor: 1 };
    const sums = this.operator(narrow ? 'DEPTHWISE_CONV_2D' : 'CONV_2D', [x.number, ...constants], out, fields);
    if (residual) return this.sum(name, sums, this.read(residual), activation);
    return ends ? sums : this.activated(name, sums, activation);
  }

  /** The step of a convolution's sums, before its activation. Beyond -3 an h-swish and an h-sigmoid are all the same. */
  private sumStep({ name, activation }: ConvNode): number {
    if (activation === 'hardSigmoid') return BEYOND / MOST;
    return activation === 'hardSwish' ? Math.max(this.steps.of(name), BEYOND / MOST) : this.steps.of(name);
  }

  private padded(node: ConvNode, x: Written): Written & { padding: number } {
    const { padding, kernel, strides, name } = node;
    if (padding === 'same') return { ...x, padding: SAME };
    if (padding === 'valid' || padding.every((zeros) => zeros === 0)) return { ...x, padding: VALID };
    const [top, bottom, left, right] = padding;
    const [, height, width, channels] = x.shape as [number, number, number, number];
    if (strides[0] * strides[1] === 1 && top + bottom === kernel[0] - 1 && left + right === kernel[1] - 1 && top <= bottom && left <= right)
      return { ...x, padding: SAME };
    const zeros = this.constant(`${name}/zeros`, Int32Array.of(0, 0, top, bottom, left, right, 0, 0), [4, 2]);
    const out = { ...x, name: `${name}/padded`, shape: [1, height + top + bottom, width + left + right, channels] };
    return { ...this.operator('PAD', [x.number, zeros], out, {}), padding: VALID };
  }
}
