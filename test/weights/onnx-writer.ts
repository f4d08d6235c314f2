import type { Activation, ConvNode } from '../../src/graph/graph.js';
import type { FloatWeights, Network } from '../../src/graph/network.js';
import { pseudoRandom } from '../pseudo-random.js';
import { randomNetwork } from '../random-network.js';

// Networks as .onnx files in the spellings that people's tools write. scripts/golden-onnx.mjs asks onnxruntime what they compute.

const FLOAT = 1;
const UINT8 = 2;
const INT8 = 3;
const INT32 = 6;
const INT64 = 7;

type Values = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;
export type Attribute = number | string | readonly number[] | { readonly float: number };

// --- protocol buffers

const digits = (value: bigint): number[] => (value < 128n ? [Number(value)] : [Number(value % 128n) + 128, ...digits(value / 128n)]);
/** Negative numbers take all 64 bits. */
const varint = (value: number) => digits(BigInt.asUintN(64, BigInt(value)));
export const integer = (field: number, value: number) => Buffer.from([...varint(field * 8), ...varint(value)]);
export const bytes = (field: number, value: Uint8Array | string) =>
  Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(value.length)]), typeof value === 'string' ? Buffer.from(value) : value]);
export const message = (field: number, ...parts: readonly Buffer[]) => bytes(field, Buffer.concat(parts));

const typeOf = (values: Values): number => {
  if (values instanceof Float32Array) return FLOAT;
  if (values instanceof Uint8Array) return UINT8;
  if (values instanceof Int8Array) return INT8;
  return values instanceof Int32Array ? INT32 : INT64;
};

function attribute(name: string, value: Attribute): Buffer {
  if (typeof value === 'string') return message(5, bytes(1, name), bytes(4, value), integer(20, 3));
  if (typeof value === 'number') return message(5, bytes(1, name), integer(3, value), integer(20, 2));
  if ('float' in value) {
    const float = Buffer.alloc(5, (2 << 3) | 5);
    float.writeFloatLE(value.float, 1);
    return message(5, bytes(1, name), float, integer(20, 1));
  }
  return message(5, bytes(1, name), ...value.map((number) => integer(8, number)), integer(20, 7));
}

const valueInfo = (field: number, name: string, shape: readonly number[] | undefined) => {
  const sides = shape ? [message(2, ...shape.map((side) => message(1, integer(1, side))))] : [];
  return message(field, bytes(1, name), message(2, message(1, integer(1, FLOAT), ...sides)));
};

/** Smaller tensors stay in the model, as PyTorch's exporter leaves them. */
const LEAST_BESIDE = 256;
const ALIGNMENT = 64;

export class Writer {
  private readonly nodes: Buffer[] = [];
  private readonly initializers: Buffer[] = [];
  private data = Buffer.alloc(0);
  private readonly known = new Set<string>();
  /** Names of all tensors that are computed in float32. */
  readonly floats: string[] = [];

  /** @param beside the name of a file for the tensors' bytes */
  constructor(private readonly beside = '') {}

  /** What that file holds. */
  get shard(): Uint8Array {
    return new Uint8Array(this.data);
  }

  /** The bytes of a tensor, or where they are. */
  private place(raw: Uint8Array): Buffer[] {
    if (!this.beside || raw.length < LEAST_BESIDE) return [bytes(9, raw)];
    const entries = { location: this.beside, offset: `${this.data.length}`, length: `${raw.length}` };
    this.data = Buffer.concat([this.data, raw, Buffer.alloc(-raw.length & (ALIGNMENT - 1))]);
    return [...Object.entries(entries).map(([key, value]) => message(13, bytes(1, key), bytes(2, value))), integer(14, 1)];
  }

  constant(name: string, shape: readonly number[], values: Values): string {
    if (this.known.has(name)) return name;
    this.known.add(name);
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const dimensions = shape.map((side) => integer(1, side));
    this.initializers.push(message(5, ...dimensions, integer(2, typeOf(values)), bytes(8, name), ...this.place(raw)));
    return name;
  }

  number = (name: string, value: number) => this.constant(name, [], Float32Array.of(value));

  node(operator: string, inputs: readonly string[], outputs: readonly string[], attributes: Record<string, Attribute> = {}, domain = '') {
    const parts = [...inputs.map((name) => bytes(1, name)), ...outputs.map((name) => bytes(2, name)), bytes(4, operator)];
    const more = Object.entries(attributes).map(([name, value]) => attribute(name, value));
    this.nodes.push(message(1, ...parts, ...more, ...(domain ? [bytes(7, domain)] : [])));
    return outputs[0] as string;
  }

  /** An operator whose output is float32. */
  float(operator: string, inputs: readonly string[], output: string, attributes: Record<string, Attribute> = {}): string {
    this.floats.push(output);
    return this.node(operator, inputs, [output], attributes);
  }

  finish(input: string, side: number, outputs: readonly string[], opset: number): Uint8Array {
    const graph = message(
      7,
      ...this.nodes,
      bytes(2, 'graph'),
      ...this.initializers,
      valueInfo(11, input, [1, 3, side, side]),
      ...outputs.map((name) => valueInfo(12, name, undefined)),
    );
    const opsets = [message(8, bytes(1, ''), integer(2, opset)), message(8, bytes(1, 'com.microsoft'), integer(2, 1))];
    return new Uint8Array(Buffer.concat([integer(1, 7), graph, ...opsets]));
  }
}

// --- numbers

/** [kh, kw, in, out] to [out, in, kh, kw] */
function channelsFirst(filter: Float32Array, { kernel, inputChannels, channels, groups }: ConvNode): Float32Array {
  const [taps, depth] = [kernel[0] * kernel[1], inputChannels / groups];
  const values = new Float32Array(filter.length);
  for (let tap = 0, from = 0; tap < taps; tap++) {
    for (let i = 0; i < depth; i++)
      for (let o = 0; o < channels; o++, from++) values[(o * depth + i) * taps + tap] = filter[from] as number;
  }
  return values;
}

/** Symmetric int8, one scale for each of `channels`, which come first. */
function rounded(values: Float32Array, channels: number): { integers: Int8Array; scales: Float32Array } {
  const block = values.length / channels;
  const scales = new Float32Array(channels);
  for (let i = 0; i < values.length; i++) {
    const c = Math.floor(i / block);
    scales[c] = Math.max(scales[c] as number, Math.abs(values[i] as number) / 127);
  }
  return { integers: Int8Array.from(values, (value, i) => Math.round(value / (scales[Math.floor(i / block)] as number))), scales };
}

/** The least and the greatest value of each tensor. */
export type TensorRanges = Readonly<Record<string, readonly [number, number]>>;

/** uint8 with a zero point. */
function steps([low, high]: readonly [number, number]): { scale: number; zero: number } {
  const [bottom, top] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = Math.fround((top - bottom) / 255);
  return { scale, zero: Math.round(-bottom / scale) };
}

// --- spellings

export type Spelling = 'float' | 'external' | 'paddle' | 'qdq' | 'qlinear' | 'dynamic';

/** The file beside an 'external' model. */
export const SHARD = 'model.onnx.data';

interface Spell {
  readonly writer: Writer;
  readonly network: Network;
  readonly ranges: TensorRanges;
  readonly spelling: Spelling;
}

/** Quantized and turned back, as QDQ files have it after every tensor. */
function throughBytes({ writer, ranges }: Spell, name: string): string {
  const { scale, zero } = steps(ranges[name] as [number, number]);
  const by = [writer.number(`${name}/scale`, scale), writer.constant(`${name}/zero`, [], Uint8Array.of(zero))];
  const integers = writer.node('QuantizeLinear', [name, ...by], [`${name}/q`]);
  return writer.node('DequantizeLinear', [integers, ...by], [`${name}/dq`]);
}

function activated({ writer, spelling }: Spell, x: string, name: string, activation: Activation): string {
  const number = (value: number) => writer.number(`${value}`, value);
  if (activation === 'none') return x;
  if (activation === 'relu') return writer.float('Relu', [x], name);
  if (activation === 'relu6') return writer.float('Clip', [x, number(0), number(6)], name);
  if (activation === 'hardSigmoid') {
    // PaddlePaddle's slope is a fifth.
    return writer.float('HardSigmoid', [x], name, { alpha: { float: spelling === 'paddle' ? 0.2 : 1 / 6 }, beta: { float: 0.5 } });
  }
  if (spelling !== 'paddle') return writer.float('HardSwish', [x], name);
  const clipped = writer.float('Clip', [writer.float('Add', [x, number(3)], `${name}/add`), number(0), number(6)], `${name}/clip`);
  return writer.float('Div', [writer.float('Mul', [x, clipped], `${name}/mul`), number(6)], name);
}

const windowOf = ({ kernel, strides, padding, groups }: ConvNode): Record<string, Attribute> => {
  const [top, bottom, left, right] = typeof padding === 'string' ? [0, 0, 0, 0] : padding;
  return { kernel_shape: [...kernel], strides: [...strides], pads: [top, left, bottom, right], group: groups, dilations: [1, 1] };
};

/** A convolution of real numbers, or of what DequantizeLinear makes of integers. */
function conv(spell: Spell, node: ConvNode, x: string, output: string): string {
  const { writer, network, spelling } = spell;
  const { filter: own, bias } = network.weights.get(node.name) as FloatWeights;
  const { name, kernel, inputChannels, channels, groups } = node;
  const dense = name === network.graph.outputs.logits;
  const shape = dense ? [channels, inputChannels] : [channels, inputChannels / groups, ...kernel];
  const values = channelsFirst(own, node);
  const run = (inputs: readonly string[]) =>
    dense ? writer.float('Gemm', inputs, output, { transB: 1 }) : writer.float('Conv', inputs, output, windowOf(node));
  const input = dense ? writer.node('Flatten', [x], [`${name}/flat`]) : x;
  if (spelling === 'qdq') {
    const { integers, scales } = rounded(values, channels);
    const from = (name === 'stem' ? 'input' : x).replace(/\/dq$/, '');
    const step = steps(spell.ranges[from] as [number, number]).scale;
    const unit = scales.map((scale) => scale * step);
    const weights = [writer.constant(`${name}/w`, shape, integers), writer.constant(`${name}/ws`, [channels], scales)];
    const zeros = writer.constant(`${name}/wz`, [channels], new Int8Array(channels));
    const biases = Int32Array.from(bias, (value, c) => Math.round(value / (unit[c] as number)));
    const offsets = [writer.constant(`${name}/b`, [channels], biases), writer.constant(`${name}/bs`, [channels], unit)];
    return run([
      input,
      writer.node('DequantizeLinear', [...weights, zeros], [`${name}/w/dq`], { axis: 0 }),
      writer.node('DequantizeLinear', offsets, [`${name}/b/dq`], { axis: 0 }),
    ]);
  }
  if (spelling !== 'paddle' || dense) {
    return run([input, writer.constant(`${name}/w`, shape, values), writer.constant(`${name}/b`, [channels], bias)]);
  }
  // PaddlePaddle's convolutions have no bias: a batch norm follows, or a sum with an image of one pixel.
  const plain = writer.float('Conv', [input, writer.constant(`${name}/w`, shape, values)], `${name}/conv`, windowOf(node));
  if (/reduce|excite/.test(name)) return writer.float('Add', [plain, writer.constant(`${name}/b`, [1, channels, 1, 1], bias)], output);
  const one = new Float32Array(channels).fill(1);
  const norm = {
    scale: one.map((v, c) => v + (c % 3) / 8),
    mean: one.map((v, c) => (v * (c % 5)) / 8),
    variance: one.map((v) => v * 0.75),
  };
  const vectors = Object.entries({ scale: norm.scale, bias, mean: norm.mean, variance: norm.variance });
  const inputs = vectors.map(([part, vector]) => writer.constant(`${name}/${part}`, [channels], vector));
  return writer.float('BatchNormalization', [plain, ...inputs], output, { epsilon: { float: 1e-5 } });
}

/** As onnxruntime's quantize_dynamic() has it: integers inside, real numbers between. */
function dynamicConv({ writer, network }: Spell, node: ConvNode, x: string, output: string): string {
  const { filter, bias } = network.weights.get(node.name) as FloatWeights;
  const { name, kernel, inputChannels, channels, groups } = node;
  const dense = name === network.graph.outputs.logits;
  const values = channelsFirst(filter, node);
  const { integers, scales } = rounded(values, 1);
  const turned = dense ? integers.map((_, i) => integers[(i % channels) * inputChannels + Math.floor(i / channels)] as number) : integers;
  const input = dense ? writer.node('Flatten', [x], [`${name}/flat`]) : x;
  const [quantized, scale, zero] = [`${name}/q`, `${name}/s`, `${name}/z`] as const;
  writer.node('DynamicQuantizeLinear', [input], [quantized, scale, zero]);
  const shape = dense ? [inputChannels, channels] : [channels, inputChannels / groups, ...kernel];
  const inputs = [quantized, writer.constant(`${name}/w`, shape, turned), zero, writer.constant(`${name}/wz`, [], Int8Array.of(0))];
  const sums = dense
    ? writer.node('MatMulInteger', inputs, [`${name}/products`])
    : writer.node('ConvInteger', inputs, [`${name}/products`], windowOf(node));
  const real = writer.node('Cast', [sums], [`${name}/cast`], { to: FLOAT });
  const step = writer.node('Mul', [scale, writer.constant(`${name}/ws`, [], scales)], [`${name}/step`]);
  const product = writer.float('Mul', [real, step], `${name}/product`);
  return writer.float('Add', [product, writer.constant(`${name}/b`, dense ? [channels] : [1, channels, 1, 1], bias)], output);
}

/** In integers from end to end: for networks whose activations only clamp. */
function qlinear(spell: Spell): string {
  const { writer, network, ranges } = spell;
  const by = (name: string) => {
    const { scale, zero } = steps(ranges[name] as [number, number]);
    return [writer.number(`${name}/scale`, scale), writer.constant(`${name}/zero`, [], Uint8Array.of(zero))];
  };
  const microsoft = 'com.microsoft';
  writer.node('QuantizeLinear', ['input', ...by('input')], ['input/q']);
  for (const node of network.graph.nodes) {
    const [a, b] = node.inputs as [string, string];
    const output = `${node.name}/q`;
    if (node.kind === 'conv') {
      const { filter, bias } = network.weights.get(node.name) as FloatWeights;
      const { name, kernel, inputChannels, channels, groups } = node;
      const { integers, scales } = rounded(channelsFirst(filter, node), channels);
      const step = steps(ranges[a] as [number, number]).scale;
      const dense = name === network.graph.outputs.logits;
      const shape = dense ? [channels, inputChannels] : [channels, inputChannels / groups, ...kernel];
      const weights = [
        writer.constant(`${name}/w`, shape, integers),
        writer.constant(`${name}/ws`, [channels], scales),
        writer.constant(`${name}/wz`, [channels], new Int8Array(channels)),
      ];
      const offsets = Int32Array.from(bias, (value, c) => Math.round(value / ((scales[c] as number) * step)));
      const biases = writer.constant(`${name}/b`, [channels], offsets);
      if (dense) {
        const flat = writer.node('Flatten', [`${a}/q`], [`${name}/flat`]);
        writer.node('QGemm', [flat, ...by(a), ...weights, biases, ...by(name)], [output], { transB: 1 }, microsoft);
      } else writer.node('QLinearConv', [`${a}/q`, ...by(a), ...weights, ...by(name), biases], [output], windowOf(node));
    } else if (node.kind === 'add') {
      writer.node('QLinearAdd', [`${a}/q`, ...by(a), `${b}/q`, ...by(b), ...by(node.name)], [output], {}, microsoft);
    } else {
      writer.node('QLinearGlobalAveragePool', [`${a}/q`, ...by(a), ...by(node.name)], [output], { channels_last: 0 }, microsoft);
    }
  }
  const logits = network.graph.outputs.logits as string;
  return writer.node('DequantizeLinear', [`${logits}/q`, ...by(logits)], ['logits']);
}

/**
 * @param ranges of the float spelling's tensors, for those in integers
 * @param all whether every tensor is an output
 */
export function onnxModel(
  network: Network,
  spelling: Spelling,
  ranges: TensorRanges = {},
  all = false,
): { file: Uint8Array; names: string[]; shard: Uint8Array } {
  const writer = new Writer(spelling === 'external' ? SHARD : '');
  const spell: Spell = { writer, network, ranges, spelling };
  const { graph } = network;
  if (spelling === 'qlinear') {
    const output = qlinear(spell);
    return { file: writer.finish('input', graph.resolution, [output], 13), names: [output], shard: writer.shard };
  }
  const seen = (name: string) => (spelling === 'qdq' ? throughBytes(spell, name) : name);
  const made = new Map([['input', seen('input')]]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => made.get(name) as string);
    let output: string;
    if (node.kind === 'conv') {
      const bends = node.activation !== 'none';
      const sums = bends ? `${node.name}/sums` : node.name;
      output = (spelling === 'dynamic' ? dynamicConv : conv)(spell, node, inputs[0] as string, sums);
      // What only clamps belongs to the convolution; what bends reads a quantized tensor of its own.
      if (bends) output = activated(spell, node.activation.startsWith('hard') ? seen(output) : output, node.name, node.activation);
    } else if (node.kind === 'globalAveragePool') output = writer.float('GlobalAveragePool', inputs, node.name);
    else output = writer.float(node.kind === 'add' ? 'Add' : 'Mul', inputs, node.name);
    made.set(node.name, seen(output));
  }
  const logits = made.get(graph.outputs.logits as string) as string;
  const names = all ? writer.floats : [logits];
  return { file: writer.finish('input', graph.resolution, names, spelling === 'paddle' ? 11 : 14), names, shard: writer.shard };
}

// --- what test/golden/onnx.json is about

export const SIDE = 64;
export const SPELLINGS = ['external', 'paddle', 'qdq', 'qlinear', 'dynamic'] as const;
export type Quantizing = (typeof SPELLINGS)[number];

/** QLinear operators have no h-swish. */
export const networkFor = (spelling: Spelling): Network =>
  randomNetwork(spelling === 'qlinear' ? 'mobilenet_v2' : 'mobilenet_v3_small', { width: 0.35, classes: 9, resolution: SIDE });

/** [SIDE, SIDE, 3] */
export const PIXELS = pseudoRandom('x', SIDE * SIDE * 3);
