import * as integers from '../../src/compute/lanes/index.js';
import { planesBy } from '../../src/compute/lanes/planes.js';
import type { Way } from '../../src/compute/lanes/way.js';
import { type Arithmetics, arithmeticsOf, WAYS, type WayEntry } from '../../src/compute/ways.js';
import type { Engine } from '../../src/engine/engine.js';
import { Kernel } from '../../src/engine/kernel.js';
import type { Activation, ConvNode, Node, Padding } from '../../src/graph/graph.js';
import { GATE_LANES, type Lanes, scaleOf, unitOf } from '../../src/graph/lanes.js';
import type { QuantizedWeights, Weights } from '../../src/graph/network.js';
import { follow, type Values } from '../graph/interpret.js';
import { conv } from '../graph/nodes.js';
import { random, uniform } from '../random-network.js';
import { baseline, type Computed, compute } from './run.js';

// Single nodes on integers against real arithmetic on what the integers mean: a step at most lies between, and none but rounding.

const MACHINE = { arm: false, dot: undefined };
const entryOf = (name: WayEntry['name']) => WAYS.find((entry) => entry.name === name) as WayEntry;
const way = (name: 'pairs' | 'products') => arithmeticsOf(entryOf(name), MACHINE, integers) as Arithmetics;

let engine: Engine;
beforeAll(async () => {
  engine = await baseline();
});

const next = random(31);
const integer = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
const BYTE = { low: -120, high: 135 };
const SHORT = { low: -3000, high: 2500 };
const lanesOf = (scale: Lanes['scale'], range: { low: number; high: number } = BYTE, unit?: number): Lanes => ({
  scale,
  ...range,
  ...(unit === undefined ? {} : { unit }),
});
const scales = (channels: number, low = 0.02, high = 0.06) => uniform(next, channels, low, high);

/** Real values that lie on the integers. */
function values(height: number, width: number, channels: number, lanes: Lanes): Values {
  const data = Array.from({ length: height * width * channels }, (_, i) => integer(lanes.low, lanes.high) * scaleOf(lanes, i % channels));
  return { shape: [height, width, channels], data };
}

function quantized(
  node: ConvNode,
  input: Lanes,
  { filter: Filter = Int8Array as typeof Int8Array | typeof Int16Array, zeroPoint = 0 } = {},
): QuantizedWeights {
  const size = (node.kernel[0] * node.kernel[1] * node.inputChannels * node.channels) / node.groups;
  const scale = uniform(next, node.channels, 0.001, 0.01);
  const most = Filter === Int8Array ? 127 : 200;
  return {
    filter: new Filter(Array.from({ length: size }, () => integer(-most, most))),
    scale,
    zeroPoint,
    bias: Int32Array.from(scale, (s, c) => Math.round((4 * next() - 2) / (s * unitOf(node, input, c)))),
  };
}

/** What integer weights mean to a convolution that reads lanes. */
function real(node: ConvNode, { filter, scale, zeroPoint, bias }: QuantizedWeights, input: Lanes): Weights {
  const { channels } = node;
  const perGroup = node.inputChannels / node.groups;
  return {
    // Where the input has a scale a channel and a unit, the filter's rows have taken in the rest.
    filter: Float32Array.from(filter, (w, i) => {
      const row = Math.floor(i / channels) % perGroup;
      const taken = input.unit === undefined || node.groups > 1 ? 1 : input.unit / scaleOf(input, row);
      return (w - zeroPoint) * (scale[i % channels] as number) * taken;
    }),
    bias: Float32Array.from(bias, (b, c) => b * (scale[c] as number) * unitOf(node, input, c)),
  };
}

/** @param steps how far integers may be off: half a step of rounding, and what a product of two rounded factors adds */
function check(
  arithmetics: Arithmetics,
  node: Node,
  inputs: Record<string, Values>,
  lanes: Record<string, Lanes>,
  own?: QuantizedWeights,
  onePixel: string[] = [],
  steps = 1,
): Computed {
  const weights = new Map<string, Weights>(own ? [[node.name, own]] : []);
  const result = compute(engine, arithmetics, [node], weights, inputs, new Map(Object.entries(lanes)), onePixel);
  const meant = own ? new Map([[node.name, real(node as ConvNode, own, lanes[node.inputs[0] as string] as Lanes)]]) : new Map();
  const wanted = follow([node], meant, inputs).get(node.name) as Values;
  const out = lanes[node.name] as Lanes;
  expect(result.values.shape).toEqual(wanted.shape);
  let exact = 0;
  wanted.data.forEach((value, i) => {
    const lane = Math.min(Math.max(Math.round(value / scaleOf(out, i % wanted.shape[2])), out.low), out.high);
    const off = Math.abs((result.integers[i] as number) - lane);
    if (off === 0) exact++;
    expect(off).toBeLessThanOrEqual(steps);
  });
  if (steps === 1) expect(exact / wanted.data.length).toBeGreaterThan(0.9);
  return result;
}

/** One clamp serves all channels: relu6 wants one scale. */
const outputOf = (activation: Activation, scale: Float32Array, range = BYTE): Lanes =>
  activation === 'hardSigmoid' ? GATE_LANES : lanesOf(activation === 'relu6' ? 0.07 : scale, range);

describe.each(['pairs', 'products'] as const)('%s', (name) => {
  const arithmetics = way(name);

  it.each<[number, number, number, number, Activation, object]>([
    [1, 1, 5, 9, 'none', {}],
    [3, 5, 16, 24, 'relu', {}],
    [2, 3, 20, 7, 'relu6', { zeroPoint: 11 }],
    [1, 7, 8, 40, 'hardSigmoid', {}],
    [4, 4, 9, 17, 'hardSwish', { filter: Int16Array }],
    [2, 2, 9, 17, 'none', { filter: Int16Array, zeroPoint: -7 }],
  ])('a pointwise convolution of %d x %d x %d to %d, %s, %j', (height, width, inputChannels, channels, activation, kind) => {
    const node = conv({ inputChannels, channels, activation });
    const x = lanesOf(0.03, SHORT);
    const out = outputOf(activation, scales(channels, 0.05, 0.4), SHORT);
    const { kernels } = check(
      arithmetics,
      node,
      { x: values(height, width, inputChannels, x) },
      { x, conv: out },
      quantized(node, x, kind),
      [],
      activation === 'hardSigmoid' ? 3 : 1,
    );
    expect(kernels).toEqual([`${name}_pointwise`]);
  });

  it('an input of a scale a channel, by its unit', () => {
    const node = conv({ inputChannels: 9, channels: 12 });
    const x = lanesOf(scales(9), BYTE, 0.04);
    check(arithmetics, node, { x: values(3, 3, 9, x) }, { x, conv: lanesOf(0.4) }, quantized(node, x));
  });

  it.each<[string, object, string]>([
    ['int8', {}, 'vector'],
    ['int8 with a zero point', { zeroPoint: 3 }, 'pointwise'],
    ['int16', { filter: Int16Array }, 'pointwise'],
  ])('a matrix by a vector, %s', (_, kind, kernel) => {
    const node = conv({ inputChannels: 20, channels: 13, activation: 'hardSwish' });
    const x = lanesOf(0.03);
    const { kernels } = check(arithmetics, node, { x: values(1, 1, 20, x) }, { x, conv: lanesOf(0.2) }, quantized(node, x, kind), ['x']);
    expect(kernels).toEqual([`${name}_${kernel}`]);
  });

  it('a residual', () => {
    for (const activation of ['none', 'relu', 'relu6'] as const) {
      const node = conv({ inputs: ['x', 'r'], inputChannels: 9, channels: 12, activation });
      const [x, r] = [lanesOf(0.03), lanesOf(0.07)];
      check(arithmetics, node, { x: values(3, 5, 9, x), r: values(3, 5, 12, r) }, { x, r, conv: lanesOf(0.1, SHORT) }, quantized(node, x));
    }
  });

  it.each<[string, Partial<ConvNode>, number, number]>([
    ['3 x 3', { kernel: [3, 3], padding: 'same' }, 5, 7],
    [
      '3 x 3, stride 2',
      { kernel: [3, 3], strides: [2, 2], padding: [1, 1, 1, 1], inputChannels: 9, channels: 17, activation: 'hardSwish' },
      6,
      5,
    ],
    ['2 x 3, all paddings unlike', { kernel: [2, 3], strides: [1, 3], padding: [2, 0, 1, 3], inputChannels: 5, channels: 3 }, 4, 7],
  ])('a window of %s', (_, change, height, width) => {
    const node = conv(change);
    const x = lanesOf(0.03);
    for (const kind of [{}, { filter: Int16Array }, { zeroPoint: 9 }]) {
      const { kernels } = check(
        arithmetics,
        node,
        { x: values(height, width, node.inputChannels, x) },
        { x, conv: lanesOf(0.3) },
        quantized(node, x, kind as object),
      );
      expect(kernels.at(-1)).toBe(`${name}_convolution`);
    }
  });

  it("a window of the image's own three channels, an odd number of values a row", () => {
    const node = conv({ inputs: ['input'], kernel: [3, 3], strides: [2, 2], padding: 'same', inputChannels: 3, channels: 16 });
    const input = lanesOf(0.03);
    for (const kind of [{}, { filter: Int16Array }])
      check(arithmetics, node, { input: values(9, 11, 3, input) }, { input, conv: lanesOf(0.2) }, quantized(node, input, kind as object));
  });

  it.each<[number, number, 1 | 2, Padding, number, number, string]>([
    [3, 3, 1, 'same', 5, 7, 'depthwise_3x3s1'],
    [3, 3, 2, [1, 1, 1, 1], 6, 9, 'depthwise_3x3s2'],
    [5, 5, 1, 'same', 5, 7, 'depthwise_5x5s1'],
    [5, 5, 2, [2, 2, 2, 2], 9, 8, 'depthwise_5x5s2'],
    [3, 3, 1, 'same', 5, 3, 'depthwise'],
    [2, 4, 1, [0, 1, 1, 2], 5, 7, 'depthwise'],
  ])('a depthwise convolution of %d x %d, stride %d, padding %j, of %d x %d', (kh, kw, stride, padding, height, width, kernel) => {
    for (const [activation, kind] of [
      ['relu6', {}],
      ['hardSigmoid', {}],
      ['none', { filter: Int16Array }],
      ['relu', { zeroPoint: 5 }],
    ] as const) {
      const node = conv({ kernel: [kh, kw], strides: [stride, stride], padding, inputChannels: 12, channels: 12, groups: 12, activation });
      const x = lanesOf(scales(12));
      const out = outputOf(activation, scales(12, 0.05, 0.1));
      const { kernels } = check(
        arithmetics,
        node,
        { x: values(height, width, 12, x) },
        { x, conv: out },
        quantized(node, x, kind as object),
        [],
        activation === 'hardSigmoid' ? 3 : 1,
      );
      expect(kernels.at(-1)).toBe(`${name}_${kernel}`);
    }
  });

  it('refuses sums that could overflow, and scales that nothing took in', () => {
    const node = conv({ inputChannels: 800 });
    const x = lanesOf(1, { low: -32767, high: 32767 });
    const filters = { int8: new Int8Array(6400).fill(127), int16: new Int16Array(6400).fill(127) };
    for (const filter of Object.values(filters)) {
      const weights = { filter, scale: new Float32Array(8).fill(1), zeroPoint: 0, bias: new Int32Array(8) };
      const run = (lanes: Lanes) =>
        compute(
          engine,
          arithmetics,
          [node],
          new Map([['conv', weights]]),
          { x: values(1, 1, 800, lanes) },
          new Map([
            ['x', lanes],
            ['conv', lanesOf(1)],
          ]),
        );
      expect(() => run(x)).toThrow(/must stay within 21136/);
      expect(() => run(lanesOf(1, { low: -21136, high: 21136 }))).not.toThrow();
      expect(() => run(lanesOf(new Float32Array(800).fill(1)))).toThrow(/a scale per channel and no unit; fold the scales/);
    }
  });
});

const arithmetics = way('pairs');
const one = (node: object): Node => ({ name: 'y', inputs: ['x'], ...node }) as unknown as Node;
const KINDS: [string, Lanes['scale'], Lanes['scale']][] = [
  ['one scale', 0.03, 0.07],
  ['a scale a channel in', scales(11), 0.07],
  ['a scale a channel out', 0.03, scales(11, 0.05, 0.1)],
];

describe.each(KINDS)('with %s', (_, inScale, outScale) => {
  it.each<[string, Node, string]>([
    ['a pool', one({ kind: 'globalAveragePool' }), 'lanes_global_average_pool'],
    ['h-swish', one({ kind: 'activation', activation: 'hardSwish' }), 'lanes_hard_swish'],
    ['sigmoid', one({ kind: 'activation', activation: 'sigmoid' }), 'lanes_sigmoid'],
    ['swish', one({ kind: 'activation', activation: 'swish' }), 'lanes_swish'],
    ['a factor', one({ kind: 'affine', alpha: -1.5, beta: 0 }), 'lanes_affine'],
  ])('%s', (_, node, kernel) => {
    const [x, y] = [lanesOf(inScale), lanesOf(outScale)];
    expect(check(arithmetics, node, { x: values(3, 5, 11, x) }, { x, y }).kernels).toEqual([kernel]);
  });

  it.each<[string, 'add' | 'multiply', [number, number], string]>([
    ['a sum', 'add', [3, 5], 'lanes_add'],
    ['a product', 'multiply', [3, 5], 'lanes_multiply'],
    ['a product with a pixel', 'multiply', [1, 1], 'lanes_multiply_channels'],
  ])('%s', (_, kind, [h, w], kernel) => {
    const [x, z, y] = [lanesOf(inScale), lanesOf(0.05), lanesOf(outScale)];
    const node = one({ kind, inputs: ['x', 'z'], ...(kind === 'add' ? { activation: 'none' } : {}) });
    expect(check(arithmetics, node, { x: values(3, 5, 11, x), z: values(h, w, 11, z) }, { x, z, y }).kernels).toEqual([kernel]);
  });
});

it('a gate multiplies in one instruction where the scale stays', () => {
  const gate = { ...GATE_LANES };
  const perChannel = scales(11);
  const node = one({ kind: 'multiply', inputs: ['x', 'z'] });
  const run = (x: Lanes, z: Lanes, y: Lanes, [h, w]: [number, number] = [1, 1]) =>
    check(arithmetics, node, { x: values(3, 5, 11, x), z: values(h, w, 11, z) }, { x, z, y }).kernels[0];
  expect(run(lanesOf(0.03), gate, lanesOf(0.03))).toBe('lanes_gate');
  expect(run(lanesOf(perChannel), gate, lanesOf(perChannel.slice()))).toBe('lanes_gate');
  const other = perChannel.slice();
  other[10] = 0.07;
  expect(run(lanesOf(perChannel), gate, lanesOf(other))).toBe('lanes_multiply_channels');
  expect(run(lanesOf(perChannel), gate, lanesOf(0.03))).toBe('lanes_multiply_channels');
  expect(run(lanesOf(0.03), gate, lanesOf(0.04))).toBe('lanes_multiply_channels');
  expect(run(lanesOf(0.03), lanesOf(0.004), lanesOf(0.03))).toBe('lanes_multiply_channels');
  expect(run(lanesOf(0.03), gate, lanesOf(0.03), [3, 5])).toBe('lanes_multiply');
});

it.each<[string, Node]>([
  ['a line', one({ kind: 'affine', alpha: -1.5, beta: 0.25 })],
  ['a line with bounds', one({ kind: 'affine', alpha: 2, beta: 0.25, low: -1, high: 2 })],
  ['a line with bounds beyond its range', one({ kind: 'affine', alpha: 2, beta: 0, low: -100, high: 200 })],
  ['a lower bound', one({ kind: 'affine', alpha: 1, beta: 0, low: -1 })],
  ['an upper bound', one({ kind: 'affine', alpha: 1, beta: 0, high: 1 })],
  ['relu', one({ kind: 'activation', activation: 'relu' })],
  ['relu6', one({ kind: 'activation', activation: 'relu6' })],
  ['h-sigmoid', one({ kind: 'activation', activation: 'hardSigmoid' })],
  ['a sum with relu', one({ kind: 'add', inputs: ['x', 'z'], activation: 'relu' })],
  ['a sum with relu6', one({ kind: 'add', inputs: ['x', 'z'], activation: 'relu6' })],
])('%s', (_, node) => {
  const [x, z, y] = [lanesOf(0.1), lanesOf(0.05), lanesOf(0.07)];
  const inputs = { x: values(3, 5, 11, x), ...(node.kind === 'add' ? { z: values(3, 5, 11, z) } : {}) };
  check(arithmetics, node, inputs, { x, z, y });
  const perChannel = () => check(arithmetics, node, inputs, { x, z, y: lanesOf(scales(11)) });
  expect(perChannel).toThrow('y: an offset or a clamp needs one scale for the whole output; it has one a channel.');
});

it('a sum of two pixels, but none of an image and one', () => {
  const node = one({ kind: 'add', inputs: ['x', 'z'], activation: 'none' });
  const [x, z, y] = [lanesOf(0.1), lanesOf(0.05), lanesOf(0.07)];
  check(arithmetics, node, { x: values(1, 1, 11, x), z: values(1, 1, 11, z) }, { x, z, y });
  const mixed = () => check(arithmetics, node, { x: values(3, 5, 11, x), z: values(1, 1, 11, z) }, { x, z, y });
  expect(mixed).toThrow('y: a quantized sum of an image and one pixel is not supported.');
});

describe('from real numbers to integers and back', () => {
  const weights = (node: ConvNode) => ({
    filter: uniform(next, node.inputChannels * node.channels),
    bias: new Float32Array(node.channels),
  });
  it.each<[string, string, number, Lanes['scale']]>([
    ['a tensor', 'x', 11, 0.03],
    ['a tensor of a scale a channel', 'x', 11, scales(11)],
    ['the image', 'input', 3, 0.03],
    ['the image, of a scale a channel', 'input', 3, scales(3)],
  ])('%s', (_, input, channels, scale) => {
    const x = lanesOf(scale, BYTE, typeof scale === 'number' ? undefined : 1);
    // Depthwise and dense ones of one tensor: the image has none but dense.
    const node = conv({ inputs: [input], inputChannels: channels, channels: 8 });
    const own = quantized(node, x);
    const data = Array.from({ length: 5 * 7 * channels }, () => 12 * next() - 6);
    const y = lanesOf(0.2, SHORT);
    const result = compute(
      engine,
      arithmetics,
      [node],
      new Map([['conv', own]]),
      { [input]: { shape: [5, 7, channels], data } },
      new Map([['conv', y]]).set(input, x),
    );
    expect(result.kernels.length).toBeGreaterThan(0);
  });

  it('meets both in one network', () => {
    const x = lanesOf(0.03);
    const first = conv({ name: 'first', inputChannels: 11 });
    const second = conv({ name: 'second', inputs: ['first'], channels: 12 });
    const third = conv({ name: 'third', inputs: ['second'], inputChannels: 12 });
    const lanes = new Map([
      ['first', lanesOf(scales(8), BYTE, 0.04)],
      ['second', lanesOf(0.2)],
    ]);
    const own = quantized(second, lanes.get('first') as Lanes);
    const all = new Map<string, Weights>([
      ['first', weights(first)],
      ['second', own],
      ['third', weights(third)],
    ]);
    const input = values(3, 5, 11, x);
    const { kernels, values: result, steps } = compute(engine, arithmetics, [first, second, third], all, { x: input }, lanes);
    expect(kernels).toEqual(['f32_pointwise', 'lanes_quantize', 'pairs_pointwise', 'lanes_dequantize', 'f32_pointwise']);
    expect(steps.map(({ kind }) => kind)).toEqual(['pointwise', 'quantize', 'pointwise', 'dequantize', 'pointwise']);
    // Step by step: rounding the middle tensors.
    const rounded = ({ shape, data }: Values, { low, high, ...own }: Lanes): Values => ({
      shape,
      data: data.map(
        (v, i) =>
          Math.min(Math.max(Math.round(v / scaleOf({ low, high, ...own }, i % shape[2])), low), high) *
          scaleOf({ low, high, ...own }, i % shape[2]),
      ),
    });
    const at = (node: ConvNode, own: Weights, name: string, x: Values) =>
      follow([node], new Map([[node.name, own]]), { [name]: x }).get(node.name) as Values;
    const a = rounded(at(first, all.get('first') as Weights, 'x', input), lanes.get('first') as Lanes);
    const b = rounded(at(second, real(second, own, lanes.get('first') as Lanes), 'first', a), lanes.get('second') as Lanes);
    const c = at(third, all.get('third') as Weights, 'second', b);
    c.data.forEach((value, i) => {
      // A step of the second tensor, 0.2, may fall the other way in one of twelve inputs.
      expect(Math.abs((result.data[i] as number) - value)).toBeLessThan(0.25);
    });
  });
});

describe('planes, of which this engine may have no instruction', () => {
  const rest: Way = { name: 'rest', pack: () => 'the rest' as never };
  const pack = (
    node: ConvNode,
    own: QuantizedWeights,
    input: { low: number; high: number },
    dot: 'signed' | 'unsigned',
    channels = 8,
    onePixel = false,
  ) => {
    const bias = engine.allocate(64);
    engine.ints(bias, 16).fill(1000);
    const packed = planesBy(dot, rest).pack(engine, node, own, { channels, onePixel }, input, bias);
    return { packed, biases: [...engine.ints(bias, node.channels)] };
  };
  const own = (node: ConvNode, zeroPoint = 0, most = 100): QuantizedWeights => ({
    filter: Int8Array.from({ length: node.kernel[0] * node.kernel[1] * (node.inputChannels / node.groups) * node.channels }, () =>
      integer(-most, most),
    ),
    scale: new Float32Array(node.channels).fill(1),
    zeroPoint,
    bias: new Int32Array(node.channels),
  });

  it('leave depthwise convolutions and weights beyond a byte to another way', () => {
    expect(pack(conv({ groups: 8 }), own(conv({ groups: 8 })), BYTE, 'signed').packed).toBe('the rest');
    const wide = own(conv());
    wide.filter[63] = 127;
    expect(pack(conv(), { ...wide, zeroPoint: -1 }, BYTE, 'signed').packed).toBe('the rest');
    expect(pack(conv(), { ...wide, zeroPoint: 0 }, BYTE, 'signed').packed).not.toBe('the rest');
  });

  it.each<['signed' | 'unsigned', { low: number; high: number }, number, number, 'one' | 'two']>([
    // lane = byte + constant, or 256 * upper byte + lower byte + constant.
    ['signed', { low: -120, high: 135 }, 8, 8, 'one'],
    ['unsigned', { low: -120, high: 135 }, -120, 0xffff & -120, 'one'],
    ['signed', { low: 0, high: 256 }, 128, 0x0080, 'two'],
    ['unsigned', { low: 0, high: 256 }, -32768, 0x8000, 'two'],
  ])('shift %s bytes of lanes %j by %d', (dot, input, constant, splitter, planes) => {
    const node = conv({ inputChannels: 8, channels: 12, kernel: [1, 3], padding: 'same' });
    const weights = own(node, 3);
    const { packed, biases } = pack(node, weights, input, dot);
    expect(packed.words.splitter).toBe(splitter);
    expect(packed.words.run).toBe(24);
    const sum = (c: number) => Array.from(weights.filter).reduce((total, w, i) => total + (i % 12 === c ? w - 3 : 0), 0);
    expect(biases).toEqual(Array.from({ length: 12 }, (_, c) => 1000 + constant * sum(c)));
    const { pointwise, vector, convolution, depthwise } = packed.kernels;
    const word = planes === 'one' ? 'plane' : 'planes';
    expect([pointwise, vector, convolution].map((kernel) => Kernel[kernel])).toEqual([
      `${word}_pointwise`,
      `${word}_vector`,
      `${word}_convolution`,
    ]);
    expect(Kernel[depthwise]).toBe('products_depthwise');
    expect(packed.scratchBytes).toBe(8 * 24 + 64 + (planes === 'one' ? 4 : 8) * 24 + 64);
    // Sixteen channels a block, or the last eight alone; four values of a window side by side.
    const bytes = new Int8Array(engine.memory.buffer, packed.words.filter, 24 * 16);
    for (let k = 0; k < 24; k++) {
      for (let n = 0; n < 12; n++) {
        expect(bytes[(k >> 2) * 64 + n * 4 + (k & 3)]).toBe((weights.filter[k * 12 + n] as number) - 3);
      }
    }
  });

  it('need no room for windows where there are none, and know a vector', () => {
    expect(pack(conv(), own(conv()), BYTE, 'signed').packed).toMatchObject({ scratchBytes: 4 * 8 + 64, vector: false });
    expect(pack(conv(), own(conv()), BYTE, 'signed', 8, true).packed.vector).toBe(true);
    const image = conv({ inputChannels: 3, kernel: [3, 3] });
    expect(pack(image, own(image), BYTE, 'signed', 3).packed).toMatchObject({
      words: { run: 32 },
      scratchBytes: 8 * 32 + 64 + 4 * 32 + 64,
    });
  });

  it('refuse sums that could overflow', () => {
    const node = conv({ inputChannels: 800 });
    const weights = { ...own(node), filter: new Int8Array(6400).fill(127) };
    expect(() => pack(node, weights, { low: 0, high: 32767 }, 'signed', 800)).toThrow(/must stay within 21136/);
  });
});

it('names a way for every machine, and its turn', () => {
  const turns = (arm: boolean) => WAYS.map(({ name, turn }) => [name, turn({ arm, dot: undefined })]);
  expect(turns(false)).toEqual([
    ['pairs', 'first'],
    ['products', 'asked'],
    ['planes', 'later'],
  ]);
  expect(turns(true)).toEqual([
    ['pairs', 'asked'],
    ['products', 'first'],
    ['planes', 'later'],
  ]);
  const planes = entryOf('planes');
  expect(arithmeticsOf(planes, { arm: false, dot: undefined })).toBeUndefined();
  const [x86, arm] = [false, true].map((arm) => arithmeticsOf(planes, { arm, dot: 'signed' }, integers) as Arithmetics);
  expect(x86?.real).toBe(way('pairs').real);
  expect(arm?.real).toBe(way('products').real);
});
