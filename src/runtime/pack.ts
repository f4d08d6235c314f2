import type { Engine } from '../engine/engine.js';
import { QuantizationError } from '../errors.js';
import type { ConvNode } from '../graph/graph.js';
import { isDepthwise } from '../graph/graph.js';
import { checkSums, type Lanes, largestSafeLane, safeLane, scaleOf } from '../graph/lanes.js';
import type { FloatWeights, QuantizedWeights } from '../graph/network.js';

/** Channels lie in memory padded to a multiple of this. */
export const CHANNEL_BLOCK = 8;
export const padChannels = (channels: number): number => Math.ceil(channels / CHANNEL_BLOCK) * CHANNEL_BLOCK;

/** Where a convolution's packed numbers lie, and what its epilogue needs besides. */
export interface PackedConv {
  readonly filter: number;
  readonly bias: number;
  /** Values of one row of the packed window: inputChannels of the instruction. */
  readonly run: number;
  /** Packed for the matrix by vector kernel: what it reads is one pixel. */
  readonly vector: boolean;
  /** Quantized only. */
  readonly scale: number;
  readonly gateScale: number;
  readonly residualScale: number;
  readonly low: number;
  readonly high: number;
}

/** The clamp that an activation is, in real units. */
export function activationRange(activation: ConvNode['activation']): readonly [number, number] {
  if (activation === 'relu') return [0, Number.POSITIVE_INFINITY];
  if (activation === 'relu6') return [0, 6];
  if (activation === 'hardSigmoid') return [0, 1];
  return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
}

/**
 * The order in which a dense filter lies in memory: for each block of 8 output channels, for each input value of the
 * window in groups of `pair`, the 8 channels' values. Plain loops: all weights pass here before the first inference, by
 * code that no compiler has seen yet.
 */
function packDense<T extends Float32Array | Int16Array>(
  target: T,
  source: Float32Array | Int8Array | Int16Array,
  { kernel, inputChannels, channels }: ConvNode,
  layout: { readonly sourceChannels: number; readonly run: number; readonly pair: number },
  factor: number,
  offset: number,
): void {
  const { sourceChannels, run, pair } = layout;
  const [height, width] = kernel;
  const block = CHANNEL_BLOCK * height * run;
  for (let tap = 0, from = 0; tap < height * width; tap++) {
    const first = Math.floor(tap / width) * run + (tap % width) * sourceChannels;
    for (let i = 0; i < inputChannels; i++) {
      const k = first + i;
      const rest = k % pair;
      let to = (k - rest) * CHANNEL_BLOCK + rest;
      for (let n = 0; n < channels; n += CHANNEL_BLOCK, to += block) {
        const end = Math.min(CHANNEL_BLOCK, channels - n);
        for (let j = 0; j < end; j++, from++) target[to + j * pair] = (source[from] as number) * factor + offset;
      }
    }
  }
}

/** What a convolution reads. */
export interface Source {
  /** Channels of a pixel in memory: padded unless it is the image. */
  readonly channels: number;
  readonly onePixel: boolean;
}

/** Each output pixel is made of the input pixel in its place. */
export const isPointwise = ({ kernel, strides, padding, groups }: ConvNode): boolean =>
  groups === 1 && kernel[0] * kernel[1] * strides[0] * strides[1] === 1 && (typeof padding === 'string' || padding.every((p) => p === 0));

/** Whether a matrix by vector is all there is to do. */
const isVector = (node: ConvNode, { channels, onePixel }: Source) =>
  onePixel && isPointwise(node) && node.inputs.length === 1 && channels % CHANNEL_BLOCK === 0;

export function packFloat(engine: Engine, node: ConvNode, weights: FloatWeights, source: Source): PackedConv {
  const channels = padChannels(node.channels);
  // h-sigmoid is a clamp of x / 6 + 1/2: the affine part goes into the weights.
  const [factor, shift] = node.activation === 'hardSigmoid' ? [1 / 6, 0.5] : [1, 0];
  const bias = engine.allocate(channels * 4);
  engine
    .floats(bias, channels)
    .fill(0)
    .set(weights.bias.map((b) => b * factor + shift));
  const [low, high] = activationRange(node.activation);
  const vector = isVector(node, source);
  const rest = { bias, vector, scale: 0, gateScale: 0, residualScale: 0, low, high };
  const [height, width] = node.kernel;
  if (isDepthwise(node)) {
    const filter = engine.allocate(height * width * channels * 4);
    const target = engine.floats(filter, height * width * channels).fill(0);
    for (let tap = 0, source = 0; tap < height * width; tap++) {
      for (let c = 0; c < node.channels; c++, source++) {
        target[(Math.floor(c / 4) * height * width + tap) * 4 + (c % 4)] = (weights.filter[source] as number) * factor;
      }
    }
    return { ...rest, filter, run: channels };
  }
  const run = width * source.channels;
  const size = height * run * channels;
  const filter = engine.allocate(size * 4);
  packDense(engine.floats(filter, size).fill(0), weights.filter, node, { sourceChannels: source.channels, run, pair: 1 }, factor, 0);
  return { ...rest, filter, run };
}

/** input, output and residual are the lanes of the tensors that the convolution reads and writes. */
export function packQuantized(
  engine: Engine,
  node: ConvNode,
  weights: QuantizedWeights,
  source: Source,
  lanes: { input: Lanes; output: Lanes; residual?: Lanes },
): PackedConv {
  const channels = padChannels(node.channels);
  const depthwise = isDepthwise(node);
  if (!depthwise && typeof lanes.input.scale !== 'number') {
    throw new QuantizationError(`${node.name}: only a depthwise convolution can read a tensor with a scale per channel.`);
  }
  const bias = engine.allocate(channels * 4);
  const scale = engine.allocate(channels * 4);
  const gateScale = engine.allocate(channels * 4);
  engine.ints(bias, channels).fill(0).set(weights.bias);
  engine.floats(scale, channels).fill(0).set(weights.scale);
  engine.floats(gateScale, channels).fill(0);
  const mark = engine.mark();
  const scalesAt = ({ scale }: Lanes): readonly [number, number] => {
    if (typeof scale === 'number') return [scale, 0];
    const pointer = engine.allocate(scale.length * 4);
    engine.floats(pointer, scale.length).set(scale);
    return [0, pointer];
  };
  const sigmoid = node.activation === 'hardSigmoid';
  if (sigmoid) {
    // relu6(x + 3) / 6: the 3 goes into the bias.
    const biases = engine.ints(bias, node.channels);
    const unit = (c: number) => scaleOf(lanes.input, depthwise ? c : 0) * (weights.scale[c] as number);
    for (let c = 0; c < node.channels; c++) biases[c] = (biases[c] as number) + Math.round(3 / unit(c));
  }
  const [input, output] = [scalesAt(lanes.input), scalesAt(lanes.output)];
  engine.exports.pack_scales(scale, gateScale, node.channels, ...input, ...output, sigmoid ? 1 / 6 : 1);
  engine.release(mark);
  const [floor, ceiling] = activationRange(node.activation);
  let highest = lanes.output.high;
  if (ceiling < Number.POSITIVE_INFINITY) {
    highest = 0;
    for (let c = 0; c < node.channels; c++) {
      highest = Math.max(highest, Math.min(lanes.output.high, Math.round(ceiling / scaleOf(lanes.output, c))));
    }
  }
  const sourceChannels = source.channels;
  // An int8 filter stays one there. Other filters go through the kernel for any number of pixels.
  const vector = isVector(node, source) && weights.filter instanceof Int8Array && weights.zeroPoint === 0;
  const rest = {
    bias,
    vector,
    scale,
    gateScale,
    residualScale: lanes.residual ? scaleOf(lanes.residual, 0) / scaleOf(lanes.output, 0) : 0,
    low: Math.max(lanes.output.low, floor),
    high: highest,
  };
  const [height, width] = node.kernel;
  const run = depthwise ? channels : width * sourceChannels + ((width * sourceChannels) % 2);
  const size = depthwise ? 2 * Math.ceil(height / 2) * width * channels : height * run * channels;
  const elementBytes = vector ? 1 : 2;
  const filter = engine.allocate(size * elementBytes);
  engine.bytes(filter, size * elementBytes).fill(0);
  const packed = { ...rest, filter, run };
  if (!(weights.filter instanceof Int8Array)) {
    checkSums(node, largestSafeLane(node, weights), lanes.input);
    const target = engine.shorts(filter, size);
    if (depthwise) packDepthwise(target, weights.filter, node, 0 - weights.zeroPoint);
    else packDense(target, weights.filter, node, { sourceChannels, run, pair: 2 }, 1, 0 - weights.zeroPoint);
    return packed;
  }
  const filterMark = engine.mark();
  const unpacked = engine.allocate(weights.filter.length);
  const sums = engine.allocate(node.channels * 4);
  const { buffer, byteOffset, byteLength } = weights.filter;
  engine.bytes(unpacked, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
  engine.ints(sums, node.channels).fill(0);
  const { exports } = engine;
  if (depthwise) exports.pack_depthwise_i8(unpacked, filter, sums, height, width, node.channels, weights.zeroPoint);
  else {
    const sizes = [height, width, node.inputChannels, sourceChannels, node.channels, run] as const;
    exports.pack_dense_i8(unpacked, filter, sums, ...sizes, weights.zeroPoint, elementBytes);
  }
  checkSums(node, safeLane(engine.ints(sums, node.channels), weights), lanes.input);
  engine.release(filterMark);
  return packed;
}

/** The order of assembly/depthwise/q16.ts: a tap and the one below it side by side. */
function packDepthwise(target: Int16Array, source: Int16Array, { kernel, channels }: ConvNode, offset: number): void {
  const [height, width] = kernel;
  const block = Math.ceil(height / 2) * width * 8;
  for (let ky = 0, from = 0; ky < height; ky++) {
    for (let kx = 0; kx < width; kx++) {
      const tap = ((ky >> 1) * width + kx) * 8 + (ky & 1);
      for (let c = 0; c < channels; c++, from++) target[tap + (c >> 2) * block + (c & 3) * 2] = (source[from] as number) + offset;
    }
  }
}
