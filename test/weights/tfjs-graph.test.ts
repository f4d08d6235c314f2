import { InputError } from '../../src/errors.js';
import type { Node } from '../../src/graph/graph.js';
import type { FloatWeights, Network } from '../../src/graph/network.js';
import { bytesSource } from '../../src/source/source.js';
import type { Source } from '../../src/source/types.js';
import type { Constant } from '../../src/weights/constants.js';
import { readGraphModel } from '../../src/weights/tfjs/graph-model.js';
import { readManifest } from '../../src/weights/tfjs/manifest.js';
import { readTfjs } from '../../src/weights/tfjs/network.js';
import { type GraphNode, inputsOf, ordered, outputOf } from '../../src/weights/tfjs/order.js';

// A GraphDef, one operator at a time.

const PREPROCESSING = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 1, interpolation: 'bilinear' } as const;
const SIDES = [-1, 32, 32, 3].map((size) => ({ size: `${size}` }));
const image: GraphNode = { name: 'image', op: 'Placeholder', attr: { shape: { shape: { dim: SIDES } } } };
const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => i + 1);

const WEIGHTS = new Map<string, Constant>([
  ['filter', { shape: [3, 2, 3, 4], values: ramp(72) }],
  ['depthwise', { shape: [2, 3, 3, 1], values: ramp(18) }],
  ['wide', { shape: [2, 3, 3, 2], values: ramp(36) }],
  ['bias', { shape: [4], values: ramp(4) }],
  ['bias3', { shape: [3], values: ramp(3) }],
  ['matrix', { shape: [3, 2], values: ramp(6) }],
  ['turned', { shape: [2, 3], values: Float32Array.of(1, 3, 5, 2, 4, 6) }],
  ['cube', { shape: [3, 2, 1], values: ramp(6) }],
  ['axes', { shape: [2], values: Float64Array.of(1, 2) }],
  ['behind', { shape: [2], values: Float64Array.of(-2, -3) }],
  ['axis', { shape: [1], values: Float64Array.of(1) }],
  ['six', { shape: [], values: Float32Array.of(6) }],
  ['zero', { shape: [], values: Float32Array.of(0) }],
  ['sides', { shape: [4, 2], values: Float64Array.of(0, 0, 1, 2, 3, 4, 0, 0) }],
  ['channels', { shape: [4, 2], values: Float64Array.of(0, 0, 1, 2, 3, 4, 0, 1) }],
  ['batch', { shape: [4, 2], values: Float64Array.of(1, 0, 1, 2, 3, 4, 0, 0) }],
  ['images', { shape: [3, 2], values: Float64Array.of(0, 0, 1, 2, 3, 4) }],
]);

type Attributes = NonNullable<GraphNode['attr']>;
const node = (name: string, op: string, input: readonly string[], attr: Attributes = {}): GraphNode => ({ name, op, input, attr });
const strides = (height: number, width: number): Attributes => ({ strides: { list: { i: ['1', `${height}`, `${width}`, '1'] } } });
const padding = (how: string): Attributes => ({ padding: { s: btoa(how) } });
/** The network of some nodes, the last of which is the output, behind a pool where it gives an image. */
function read(...nodes: readonly GraphNode[]): Network {
  const constants = [...WEIGHTS.keys()].map((name): GraphNode => ({ name, op: 'Const' }));
  return readGraphModel([image, ...constants, ...nodes], signed(nodes.at(-1)?.name as string), WEIGHTS, PREPROCESSING);
}
const signed = (name: string) => ({ signature: { outputs: { out: { name: `${name}:0` } } } });
const pooled = (...nodes: readonly GraphNode[]): readonly Node[] =>
  read(...nodes, node('pool', 'Mean', [nodes.at(-1)?.name as string, 'axes'])).graph.nodes.slice(0, -1);
const weightsOf = ({ weights, graph }: Network, place = 0) => weights.get((graph.nodes[place] as Node).name) as FloatWeights;
const conv = (attr: Attributes = {}, op = 'Conv2D', inputs = ['image', 'filter']) => node('conv', op, inputs, attr);

describe('a convolution', () => {
  it('has its window, its padding and its strides', () => {
    expect(pooled(conv({ ...strides(2, 3), ...padding('VALID') }))).toMatchObject([
      { kind: 'conv', kernel: [3, 2], strides: [2, 3], padding: 'valid', inputChannels: 3, channels: 4, groups: 1, activation: 'none' },
    ]);
    expect(pooled(conv(padding('SAME')))).toMatchObject([{ strides: [1, 1], padding: 'same' }]);
    // What is no base64 is taken as it is.
    expect(pooled(conv({ padding: { s: 'SAME!' } }))).toMatchObject([{ padding: 'valid' }]);
    const explicit = { list: { i: [0, 0, 1, 2, 3, 4, 0, 0].map(String) } };
    expect(pooled(conv({ ...padding('EXPLICIT'), explicit_paddings: explicit }))).toMatchObject([{ padding: [1, 2, 3, 4] }]);
    expect([...weightsOf(read(conv(), node('pool', 'Mean', ['conv', 'axes']))).filter]).toEqual([...ramp(72)]);
  });

  it('may be depthwise', () => {
    for (const op of ['DepthwiseConv2dNative', '_FusedDepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'])
      expect(pooled(conv({}, op, ['image', 'depthwise']))).toMatchObject([{ kernel: [2, 3], channels: 3, groups: 3 }]);
    expect(() => pooled(conv({}, 'DepthwiseConv2dNative', ['image', 'wide']))).toThrow('a depthwise multiplier above 1.');
  });

  it('has the bias and the activation that are fused into it', () => {
    for (const op of ['_FusedConv2D', 'FusedConv2D']) {
      const steps = (...all: string[]) => ({ fused_ops: { list: { s: all.map(btoa) } } });
      const network = read(conv(steps('BiasAdd', 'Relu6'), op, ['image', 'filter', 'bias']), node('pool', 'Mean', ['conv', 'axes']));
      expect(network.graph.nodes[0]).toMatchObject({ activation: 'relu6' });
      expect(weightsOf(network).bias).toEqual(ramp(4));
      expect(pooled(conv(steps('Relu'), op))).toMatchObject([{ activation: 'relu' }]);
      expect(() => pooled(conv(steps('BiasAdd', 'Elu'), op, ['image', 'filter', 'bias']))).toThrow(`a ${op} with Elu.`);
    }
  });

  it('is not dilated, and has channels innermost', () => {
    const ones = { dilations: { list: { i: ['1', '1', '1', '1'] } } };
    expect(pooled(conv({ ...ones, data_format: { s: btoa('NHWC') } }))).toHaveLength(1);
    expect(() => pooled(conv({ dilations: { list: { i: [1, 2, 2, 1] } } }))).toThrow('a Conv2D that is dilated.');
    expect(() => pooled(conv({ data_format: { s: btoa('NCHW') } }))).toThrow('a Conv2D that is NCHW.');
  });

  it('has a filter in the file', () => {
    expect(() => pooled(conv({}, 'Conv2D', ['image']))).toThrow('tfjs: input 1 of Conv2D "conv" is not in the file.');
    expect(() => pooled(conv({}, 'Conv2D', ['image', 'image']))).toThrow('input 1 of Conv2D "conv" is not in the file.');
    expect(() => pooled(conv({}, 'Conv2D', ['image', 'bias']))).toThrow('a 4x0 kernel');
  });
});

describe('a fully connected layer', () => {
  const pool = node('pool', 'Mean', ['image', 'axes'], { keep_dims: { b: true } });
  const flat = node('flat', 'Reshape', ['pool', 'sides']);
  it('is a matrix, turned or not, with what is fused into it', () => {
    const plain = read(pool, flat, node('y', 'MatMul', ['flat', 'matrix']));
    expect(plain.graph).toMatchObject({ classes: 2, nodes: [{ kind: 'globalAveragePool' }, { kind: 'conv', activation: 'none' }] });
    expect([...weightsOf(plain, 1).filter]).toEqual([1, 2, 3, 4, 5, 6]);
    for (const op of ['_FusedMatMul', 'FusedMatMul']) {
      const attr = { transpose_b: { b: true }, fused_ops: { list: { s: ['BiasAdd', 'Relu'].map(btoa) } } };
      const own = new Map([...WEIGHTS, ['two', { shape: [2], values: ramp(2) }]]);
      const nodes = [image, pool, flat, node('y', op, ['flat', 'turned', 'two'], attr)];
      const constants = [...own.keys()].map((name): GraphNode => ({ name, op: 'Const' }));
      const network = readGraphModel([...nodes, ...constants], signed('y'), own, PREPROCESSING);
      expect(network.graph.nodes[1]).toMatchObject({ activation: 'relu', channels: 2 });
      expect([...weightsOf(network, 1).filter]).toEqual([1, 2, 3, 4, 5, 6]);
      expect(weightsOf(network, 1).bias).toEqual(ramp(2));
    }
  });

  it('is refused where it is another product', () => {
    expect(() => read(pool, node('y', 'MatMul', ['pool', 'cube']))).toThrow('a MatMul with a matrix of shape [3,2,1].');
    const turned = { transpose_a: { b: true } };
    expect(() => read(pool, node('y', 'MatMul', ['pool', 'matrix'], turned))).toThrow('a MatMul with a matrix of shape [3,2].');
  });
});

describe('arithmetic', () => {
  it.each<[string, string[], object]>([
    ['Add', ['conv', 'six'], { alpha: 1, beta: 6 }],
    ['AddV2', ['six', 'conv'], { alpha: 1, beta: 6 }],
    ['Sub', ['six', 'conv'], { alpha: -1, beta: 6 }],
    ['Mul', ['conv', 'six'], { alpha: 6, beta: 0 }],
    ['RealDiv', ['conv', 'six'], { alpha: 1 / 6, beta: 0 }],
    ['Div', ['conv', 'six'], { alpha: 1 / 6, beta: 0 }],
  ])('%s(%s) is a line', (op, inputs, line) => {
    const bent = [conv(), node('relu', 'HardSwish', ['conv'])];
    const [, last] = pooled(
      ...bent,
      node(
        'y',
        op,
        inputs.map((name) => (name === 'conv' ? 'relu' : name)),
      ),
    );
    expect(last).toMatchObject({ kind: 'affine', ...line });
  });

  it('BiasAdd is a value a channel', () => {
    const network = read(conv(), node('y', 'BiasAdd', ['conv', 'bias']), node('pool', 'Mean', ['y', 'axes']));
    expect(network.graph.nodes).toHaveLength(2);
    expect(weightsOf(network).bias).toEqual(ramp(4));
  });

  it('AddN is the sum of all', () => {
    const relus = ['a', 'b', 'c'].map((name) => node(name, 'Relu', ['image']));
    const kinds = pooled(...relus, node('y', 'AddN', ['a', 'b', 'c'])).map(({ kind, inputs }) => `${kind} ${inputs.length}`);
    expect(kinds).toEqual(['activation 1', 'activation 1', 'activation 1', 'add 2', 'add 2']);
    expect(pooled(...relus, node('y', 'AddN', ['a']))).toHaveLength(1);
  });

  it.each<[string, string[], object]>([
    ['Minimum', ['conv', 'six'], { high: 6 }],
    ['Minimum', ['six', 'conv'], { high: 6 }],
    ['Maximum', ['conv', 'six'], { low: 6 }],
    ['ClipByValue', ['conv', 'zero', 'six'], { activation: 'relu6' }],
  ])('%s(%s) is a clamp', (op, inputs, expected) => {
    expect(pooled(conv(), node('y', op, inputs)).at(-1)).toMatchObject(expected);
  });

  it('has limits of one number', () => {
    expect(() => pooled(conv(), node('y', 'Minimum', ['conv', 'bias']))).toThrow('a Minimum with a constant of 4 values.');
  });
});

describe('operators', () => {
  it.each<[string, Node['kind'] | 'none', string[], string?]>([
    ['Relu', 'conv', ['conv'], 'relu'],
    ['Relu6', 'conv', ['conv'], 'relu6'],
    ['HardSwish', 'conv', ['conv'], 'hardSwish'],
    ...['Identity', 'StopGradient', 'PreventGradient', 'Reshape', 'Squeeze', 'ExpandDims', 'Snapshot', 'Cast', 'CheckNumerics'].map(
      (op): [string, 'conv', string[], string] => [op, 'conv', ['conv', '^image'], 'none'],
    ),
  ])('%s', (op, kind, inputs, activation) => {
    expect(pooled(conv(), node('y', op, inputs))).toMatchObject([{ kind, activation }]);
  });

  it('that pad go into the convolution', () => {
    for (const [op, ...more] of [['Pad'], ['PadV2', 'zero']] as const) {
      const pad = (sides: string) => [node('pad', op, ['image', sides, ...more]), conv(padding('VALID'), 'Conv2D', ['pad', 'filter'])];
      expect(pooled(...pad('sides'))).toMatchObject([{ padding: [1, 2, 3, 4] }]);
      for (const bad of ['channels', 'batch', 'images'])
        expect(() => pooled(...pad(bad))).toThrow('a Pad of more than zeros at the sides of an image.');
    }
    const sixes = [node('pad', 'PadV2', ['image', 'sides', 'six']), conv({}, 'Conv2D', ['pad', 'filter'])];
    expect(() => pooled(...sixes)).toThrow('a Pad of more than zeros at the sides of an image.');
  });

  it('that pool take the mean of all pixels, or of windows', () => {
    for (const axes of ['axes', 'behind']) expect(read(node('y', 'Mean', ['image', axes])).graph.nodes[0]?.kind).toBe('globalAveragePool');
    expect(() => read(node('y', 'Mean', ['image', 'axis']))).toThrow('a Mean over axes 1.');
    const pool = (ksize: string[]) =>
      node('y', 'AvgPool', ['image'], { ksize: { list: { i: ksize } }, ...strides(2, 3), ...padding('VALID') });
    expect(read(pool(['1', '32', '32', '1'])).graph.nodes[0]?.kind).toBe('globalAveragePool');
    expect(pooled(pool(['1', '4', '2', '1']))).toMatchObject([{ kind: 'conv', kernel: [4, 2], strides: [2, 3], groups: 3 }]);
  });

  it('that normalize a batch are a value a channel', () => {
    const own = new Map([...WEIGHTS, ['gamma', { shape: [4], values: Float32Array.of(2, 2, 2, 2) }]]);
    const constants = [...own.keys()].map((name): GraphNode => ({ name, op: 'Const' }));
    const gains = (attr: Attributes, op = 'FusedBatchNormV3') => {
      const norm = node('y', op, ['image', 'bias3', 'bias3', 'bias3', 'bias3'], attr);
      const network = readGraphModel([image, ...constants, norm, node('p', 'Mean', ['y', 'axes'])], signed('p'), own, PREPROCESSING);
      return network.preprocessing.std.map((s) => 1 / s);
    };
    for (const op of ['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'])
      gains({ epsilon: { f: 3 } }, op).forEach((gain, c) => {
        expect(gain).toBeCloseTo((c + 1) / Math.sqrt(c + 4), 6);
      });
    gains({}).forEach((gain, c) => {
      expect(gain).toBeCloseTo((c + 1) / Math.sqrt(c + 1 + 1e-4), 6);
    });
  });

  it('at the end turn logits into probabilities', () => {
    const end = (op: string) => read(node('pool', 'Mean', ['image', 'axes']), node('y', op, ['pool']));
    expect(end('Softmax').graph).toMatchObject({ classes: 3, outputs: { embedding: expect.any(String) } });
    expect(end('Softmax').graph.probabilities).toBeUndefined();
    expect(end('Sigmoid').graph).toMatchObject({ classes: 3, probabilities: 'sigmoid' });
    expect(() => end('Exp')).toThrow('tfjs: operator Exp ("y"); the networks of the family have none of it.');
  });

  it('that read nothing give what the file holds', () => {
    expect(() => read(node('missing', 'Const', []), node('y', 'Add', ['image', 'missing']))).toThrow(
      'the weights of "missing" are not in weightsManifest.',
    );
  });
});

describe('a graph', () => {
  const readAll = (nodes: readonly unknown[], model = {}) => readGraphModel(nodes, model, WEIGHTS, PREPROCESSING);

  it('has one image', () => {
    expect(() => readAll([])).toThrow('tfjs: 0 inputs; one image was expected.');
    expect(() => readAll([image, { ...image, name: 'other' }])).toThrow('tfjs: 2 inputs; one image was expected.');
    const open = { ...image, attr: {} };
    const nodes = [open, node('axes', 'Const', []), node('y', 'Mean', ['image', 'axes'])];
    expect(readAll(nodes).graph.resolution).toBe(224);
    expect(read(node('y', 'Mean', ['image', 'axes'])).graph.resolution).toBe(32);
  });

  it('has sound nodes, and not too many', () => {
    for (const bad of [
      null,
      7,
      {},
      { name: 'a' },
      { op: 'Relu' },
      { name: 'a', op: 'Relu', input: 'b' },
      { name: 'a', op: 'Relu', input: [1] },
    ])
      expect(() => readAll([image, bad])).toThrow(`tfjs: a node of the graph is damaged: ${JSON.stringify(bad)}`);
    expect(() => readAll(new Array(10_001).fill(image))).toThrow('tfjs: 10001 nodes; up to 10000 are read.');
    expect(() => readAll(new Array(10_000).fill(image))).toThrow('10000 inputs');
  });
});

describe('the order of nodes', () => {
  const graph = (...nodes: readonly [name: string, inputs: readonly string[], op?: string][]) =>
    new Map(nodes.map(([name, input, op = 'Relu']) => [name, { name, op, input }]));

  it('has each after what it reads, once', () => {
    const byName = graph(['y', ['b', 'a:0']], ['b', ['a', '^y']], ['a', ['image']], ['dead', ['a']], ['image', [], 'Placeholder']);
    expect(ordered(byName, 'y').map(({ name }) => name)).toEqual(['image', 'a', 'b', 'y']);
  });

  it('is refused where a node is missing, or reads itself', () => {
    expect(() => ordered(graph(['y', ['b']]), 'y')).toThrow('tfjs: node "b" is read, and not there.');
    expect(() => ordered(graph(['y', ['b']], ['b', ['y']]), 'y')).toThrow('reads what is computed of itself.');
    expect(() => ordered(graph(['y', ['y']]), 'y')).toThrow('tfjs: node "y" reads what is computed of itself.');
  });

  it('has no shapes that aliases read', () => {
    expect(inputsOf({ name: 'r', op: 'Reshape', input: ['x:1', 'shape'] })).toEqual(['x']);
    expect(inputsOf({ name: 'r', op: 'Add', input: ['^x', 'a:12', 'b'] })).toEqual(['a', 'b']);
    expect(inputsOf({ name: 'r', op: 'Const' })).toEqual([]);
  });

  it('ends with the output that the signature names, or that nothing reads', () => {
    const byName = graph(['a', []], ['b', ['a']], ['init', [], 'NoOp']);
    expect(outputOf(byName, {})).toBe('b');
    expect(outputOf(byName, signed('a'))).toBe('a');
    expect(outputOf(byName, { userDefinedMetadata: signed('a') })).toBe('a');
    expect(outputOf(byName, { signature: { outputs: {} } })).toBe('b');
    expect(() => outputOf(graph(), {})).toThrow('tfjs: 0 outputs; networks that classify');
    expect(() => outputOf(graph(['a', []], ['b', []]), {})).toThrow('tfjs: 2 outputs; networks that classify');
    const two = { signature: { outputs: { a: { name: 'a' }, b: { name: 'b' } } } };
    expect(() => outputOf(byName, two)).toThrow('tfjs: 2 outputs');
  });
});

/** Files by their name. */
const sourceOf = (files: Readonly<Record<string, Uint8Array>>): Source => ({
  ...bytesSource(new Uint8Array()),
  beside: async (name) => {
    const bytes = files[name];
    if (!bytes) throw new InputError(`no ${name}`);
    return bytes;
  },
});

describe('the manifest of weights', () => {
  const bytes = (values: ArrayBufferView) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const all = Buffer.concat([
    bytes(Float32Array.of(1.5, -2)),
    bytes(Uint16Array.of(0x3c00)),
    bytes(Int32Array.of(-7)),
    bytes(Uint8Array.of(200, 0, 1)),
    bytes(Uint16Array.of(40000)),
    Uint8Array.of(1),
    Uint8Array.of(10, 20),
    bytes(Uint16Array.of(300)),
    Uint8Array.of(5),
  ]);
  const weights = [
    { name: 'f', shape: [2], dtype: 'float32' },
    { name: 'h', shape: [], dtype: 'float32', quantization: { dtype: 'float16' } },
    { name: 'i', shape: [1, 1], dtype: 'int32' },
    { name: 'u', shape: [3], dtype: 'uint8' },
    { name: 'w', shape: [1], dtype: 'uint16' },
    { name: 'b', shape: [], dtype: 'bool' },
    { name: 'q', shape: [2], dtype: 'float32', quantization: { dtype: 'uint8', min: -1, scale: 0.5 } },
    { name: 'r', shape: [1], dtype: 'float32', quantization: { dtype: 'uint16', scale: 0.25 } },
    { name: 's', shape: [1], dtype: 'float32', quantization: { dtype: 'uint8', min: 2 } },
  ];
  const expected = {
    f: [1.5, -2],
    h: [1],
    i: [-7],
    u: [200, 0, 1],
    w: [40000],
    b: [1],
    q: [4, 9],
    r: [75],
    s: [7],
  };

  it('says how tensors of every kind lie in the shards, one after the other', async () => {
    for (const cuts of [[], [5], [3, 9, 20]]) {
      const files: Record<string, Uint8Array> = {};
      const paths = [...cuts, all.length].map((to, i) => {
        files[`${i}.bin`] = new Uint8Array(all.subarray(cuts[i - 1] ?? 0, to));
        return `${i}.bin`;
      });
      const constants = await readManifest([{ paths, weights }], sourceOf(files));
      expect(Object.fromEntries([...constants].map(([name, { values }]) => [name, [...values]]))).toEqual(expected);
      expect(constants.get('i')?.shape).toEqual([1, 1]);
    }
    const groups = [
      { paths: ['a'], weights: [{ name: 'x', shape: [1], dtype: 'uint8' }] },
      { paths: ['b'], weights: [{ name: 'y', shape: [1], dtype: 'uint8' }] },
    ];
    const constants = await readManifest(groups, sourceOf({ a: Uint8Array.of(1), b: Uint8Array.of(2) }));
    expect([...(constants.get('y')?.values ?? [])]).toEqual([2]);
  });

  const one = { name: 'x', shape: [1], dtype: 'uint8' };
  const group = (change: object) => [{ paths: ['a'], weights: [one], ...change }];
  it.each<[string, unknown, string]>([
    ['no list', {}, 'tfjs: model.json has no weightsManifest.'],
    ['nothing for a group', [null], 'a group of weightsManifest has no paths or no weights.'],
    ['no paths', group({ paths: 'a' }), 'no paths or no weights.'],
    ['no weights', group({ weights: 'x' }), 'no paths or no weights.'],
    ['a path that is a number', group({ paths: [1] }), 'no paths or no weights.'],
    ['too many paths', group({ paths: new Array(1001).fill('a') }), 'no paths or no weights.'],
    ['nothing for an entry', group({ weights: [null] }), 'an entry of weightsManifest is damaged: null.'],
    ['no name', group({ weights: [{ ...one, name: 1 }] }), 'an entry of weightsManifest is damaged: {"name":1'],
    ['no shape', group({ weights: [{ ...one, shape: 1 }] }), 'is damaged'],
    ['a side below zero', group({ weights: [{ ...one, shape: [-1] }] }), 'is damaged'],
    ['half a side', group({ weights: [{ ...one, shape: [0.5] }] }), 'is damaged'],
    ['nine sides', group({ weights: [{ ...one, shape: new Array(9).fill(1) }] }), 'is damaged'],
    ['no type', group({ weights: [{ ...one, dtype: 1 }] }), 'is damaged'],
    ['quantization that is a number', group({ weights: [{ ...one, quantization: 1 }] }), 'is damaged'],
    ['quantization of nothing', group({ weights: [{ ...one, quantization: null }] }), 'is damaged'],
    ['an unknown type', group({ weights: [{ ...one, dtype: 'string' }] }), 'tfjs: tensor "x" is string; float32, float16, int32,'],
    ['a tensor behind the shard', group({ weights: [{ ...one, shape: [2] }] }), 'of shape [2] ends at byte 2 of 1; a shard is missing'],
    [
      'an endless scale',
      group({ weights: [{ ...one, quantization: { dtype: 'uint8', scale: 'x' } }] }),
      'tensor "x" has scale x and min 0.',
    ],
    ['an endless minimum', group({ weights: [{ ...one, quantization: { dtype: 'uint8', min: null } }] }), 'has scale 1 and min null.'],
  ])('is refused with %s', async (_, manifest, message) => {
    await expect(readManifest(manifest, sourceOf({ a: Uint8Array.of(1) }))).rejects.toThrow(message);
  });

  it('takes eight sides, and a thousand shards', async () => {
    const paths = new Array(1000).fill('a');
    const entry = { ...one, shape: [1, 1, 1, 1, 1, 1, 10, 100] };
    const constants = await readManifest([{ paths, weights: [entry] }], sourceOf({ a: Uint8Array.of(1) }));
    expect(constants.get('x')?.values).toHaveLength(1000);
  });
});

describe('model.json', () => {
  const json = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
  const model = {
    modelTopology: { node: [image, node('axes', 'Const', []), node('y', 'Softmax', ['p']), node('p', 'Mean', ['image', 'axes'])] },
    weightsManifest: [{ paths: ['a'], weights: [{ name: 'axes', shape: [2], dtype: 'uint8' }] }],
  };
  const beside = (metadata?: unknown) =>
    sourceOf({ a: Uint8Array.of(1, 2), ...(metadata === undefined ? {} : { 'metadata.json': json(metadata) }) });

  it('has a topology, and perhaps labels beside it', async () => {
    const network = await readTfjs(json(model), beside());
    expect(network).toMatchObject({ graph: { classes: 3 }, preprocessing: PREPROCESSING });
    expect(network).not.toHaveProperty('labels');
    expect((await readTfjs(json(model), beside({ labels: ['a', 'b', 'c'] }))).labels).toEqual(['a', 'b', 'c']);
    expect(await readTfjs(json(model), beside({ labels: ['a', 'b'] }))).not.toHaveProperty('labels');
    expect(await readTfjs(json(model), beside({}))).not.toHaveProperty('labels');
  });

  it("may have its topology as text, as Keras' to_json() gives it", async () => {
    const network = await readTfjs(json({ ...model, modelTopology: JSON.stringify(model.modelTopology) }), beside());
    expect(network).toEqual(await readTfjs(json(model), beside()));
  });

  it.each<[unknown, string]>([
    ['{', "the file's model.json is no JSON."],
    ['null', 'the JSON file has no modelTopology; a model.json of TensorFlow.js was expected.'],
    [{}, 'has no modelTopology'],
    [{ modelTopology: 'x' }, "the file's modelTopology is no JSON."],
    [{ modelTopology: '1' }, 'has no modelTopology'],
    [{ modelTopology: null }, 'has no modelTopology'],
    [{ ...model, weightsManifest: undefined }, 'model.json has no weightsManifest.'],
    [{ ...model, weightsManifest: [{ paths: ['a'], weights: [] }] }, 'tfjs: weightsManifest lists no tensors; write the model again'],
    [{ ...model, modelTopology: { model_config: 'x' } }, 'tfjs: modelTopology describes no layers.'],
  ])('is refused as %j', async (value, message) => {
    await expect(readTfjs(json(value), beside())).rejects.toThrow(message);
  });
});
