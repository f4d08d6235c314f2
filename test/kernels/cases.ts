import type { ConvOptions, QFilter, QTensor, QuantParams, Tensor } from '../../src/kernels/index.js';
import { random, uniform } from '../random-network.js';
import * as reference from './reference.js';

// What kernels are run on, and what the plain loops give there: computed once for all machines.

export type Shape = Tensor['shape'];
export type Dtype = 'int8' | 'uint8';
const RANGE = { int8: [-128, 127], uint8: [0, 255] } as const;
const sizeOf = (shape: Shape) => shape.reduce((product, side) => product * side, 1);

/** Tensors of pseudo-random values. */
export class Values {
  private readonly next: () => number;

  constructor(seed: number) {
    this.next = random(seed);
  }

  vector = (length: number, low = -1, high = 1): Float32Array => uniform(this.next, length, low, high);
  integer = (low: number, high: number): number => low + Math.floor(this.next() * (high - low + 1));
  floats = (shape: Shape, low = -4, high = 4): Tensor => ({ data: this.vector(sizeOf(shape), low, high), shape });
  zero = (dtype: Dtype): number => this.integer(RANGE[dtype][0], RANGE[dtype][1]);
  zeros = (dtype: Dtype, length: number): Int32Array => Int32Array.from({ length }, () => this.zero(dtype));

  bytes(dtype: Dtype, length: number, extremes = false): Int8Array | Uint8Array {
    const [low, high] = RANGE[dtype];
    const values = Array.from({ length }, () => (extremes ? (this.next() < 0.5 ? low : high) : this.integer(low, high)));
    return dtype === 'int8' ? Int8Array.from(values) : Uint8Array.from(values);
  }

  quantized = (dtype: Dtype, shape: Shape, extremes = false): QTensor => ({
    data: this.bytes(dtype, sizeOf(shape), extremes),
    shape,
    scale: 0.003 + this.next() * 0.05,
    zeroPoint: this.zero(dtype),
  });

  filter(dtype: Dtype, shape: Shape, extremes = false): QFilter {
    const data = this.bytes(dtype, sizeOf(shape), extremes);
    return dtype === 'int8'
      ? { data, shape, scale: this.vector(shape[3], 0.001, 0.01) }
      : { data, shape, scale: 0.004, zeroPoint: this.zero(dtype) };
  }

  /** One scale and zero point, or one a channel. */
  params(dtype: Dtype, low: number, high: number, channels?: number): QuantParams {
    return channels
      ? { dtype, scale: this.vector(channels, low, high), zeroPoint: this.zeros(dtype, channels) }
      : { dtype, scale: low + this.next() * (high - low), zeroPoint: this.zero(dtype) };
  }
}

interface ConvCase {
  readonly x: Shape;
  readonly filter: Shape;
  readonly options: ConvOptions;
}

/** Odd sizes, tails of every kernel tile, batches, paddings that the networks and neither of them use. */
function* convCases(): Generator<ConvCase> {
  const activations = ['none', 'relu', 'relu6', 'hardSwish', 'hardSigmoid'] as const;
  let i = 0;
  const activation = () => activations[i++ % activations.length] as (typeof activations)[number];
  for (const [h, w, c, outputs] of [
    [1, 1, 8, 8],
    [1, 3, 5, 1],
    [7, 7, 16, 9],
    [5, 9, 1, 24],
    [3, 5, 33, 17],
    [14, 13, 40, 64],
  ] as const) {
    yield { x: [1, h, w, c], filter: [1, 1, c, outputs], options: { activation: activation() } };
    yield { x: [3, h, w, c], filter: [1, 1, c, outputs], options: { activation: activation() } };
  }
  for (const kernel of [3, 5] as const) {
    for (const stride of [1, 2] as const) {
      for (const [h, w, c] of [
        [1, 1, 8],
        [4, 4, 3],
        [7, 9, 17],
        [12, 5, 24],
        [15, 16, 40],
        [6, 14, 8],
        [3, 11, 12],
        [6, 11, 8], // 'valid' leaves one, two and three pixels beyond fours
        [7, 17, 8],
        [2, 83, 72], // rows beyond a first-level cache
      ] as const) {
        const half = (kernel - 1) / 2;
        for (const padding of ['same', [half, half, half, half], ...(h >= kernel && w >= kernel ? (['valid'] as const) : [])] as const) {
          yield {
            x: [h % 2 ? 3 : 1, h, w, c],
            filter: [kernel, kernel, 1, c],
            options: { strides: [stride, stride], padding, groups: c, activation: activation() },
          };
        }
      }
    }
  }
  yield {
    x: [1, 9, 11, 6],
    filter: [2, 7, 1, 6],
    options: { strides: [3, 1], padding: [0, 1, 4, 2], groups: 6, activation: activation() },
  };
  for (const [h, w] of [
    [32, 31],
    [5, 5],
    [3, 40],
  ] as const) {
    yield { x: [1, h, w, 3], filter: [3, 3, 3, 16], options: { strides: [2, 2], padding: 'same', activation: 'hardSwish' } };
    yield { x: [3, h, w, 3], filter: [3, 3, 3, 16], options: { strides: [2, 2], padding: [1, 1, 1, 1], activation: activation() } };
    yield { x: [1, h, w, 4], filter: [3, 3, 4, 7], options: { padding: 'valid', activation: activation() } };
    yield { x: [1, h, w, 5], filter: [2, 3, 5, 3], options: { strides: [1, 3], padding: [2, 0, 1, 3], activation: activation() } };
    yield { x: [1, h, w, 9], filter: [1, 1, 9, 12], options: { strides: [2, 2], activation: activation() } };
  }
}

/** Computes a list when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

export const floatConvolutions = once(() => {
  const values = new Values(42);
  return [...convCases()].map(({ x: shape, filter: filterShape, options }) => {
    const x = values.floats(shape);
    const filter = values.floats(filterShape, -1, 1);
    const given = { ...options, bias: values.vector(filterShape[3]) };
    return { x, filter, given, expected: reference.conv2d(x, filter, given) };
  });
});

function integerConvolutions(dtype: Dtype) {
  const values = new Values(43);
  return [...convCases()].map(({ x: shape, filter: filterShape, options }, i) => {
    const extremes = i % 3 === 0;
    const channels = filterShape[3];
    const base = values.quantized(dtype, shape, extremes);
    // In front of a depthwise convolution every channel may have its own scale and zero point.
    const isDepthwise = (options.groups ?? 1) > 1;
    const x = isDepthwise && i % 2 === 0 ? { ...base, ...values.params(dtype, 0.003, 0.05, shape[3]) } : base;
    const filter = values.filter(dtype, filterShape, extremes);
    const bias = i % 2 === 0 ? values.vector(channels, -2, 2) : Int32Array.from({ length: channels }, () => values.integer(-9000, 9000));
    const output = values.params(dtype, 0.01, 0.2, i % 4 === 3 ? channels : undefined);
    // At times every sum is far beyond the range: rounding meets its own limits there.
    const given = { ...options, bias, output: i % 5 === 4 && i % 4 !== 3 ? { ...output, scale: 1e-12 } : output };
    return { x, filter, given, expected: reference.conv2dInt8(x, filter, given) };
  });
}
export const INTEGER_CONVOLUTIONS = { int8: once(() => integerConvolutions('int8')), uint8: once(() => integerConvolutions('uint8')) };
