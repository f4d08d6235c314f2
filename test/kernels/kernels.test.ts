import { detectFeatures } from '../../src/engine/features.js';
import {
  type ConvOptions,
  type Kernels,
  loadKernels,
  type QFilter,
  type QTensor,
  type QuantParams,
  type Tensor,
} from '../../src/kernels/index.js';
import { random, uniform } from '../random-network.js';
import * as reference from './reference.js';

type Shape = Tensor['shape'];
const next = random(42);
const sizeOf = (shape: Shape) => shape.reduce((product, side) => product * side, 1);
const floats = (shape: Shape, low = -4, high = 4): Tensor => ({ data: uniform(next, sizeOf(shape), low, high), shape });
const integer = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));

const RANGE = { int8: [-128, 127], uint8: [0, 255] } as const;
type Dtype = keyof typeof RANGE;
const bytes = (dtype: Dtype, length: number, extremes = false) => {
  const [low, high] = RANGE[dtype];
  const values = Array.from({ length }, () => (extremes ? (next() < 0.5 ? low : high) : integer(low, high)));
  return dtype === 'int8' ? Int8Array.from(values) : Uint8Array.from(values);
};
const zero = (dtype: Dtype) => integer(RANGE[dtype][0], RANGE[dtype][1]);
const quantized = (dtype: Dtype, shape: Shape, extremes = false): QTensor => ({
  data: bytes(dtype, sizeOf(shape), extremes),
  shape,
  scale: 0.003 + next() * 0.05,
  zeroPoint: zero(dtype),
});
const filterOf = (dtype: Dtype, shape: Shape, extremes = false): QFilter =>
  dtype === 'int8'
    ? { data: bytes(dtype, sizeOf(shape), extremes), shape, scale: uniform(next, shape[3], 0.001, 0.01) }
    : { data: bytes(dtype, sizeOf(shape), extremes), shape, scale: 0.004, zeroPoint: zero(dtype) };

/** Largest difference, relative to the largest value where that is above 1. */
function difference(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  let [worst, largest] = [0, 1];
  expected.data.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(value - (actual.data[i] as number)));
    largest = Math.max(largest, Math.abs(value));
    if (Number.isNaN(actual.data[i])) worst = Number.POSITIVE_INFINITY;
  });
  return worst / largest;
}

/** Where two quantized tensors first differ; undefined where they are the same, bit for bit. */
function firstDifference(actual: QTensor, expected: QTensor): string | undefined {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.data.constructor).toBe(expected.data.constructor);
  const at = expected.data.findIndex((value, i) => value !== actual.data[i]);
  return at < 0 ? undefined : `[${at}] ${actual.data[at]} instead of ${expected.data[at]}`;
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

const VARIANTS = detectFeatures().relaxedSimd ? (['baseline', 'relaxed'] as const) : (['baseline'] as const);
const WAYS = ['pairs', 'products'] as const; // planes, which few processors have: test/browsers and test/runtime
describe.each(VARIANTS.flatMap((simd) => WAYS.map((way) => [simd, way] as const)))('kernels, %s SIMD, %s', (simd, way) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await loadKernels({ simd, kernels: way });
  });

  it('conv2d', () => {
    for (const { x: shape, filter: filterShape, options } of convCases()) {
      const x = floats(shape);
      const filter = floats(filterShape, -1, 1);
      const given = { ...options, bias: uniform(next, filterShape[3]) };
      const error = difference(kernels.conv2d(x, filter, given), reference.conv2d(x, filter, given));
      expect({ shape, filterShape, options, error: error < 2e-6 ? 0 : error }).toEqual({ shape, filterShape, options, error: 0 });
    }
  });

  for (const dtype of ['int8', 'uint8'] as const) {
    it(`conv2dInt8, ${dtype}, bit for bit`, () => {
      let cases = 0;
      for (const { x: shape, filter: filterShape, options } of convCases()) {
        const extremes = cases++ % 3 === 0;
        const depthwise = (options.groups ?? 1) > 1;
        const base = quantized(dtype, shape, extremes);
        // In front of a depthwise convolution every channel may have its own scale and zero point.
        const x =
          depthwise && cases % 2
            ? { ...base, scale: uniform(next, shape[3], 0.003, 0.05), zeroPoint: Int32Array.from({ length: shape[3] }, () => zero(dtype)) }
            : base;
        const filter = filterOf(dtype, filterShape, extremes);
        const bias =
          cases % 2 ? uniform(next, filterShape[3], -2, 2) : Int32Array.from({ length: filterShape[3] }, () => integer(-9000, 9000));
        const output: QuantParams =
          cases % 4
            ? // At times every sum is far beyond the range: rounding meets its own limits there.
              { dtype, scale: cases % 5 ? 0.01 + next() * 0.2 : 1e-12, zeroPoint: zero(dtype) }
            : {
                dtype,
                scale: uniform(next, filterShape[3], 0.01, 0.2),
                zeroPoint: Int32Array.from({ length: filterShape[3] }, () => zero(dtype)),
              };
        const given = { ...options, bias, output };
        expect({
          cases,
          shape,
          filterShape,
          options,
          first: firstDifference(kernels.conv2dInt8(x, filter, given), reference.conv2dInt8(x, filter, given)),
        }).toEqual({ cases, shape, filterShape, options, first: undefined });
      }
    });
  }

  const SHAPES: Shape[] = [
    [1, 1, 1, 1],
    [1, 1, 1, 1000],
    [3, 7, 5, 3],
    [1, 14, 13, 17],
    [2, 1, 9, 40],
  ];

  it('activations', () => {
    for (const shape of SHAPES) {
      const x = floats(shape, -8, 8);
      for (const name of ['relu', 'relu6', 'hardSigmoid', 'hardSwish', 'sigmoid', 'swish'] as const) {
        expect(difference(kernels[name](x), reference.map(x, reference.activations[name]))).toBeLessThan(1e-6);
      }
    }
  });

  it('activations of extreme values', () => {
    const values = [0, -0, 3, -3, 6, 1e-40, -1e-40, 3e38, -3e38, Number.POSITIVE_INFINITY, 65504, -65504];
    const x: Tensor = { data: Float32Array.from(values), shape: [1, 1, 1, values.length] };
    for (const name of ['relu', 'relu6', 'hardSigmoid', 'hardSwish'] as const) {
      expect([...kernels[name](x).data].map((v) => v + 0)).toEqual(
        [...reference.map(x, reference.activations[name]).data].map((v) => v + 0),
      );
    }
  });

  it('sigmoid and swish, from one end of float32 to the other', () => {
    const values = [0, -0, 1e-40, -1e-40, 87, -87, 88.3, -88.3, 89, -89, 104, -104, 3e38, -3e38, Number.POSITIVE_INFINITY];
    for (let v = -90; v < 90; v += 0.0371) values.push(v);
    const x: Tensor = { data: Float32Array.from(values), shape: [1, 1, 1, values.length] };
    const [sigmoid, swish] = [kernels.sigmoid(x), kernels.swish(x)];
    x.data.forEach((v, i) => {
      // What falls below float32's least normal number, 2^-126, may be 0. The product with x rounds once more.
      const near = (actual: number, exact: number, ulps: number) =>
        expect(Math.abs(actual - exact)).toBeLessThanOrEqual(ulps * 2 ** -23 * Math.abs(exact) + 100 * 2 ** -126);
      expect(sigmoid.data[i]).toBe(reference.sigmoidInSteps(v));
      near(sigmoid.data[i] as number, reference.activations.sigmoid(v), 2);
      if (Number.isFinite(v)) near(swish.data[i] as number, v <= -104 ? 0 : reference.activations.swish(v), 3);
    });
    const none: Tensor = { data: Float32Array.of(Number.NaN), shape: [1, 1, 1, 1] };
    expect([kernels.sigmoid(none).data[0], kernels.swish(none).data[0]]).toEqual([Number.NaN, Number.NaN]);
  });

  it('add and multiply, with and without broadcasting', () => {
    for (const shape of SHAPES) {
      for (const other of [shape, [shape[0], 1, 1, shape[3]] as Shape]) {
        const [a, b] = [floats(shape), floats(other)];
        expect(
          difference(
            kernels.add(a, b),
            reference.binary(a, b, (x, y) => x + y),
          ),
        ).toBeLessThan(1e-6);
        expect(
          difference(
            kernels.multiply(a, b),
            reference.binary(a, b, (x, y) => x * y),
          ),
        ).toBeLessThan(1e-6);
      }
    }
  });

  it('globalAveragePool and softmax', () => {
    for (const shape of SHAPES) {
      const x = floats(shape, -20, 20);
      expect(difference(kernels.globalAveragePool(x), reference.globalAveragePool(x))).toBeLessThan(1e-6);
      expect(difference(kernels.softmax(x), reference.softmax(x))).toBeLessThan(1e-6);
    }
    const steep: Tensor = { data: Float32Array.of(1000, 0, -1000, 999), shape: [1, 1, 1, 4] };
    expect(difference(kernels.softmax(steep), reference.softmax(steep))).toBeLessThan(1e-6);
  });

  it('resizeBilinear', () => {
    for (const [shape, height, width] of [
      [[1, 1, 1, 1], 4, 3],
      [[2, 7, 5, 3], 7, 5],
      [[1, 9, 4, 4], 3, 17],
      [[3, 5, 5, 1], 11, 2],
    ] as const) {
      const x = floats(shape);
      expect(difference(kernels.resizeBilinear(x, { height, width }), reference.resizeBilinear(x, { height, width }))).toBeLessThan(2e-6);
    }
  });

  it('squeezeExcite', () => {
    for (const [shape, reduced] of [
      [[1, 1, 1, 8], 8],
      [[3, 7, 5, 13], 3],
      [[1, 14, 14, 40], 24],
    ] as const) {
      const c = shape[3];
      const layers = {
        reduce: { filter: floats([1, 1, c, reduced], -1, 1), bias: uniform(next, reduced) },
        expand: { filter: floats([1, 1, reduced, c], -1, 1), bias: uniform(next, c) },
      };
      const x = floats(shape);
      expect(difference(kernels.squeezeExcite(x, layers), reference.squeezeExcite(x, layers))).toBeLessThan(2e-6);
    }
  });

  for (const dtype of ['int8', 'uint8'] as const) {
    const params = (channels?: number): QuantParams =>
      channels
        ? { dtype, scale: uniform(next, channels, 0.01, 0.1), zeroPoint: Int32Array.from({ length: channels }, () => zero(dtype)) }
        : { dtype, scale: 0.01 + next() * 0.09, zeroPoint: zero(dtype) };

    it(`elementwise kernels, ${dtype}, bit for bit`, () => {
      for (const shape of SHAPES) {
        for (const output of [params(), params(shape[3])]) {
          const real = floats(shape, -9, 9);
          expect(firstDifference(kernels.quantize(real, output), reference.quantize(real, output))).toBeUndefined();
          const [a, b] = [quantized(dtype, shape), quantized(dtype, shape, true)];
          expect(kernels.dequantize(a)).toEqual(reference.dequantize(a));
          expect(firstDifference(kernels.hardSwishInt8(a, output), reference.hardSwishInt8(a, output))).toBeUndefined();
          expect(firstDifference(kernels.sigmoidInt8(a, output), reference.sigmoidInt8(a, output))).toBeUndefined();
          expect(firstDifference(kernels.swishInt8(a, output), reference.swishInt8(a, output))).toBeUndefined();
          expect(firstDifference(kernels.addInt8(a, b, output), reference.addInt8(a, b, output))).toBeUndefined();
          expect(firstDifference(kernels.globalAveragePoolInt8(a, output), reference.globalAveragePoolInt8(a, output))).toBeUndefined();
        }
      }
    });

    it(`squeezeExciteInt8, ${dtype}, within a step of real arithmetic`, () => {
      for (const [shape, reduced] of [
        [[1, 1, 1, 8], 8],
        [[3, 7, 5, 13], 3],
        [[1, 14, 14, 40], 24],
      ] as const) {
        const c = shape[3];
        const layers = {
          reduce: { filter: filterOf(dtype, [1, 1, c, reduced]), bias: uniform(next, reduced) },
          expand: { filter: filterOf(dtype, [1, 1, reduced, c]), bias: uniform(next, c) },
        };
        const x = quantized(dtype, shape);
        const output: QuantParams = { dtype, scale: x.scale, zeroPoint: x.zeroPoint };
        const actual = kernels.squeezeExciteInt8(x, layers, output);
        const expected = reference.quantize(reference.squeezeExciteInt8(x, layers), output);
        const steps = Math.max(...Array.from(expected.data, (q, i) => Math.abs(q - (actual.data[i] as number))));
        expect(steps).toBeLessThanOrEqual(1);
      }
    });
  }

  it('quantize gives not-a-number its zero point and saturates infinities', () => {
    const x: Tensor = { data: Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30), shape: [1, 1, 1, 4] };
    expect([...kernels.quantize(x, { dtype: 'int8', scale: 0.5, zeroPoint: 7 }).data]).toEqual([7, 127, -128, 127]);
  });

  it('wrong operands are refused, and the kernels go on working', () => {
    const x = floats([1, 4, 4, 8]);
    const good = kernels.hardSwish(x);
    const shapeError = expect.objectContaining({ code: 'ERR_SHAPE' });
    const quantError = expect.objectContaining({ code: 'ERR_QUANTIZATION' });
    const q = quantized('int8', [1, 4, 4, 8]);
    for (const [body, error] of [
      [() => kernels.relu({ data: new Float32Array(5), shape: [1, 1, 1, 4] }), shapeError],
      [() => kernels.relu({ data: new Float32Array(0), shape: [0, 1, 1, 4] }), shapeError],
      [() => kernels.relu({ data: new Float32Array(4), shape: [2 ** 20, 2 ** 20, 2 ** 20, 1] }), shapeError],
      [() => kernels.relu({ data: new Float32Array(4), shape: [1, 1, 4] as never }), shapeError],
      [() => kernels.add(x, floats([1, 4, 3, 8])), shapeError],
      [() => kernels.conv2d(x, floats([1, 1, 7, 8])), shapeError],
      [() => kernels.conv2d(x, floats([3, 3, 1, 4]), { groups: 4 }), shapeError],
      [() => kernels.conv2d(x, floats([5, 5, 8, 4]), { padding: 'valid' }), shapeError],
      [() => kernels.conv2d(x, floats([1, 1, 8, 4]), { strides: [0, 1] }), shapeError],
      [() => kernels.conv2d(x, floats([1, 1, 8, 4]), { padding: [-1, 0, 0, 0] }), shapeError],
      [() => kernels.conv2d(x, floats([1, 1, 8, 4]), { activation: 'gelu' as never }), shapeError],
      [() => kernels.conv2d(x, floats([1, 1, 8, 4]), { bias: new Float32Array(3) }), shapeError],
      [() => kernels.resizeBilinear(x, { height: 0, width: 4 }), shapeError],
      [() => kernels.quantize(x, { dtype: 'int8', scale: 0, zeroPoint: 0 }), quantError],
      [() => kernels.quantize(x, { dtype: 'int8', scale: 1, zeroPoint: 128 }), quantError],
      [() => kernels.quantize(x, { dtype: 'int8', scale: new Float32Array(3).fill(1), zeroPoint: 0 }), quantError],
      [() => kernels.hardSwishInt8({ ...q, scale: Number.NaN }, { dtype: 'int8', scale: 1, zeroPoint: 0 }), quantError],
    ] as const) {
      expect(body).toThrow(error);
    }
    expect(kernels.hardSwish(x)).toEqual(good);
  });
});
