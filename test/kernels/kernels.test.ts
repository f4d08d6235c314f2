import type { Kernels, QuantParams, Tensor } from '../../src/kernels/index.js';
import { KernelSet } from '../../src/kernels/kernel-set.js';
import { type Dtype, floatConvolutions, INTEGER_CONVOLUTIONS, type Shape, Values } from './cases.js';
import { difference, firstDifference } from './compare.js';
import { guarded, inShares, MACHINES } from './engines.js';
import * as reference from './reference.js';
import { select } from './select.js';

const DTYPES: readonly Dtype[] = ['int8', 'uint8'];
const SHAPES: Shape[] = [
  [1, 1, 1, 1],
  [1, 1, 1, 1000],
  [3, 7, 5, 3],
  [1, 14, 13, 17],
  [2, 1, 9, 40],
];

describe.each(MACHINES)('kernels, $name', ({ engine, way }) => {
  let kernels: Kernels;
  /** On three threads, none of which may write outside of its output. */
  let shared: Kernels;
  let values: Values;
  beforeAll(async () => {
    kernels = new KernelSet(await engine(), way);
    shared = new KernelSet(inShares(guarded(await engine()), 3), way);
  });
  beforeEach(() => {
    values = new Values(42);
  });

  it('conv2d', () => {
    for (const { x, filter, given, expected } of select(floatConvolutions())) {
      const error = Math.max(...[kernels, shared].map((each) => difference(each.conv2d(x, filter, given), expected)));
      const what = { x: x.shape, filter: filter.shape, options: { ...given, bias: undefined } };
      expect({ ...what, error: error < 2e-6 ? 0 : error }).toEqual({ ...what, error: 0 });
    }
  });

  it.each(DTYPES)('conv2dInt8, %s, bit for bit', (dtype) => {
    for (const { x, filter, given, expected } of select(INTEGER_CONVOLUTIONS[dtype]())) {
      const what = { x: x.shape, filter: filter.shape, options: { ...given, bias: undefined } };
      for (const each of [kernels, shared]) {
        expect({ ...what, first: firstDifference(each.conv2dInt8(x, filter, given), expected) }).toEqual({ ...what, first: undefined });
      }
    }
  });

  it('activations', () => {
    for (const shape of SHAPES) {
      const x = values.floats(shape, -8, 8);
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
        const [a, b] = [values.floats(shape), values.floats(other)];
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
      const x = values.floats(shape, -20, 20);
      expect(difference(kernels.globalAveragePool(x), reference.globalAveragePool(x))).toBeLessThan(1e-6);
      expect(difference(kernels.softmax(x), reference.softmax(x))).toBeLessThan(1e-6);
    }
    for (const values of [
      [1000, 0, -1000, 999],
      [-1000, 0, 1000, 999],
    ]) {
      const steep: Tensor = { data: Float32Array.from(values), shape: [1, 1, 1, 4] };
      expect(difference(kernels.softmax(steep), reference.softmax(steep))).toBeLessThan(1e-6);
    }
  });

  it('resizeBilinear', () => {
    for (const [shape, height, width] of [
      [[1, 1, 1, 1], 4, 3],
      [[2, 7, 5, 3], 7, 5],
      [[1, 9, 4, 4], 3, 17],
      [[3, 5, 5, 1], 11, 2],
    ] as const) {
      const x = values.floats(shape);
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
        reduce: { filter: values.floats([1, 1, c, reduced], -1, 1), bias: values.vector(reduced) },
        expand: { filter: values.floats([1, 1, reduced, c], -1, 1), bias: values.vector(c) },
      };
      const x = values.floats(shape);
      expect(difference(kernels.squeezeExcite(x, layers), reference.squeezeExcite(x, layers))).toBeLessThan(2e-6);
    }
  });

  for (const dtype of DTYPES) {
    it(`elementwise kernels, ${dtype}, bit for bit`, () => {
      for (const shape of SHAPES) {
        for (const output of [values.params(dtype, 0.01, 0.1), values.params(dtype, 0.01, 0.1, shape[3])]) {
          const real = values.floats(shape, -9, 9);
          expect(firstDifference(kernels.quantize(real, output), reference.quantize(real, output))).toBeUndefined();
          const [a, b] = [values.quantized(dtype, shape), values.quantized(dtype, shape, true)];
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
          reduce: { filter: values.filter(dtype, [1, 1, c, reduced]), bias: values.vector(reduced) },
          expand: { filter: values.filter(dtype, [1, 1, reduced, c]), bias: values.vector(c) },
        };
        const x = values.quantized(dtype, shape);
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
    const x = values.floats([1, 4, 4, 8]);
    const good = kernels.hardSwish(x);
    const shapeError = expect.objectContaining({ code: 'ERR_SHAPE' });
    const quantError = expect.objectContaining({ code: 'ERR_QUANTIZATION' });
    const q = values.quantized('int8', [1, 4, 4, 8]);
    for (const [body, error] of [
      [() => kernels.relu({ data: new Float32Array(5), shape: [1, 1, 1, 4] }), shapeError],
      [() => kernels.relu({ data: new Float32Array(0), shape: [0, 1, 1, 4] }), shapeError],
      [() => kernels.relu({ data: new Float32Array(4), shape: [2 ** 20, 2 ** 20, 2 ** 20, 1] }), shapeError],
      [() => kernels.relu({ data: new Float32Array(4), shape: [1, 1, 4] as never }), shapeError],
      [() => kernels.add(x, values.floats([1, 4, 3, 8])), shapeError],
      [() => kernels.conv2d(x, values.floats([1, 1, 7, 8])), shapeError],
      [() => kernels.conv2d(x, values.floats([3, 3, 1, 4]), { groups: 4 }), shapeError],
      [() => kernels.conv2d(x, values.floats([5, 5, 8, 4]), { padding: 'valid' }), shapeError],
      [() => kernels.conv2d(x, values.floats([1, 1, 8, 4]), { strides: [0, 1] }), shapeError],
      [() => kernels.conv2d(x, values.floats([1, 1, 8, 4]), { padding: [-1, 0, 0, 0] }), shapeError],
      [() => kernels.conv2d(x, values.floats([1, 1, 8, 4]), { activation: 'gelu' as never }), shapeError],
      [() => kernels.conv2d(x, values.floats([1, 1, 8, 4]), { bias: new Float32Array(3) }), shapeError],
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
