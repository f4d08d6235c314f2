import type { Node } from '../../src/graph/graph.js';
import type { FloatWeights, Network, QuantizedWeights } from '../../src/graph/network.js';
import { type OnnxTensor, readModel } from '../../src/weights/onnx/model.js';
import { readOnnx } from '../../src/weights/onnx/network.js';
import { fieldsOf, numbersOf } from '../../src/weights/onnx/protobuf.js';
import { type Attribute, bytes, integer, message, Writer } from './onnx-writer.js';

// ONNX, one operator at a time.

const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => i + 1);
const ints = (...values: number[]) => BigInt64Array.from(values.map(BigInt));

/** What is there for every operator: x is a convolution of the image to 4 channels. */
class Bench extends Writer {
  readonly w = this.constant('w', [4, 3, 1, 2], ramp(24));
  readonly b = this.constant('b', [4], ramp(4));
  readonly scale = this.number('scale', 0.5);
  readonly zero = this.constant('zero', [], Uint8Array.of(100));
  op(operator: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}, output = `${operator}.${inputs[0]}`): string {
    return this.node(operator, inputs, [output], attributes);
  }
  conv = (attributes: Record<string, Attribute> = {}, inputs = ['input', 'w', 'b']) => this.op('Conv', inputs, attributes, 'x');
  quantized = (x: string, output = `${x}/dq`, by = [this.scale, this.zero]) =>
    this.op('DequantizeLinear', [this.op('QuantizeLinear', [x, ...by], {}, `${output}/q`), ...by], {}, output);
}
const read = (fill: (bench: Bench) => string): Network => {
  const bench = new Bench();
  return readOnnx(bench.finish('input', 32, [fill(bench)], 13));
};
/** The same with a pool behind it, which is left out of the nodes. */
const pooled = (fill: (bench: Bench) => string) => read((bench) => bench.op('GlobalAveragePool', [fill(bench)], {}, 'pool'));
const nodes = (fill: (bench: Bench) => string) => pooled(fill).graph.nodes.slice(0, -1);
const last = (fill: (bench: Bench) => string) => nodes(fill).at(-1);
const weightsOf = <T = FloatWeights>({ weights, graph }: Network, place = 0) => weights.get((graph.nodes[place] as Node).name) as T;

describe('a convolution', () => {
  it('has its window, and defaults where nothing is said', () => {
    const window = { strides: [2, 3], pads: [1, 2, 3, 4], dilations: [1, 1], group: 1 };
    expect(nodes((bench) => bench.conv(window))).toMatchObject([
      { kernel: [1, 2], strides: [2, 3], padding: [1, 3, 2, 4], inputChannels: 3, channels: 4, groups: 1, activation: 'none' },
    ]);
    expect(nodes((bench) => bench.conv())).toMatchObject([{ strides: [1, 1], padding: 'valid' }]);
    expect(nodes((bench) => bench.conv({ auto_pad: 'SAME_UPPER' }))).toMatchObject([{ padding: 'same' }]);
    for (const auto_pad of ['NOTSET', 'VALID', ''])
      expect(nodes((bench) => bench.conv({ auto_pad }))).toMatchObject([{ padding: 'valid' }]);
    const { filter, bias } = weightsOf(pooled((bench) => bench.conv()));
    expect([...filter.slice(0, 6)]).toEqual([1, 7, 13, 19, 3, 9]);
    expect(bias).toEqual(ramp(4));
    expect(weightsOf(pooled((bench) => bench.conv({}, ['input', 'w']))).bias).toEqual(new Float32Array(4));
  });

  it('may be depthwise', () => {
    const depthwise = (bench: Bench) => bench.conv({ group: 3 }, ['input', bench.constant('d', [3, 1, 1, 2], ramp(6))]);
    expect(nodes(depthwise)).toMatchObject([{ groups: 3, channels: 3, kernel: [1, 2] }]);
    expect([...weightsOf(pooled(depthwise)).filter]).toEqual([1, 3, 5, 2, 4, 6]);
  });

  it.each<[string, Record<string, Attribute>, string]>([
    ['dilated', { dilations: [1, 2] }, 'onnx: a Conv that is dilated or cut off.'],
    ['cut off', { pads: [0, -1, 0, 0] }, 'a Conv that is dilated or cut off.'],
    ['of one dimension', { strides: [1] }, 'a Conv that is dilated or cut off.'],
    ['padded at the top', { auto_pad: 'SAME_LOWER' }, 'onnx: padding SAME_LOWER.'],
  ])('that is %s is refused', (_, attributes, message) => {
    expect(() => pooled((bench) => bench.conv(attributes))).toThrow(message);
  });

  it('has a filter of four sides, and a bias a channel', () => {
    const shaped = (shape: number[]) => () => pooled((bench) => bench.conv({}, ['input', bench.constant('v', shape, ramp(4))]));
    expect(shaped([4])).toThrow('onnx: a Conv of a filter of shape [4].');
    expect(shaped([1, 1, 1, 2, 2])).toThrow('onnx: a Conv of a filter of shape [1,1,1,2,2].');
    expect(() => pooled((bench) => bench.conv({}, ['input', bench.constant('v', [4, 0, 1, 1], ramp(0))]))).toThrow('shape [4,0,1,1].');
    expect(() => pooled((bench) => bench.conv({}, ['input', 'w', bench.constant('c', [3], ramp(3))]))).toThrow('3 biases for 4 channels.');
    expect(() => pooled((bench) => bench.conv({}, ['input', 'input']))).toThrow('onnx: input 1 of Conv "x" is not in the file.');
  });
});

describe('a matrix', () => {
  const dense = (fill: (bench: Bench, x: string) => string) =>
    read((bench) => fill(bench, bench.op('Flatten', [bench.op('GlobalAveragePool', ['input'])], {}, 'flat')));
  it('is a fully connected layer', () => {
    const gemm = dense((bench, x) =>
      bench.op('Gemm', [x, bench.constant('m', [2, 3], ramp(6)), bench.constant('c', [2], ramp(2))], { transB: 1 }),
    );
    expect(gemm.graph).toMatchObject({ classes: 2, nodes: [{ kind: 'globalAveragePool' }, { kind: 'conv', kernel: [1, 1], channels: 2 }] });
    expect([...weightsOf(gemm, 1).filter]).toEqual([1, 4, 2, 5, 3, 6]);
    expect(weightsOf(gemm, 1).bias).toEqual(ramp(2));
    for (const operator of ['Gemm', 'MatMul'])
      expect([
        ...weightsOf(
          dense((bench, x) => bench.op(operator, [x, bench.constant('m', [3, 2], ramp(6))])),
          1,
        ).filter,
      ]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('of an image goes channel by channel', () => {
    const network = read((bench) => {
      const x = bench.conv({ strides: [31, 31] });
      return bench.op('Gemm', [bench.op('Flatten', [x]), bench.constant('m', [1, 8], ramp(8))], { transB: 1 });
    });
    // [2, 1] pixels of 4 channels
    expect(network.graph.nodes[1]).toMatchObject({ kernel: [2, 1], inputChannels: 4, channels: 1 });
    expect([...weightsOf(network, 1).filter]).toEqual([1, 3, 5, 7, 2, 4, 6, 8]);
  });

  it('is not scaled', () => {
    const gemm =
      (attributes: Record<string, Attribute>, shape = [3, 2]) =>
      () =>
        dense((bench, x) => bench.op('Gemm', [x, bench.constant('m', shape, ramp(6))], attributes));
    expect(gemm({ alpha: { float: 1 }, beta: { float: 1 }, transA: 0 })).not.toThrow();
    for (const bad of [{ alpha: { float: 2 } }, { beta: { float: 0.5 } }, { transA: 1 }])
      expect(gemm(bad)).toThrow('onnx: a Gemm that scales or transposes its input.');
    expect(gemm({}, [6])).toThrow('onnx: a Gemm with a matrix of shape [6].');
  });

  it('may be turned first', () => {
    const turned = dense((bench, x) => {
      const m = bench.op('Transpose', [bench.constant('m', [2, 3], ramp(6))], { perm: [1, 0] });
      return bench.op('MatMul', [x, m]);
    });
    expect([...weightsOf(turned, 1).filter]).toEqual([1, 4, 2, 5, 3, 6]);
    const cube = (bench: Bench, x: string) => bench.op('MatMul', [x, bench.op('Transpose', [bench.constant('m', [1, 2, 3], ramp(6))])]);
    expect(() => dense(cube)).toThrow('onnx: a Transpose of the constant "m" of shape [1,2,3].');
    const whole = (bench: Bench, x: string) => bench.op('MatMul', [x, bench.op('Transpose', [bench.constant('m', [3, 1], ints(1, 2, 3))])]);
    expect(() => dense(whole)).toThrow('onnx: a Transpose of the constant "m" of shape [3,1].');
  });
});

describe('arithmetic', () => {
  const swish = (bench: Bench) => bench.op('HardSwish', [bench.conv()], {}, 's');
  it.each<[string, 'first' | 'second', object]>([
    ['Add', 'first', { alpha: 1, beta: 4 }],
    ['Sub', 'first', { alpha: -1, beta: 4 }],
    ['Sub', 'second', { alpha: 1, beta: -4 }],
    ['Mul', 'second', { alpha: 4, beta: 0 }],
    ['Div', 'second', { alpha: 0.25, beta: 0 }],
  ])('%s with a number %s is a line', (operator, place, line) => {
    const node = last((bench) => {
      const [x, four] = [swish(bench), bench.number('four', 4)];
      return bench.op(operator, place === 'first' ? [four, x] : [x, four]);
    });
    expect(node).toMatchObject({ kind: 'affine', ...line });
  });

  it('takes numbers of every kind, from the file and from nodes', () => {
    const beta = (fill: (bench: Bench) => string) => {
      const node = last((bench) => bench.op('Add', [swish(bench), fill(bench)]));
      return node?.kind === 'affine' ? node.beta : undefined;
    };
    expect(beta((bench) => bench.constant('c', [], ints(-3)))).toBe(-3);
    expect(beta((bench) => bench.constant('c', [1], Int32Array.of(-4)))).toBe(-4);
    expect(beta((bench) => bench.node('Constant', [], ['c'], { value_float: { float: 2.5 } }))).toBe(2.5);
    expect(beta((bench) => bench.node('Constant', [], ['c'], { value_int: 7 }))).toBe(7);
    expect(beta((bench) => bench.node('Constant', [], ['c'], { value_ints: [8] }))).toBe(8);
    expect(beta((bench) => bench.op('Identity', [bench.number('c', 9)]))).toBe(9);
    expect(beta((bench) => bench.op('Mul', [bench.number('c', 3), bench.number('d', 4)]))).toBe(12);
    const dequantized = (bench: Bench) =>
      bench.op('DequantizeLinear', [
        bench.constant('c', [], Int8Array.of(-20)),
        bench.number('cs', 0.5),
        bench.constant('cz', [], Int8Array.of(4)),
      ]);
    expect(beta(dequantized)).toBe(-12);
  });

  it('with a value a channel goes into the convolution', () => {
    const network = pooled((bench) => bench.op('Add', [bench.conv(), bench.constant('c', [1, 4, 1, 1], ramp(4))]));
    expect(network.graph.nodes).toHaveLength(2);
    expect(weightsOf(network).bias).toEqual(Float32Array.of(2, 4, 6, 8));
  });

  it('Min and Max are clamps', () => {
    for (const swap of [false, true]) {
      const clamp = (operator: string) =>
        last((bench) => {
          const operands = [swish(bench), bench.number('four', 4)];
          return bench.op(operator, swap ? operands.reverse() : operands);
        });
      expect(clamp('Min')).toMatchObject({ kind: 'affine', alpha: 1, beta: 0, high: 4 });
      expect(clamp('Max')).toMatchObject({ kind: 'affine', alpha: 1, beta: 0, low: 4 });
      expect(clamp('Min')).not.toHaveProperty('low');
    }
  });
});

describe('activations', () => {
  const after = (operator: string, attributes: Record<string, Attribute> = {}, more: (bench: Bench) => string[] = () => []) =>
    last((bench) => bench.op(operator, [bench.conv(), ...more(bench)], attributes));
  it('are those of the convolution', () => {
    expect(after('Relu')).toMatchObject({ activation: 'relu' });
    expect(after('HardSwish')).toMatchObject({ activation: 'hardSwish' });
    expect(after('Clip', { min: { float: 0 }, max: { float: 6 } })).toMatchObject({ activation: 'relu6' });
    expect(after('Clip', {}, (bench) => [bench.number('0', 0), bench.number('6', 6)])).toMatchObject({ activation: 'relu6' });
    expect(after('Clip', { min: { float: 0 } })).toMatchObject({ kind: 'conv', activation: 'relu' });
    expect(after('Clip', { min: { float: -1 }, max: { float: 6 } })).toMatchObject({ kind: 'affine', low: -1, high: 6 });
    expect(after('Clip', {}, (bench) => ['', bench.number('5', 5)])).toMatchObject({ kind: 'affine', high: 5 });
    const sigmoid = after('HardSigmoid', { alpha: { float: Math.fround(1 / 6) } });
    expect(sigmoid).toMatchObject({ kind: 'conv', activation: 'hardSigmoid' });
    const plain = pooled((bench) => bench.op('HardSigmoid', [bench.conv()]));
    expect(plain.graph.nodes[0]).toMatchObject({ activation: 'hardSigmoid' });
    // 0.2 x + 0.5 is h-sigmoid of 1.2 x.
    expect(weightsOf(plain).filter[0]).toBeCloseTo(1.2, 5);
    expect(weightsOf(pooled((bench) => bench.op('HardSigmoid', [bench.conv()], { beta: { float: 0.75 } }))).bias[0]).toBeCloseTo(2.7, 5);
  });

  it('at the end are probabilities', () => {
    const end = (operator: string) => read((bench) => bench.op(operator, [bench.op('GlobalAveragePool', ['input'])]));
    expect(end('Softmax').graph).toMatchObject({ classes: 3 });
    expect(end('Sigmoid').graph).toMatchObject({ classes: 3, probabilities: 'sigmoid' });
    expect(end('LpNormalization').graph).toMatchObject({ classes: 0 });
    expect(() => end('Tanh')).toThrow('onnx: operator Tanh; the networks of the family have none of it.');
  });
});

describe('other operators', () => {
  it('normalize a batch', () => {
    const gain = (attributes: Record<string, Attribute>) => {
      const network = pooled((bench) => {
        const [variance, mean] = [
          bench.constant('v', [4], Float32Array.of(0, 0, 0, 3)),
          bench.constant('m', [4], Float32Array.of(0, 0, 0, 4)),
        ];
        return bench.op('BatchNormalization', [bench.conv(), 'b', 'b', mean, variance], attributes);
      });
      return [weightsOf(network).filter[0], weightsOf(network).bias[3]];
    };
    expect(gain({ epsilon: { float: 1 } })).toEqual([1, 4]);
    expect(gain({})[0]).toBeCloseTo(1 / Math.sqrt(1e-5), 2);
  });

  it.each(['Identity', 'Flatten', 'Reshape', 'Squeeze', 'Unsqueeze', 'Dropout', 'Cast'])('%s leaves values as they are', (operator) => {
    expect(nodes((bench) => bench.op(operator, [bench.conv()]))).toHaveLength(1);
  });

  it('turn an image whose layout is known', () => {
    const turned = (perm: number[]) => () => nodes((bench) => bench.op('Transpose', [bench.conv()], { perm }));
    for (const known of [
      [0, 3, 1, 2],
      [0, 2, 3, 1],
    ])
      expect(turned(known)()).toHaveLength(1);
    expect(turned([0, 1, 3, 2])).toThrow('onnx: a Transpose to the order [0,1,3,2].');
    expect(turned([])).toThrow('onnx: a Transpose to the order [].');
    expect(
      read((bench) => bench.op('Transpose', [bench.op('GlobalAveragePool', ['input'])], { perm: [3, 2, 1, 0] })).graph.nodes,
    ).toHaveLength(1);
  });

  it('pad in front of a convolution', () => {
    const pads = [0, 0, 1, 2, 0, 0, 3, 4];
    for (const how of ['attribute', 'constant'] as const) {
      const padded = (sides: number[], mode?: string) => () =>
        nodes((bench) => {
          const attributes = { ...(how === 'attribute' ? { pads: sides } : {}), ...(mode ? { mode } : {}) };
          const more = how === 'attribute' ? [] : [bench.constant('pads', [sides.length], ints(...sides))];
          return bench.conv({}, [bench.op('Pad', ['input', ...more], attributes), 'w']);
        });
      expect(padded(pads)()).toMatchObject([{ padding: [1, 3, 2, 4] }]);
      expect(padded(pads, 'constant')()).toHaveLength(1);
      expect(padded(pads, 'reflect')).toThrow('onnx: a Pad of [0,0,1,2,0,0,3,4].');
      for (const i of [0, 1, 4, 5]) expect(padded(pads.with(i, 1))).toThrow('onnx: a Pad of [');
      expect(padded([0, 0, 1, 2])).toThrow('onnx: a Pad of [0,0,1,2].');
    }
  });

  it('pad with zeros', () => {
    const padded = (value: number, how: 'attribute' | 'constant') => () =>
      nodes((bench) => {
        const more = how === 'attribute' ? [] : [bench.constant('pads', [8], ints(0, 0, 1, 1, 0, 0, 1, 1)), bench.number('v', value)];
        const attributes: Record<string, Attribute> =
          how === 'attribute' ? { pads: [0, 0, 1, 1, 0, 0, 1, 1], value: { float: value } } : {};
        return bench.conv({}, [bench.op('Pad', ['input', ...more], attributes), 'w']);
      });
    for (const how of ['attribute', 'constant'] as const) {
      expect(padded(0, how)()).toMatchObject([{ padding: [1, 1, 1, 1] }]);
      expect(padded(-1, how)).toThrow('onnx: a Pad with -1; zeros were expected.');
    }
  });

  it('pad the sides that an image has where its channels are last', () => {
    const [first, last] = [
      [0, 3, 1, 2],
      [0, 2, 3, 1],
    ] as const;
    const padded = (pads: number[], turns: readonly (readonly number[])[]) => () =>
      nodes((bench) => {
        const turned = turns.reduce((x, perm, i) => bench.op('Transpose', [x], { perm }, `turned${i}`), 'input');
        const half = bench.op('Mul', [turned, bench.number('half', 0.5)]);
        return bench.conv({}, [bench.op('Transpose', [bench.op('Pad', [half], { pads })], { perm: first }, 'first'), 'w']);
      }).at(-1);
    expect(padded([0, 1, 2, 0, 0, 3, 4, 0], [last])()).toMatchObject({ padding: [1, 3, 2, 4] });
    expect(padded([0, 0, 1, 2, 0, 0, 3, 4], [last, first])()).toMatchObject({ padding: [1, 3, 2, 4] });
    expect(padded([0, 0, 1, 2, 0, 0, 3, 4], [last])).toThrow('onnx: a Pad of [0,0,1,2,0,0,3,4].');
    expect(padded([0, 1, 2, 0, 0, 3, 4, 0], [last, first])).toThrow('onnx: a Pad of [0,1,2,0,0,3,4,0].');
  });

  it('pool', () => {
    const kind = (operator: string, attributes: Record<string, Attribute>, more: (bench: Bench) => string[] = () => []) =>
      read((bench) => bench.op('GlobalAveragePool', [bench.op(operator, ['input', ...more(bench)], attributes)])).graph.nodes[0];
    expect(kind('AveragePool', { kernel_shape: [32, 32] })).toMatchObject({ kind: 'globalAveragePool' });
    expect(kind('AveragePool', { kernel_shape: [4, 2], strides: [2, 1] })).toMatchObject({ kind: 'conv', kernel: [4, 2], strides: [2, 1] });
    for (const axes of [
      [2, 3],
      [-1, -2],
      [1, 2],
    ]) {
      expect(kind('ReduceMean', {}, (bench) => [bench.constant('axes', [2], ints(...axes))])).toMatchObject({ kind: 'globalAveragePool' });
      if (axes.every((axis) => axis > 0)) expect(kind('ReduceMean', { axes })).toMatchObject({ kind: 'globalAveragePool' });
    }
    expect(() => kind('ReduceMean', { axes: [3] })).toThrow('onnx: a ReduceMean over axes 3.');
    expect(() => kind('ReduceMean', {})).toThrow('onnx: a ReduceMean over axes .');
  });

  it('compute shapes, which nobody looks at', () => {
    const network = read((bench) => {
      const x = bench.op('GlobalAveragePool', [bench.conv()]);
      const shape = bench.op('Gather', [bench.op('Shape', [x]), bench.constant('0', [], ints(0))]);
      return bench.op('Reshape', [x, bench.op('Concat', [bench.op('Unsqueeze', [shape]), bench.constant('-1', [1], ints(-1))])]);
    });
    expect(network.graph.nodes).toHaveLength(2);
  });
});

describe('integers', () => {
  /** A quantized x, by steps of an eighth. */
  const [OUT, OUT_ZERO] = [0.125, 30];
  const qdqConv = (
    bench: Bench,
    activation?: (x: string) => string,
    zeros: Int8Array | Uint8Array = new Int8Array(4),
    kept?: Uint8Array,
    last = 4,
  ) => {
    const scales = bench.constant('ws', [4], Float32Array.of(0.5, 1, 2, last));
    const integers = bench.constant('wq', [4, 3, 1, 1], kept ?? Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -12));
    const filter = bench.op('DequantizeLinear', [integers, scales, bench.constant('wz', [zeros.length], zeros)], { axis: 0 }, 'w/dq');
    const x = bench.conv({}, [bench.quantized('input'), filter, bench.b]);
    return bench.quantized(activation ? activation(x) : x, 'y', [
      bench.number('os', OUT),
      bench.constant('oz', [], Uint8Array.of(OUT_ZERO)),
    ]);
  };
  const lanes = { scale: OUT, low: -OUT_ZERO, high: 255 - OUT_ZERO };

  it('are finer where a sum reads what is quantized for others alone', () => {
    const network = pooled((bench) => {
      const rounded = qdqConv(bench);
      return bench.quantized(bench.op('Add', [rounded, 'x'], {}, 'sum'), 'z');
    });
    const [conv, add] = network.graph.nodes as [Node, Node];
    expect(network.lanes.get(conv.name)).toEqual({ scale: OUT / 64, low: -OUT_ZERO * 64, high: (255 - OUT_ZERO) * 64 });
    expect(network.lanes.get(add.name)).toEqual({ scale: 0.5, low: -100, high: 155 });
  });

  it('between quantized tensors are integers', () => {
    const network = pooled((bench) => qdqConv(bench));
    expect(network.lanes.get('input')).toEqual({ scale: 0.5, low: -100, high: 155 });
    expect(network.lanes.get((network.graph.nodes[0] as Node).name)).toEqual(lanes);
    expect(weightsOf<QuantizedWeights>(network)).toEqual({
      filter: Int8Array.of(1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, -12),
      scale: Float32Array.of(0.5, 1, 2, 4),
      zeroPoint: 0,
      bias: Int32Array.of(4, 4, 3, 2),
    });
  });

  it('take uint8 filters, and one zero point', () => {
    const kept = Uint8Array.from({ length: 12 }, (_, i) => 250 + (i % 4));
    const network = pooled((bench) => qdqConv(bench, undefined, Uint8Array.of(129, 129, 129, 129), kept));
    const { filter, zeroPoint } = weightsOf<QuantizedWeights>(network);
    expect(zeroPoint).toBe(1);
    expect([...filter]).toEqual([122, 125, 124, 123, 123, 122, 125, 124, 124, 123, 122, 125]);
    // Channels of other zero points are read as real numbers.
    const real = pooled((bench) => qdqConv(bench, undefined, Uint8Array.of(129, 128, 129, 129), kept));
    expect(weightsOf(real).filter).toBeInstanceOf(Float32Array);
    expect(weightsOf(real).filter[1]).toBe(253 - 128);
  });

  it('keep the bias of a channel whose weights are next to nothing beside it', () => {
    const { filter, scale, bias } = weightsOf<QuantizedWeights>(pooled((bench) => qdqConv(bench, undefined, undefined, undefined, 1e-20)));
    expect([filter[3], filter[7], filter[11]]).toEqual([0, 0, 0]);
    expect((bias[3] as number) * (scale[3] as number) * 0.5).toBeCloseTo(4, 6);
    expect([...bias.slice(0, 3)]).toEqual([4, 4, 3]);
    const endless = (bench: Bench) => qdqConv(bench, undefined, undefined, undefined, Number.POSITIVE_INFINITY);
    expect(() => pooled(endless)).toThrow('onnx: the weights of "x" hold values that are not finite.');
  });

  it('take the activation between them over', () => {
    for (const [operator, attributes, activation] of [
      ['Relu', {}, 'relu'],
      ['Clip', { min: { float: 0 }, max: { float: 6 } }, 'relu6'],
    ] as const) {
      const network = pooled((bench) => qdqConv(bench, (x) => bench.op(operator, [x], attributes)));
      expect(network.graph.nodes[0]).toMatchObject({ kind: 'conv', activation });
      expect(network.graph.nodes).toHaveLength(2);
      expect(network.lanes.get((network.graph.nodes[0] as Node).name)).toEqual(lanes);
    }
    const other = pooled((bench) => qdqConv(bench, (x) => bench.op('Clip', [x], { min: { float: 0 }, max: { float: 5 } })));
    expect(other.graph.nodes.map(({ kind }) => kind)).toEqual(['conv', 'affine', 'globalAveragePool']);
  });

  const microsoft = (bench: Bench, operator: string, inputs: readonly string[], output: string, attributes = {}) =>
    bench.node(operator, inputs, [output], attributes, 'com.microsoft');
  it('are what QLinear operators compute with', () => {
    const network = read((bench) => {
      const by = [bench.scale, bench.zero];
      const q = bench.op('QuantizeLinear', ['input', ...by], {}, 'q');
      const filter = [
        bench.constant(
          'wq',
          [3, 3, 1, 1],
          Int8Array.from({ length: 9 }, (_, i) => i),
        ),
        bench.number('ws', 2),
        bench.constant('wz', [], Int8Array.of(3)),
      ];
      const out = [bench.number('os', OUT), bench.constant('oz', [], Int8Array.of(-28))];
      const c = bench.op('QLinearConv', [q, ...by, ...filter, ...out, bench.constant('qb', [3], Int32Array.of(5, -6, 7))], {}, 'c');
      const a = microsoft(bench, 'QLinearAdd', [c, ...out, q, ...by, ...by], 'a');
      const m = microsoft(bench, 'QLinearMul', [a, ...by, c, ...out, ...out], 'm');
      const p = microsoft(bench, 'QLinearGlobalAveragePool', [m, ...out, ...by], 'p', { channels_last: 0 });
      const gemm = [
        p,
        ...by,
        bench.constant('m', [2, 3], Int8Array.of(1, 2, 3, 4, 5, 6)),
        bench.number('ms', 4),
        bench.constant('mz', [], Int8Array.of(0)),
      ];
      const g = microsoft(bench, 'QGemm', [...gemm, bench.constant('gb', [2], Int32Array.of(9, 8)), ...out], 'g', { transB: 1 });
      return bench.op('DequantizeLinear', [g, ...out], {}, 'logits');
    });
    const [conv, add, product, pool, dense] = network.graph.nodes as [Node, Node, Node, Node, Node];
    expect([conv, add, product, pool, dense].map(({ kind }) => kind)).toEqual(['conv', 'add', 'multiply', 'globalAveragePool', 'conv']);
    expect(weightsOf(network, 0)).toEqual({
      filter: Int8Array.of(0, 3, 6, 1, 4, 7, 2, 5, 8),
      scale: Float32Array.of(2, 2, 2),
      zeroPoint: 3,
      bias: Int32Array.of(5, -6, 7),
    });
    expect(weightsOf(network, 4)).toMatchObject({ filter: Int8Array.of(1, 4, 2, 5, 3, 6), bias: Int32Array.of(9, 8) });
    const own = { scale: OUT, low: -100, high: 155 };
    expect(network.lanes.get(conv.name)).toEqual(own);
    expect(network.lanes.get(product.name)).toEqual(own);
    const input = { scale: 0.5, low: -100, high: 155 };
    expect([add, pool].map(({ name }) => network.lanes.get(name))).toEqual([input, input]);
    // Logits are in finer steps.
    expect(network.lanes.get(dense.name)).toEqual({ scale: OUT / 64, low: -6400, high: 9920 });
  });

  it('in a QLinearMatMul have no bias, and a QGemm may end in real numbers', () => {
    const ends = (fill: (bench: Bench, q: string, by: readonly string[]) => string) =>
      read((bench) => {
        const by = [bench.scale, bench.zero];
        const p = microsoft(bench, 'QLinearGlobalAveragePool', [bench.op('QuantizeLinear', ['input', ...by], {}, 'q'), ...by, ...by], 'p');
        return fill(bench, p, by);
      });
    const matrix = (bench: Bench) => [
      bench.constant('m', [3, 2], Int8Array.of(1, 2, 3, 4, 5, 6)),
      bench.constant('ms', [2], Float32Array.of(4, 8)),
      bench.constant('mz', [2], Int8Array.of(0, 0)),
    ];
    const product = ends((bench, p, by) => bench.op('QLinearMatMul', [p, ...by, ...matrix(bench), ...by]));
    expect(weightsOf(product, 1)).toEqual({
      filter: Int8Array.of(1, 2, 3, 4, 5, 6),
      scale: Float32Array.of(4, 8),
      zeroPoint: 0,
      bias: Int32Array.of(0, 0),
    });
    const real = ends((bench, p, by) =>
      microsoft(
        bench,
        'QGemm',
        [
          p,
          ...by,
          ...matrix(bench).slice(0, 1),
          bench.number('s', 4),
          bench.constant('z', [], Int8Array.of(1)),
          bench.constant('gb', [2], Int32Array.of(3, 5)),
        ],
        'g',
      ),
    );
    expect(weightsOf(real, 1)).toEqual({ filter: Float32Array.of(0, 4, 8, 12, 16, 20), bias: Float32Array.of(6, 10) });
  });

  it('of dynamic quantization are real numbers', () => {
    const network = pooled((bench) => {
      bench.node('DynamicQuantizeLinear', ['input'], ['q', 's', 'z']);
      const filter = bench.constant('wq', [2, 3, 1, 1], Uint8Array.of(1, 2, 3, 4, 5, 6));
      const sums = bench.op('ConvInteger', ['q', filter, 'z', bench.constant('wz', [], Uint8Array.of(2))], {}, 'sums');
      const step = bench.op('Mul', ['s', bench.number('ws', 0.5)], {}, 'step');
      return bench.op('Mul', [bench.op('Cast', [sums], { to: 1 }), step]);
    });
    expect([...weightsOf(network).filter]).toEqual([-0.5, 1, 0, 1.5, 0.5, 2]);
  });

  it.each<[string, (bench: Bench) => string[], string]>([
    ['two scales', (bench) => [bench.constant('s', [2], ramp(2)), bench.zero], 'is quantized by [1,2]; one scale above zero was expected.'],
    ['a scale of zero', (bench) => [bench.number('s', 0), bench.zero], 'is quantized by [0]; one scale above zero'],
    ['no scale', (bench) => ['none', bench.zero], 'is quantized by [undefined]; one scale above zero'],
    ['four bytes', (bench) => [bench.scale, bench.constant('z', [], Int32Array.of(0))], 'is quantized to int32; int8 and uint8 are read.'],
  ])('of tensors with %s are refused', (_, by, message) => {
    expect(() => pooled((bench) => bench.quantized('input', 'y', by(bench)))).toThrow(message);
  });

  it('have zero points of nothing where none are given', () => {
    const network = pooled((bench) => bench.conv({}, [bench.quantized('input', 'y', [bench.scale]), 'w']));
    expect(network.lanes.get('input')).toEqual({ scale: 0.5, low: 0, high: 255 });
    const filter = (bench: Bench) =>
      bench.op('DequantizeLinear', [bench.constant('wq', [2, 3, 1, 1], Int8Array.of(1, 2, 3, 4, 5, 6)), bench.scale]);
    expect([...weightsOf(pooled((bench) => bench.conv({}, ['input', filter(bench)]))).filter]).toEqual([0.5, 2, 1, 2.5, 1.5, 3]);
  });

  it('lie along any axis', () => {
    const along = (axis: number, count: number, shape = [2, 3, 1, 1]) => {
      const network = pooled((bench) => {
        const integers = bench.constant('wq', shape, Int8Array.of(1, 1, 1, 1, 1, 1));
        const filter = bench.op('DequantizeLinear', [integers, bench.constant('ws', [count], ramp(count))], { axis });
        return bench.conv({}, ['input', filter]);
      });
      return [...weightsOf(network).filter];
    };
    // [3 inputs, 2 outputs] once they are turned.
    expect(along(0, 2)).toEqual([1, 2, 1, 2, 1, 2]);
    expect(along(1, 3)).toEqual([1, 1, 2, 2, 3, 3]);
    expect(along(-4, 2)).toEqual([1, 2, 1, 2, 1, 2]);
    expect(along(-3, 3)).toEqual([1, 1, 2, 2, 3, 3]);
    expect(() => along(0, 3)).toThrow('has 3 scales and 1 zero points.');
  });
});

describe('the input', () => {
  const shaped = (shape: number[]) => {
    const sides = message(2, ...shape.map((side) => message(1, integer(1, side))));
    const info = (field: number, name: string) => message(field, bytes(1, name), message(2, message(1, integer(1, 1), sides)));
    const node = message(1, bytes(1, 'x'), bytes(2, 'y'), bytes(4, 'GlobalAveragePool'));
    return () => readOnnx(new Uint8Array(Buffer.concat([integer(1, 7), message(7, node, info(11, 'x'), info(12, 'y'))])));
  };
  it('has three channels, before or behind its sides', () => {
    expect(shaped([1, 3, 64, 64])().graph.resolution).toBe(64);
    expect(shaped([1, 64, 64, 3])().graph.resolution).toBe(64);
    expect(shaped([0, 3, 0, 0])().graph.resolution).toBe(224);
    // Who has them behind is TensorFlow, whose networks take values from -1 to 1.
    expect(shaped([1, 3, 64, 64])().preprocessing).toMatchObject({ mean: [0.485, 0.456, 0.406], crop: 0.875 });
    expect(shaped([1, 64, 64, 3])().preprocessing).toMatchObject({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 1 });
    for (const bad of [
      [1, 1, 64, 64],
      [3, 64, 64],
      [1, 64, 3, 64],
      [1, 1, 3, 64, 64],
    ])
      expect(shaped(bad)).toThrow(`onnx: the input has shape [${bad}]; [n, 3, height, width] was expected.`);
    expect(shaped([1, 3, 64, 96])).toThrow('onnx: the input has shape [1,64,96,3]');
  });
});

describe('a file', () => {
  const graph = (...parts: readonly Buffer[]) => new Uint8Array(Buffer.concat([integer(1, 7), message(7, ...parts)]));
  const ends = [message(11, bytes(1, 'x')), message(12, bytes(1, 'y')), message(12, bytes(1, 'z'))];
  /** A tensor as the file holds it. */
  const tensor = (...parts: readonly Buffer[]): OnnxTensor =>
    readModel(graph(message(5, ...parts, bytes(8, 'w')), ...ends)).constants.get('w') as OnnxTensor;
  const raw = (type: number, values: ArrayBufferView, shape: readonly number[]) =>
    tensor(
      ...shape.map((side) => integer(1, side)),
      integer(2, type),
      bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
    );

  it('has the first output, and the first input that is no constant', () => {
    const model = readModel(
      graph(message(5, integer(2, 1), bytes(9, new Uint8Array(4)), bytes(8, 'w')), message(11, bytes(1, 'w')), ...ends),
    );
    expect(model).toMatchObject({ input: { name: 'x', shape: [] }, output: 'y', nodes: [] });
    expect(() => readModel(graph(ends[1] as Buffer))).toThrow('onnx: the graph has no input or no output.');
    expect(() => readModel(graph(ends[0] as Buffer))).toThrow('onnx: the graph has no input or no output.');
    expect(() => readModel(Uint8Array.from(integer(1, 7)))).toThrow('onnx: the file holds no graph.');
  });

  it('has nodes with inputs, outputs and attributes of every kind', () => {
    const float = (field: number, value: number) => {
      const buffer = Buffer.alloc(5, field * 8 + 5);
      buffer.writeFloatLE(value, 1);
      return buffer;
    };
    const attribute = (name: string, ...parts: readonly Buffer[]) => message(5, bytes(1, name), ...parts);
    const value = message(5, integer(1, 1), integer(2, 3), bytes(9, Uint8Array.of(255)));
    const node = message(
      1,
      bytes(1, 'a'),
      bytes(1, 'b'),
      bytes(2, 'c'),
      bytes(2, 'd'),
      bytes(3, 'name'),
      bytes(4, 'Op'),
      attribute('float', float(2, 1.5)),
      attribute('int', integer(3, 7)),
      attribute('text', bytes(4, 'abc')),
      attribute('tensor', value),
      attribute('floats', bytes(7, new Uint8Array(Float32Array.of(1, 2).buffer))),
      attribute('each', float(7, 3), float(7, 4)),
      attribute('ints', integer(8, 5), integer(8, 6)),
      attribute('packed', bytes(8, Uint8Array.of(1, 0x80, 1))),
    );
    const { nodes } = readModel(graph(node, message(1, bytes(4, 'Empty')), ...ends));
    const [own, empty] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    expect(own).toMatchObject({ operator: 'Op', inputs: ['a', 'b'], output: 'c', outputs: ['c', 'd'] });
    expect(empty).toEqual({ operator: 'Empty', inputs: [], output: '', outputs: [], attributes: new Map() });
    const plain = { float: 0, int: 0, ints: [], floats: [], text: '' };
    expect(Object.fromEntries(own.attributes)).toEqual({
      float: { ...plain, float: 1.5 },
      int: { ...plain, int: 7 },
      text: { ...plain, text: 'abc' },
      tensor: { ...plain, tensor: { shape: [1], type: 'int8', values: Int8Array.of(-1) } },
      floats: { ...plain, floats: [1, 2] },
      each: { ...plain, floats: [3, 4] },
      ints: { ...plain, ints: [5, 6] },
      packed: { ...plain, ints: [1, 128] },
    });
  });

  it('has tensors of every type, as bytes', () => {
    expect(raw(1, Float32Array.of(1.5, -2), [2])).toEqual({ shape: [2], type: 'float32', values: Float32Array.of(1.5, -2) });
    expect(raw(2, Uint8Array.of(200), [])).toEqual({ shape: [], type: 'uint8', values: Uint8Array.of(200) });
    expect(raw(3, Int8Array.of(-1, 2), [1, 2])).toEqual({ shape: [1, 2], type: 'int8', values: Int8Array.of(-1, 2) });
    expect(raw(6, Int32Array.of(-70000), [1])).toEqual({ shape: [1], type: 'int32', values: Float64Array.of(-70000) });
    expect(raw(7, BigInt64Array.of(-5n, 6n), [2])).toEqual({ shape: [2], type: 'int64', values: Float64Array.of(-5, 6) });
    expect(raw(9, Uint8Array.of(1), [1])).toEqual({ shape: [1], type: 'bool', values: Uint8Array.of(1) });
    expect(raw(10, Uint16Array.of(0x3c00, 0xc000), [2])).toEqual({ shape: [2], type: 'float16', values: Float32Array.of(1, -2) });
    expect(raw(11, Float64Array.of(0.1), [1])).toEqual({ shape: [1], type: 'float64', values: Float64Array.of(0.1) });
  });

  it('has tensors as numbers', () => {
    const floats = (...values: number[]) => bytes(4, new Uint8Array(Float32Array.from(values).buffer));
    expect(tensor(integer(1, 3), integer(2, 1), floats(1, 2), floats(3)).values).toEqual(Float32Array.of(1, 2, 3));
    for (const [type, kind] of [
      [2, Uint8Array],
      [3, Int8Array],
      [7, Float64Array],
    ] as const)
      for (const field of [5, 7])
        expect(tensor(integer(1, 2), integer(2, type), integer(field, 3), integer(field, 4)).values).toEqual(kind.of(3, 4));
  });

  it.each<[string, readonly Buffer[], string]>([
    [
      'of strings',
      [integer(2, 8)],
      'onnx: tensor "w" is of data type 8; float32, uint8, int8, int32, int64, bool, float16, float64 are read.',
    ],
    ['elsewhere', [integer(2, 1), integer(14, 1)], 'lies in another file, ""; export with all data in one.'],
    ['of fewer bytes', [integer(1, 2), integer(2, 1), bytes(9, new Uint8Array(4))], 'of shape [2] holds 1 values; the file is damaged.'],
    ['of half a value', [integer(1, 1), integer(2, 1), bytes(9, new Uint8Array(6))], 'of shape [1] holds 1.5 values'],
    ['of more numbers', [integer(1, 1), integer(2, 7), integer(7, 1), integer(7, 2)], 'of shape [1] holds 2 values'],
    ['of more floats', [integer(1, 1), integer(2, 1), bytes(4, new Uint8Array(8))], 'of shape [1] holds 2 values'],
    [
      'of nine sides',
      [...new Array(9).fill(integer(1, 1)), integer(2, 2), bytes(9, Uint8Array.of(1))],
      'of shape [1,1,1,1,1,1,1,1] holds 1 values',
    ],
  ])('refuses tensors %s', (_, parts, message) => {
    expect(() => tensor(...parts)).toThrow(message);
  });

  it('may have eight sides, and tensors that say where they lie', () => {
    expect(tensor(...new Array(8).fill(integer(1, 1)), integer(2, 2), bytes(9, Uint8Array.of(1))).shape).toHaveLength(8);
    expect(tensor(integer(2, 2), bytes(9, Uint8Array.of(1)), integer(14, 0)).values).toHaveLength(1);
  });

  it('has at most 10,000 nodes', () => {
    const nodes = (count: number) => () => readModel(graph(...new Array(count).fill(message(1, bytes(4, 'A'))), ...ends));
    expect(nodes(10_000)).not.toThrow();
    expect(nodes(10_001)).toThrow('onnx: more than 10000 nodes.');
  });
});

describe('a protocol buffer', () => {
  const all = (...values: number[]) =>
    [...fieldsOf(Uint8Array.from(values))].map(({ number, value, bytes }) => [number, value, [...bytes]]);
  it('has fields of every wire type', () => {
    expect(all(0x08, 0x96, 0x01, 0x12, 2, 7, 8, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0x01, 5)).toEqual([
      [1, 150, []],
      [2, 0, [7, 8]],
      [3, 0, [1, 2, 3, 4]],
      [4, 0, [1, 2, 3, 4, 5, 6, 7, 8]],
      [16, 5, []],
    ]);
    expect(all()).toEqual([]);
  });

  it('has numbers up to 64 bits', () => {
    const max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    expect(all(0x08, ...max, 0x0f)[0]?.[1]).toBe(2 ** 53 - 1);
    expect(all(0x08, ...max, 0xff, 0xff, 0x01)[0]?.[1]).toBe(-1);
  });

  it.each<[string, number[], RegExp]>([
    ['a number without an end', [0x08, 0x80], /onnx: .*cut off/],
    ['a number of eleven bytes', [0x08, ...new Array(10).fill(0x80), 1], /onnx: /],
    ['too few bytes', [0x12, 3, 1, 2], /claims 3 bytes/],
    ['too few of eight', [0x09, 1, 2, 3, 4, 5, 6, 7], /claims 8 bytes/],
    ['too few of four', [0x0d, 1, 2, 3], /claims 4 bytes/],
    ['the field 0', [0x00, 1], /a field has the number 0/],
    ['a group', [0x0b], /a field has the wire type 3/],
  ])('refuses %s', (_, values, message) => {
    expect(() => all(...values)).toThrow(message);
  });

  it('has lists that are packed, and that are not', () => {
    const [packed, single] = [...fieldsOf(Uint8Array.of(0x42, 4, 1, 0x80, 2, 3, 0x40, 9))];
    expect(numbersOf(packed as NonNullable<typeof packed>)).toEqual([1, 256, 3]);
    expect(numbersOf(single as NonNullable<typeof single>)).toEqual([9]);
  });
});
