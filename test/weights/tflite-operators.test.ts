import type { Node } from '../../src/graph/graph.js';
import type { FloatWeights, Network, QuantizedWeights } from '../../src/graph/network.js';
import { Session } from '../../src/runtime/session.js';
import { FlatBuffer } from '../../src/weights/tflite/flatbuffer.js';
import { OPERATORS } from '../../src/weights/tflite/model.js';
import { readTflite } from '../../src/weights/tflite/network.js';
import { type Fields, flatBuffer, type Value } from './flatbuffer-writer.js';
import { storedZip } from './zip-writer.js';

// TensorFlow Lite, one operator at a time. Field numbers are those of schema.fbs.

const TYPES = { float32: 0, float16: 1, int32: 2, uint8: 3, int64: 4, int8: 9 } as const;
const CODES = Object.fromEntries(Object.entries(OPERATORS).map(([code, name]) => [name, Number(code)]));
const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => i + 1);

interface Spec {
  readonly type?: keyof typeof TYPES;
  readonly scales?: readonly number[];
  readonly zeros?: readonly number[];
  readonly axis?: number;
}
type Kept = Float32Array | Uint16Array | Int32Array | Uint8Array | BigInt64Array | Int8Array;
const typeOf = (values: Kept): keyof typeof TYPES => {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Uint16Array) return 'float16';
  if (values instanceof Int32Array) return 'int32';
  if (values instanceof Uint8Array) return 'uint8';
  return values instanceof Int8Array ? 'int8' : 'int64';
};

/** A file in the making: an image of 32 pixels a side, and operators that read it. */
class Bench {
  readonly tensors: Fields[] = [];
  readonly buffers: Fields[] = [{}];
  readonly operators: Fields[] = [];
  readonly codes: number[] = [];
  readonly image: number;

  constructor(spec: Spec = {}, shape: readonly number[] = [1, 32, 32, 3]) {
    this.image = this.tensor(shape, spec);
  }

  tensor(shape: readonly number[], { type = 'float32', scales, zeros, axis }: Spec = {}, values?: Kept): number {
    let buffer = 0;
    if (values) buffer = this.buffers.push({ 0: { bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) } }) - 1;
    const quantization: Fields | undefined = scales && {
      2: { f32s: scales },
      ...(zeros ? { 3: { i64s: zeros } } : {}),
      ...(axis === undefined ? {} : { 6: { i32: axis } }),
    };
    const table: Fields = {
      0: { i32s: shape },
      1: { i8: TYPES[type] },
      2: { i32: buffer },
      ...(quantization ? { 4: { table: quantization } } : {}),
    };
    return this.tensors.push(table) - 1;
  }

  constant = (shape: readonly number[], values: Kept, spec: Spec = {}) => this.tensor(shape, { type: typeOf(values), ...spec }, values);
  number = (value: number) => this.constant([], Float32Array.of(value));

  /** @returns its output, whose shape hardly anyone reads */
  op(name: string, inputs: readonly number[], options: Fields = {}, spec: Spec = {}, shape: readonly number[] = []): number {
    const code = CODES[name] as number;
    if (!this.codes.includes(code)) this.codes.push(code);
    const output = this.tensor(shape, spec);
    this.operators.push({ 0: { i32: this.codes.indexOf(code) }, 1: { i32s: inputs }, 2: { i32s: [output] }, 4: { table: options } });
    return output;
  }

  conv(options: Fields = VALID, inputs: readonly number[] = [this.image]): number {
    return this.op('CONV_2D', [...inputs, this.constant([4, 1, 2, 3], ramp(24)), this.constant([4], ramp(4))], options);
  }

  pool = (input: number, spec: Spec = {}, shape: readonly number[] = []) =>
    this.op('MEAN', [input, this.constant([2], Int32Array.of(1, 2))], {}, spec, shape);

  file(output: number, change: Record<number, Value> = {}, graph: Record<number, Value> = {}): Uint8Array {
    const subgraph: Fields = {
      0: { tables: this.tensors },
      1: { i32s: [this.image] },
      2: { i32s: [output] },
      3: { tables: this.operators },
      ...graph,
    };
    const codes = this.codes.map((code): Fields => ({ 0: { i8: Math.min(code, 127) }, 3: { i32: code } }));
    return flatBuffer({ 0: { i32: 3 }, 1: { tables: codes }, 2: { tables: [subgraph] }, 4: { tables: this.buffers }, ...change }, 'TFL3');
  }
}
const VALID: Fields = { 0: { i8: 1 }, 1: { i32: 1 }, 2: { i32: 1 }, 3: { i8: 0 } };
const DEPTHWISE: Fields = { 0: { i8: 1 }, 1: { i32: 1 }, 2: { i32: 1 }, 3: { i32: 1 }, 4: { i8: 0 } };

const read = (fill: (bench: Bench) => number, spec?: Spec): Network => {
  const bench = new Bench(spec);
  return readTflite(bench.file(fill(bench)));
};
/** The same with a pool behind it, which is left out of the nodes. */
const pooled = (fill: (bench: Bench) => number, spec?: Spec) => read((bench) => bench.pool(fill(bench)), spec);
const nodes = (fill: (bench: Bench) => number, spec?: Spec) => pooled(fill, spec).graph.nodes.slice(0, -1);
const last = (fill: (bench: Bench) => number) => nodes(fill).at(-1);
const weightsOf = <T = FloatWeights>({ weights, graph }: Network, place = 0) => weights.get((graph.nodes[place] as Node).name) as T;

describe('a convolution', () => {
  it('has its window, its strides and its activation', () => {
    const options = { 0: { i8: 0 }, 1: { i32: 3 }, 2: { i32: 2 }, 3: { i8: 3 } };
    expect(nodes((bench) => bench.conv(options))).toMatchObject([
      { kernel: [1, 2], strides: [2, 3], padding: 'same', inputChannels: 3, channels: 4, groups: 1, activation: 'relu6' },
    ]);
    expect(nodes((bench) => bench.conv())).toMatchObject([{ strides: [1, 1], padding: 'valid', activation: 'none' }]);
    expect(nodes((bench) => bench.conv({ ...VALID, 3: { i8: 1 } }))).toMatchObject([{ activation: 'relu' }]);
    expect(nodes((bench) => bench.conv({}))).toMatchObject([{ strides: [1, 1], padding: 'same', activation: 'none' }]);
    const { filter, bias } = weightsOf(pooled((bench) => bench.conv()));
    expect([...filter.slice(0, 6)]).toEqual([1, 7, 13, 19, 2, 8]);
    expect(bias).toEqual(ramp(4));
    const unbiased = pooled((bench) => bench.op('CONV_2D', [bench.image, bench.constant([4, 1, 2, 3], ramp(24)), -1], VALID));
    expect(weightsOf(unbiased).bias).toEqual(new Float32Array(4));
  });

  it('may be depthwise', () => {
    const depthwise = (options: Fields) => (bench: Bench) =>
      bench.op('DEPTHWISE_CONV_2D', [bench.image, bench.constant([1, 2, 1, 3], ramp(6))], options);
    expect(nodes(depthwise({ ...DEPTHWISE, 4: { i8: 1 } }))).toMatchObject([
      { kernel: [2, 1], groups: 3, channels: 3, activation: 'relu' },
    ]);
    expect(weightsOf(pooled(depthwise(DEPTHWISE))).filter).toEqual(ramp(6));
    expect(() => pooled(depthwise({ ...DEPTHWISE, 3: { i32: 2 } }))).toThrow('tflite: a depthwise multiplier above 1.');
    for (const field of [5, 6])
      expect(() => pooled(depthwise({ ...DEPTHWISE, [field]: { i32: 2 } }))).toThrow('tflite: a dilated convolution.');
    expect(nodes(depthwise({ ...DEPTHWISE, 5: { i32: 1 }, 6: { i32: 1 } }))).toHaveLength(1);
  });

  it('is refused where it is dilated, curved, or has no filter', () => {
    for (const field of [4, 5])
      expect(() => pooled((bench) => bench.conv({ ...VALID, [field]: { i32: 2 } }))).toThrow('a dilated convolution.');
    expect(() => pooled((bench) => bench.conv({ ...VALID, 3: { i8: 2 } }))).toThrow('tflite: fused activation 2.');
    for (const inputs of [[0], [0, 0]])
      expect(() => pooled((bench) => bench.op('CONV_2D', inputs, VALID))).toThrow('a CONV_2D whose filter is not');
    const flat = (bench: Bench) => bench.op('CONV_2D', [bench.image, bench.constant([4, 6], ramp(24))], VALID);
    expect(() => pooled(flat)).toThrow('tflite: a CONV_2D has a filter of shape [4,6].');
  });

  it('takes zeros of a PAD over', () => {
    const pad =
      (paddings: readonly number[], values: 'int32' | 'int64' = 'int32') =>
      () =>
        nodes((bench) => {
          const kept = values === 'int32' ? Int32Array.from(paddings) : BigInt64Array.from(paddings.map(BigInt));
          return bench.conv(VALID, [bench.op('PAD', [bench.image, bench.constant([paddings.length / 2, 2], kept)])]);
        });
    expect(pad([0, 0, 1, 2, 3, 4, 0, 0])()).toMatchObject([{ padding: [1, 2, 3, 4] }]);
    expect(pad([0, 0, 1, 2, 3, 4, 0, 0], 'int64')()).toMatchObject([{ padding: [1, 2, 3, 4] }]);
    for (const i of [0, 1, 6, 7])
      expect(pad([0, 0, 1, 2, 3, 4, 0, 0].with(i, 1))).toThrow('tflite: a PAD of more than the sides of an image.');
    expect(pad([0, 0, 1, 2, 3, 4])).toThrow('a PAD of more than the sides');
    expect(() => nodes((bench) => bench.op('PAD', [bench.image]))).toThrow('tflite: an operator lacks an input of integers.');
    expect(() => nodes((bench) => bench.op('PAD', [bench.image, bench.constant([4, 2], ramp(8))]))).toThrow(
      'is float32; int32 was expected.',
    );
  });
});

describe('a fully connected layer', () => {
  const dense = (fill: (bench: Bench, x: number) => number) => read((bench) => fill(bench, bench.pool(bench.image)));
  it('is a matrix, a row a channel', () => {
    const network = dense((bench, x) =>
      bench.op('FULLY_CONNECTED', [x, bench.constant([2, 3], ramp(6)), bench.constant([2], ramp(2))], { 0: { i8: 1 } }),
    );
    expect(network.graph.nodes[1]).toMatchObject({ kernel: [1, 1], strides: [1, 1], channels: 2, activation: 'relu', padding: 'valid' });
    expect(weightsOf(network, 1)).toEqual({ filter: Float32Array.of(1, 4, 2, 5, 3, 6), bias: ramp(2) });
    expect(() => dense((bench, x) => bench.op('FULLY_CONNECTED', [x, bench.constant([1, 2, 3], ramp(6))]))).toThrow(
      'filter of shape [1,2,3].',
    );
  });
});

describe('other operators', () => {
  const swish = (bench: Bench) => bench.op('HARD_SWISH', [bench.conv()]);
  it.each([
    ['HARD_SWISH', 'hardSwish'],
    ['RELU', 'relu'],
    ['RELU6', 'relu6'],
    ['RESHAPE', 'none'],
    ['SQUEEZE', 'none'],
    ['EXPAND_DIMS', 'none'],
    ['QUANTIZE', 'none'],
    ['DEQUANTIZE', 'none'],
  ])('%s leaves the convolution with %s', (name, activation) => {
    expect(nodes((bench) => bench.op(name, [bench.conv()]))).toMatchObject([{ kind: 'conv', activation }]);
  });

  it.each<[string, 'first' | 'second', object]>([
    ['ADD', 'first', { alpha: 1, beta: 4 }],
    ['SUB', 'first', { alpha: -1, beta: 4 }],
    ['SUB', 'second', { alpha: 1, beta: -4 }],
    ['MUL', 'second', { alpha: 4, beta: 0 }],
    ['DIV', 'second', { alpha: 0.25, beta: 0 }],
  ])('%s with a number %s is a line', (name, place, line) => {
    const node = last((bench) => {
      const [x, four] = [swish(bench), bench.number(4)];
      return bench.op(name, place === 'first' ? [four, x] : [x, four], { 0: { i8: 3 } });
    });
    expect(node).toMatchObject({ kind: 'affine', ...line, low: 0, high: 6 });
  });

  it('take numbers of every kind', () => {
    const beta = (fill: (bench: Bench) => number) => {
      const node = last((bench) => bench.op('ADD', [swish(bench), fill(bench)]));
      return node?.kind === 'affine' ? node.beta : undefined;
    };
    expect(beta((bench) => bench.constant([], Uint16Array.of(0x4200)))).toBe(3);
    expect(beta((bench) => bench.op('DEQUANTIZE', [bench.constant([], Uint16Array.of(0x4400))]))).toBe(4);
    expect(beta((bench) => bench.constant([], Int8Array.of(-7), { scales: [0.1], zeros: [3] }))).toBeCloseTo(-1, 7);
    expect(beta((bench) => bench.constant([], Uint8Array.of(200), { scales: [0.5], zeros: [100] }))).toBe(50);
    expect(beta((bench) => bench.constant([], Int8Array.of(-7), { scales: [0.5] }))).toBe(-3.5);
    expect(() => beta((bench) => bench.constant([], Int32Array.of(1)))).toThrow('is int32; weights were expected.');
    expect(() => last((bench) => bench.op('ADD', [bench.image]))).toThrow('tflite: a ADD of 1 inputs.');
  });

  it('pool all pixels, or windows', () => {
    const window = (padding: number, sides: readonly number[]) => {
      const [strideWidth, strideHeight, width, height] = sides.map((side) => ({ i32: side })) as [Value, Value, Value, Value];
      return { 0: { i8: padding }, 1: strideWidth, 2: strideHeight, 3: width, 4: height };
    };
    const kind = (padding: number, ...sides: readonly number[]) =>
      pooled((bench) => bench.op('AVERAGE_POOL_2D', [bench.image], window(padding, sides))).graph.nodes[0];
    expect(kind(1, 1, 1, 32, 32)).toMatchObject({ kind: 'globalAveragePool' });
    expect(kind(1, 3, 2, 4, 8)).toMatchObject({ kind: 'conv', kernel: [8, 4], strides: [2, 3], padding: 'valid' });
    expect(() => kind(0, 3, 2, 4, 8)).toThrow('an average pool of 8x4 windows');
    const mean = (...axes: number[]) =>
      read((bench) => bench.op('MEAN', [bench.image, bench.constant([axes.length], Int32Array.from(axes))]));
    expect(mean(2, 1).graph.nodes).toMatchObject([{ kind: 'globalAveragePool' }]);
    expect(() => mean(1)).toThrow('tflite: a MEAN of other than the whole image.');
    expect(() => mean(2, 3)).toThrow('tflite: a MEAN of other than the whole image.');
  });

  it('end the network', () => {
    const end = (name: string) => read((bench) => bench.op(name, [bench.pool(bench.image)]));
    expect(end('SOFTMAX').graph).toMatchObject({ classes: 3 });
    expect(end('LOGISTIC').graph).toMatchObject({ classes: 3, probabilities: 'sigmoid' });
    expect(end('L2_NORMALIZATION').graph).toMatchObject({ classes: 0 });
  });

  it('transpose what has no values to move', () => {
    const transposed = (shape: readonly number[], ...order: number[]) =>
      read((bench) => bench.op('TRANSPOSE', [bench.pool(bench.image, {}, shape), bench.constant([4], Int32Array.from(order))]));
    expect(transposed([1, 1, 1, 3], 0, 3, 1, 2).graph.nodes).toHaveLength(1);
    expect(transposed([1, 7, 1, 3], 0, 1, 3, 2).graph.nodes).toHaveLength(1);
    expect(() => transposed([1, 7, 1, 3], 0, 3, 1, 2)).toThrow(
      'tflite: a TRANSPOSE of [1,7,1,3] to the order [0,3,1,2]; one that moves values is not read.',
    );
    expect(() => read((bench) => bench.op('TRANSPOSE', [bench.pool(bench.image)]))).toThrow('an operator lacks an input of integers.');
  });

  it('compute shapes of whole numbers, which nobody looks at', () => {
    const shapes = (type: 'int32' | 'float32') =>
      read((bench) => {
        const x = bench.pool(bench.image);
        const shape = bench.op('SHAPE', [x], {}, { type });
        const side = bench.op('STRIDED_SLICE', [shape], {}, { type });
        return bench.op('RESHAPE', [x, bench.op('PACK', [side], {}, { type })]);
      });
    expect(shapes('int32').graph.nodes).toHaveLength(1);
    expect(() => shapes('float32')).toThrow('tflite: a SHAPE of float32.');
  });
});

describe('integers', () => {
  const IMAGE: Spec = { type: 'uint8', scales: [1 / 128], zeros: [128] };
  const OUT: Spec = { type: 'int8', scales: [0.25], zeros: [-28] };
  const filterOf = (bench: Bench, spec: Spec = {}, values: Kept = Int8Array.from({ length: 24 }, (_, i) => i - 12)) =>
    bench.constant([4, 1, 2, 3], values, { scales: [0.5, 1, 2, 4], zeros: [0, 0, 0, 0], axis: 0, ...spec });
  const conv = (bench: Bench, filter = filterOf(bench), bias: Kept = Int32Array.of(5, -6, 7, 8)) =>
    bench.op('CONV_2D', [bench.image, filter, bench.constant([4], bias)], VALID, OUT);
  const whole = (fill: (bench: Bench) => number = conv, spec = IMAGE) => read((bench) => bench.pool(fill(bench), OUT), spec);

  it('are taken as they are, with the ranges of tensors', () => {
    const network = whole();
    expect(weightsOf(network)).toEqual({
      filter: Int8Array.of(-12, -6, 0, 6, -11, -5, 1, 7, -10, -4, 2, 8, -9, -3, 3, 9, -8, -2, 4, 10, -7, -1, 5, 11),
      scale: Float32Array.of(0.5, 1, 2, 4),
      zeroPoint: 0,
      bias: Int32Array.of(5, -6, 7, 8),
    });
    expect(network.lanes.get('input')).toEqual({ scale: 1 / 128, low: -128, high: 127 });
    expect(network.lanes.get((network.graph.nodes[0] as Node).name)).toEqual({ scale: 0.25, low: -100, high: 155 });
    // An 8-bit image is the pixel itself.
    expect(network.preprocessing).toMatchObject({ crop: 0.875, interpolation: 'bilinear' });
    network.preprocessing.mean.forEach((mean) => {
      expect(mean).toBeCloseTo(128 / 255, 9);
    });
    network.preprocessing.std.forEach((std) => {
      expect(std).toBeCloseTo(128 / 255, 9);
    });
  });

  it('of filters may be unsigned, and have one scale', () => {
    const values = Uint8Array.from({ length: 24 }, (_, i) => 120 + i);
    const network = whole((bench) => conv(bench, filterOf(bench, { scales: [2], zeros: [130] }, values)));
    const { filter, scale, zeroPoint } = weightsOf<QuantizedWeights>(network);
    expect([...filter.slice(0, 4)]).toEqual([-8, -2, 4, 10]);
    expect(scale).toEqual(Float32Array.of(2, 2, 2, 2));
    expect(zeroPoint).toBe(2);
    const unbiased = whole((bench) => bench.op('CONV_2D', [bench.image, filterOf(bench)], VALID, OUT));
    expect(weightsOf<QuantizedWeights>(unbiased).bias).toEqual(new Int32Array(4));
  });

  it('of a channel that died give what its bias alone gives', async () => {
    // A converter cuts the bias off where weights of 1e-22 make it larger than an i32.
    const dead = (bench: Bench) => conv(bench, filterOf(bench, { scales: [0.5, 1e-22, 2, 4] }), Int32Array.of(5, -2147483647, 7, 2 ** 20));
    const alone = (bench: Bench) => conv(bench, filterOf(bench, { scales: [0.5, 1e-22, 2, 4] }), Int32Array.of(5, 0, 7, 2 ** 20));
    const results = [];
    for (const fill of [dead, alone]) {
      const session = await Session.create(whole(fill), { threads: 1 });
      const data = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => (i % 17) / 8 - 1);
      const plan = session.infer(() => session.put({ data, shape: [1, 32, 32, 3] }));
      results.push([...session.output(plan.results.embedding)]);
      session.dispose();
    }
    expect(results[0]).toEqual(results[1]);
    expect(results[0]?.[1]).toBe(0);
  });

  it.each<[string, (bench: Bench) => number, string]>([
    ['three scales', (bench) => filterOf(bench, { scales: [1, 2, 3] }), 'has 3 scales for 4 channels.'],
    ['a scale below zero', (bench) => filterOf(bench, { scales: [1, 2, -3, 4] }), 'has 4 scales for 4 channels.'],
    ['an endless scale', (bench) => filterOf(bench, { scales: [1, 2, 1 / 0, 4] }), 'has 4 scales for 4 channels.'],
    ['zero points of their own', (bench) => filterOf(bench, { zeros: [0, 1, 0, 0] }), 'tflite: a filter with a zero point per channel.'],
    ['real numbers', (bench) => bench.constant([4, 1, 2, 3], ramp(24)), 'a quantized tensor meets the float filter'],
  ])('of filters with %s are refused', (_, filter, message) => {
    expect(() => whole((bench) => conv(bench, filter(bench)))).toThrow(message);
  });

  it('are refused beside real numbers', () => {
    expect(() => read((bench) => bench.op('CONV_2D', [bench.image, filterOf(bench)], VALID), IMAGE)).toThrow(
      'has quantized and float tensors.',
    );
    expect(() => whole(conv, {})).toThrow(/CONV_2D \d+ has quantized and float tensors\./);
    expect(() => whole((bench) => conv(bench, filterOf(bench), ramp(4)))).toThrow('is float32; int32 was expected.');
  });

  it('of a filter become real numbers beside real tensors', () => {
    const along = (axis: number, shape: readonly number[], spec: Spec) => {
      const values = new Int8Array(shape.reduce((a, b) => a * b, 1)).fill(1);
      const depthwise = (bench: Bench) =>
        bench.op('DEPTHWISE_CONV_2D', [bench.image, bench.constant(shape, values, { axis, ...spec })], DEPTHWISE);
      return [...weightsOf(pooled(depthwise)).filter];
    };
    expect(along(3, [1, 2, 1, 3], { scales: [1, 2, 3] })).toEqual([1, 2, 3, 1, 2, 3]);
    expect(along(1, [1, 2, 1, 3], { scales: [1, 2] })).toEqual([1, 1, 1, 2, 2, 2]);
    expect(along(3, [1, 2, 1, 3], { scales: [5], zeros: [3] })).toEqual([-10, -10, -10, -10, -10, -10]);
    expect(along(3, [1, 1, 1, 3], { scales: [1, 2, 3], zeros: [1, 0, -1] })).toEqual([0, 2, 6]);
    expect(along(3, [1, 1, 1, 3], { scales: [1, 2, 3], zeros: [2] })).toEqual([-1, -2, -3]);
    expect(() => along(3, [1, 2, 1, 3], { scales: [1, 2] })).toThrow('has 2 scales.');
  });

  it.each<[string, Spec]>([
    ['no scale', { type: 'int8', scales: [] }],
    ['two scales', { type: 'int8', scales: [1, 2] }],
    ['a scale of zero', { type: 'uint8', scales: [0] }],
    ['an endless scale', { type: 'int8', scales: [1 / 0] }],
    ['a zero point far away', { type: 'int8', scales: [1], zeros: [256] }],
    ['nothing', { type: 'uint8' }],
  ])('of an image with %s are refused', (_, spec) => {
    expect(() => read((bench) => bench.pool(bench.image), spec)).toThrow(/tensor 0 is u?int8 and needs one scale above zero; it has \[/);
  });

  it('have 16 bits of range at most, and a zero point of 0 where none is said', () => {
    expect(read((bench) => bench.pool(bench.image), { type: 'int8', scales: [1], zeros: [255] }).lanes.get('input')).toMatchObject({
      low: -383,
      high: -128,
    });
    expect(read((bench) => bench.pool(bench.image), { type: 'uint8', scales: [1] }).lanes.get('input')).toMatchObject({
      low: 0,
      high: 255,
    });
  });
});

describe('a file', () => {
  const fine = () => {
    const bench = new Bench();
    return { bench, output: bench.pool(bench.image) };
  };
  it.each<[string, (bench: Bench, output: number) => Uint8Array, string]>([
    ['two networks', (bench, output) => bench.file(output, { 2: { tables: [{}, {}] } }), 'tflite: 2 subgraphs; one was expected.'],
    ['no network', (bench, output) => bench.file(output, { 2: { tables: [] } }), 'tflite: 0 subgraphs; one was expected.'],
    ['two inputs', (bench, output) => bench.file(output, {}, { 1: { i32s: [0, 0] } }), 'tflite: 2 inputs; one image was expected.'],
    ['no output', (bench, output) => bench.file(output, {}, { 2: { i32s: [] } }), 'tflite: 0 outputs; networks that classify'],
    ['an output that is none', (bench) => bench.file(99), 'tflite: tensor 99 of 3 does not exist.'],
    ['an input that is none', (bench, output) => bench.file(output, {}, { 1: { i32s: [-1] } }), 'tflite: tensor -1 of 3 does not exist.'],
    [
      'an operator of no code',
      (bench, output) => bench.file(output, { 1: { tables: [] } }),
      'tflite: operator undefined of schema.fbs; the networks',
    ],
  ])('of %s is refused', (_, make, message) => {
    const { bench, output } = fine();
    expect(() => readTflite(make(bench, output))).toThrow(message);
  });

  it.each<[string, Fields, string]>([
    ['a name', { 0: { i8: 17 } }, 'tflite: operator MAX_POOL_2D; the networks of the family have none of it.'],
    ['a name beyond old codes', { 0: { i8: 127 }, 3: { i32: 150 } }, 'tflite: operator GELU; the'],
    ['a number', { 0: { i8: 7 } }, 'tflite: operator 7 of schema.fbs; the'],
    ['a name of its own', { 0: { i8: 32 }, 1: { text: 'Decoder' } }, 'tflite: operator Decoder; the'],
    [
      'a compiler',
      { 0: { i8: 32 }, 1: { text: 'edgetpu-custom-op' } },
      'tflite: the file was compiled for the Edge TPU; give the one that it was compiled from, without _edgetpu in its name.',
    ],
  ])('of an operator of another network is refused by %s', (_, code, message) => {
    const { bench, output } = fine();
    expect(() => readTflite(bench.file(output, { 1: { tables: [code] } }))).toThrow(message);
  });

  it('knows operators by old codes and by new ones', () => {
    const { bench, output } = fine();
    for (const code of [{ 0: { i8: 40 } }, { 0: { i8: 40 }, 3: { i32: 0 } }, { 0: { i8: 0 }, 3: { i32: 40 } }])
      expect(readTflite(bench.file(output, { 1: { tables: [code] } })).graph.nodes).toHaveLength(1);
  });

  it('has operators of one output', () => {
    const { bench, output } = fine();
    const [operator] = bench.operators as [Fields];
    const two = { 3: { tables: [{ ...operator, 2: { i32s: [output, output] } }] } };
    expect(() => readTflite(bench.file(output, {}, two))).toThrow('tflite: a MEAN with 2 outputs.');
  });

  it('has tensors of known types, as large as they say', () => {
    const { bench, output } = fine();
    const [image, ...others] = bench.tensors as [Fields, ...Fields[]];
    const odd = { 0: { tables: [{ ...image, 1: { i8: 5 } }, ...others] } };
    expect(() => readTflite(bench.file(output, {}, odd))).toThrow(
      'tensor 0 is of type 5; float32, float16, int32, uint8, int64, int8 are read.',
    );
    const cut = (bench: Bench) => bench.op('ADD', [bench.image, bench.constant([2], ramp(1))]);
    expect(() => pooled(cut)).toThrow(/tflite: tensor 1, float32 \[2\], has 4 bytes; it is truncated or damaged\./);
  });

  const LABELS = storedZip({ 'b.txt': new TextEncoder().encode('x\ny\nz\n'), 'a.txt': new TextEncoder().encode('p\nq\nr') });
  /** Metadata that says how the image is normalised, and which files are labels. */
  const described = (units: readonly Fields[], files: readonly Fields[] = [], zip = LABELS, spec: Spec = {}) => {
    const bench = new Bench(spec);
    const output = bench.op('SOFTMAX', [bench.pool(bench.image)]);
    const input = { 4: { tables: units } };
    const metadata = flatBuffer({ 3: { tables: [{ 2: { tables: [input] }, 3: { tables: [{ 6: { tables: files } }] } }] } });
    const buffer = bench.buffers.push({ 0: { bytes: metadata } }) - 1;
    const entries = [
      { 0: { text: 'other' }, 1: { i32: 0 } },
      { 0: { text: 'TFLITE_METADATA' }, 1: { i32: buffer } },
    ];
    return readTflite(
      new Uint8Array([
        ...bench.file(output, { 6: { tables: entries } }),
        ...shifted(zip, bench.file(output, { 6: { tables: entries } }).length),
      ]),
    );
  };
  /** The archive behind the model, its offsets from the file's start. */
  const shifted = (zip: Uint8Array, by: number) => {
    const bytes = Buffer.from(zip);
    const end = bytes.length - 22;
    bytes.writeUInt32LE(bytes.readUInt32LE(end + 16) + by, end + 16);
    for (let at = bytes.indexOf('PK\x01\x02', 0, 'latin1'); at >= 0; at = bytes.indexOf('PK\x01\x02', at + 1, 'latin1'))
      bytes.writeUInt32LE(bytes.readUInt32LE(at + 42) + by, at + 42);
    return bytes;
  };
  const unit = (mean: readonly number[], std: readonly number[], type = 1): Fields => ({
    0: { i8: type },
    1: { table: { 0: { f32s: mean }, 1: { f32s: std } } },
  });
  const file = (name: string, type = 2, language?: string): Fields => ({
    0: { text: name },
    2: { i8: type },
    ...(language ? { 3: { text: language } } : {}),
  });

  it('may say how its image is normalised', () => {
    expect(described([unit([127.5], [255])]).preprocessing).toMatchObject({ mean: [0.5, 0.5, 0.5], std: [1, 1, 1], crop: 0.875 });
    expect(described([unit([0, 51, 102], [255, 51, 51])]).preprocessing).toMatchObject({ mean: [0, 0.2, 0.4], std: [1, 0.2, 0.2] });
    expect(described([unit([1], [1], 2), unit([0], [255])]).preprocessing).toMatchObject({ mean: [0, 0, 0], std: [1, 1, 1] });
    const slim = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    for (const none of [[], [unit([0], [0])], [unit([0, 0], [255])], [unit([0], [])], [unit([Number.NaN], [255])], [unit([0], [255], 3)]])
      expect(described(none).preprocessing).toMatchObject(slim);
    // An 8-bit image says it by its scale.
    const eight = described([unit([0], [255])], [], LABELS, { type: 'uint8', scales: [1 / 51], zeros: [51] });
    eight.preprocessing.std.forEach((std) => {
      expect(std).toBeCloseTo(0.2, 6);
    });
  });

  it('may bring lists of labels, the likeliest first', () => {
    expect(described([], [file('a.txt')]).labels).toEqual(['p', 'q', 'r']);
    expect(described([], [file('b.txt')]).labels).toEqual(['x', 'y', 'z']);
    expect(described([]).labels).toEqual(['x', 'y', 'z']);
    expect(described([], [file('a.txt', 1)]).labels).toEqual(['x', 'y', 'z']);
    expect(described([], [file('b.txt', 2, 'de'), file('a.txt', 2, 'en')]).labels).toEqual(['p', 'q', 'r']);
    expect(described([], [file('none.txt'), file('a.txt')]).labels).toEqual(['p', 'q', 'r']);
    const short = storedZip({ 'a.txt': new TextEncoder().encode('one\ntwo'), 'b.csv': new TextEncoder().encode('p\nq\nr') });
    expect(described([], [file('a.txt')], short)).not.toHaveProperty('labels');
  });

  it('may have metadata that are damaged, and none', () => {
    const bench = new Bench();
    const output = bench.op('SOFTMAX', [bench.pool(bench.image)]);
    const buffer = bench.buffers.push({ 0: { bytes: Uint8Array.of(255, 255, 255, 255) } }) - 1;
    const entry = { 0: { text: 'TFLITE_METADATA' }, 1: { i32: buffer } };
    const plain = readTflite(bench.file(output));
    expect(readTflite(bench.file(output, { 6: { tables: [entry] } }))).toEqual(plain);
    expect(readTflite(bench.file(output, { 6: { tables: [{ ...entry, 1: { i32: 99 } }] } }))).toEqual(plain);
    expect(plain).not.toHaveProperty('labels');
  });
});

describe('a FlatBuffer', () => {
  const bytes = flatBuffer({
    0: { i8: -3 },
    2: { i32: -70000 },
    3: { text: 'é' },
    4: { i32s: [1, -2] },
    5: { f32s: [0.5, -4] },
    6: { i64s: [-5, 6] },
    7: { bytes: Uint8Array.of(7, 8) },
    8: { table: { 0: { i8: 9 } } },
    9: { tables: [{ 0: { i8: 10 } }, {}] },
  });
  const shifted = new Uint8Array([...new Uint8Array(8), ...bytes]).subarray(8);

  it.each([
    ['at the start of a buffer', bytes],
    ['within one', shifted],
  ])('%s has fields of every kind, and defaults for those that are left out', (_, file) => {
    const root = new FlatBuffer(file).root();
    expect([root.i8(0), root.u8(0), root.i32(2), root.u32(2)]).toEqual([-3, 253, -70000, 2 ** 32 - 70000]);
    expect([root.string(3), root.i32s(4), root.f32s(5), root.i64s(6), [...root.bytes(7)]]).toEqual([
      'é',
      [1, -2],
      [0.5, -4],
      [-5, 6],
      [7, 8],
    ]);
    expect([root.table(8)?.i8(0), ...root.tables(9).map((table) => table.i8(0, -1))]).toEqual([9, 10, -1]);
    for (const none of [1, 10, 1000]) {
      expect([root.i8(none), root.u8(none, 4), root.i32(none, 5), root.u32(none, 6)]).toEqual([0, 4, 5, 6]);
      expect([root.string(none), root.i32s(none), root.tables(none), root.table(none)]).toEqual(['', [], [], undefined]);
    }
  });

  it('never reads beyond its end', () => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      try {
        const root = new FlatBuffer(cut).root();
        for (let field = 0; field < 10; field++) [root.i32(field), root.string(field), root.i64s(field), root.tables(field)];
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_MODEL_FORMAT' });
      }
    }
    const short = new FlatBuffer(Uint8Array.of(1, 2, 3, 4));
    expect(short.u32(0)).toBe(0x04030201);
    expect(() => short.u32(1)).toThrow('tflite: the file points to byte 5 of 4; it is truncated or damaged.');
    expect(() => short.u8(-1)).toThrow('points to byte 0 of 4');
    expect(() => short.slice(2, 3)).toThrow('points to byte 5 of 4');
    expect([...short.slice(2, 2)]).toEqual([3, 4]);
  });
});
