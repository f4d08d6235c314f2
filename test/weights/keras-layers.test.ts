import type { Node } from '../../src/graph/graph.js';
import type { FloatWeights, Network } from '../../src/graph/network.js';
import type { Constant } from '../../src/weights/constants.js';
import { inboundOf, inputShapeOf, layersOf, modelOf, placesOf, sidesOf } from '../../src/weights/keras/config.js';
import { readLayers } from '../../src/weights/keras/layers.js';
import { type LayerVariables, namedVariables, placedVariables } from '../../src/weights/keras/variables.js';

// What Keras describes, one layer at a time.

const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => i + 1);
const PREPROCESSING = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 1, interpolation: 'bilinear' } as const;
type Layer = Record<string, unknown>;
type Config = Record<string, unknown>;

const layer = (kind: string, config: Config = {}, name = kind.toLowerCase()): Layer => ({ class_name: kind, config: { name, ...config } });
const INPUT = layer('InputLayer', { batch_shape: [null, 32, 32, 3] }, 'image');
const sequential = (...layers: readonly Layer[]) => ({ class_name: 'Sequential', config: { name: 'net', layers: [INPUT, ...layers] } });
/** A layer of a functional model, and the layers that it reads. */
const reading = (own: Layer, ...from: readonly string[]): Layer => ({ ...own, inbound_nodes: [from.map((name) => [name, 0, 0, {}])] });
const functional = (output: string, ...layers: readonly Layer[]) => ({
  class_name: 'Functional',
  config: { name: 'net', layers: [INPUT, ...layers], output_layers: [[output, 0, 0]] },
});

/** Variables by their layer's name and their own. */
const held = (all: Readonly<Record<string, Constant>>): LayerVariables => ({ find: (path, name) => all[`${path.at(-1)?.name}/${name}`] });
const CONV = {
  'conv2d/kernel': { shape: [3, 2, 3, 4], values: ramp(72) },
  'conv2d/bias': { shape: [4], values: ramp(4) },
  'depthwiseconv2d/depthwise_kernel': { shape: [2, 3, 3, 1], values: ramp(18) },
  'depthwiseconv2d/bias': { shape: [3], values: ramp(3) },
  'dense/kernel': { shape: [3, 2], values: ramp(6) },
  'dense/bias': { shape: [2], values: ramp(2) },
} satisfies Record<string, Constant>;
const read = (config: Config, variables: Readonly<Record<string, Constant>> = CONV, version = '2'): Network =>
  readLayers(config, held(variables), { format: 'keras', version, preprocessing: PREPROCESSING });
const POOL = layer('GlobalAveragePooling2D');
/** Nodes of some layers with a pool behind them, which is left out. */
const pooled = (layers: readonly Layer[], variables?: Readonly<Record<string, Constant>>, version?: string) =>
  read(sequential(...layers, POOL), variables, version);
const nodes = (...args: Parameters<typeof pooled>) => pooled(...args).graph.nodes.slice(0, -1);
const weightsOf = ({ weights, graph }: Network, place = 0) => weights.get((graph.nodes[place] as Node).name) as FloatWeights;
const conv = (config: Config = {}) => layer('Conv2D', { strides: [1, 1], padding: 'valid', activation: 'linear', ...config });
const depthwise = (config: Config = {}) => layer('DepthwiseConv2D', { strides: [1, 1], ...config });

describe('a convolution', () => {
  it('has its window, its bias and its activation', () => {
    expect(nodes([conv({ strides: [2, 3], padding: 'same', activation: 'relu6' })])).toMatchObject([
      { kernel: [3, 2], strides: [2, 3], padding: 'same', inputChannels: 3, channels: 4, groups: 1, activation: 'relu6' },
    ]);
    expect(nodes([conv({ strides: 2 })])).toMatchObject([{ strides: [2, 2], padding: 'valid', activation: 'none' }]);
    expect(weightsOf(pooled([conv()]))).toEqual({ filter: ramp(72), bias: ramp(4) });
    expect(weightsOf(pooled([conv({ use_bias: false })])).bias).toEqual(new Float32Array(4));
  });

  it('may be depthwise, under either name of its kernel', () => {
    expect(nodes([depthwise()])).toMatchObject([{ kernel: [2, 3], groups: 3, channels: 3 }]);
    expect(weightsOf(pooled([depthwise()]))).toEqual({ filter: ramp(18), bias: ramp(3) });
    const { 'depthwiseconv2d/depthwise_kernel': kernel, ...others } = CONV;
    expect(nodes([depthwise()], { ...others, 'depthwiseconv2d/kernel': kernel })).toHaveLength(1);
    expect(() => nodes([depthwise()], others)).toThrow('keras: the file holds no "depthwise_kernel" of layer "depthwiseconv2d".');
    expect(nodes([depthwise({ depth_multiplier: 1 })])).toHaveLength(1);
    expect(() => nodes([depthwise({ depth_multiplier: 2 })])).toThrow('layer "depthwiseconv2d" has a depthwise multiplier above 1.');
  });

  it.each<[Config, string]>([
    [{ data_format: 'channels_first' }, 'keras: layer "conv2d" has channels first.'],
    [{ dilation_rate: [1, 2] }, 'keras: layer "conv2d" is dilated.'],
    [{ dilation_rate: 2 }, 'keras: layer "conv2d" is dilated.'],
    [{ strides: [1] }, 'keras: layer "conv2d" has strides [1].'],
    [{ strides: [0, 1] }, 'has strides [0,1].'],
    [{ strides: [1.5, 1] }, 'has strides [1.5,1].'],
    [{ strides: 'x' }, 'has strides "x".'],
    [{ groups: 3 }, 'a convolution of 3 to 4 channels in 3 groups.'],
    [{ activation: 'elu' }, 'keras: the activation "elu".'],
  ])('with %j is refused', (config, message) => {
    expect(() => nodes([conv(config)])).toThrow(message);
  });

  it('may say what goes without saying', () => {
    expect(nodes([conv({ data_format: 'channels_last', dilation_rate: [1, 1], groups: 1 })])).toHaveLength(1);
    expect(nodes([conv({ dilation_rate: null })])).toHaveLength(1);
  });
});

describe('a fully connected layer', () => {
  it('is a matrix', () => {
    const dense = read(sequential(POOL, layer('Dense', { activation: 'relu' })));
    expect(dense.graph.nodes[1]).toMatchObject({ kind: 'conv', channels: 2, activation: 'relu' });
    expect(weightsOf(dense, 1)).toEqual({ filter: ramp(6), bias: ramp(2) });
    expect(weightsOf(read(sequential(POOL, layer('Dense', { use_bias: false }))), 1).bias).toEqual(new Float32Array(2));
    expect(() => read(sequential(POOL, layer('Dense')), {})).toThrow('the file holds no "kernel" of layer "dense".');
  });
});

describe('an activation', () => {
  it.each([
    ['linear', 'none'],
    ['relu', 'relu'],
    ['relu6', 'relu6'],
    ['hard_swish', 'hardSwish'],
    ['hard_silu', 'hardSwish'],
  ])('%s is that of the convolution', (name, activation) => {
    expect(nodes([conv(), layer('Activation', { activation: name })])).toMatchObject([{ activation }]);
    expect(nodes([conv({ activation: name })])).toMatchObject([{ activation }]);
    expect(nodes([conv({ activation: { class_name: name } })])).toMatchObject([{ activation }]);
  });

  it('may be a curve, or nothing', () => {
    for (const name of ['swish', 'silu'])
      expect(nodes([conv({ activation: name })])).toMatchObject([{}, { kind: 'activation', activation: 'swish' }]);
    expect(nodes([conv({ activation: null })])).toMatchObject([{ activation: 'none' }]);
    expect(nodes([conv(), layer('HardSwish')])).toMatchObject([{ activation: 'hardSwish' }]);
  });

  it('h-sigmoid has another slope since Keras 3', () => {
    const first = (version: string) => weightsOf(pooled([conv({ activation: 'hard_sigmoid' })], CONV, version)).filter[0];
    expect(nodes([conv({ activation: 'hard_sigmoid' })], CONV, '3.5.0')).toMatchObject([{ activation: 'hardSigmoid' }]);
    expect(first('3.5.0')).toBeCloseTo(1, 6);
    expect(first('10.0')).toBeCloseTo(1, 6);
    expect(first('2.9.3')).toBeCloseTo(1.2, 6);
  });

  it('at the end gives probabilities', () => {
    const end = (...layers: Layer[]) => read(sequential(POOL, ...layers)).graph;
    expect(end(layer('Dense', { activation: 'softmax' }))).toMatchObject({ classes: 2 });
    expect(end(layer('Softmax'))).toMatchObject({ classes: 3 });
    expect(end(layer('Dense', { activation: 'sigmoid' }))).toMatchObject({ classes: 2, probabilities: 'sigmoid' });
  });

  it('ReLU may have a most', () => {
    expect(nodes([conv(), layer('ReLU', { max_value: 6, negative_slope: 0, threshold: 0 })])).toMatchObject([{ activation: 'relu6' }]);
    expect(nodes([conv(), layer('ReLU')])).toMatchObject([{ activation: 'relu' }]);
    expect(nodes([conv(), layer('ReLU', { max_value: null, negative_slope: null, threshold: null })])).toMatchObject([
      { activation: 'relu' },
    ]);
    expect(nodes([conv(), layer('ReLU', { max_value: 4 })])).toMatchObject([{}, { kind: 'affine', low: 0, high: 4 }]);
    for (const leaky of [{ negative_slope: 0.1 }, { threshold: 1 }])
      expect(() => nodes([conv(), layer('ReLU', leaky)])).toThrow('keras: the leaky ReLU "relu".');
  });
});

describe('other layers', () => {
  it.each([
    'Dropout',
    'SpatialDropout2D',
    'GaussianNoise',
    'ActivityRegularization',
    'Flatten',
    'Reshape',
    'RandomFlip',
    'Identity',
  ])('%s leaves values as they are', (kind) => {
    expect(nodes([conv(), layer(kind)])).toHaveLength(1);
  });

  it('that are of no network of the family are refused by name', () => {
    for (const kind of ['LSTM', 'MyDropout', 'Dropouts'])
      expect(() => nodes([layer(kind, {}, 'odd')])).toThrow(`keras: layer "odd" is a ${kind}; the networks of the family have none.`);
  });

  it('normalize a batch, with or without gamma and beta', () => {
    const parts = { gamma: [2, 2, 2, 2], beta: [1, 2, 3, 4], moving_mean: [0, 0, 0, 8], moving_variance: [3, 3, 3, 3] };
    const variables = Object.fromEntries(
      Object.entries(parts).map(([name, values]) => [`batchnormalization/${name}`, { shape: [4], values: Float32Array.from(values) }]),
    );
    const folded = (config: Config) =>
      weightsOf(pooled([conv({ use_bias: false }), layer('BatchNormalization', config)], { ...CONV, ...variables }));
    expect(folded({ epsilon: 1 })).toMatchObject({ bias: Float32Array.of(1, 2, 3, -4) });
    expect(folded({ epsilon: 1 }).filter[0]).toBe(1);
    expect(folded({ epsilon: 1, scale: false }).filter[0]).toBe(0.5);
    expect(folded({ epsilon: 1, center: false }).bias).toEqual(Float32Array.of(0, 0, 0, -8));
    expect(folded({}).filter[0]).toBeCloseTo(2 / Math.sqrt(3.001), 6);
    // By position, as Keras 3 keeps them: what is left out has no place.
    const asked: string[] = [];
    const counting: LayerVariables = {
      find: (path, name, position) => {
        if (path.at(-1)?.name === 'batchnormalization') asked.push(`${name} ${position}`);
        return held({ ...CONV, ...variables }).find(path, name, position);
      },
    };
    const config = sequential(conv(), layer('BatchNormalization', { scale: false }), POOL);
    readLayers(config, counting, { format: 'keras', version: '3', preprocessing: PREPROCESSING });
    expect(asked).toEqual(['beta 0', 'moving_mean 1', 'moving_variance 2']);
  });

  it('pool', () => {
    expect(read(sequential(layer('AveragePooling2D', { pool_size: [32, 32] }))).graph.nodes[0]?.kind).toBe('globalAveragePool');
    const pool = (config: Config) => nodes([layer('AveragePooling2D', config)])[0];
    expect(pool({ pool_size: 4 })).toMatchObject({ kernel: [4, 4], strides: [4, 4], padding: 'valid' });
    expect(pool({ pool_size: [4, 2], strides: [2, 1] })).toMatchObject({ kernel: [4, 2], strides: [2, 1] });
    expect(() => pool({ pool_size: 4, padding: 'same' })).toThrow('an average pool of 4x4 windows');
  });

  it('pad', () => {
    const padded = (padding: unknown) => nodes([layer('ZeroPadding2D', { padding }), conv()])[0];
    expect(
      padded([
        [1, 2],
        [3, 4],
      ]),
    ).toMatchObject({ padding: [1, 2, 3, 4] });
    expect(padded([1, 2])).toMatchObject({ padding: [1, 1, 2, 2] });
    expect(padded(3)).toMatchObject({ padding: [3, 3, 3, 3] });
    expect(() => padded([1, 2, 3])).toThrow('keras: layer "zeropadding2d" has padding [1,2,3].');
    expect(() => padded([[1, 2], [3]])).toThrow('has padding [[1,2],[3]].');
  });

  it('bring pixels to what the network takes', () => {
    const told = (...layers: Layer[]) => pooled([...layers, conv()]).preprocessing;
    expect(told(layer('Rescaling', { scale: [4, 2, 1], offset: -1 }))).toMatchObject({ mean: [0.25, 0.5, 1], std: [0.25, 0.5, 1] });
    expect(told(layer('Rescaling', { scale: 2, offset: [-1, -2, 0] }))).toMatchObject({ mean: [0.5, 1, 0], std: [0.5, 0.5, 0.5] });
    expect(told(layer('Rescaling', { scale: 1 / 127.5, offset: -1 }))).toMatchObject({ mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] });
    expect(nodes([layer('Rescaling', { offset: 3 })])[0]).toMatchObject({ kind: 'affine', alpha: 1, beta: 3 });
    expect(nodes([layer('Rescaling', { scale: 3 })])[0]).toMatchObject({ kind: 'affine', alpha: 3, beta: 0 });
    expect(told(layer('Normalization', { mean: [1, 2, 3], variance: [4, 16, 64] }))).toMatchObject({ mean: [1, 2, 3], std: [2, 4, 8] });
    expect(told(layer('Normalization', { mean: [[[[1, 2, 3]]]], variance: 4 }))).toMatchObject({ mean: [1, 2, 3], std: [2, 2, 2] });
    const kept = { mean: { shape: [3], values: Float32Array.of(1, 0, 0) }, variance: { shape: [1], values: Float32Array.of(16) } };
    const variables = { ...CONV, 'normalization/mean': kept.mean, 'normalization/variance': kept.variance };
    expect(pooled([layer('Normalization'), conv()], variables).preprocessing).toMatchObject({ mean: [1, 0, 0], std: [4, 4, 4] });
  });
});

describe('arithmetic', () => {
  const branches = (kind: string, ...from: readonly string[]) =>
    read(
      functional(
        'pool',
        reading(layer('ReLU', {}, 'a'), 'image'),
        reading(layer('HardSwish', {}, 'b'), 'image'),
        reading(layer('Activation', { activation: 'swish' }, 'c'), 'image'),
        reading(layer(kind, {}, 'y'), ...from),
        reading(layer('GlobalAveragePooling2D', {}, 'pool'), 'y'),
      ),
    ).graph.nodes.map((node) => `${node.kind} ${node.inputs.length}`);
  it('of tensors adds or multiplies all of them', () => {
    expect(branches('Add', 'a', 'b')).toEqual(['affine 1', 'activation 1', 'add 2', 'globalAveragePool 1']);
    expect(branches('Multiply', 'a', 'b')).toContain('multiply 2');
    expect(branches('Add', 'a', 'b', 'c').filter((kind) => kind === 'add 2')).toHaveLength(2);
    expect(() => branches('Subtract', 'a', 'b')).toThrow('keras: a subtract of two tensors.');
    for (const kind of ['TrueDivide', 'Divide']) expect(() => branches(kind, 'a', 'b')).toThrow('keras: a divide of two tensors.');
  });

  it.each<[string, Config, object]>([
    ['TFOpLambda', { function: 'math.add' }, { alpha: 1, beta: 4 }],
    ['TFOpLambda', { function: '__operators__.add' }, { alpha: 1, beta: 4 }],
    ['TFOpLambda', { function: 'math.subtract' }, { alpha: 1, beta: -4 }],
    ['TFOpLambda', { function: 'math.multiply' }, { alpha: 4, beta: 0 }],
    ['TFOpLambda', { function: 'math.truediv' }, { alpha: 0.25, beta: 0 }],
    ['TrueDivide', {}, { alpha: 0.25, beta: 0 }],
  ])('%s %j with a number is a line', (kind, config, line) => {
    for (const inbound of [
      [['s', 0, 0, { y: 4 }]],
      { args: [{ class_name: '__keras_tensor__', config: { keras_history: ['s', 0, 0] } }, 4], kwargs: {} },
    ]) {
      const own = { ...layer(kind, config, 'y'), inbound_nodes: [inbound] };
      const network = read(
        functional('pool', reading(layer('HardSwish', {}, 's'), 'image'), own, reading(layer('GlobalAveragePooling2D', {}, 'pool'), 'y')),
      );
      expect(network.graph.nodes[1]).toMatchObject({ kind: 'affine', ...line });
    }
  });

  it('by other functions is refused', () => {
    expect(() => nodes([layer('TFOpLambda', { function: 'math.exp' }, 'y')])).toThrow('layer "y" is a TFOpLambda');
  });
});

describe('a model', () => {
  it('may lie in another, and its layers in it', () => {
    const inner = {
      class_name: 'Functional',
      name: 'inner',
      config: { name: 'inner', layers: [INPUT, reading(conv(), 'image')], output_layers: [['conv2d', 0, 0]] },
    };
    const asked: string[] = [];
    const variables: LayerVariables = {
      find: (path, name, position) => {
        asked.push(path.map((part) => `${part.name}:${part.place}`).join('/'));
        return held(CONV).find(path, name, position);
      },
    };
    const network = readLayers(sequential(inner as Layer, POOL), variables, {
      format: 'keras',
      version: '2',
      preprocessing: PREPROCESSING,
    });
    expect(network.graph.nodes).toHaveLength(2);
    expect(asked[0]).toBe('net:/inner:functional/conv2d:conv2d');
    const list = { class_name: 'Sequential', config: [layer('InputLayer', { batch_input_shape: [null, 64, 64, 3] }), conv(), POOL] };
    expect(read(list as unknown as Config).graph).toMatchObject({ resolution: 64 });
  });

  it('has one output, and reads what there is', () => {
    const branches = (output_layers: unknown, ...layers: Layer[]) =>
      read({ class_name: 'Functional', config: { name: 'net', layers: [INPUT, reading(POOL, 'image'), ...layers], output_layers } });
    expect(branches([['globalaveragepooling2d', 0, 0]]).graph.nodes).toHaveLength(1);
    expect(branches(['globalaveragepooling2d', 0, 0]).graph.nodes).toHaveLength(1);
    expect(() => branches(undefined)).toThrow('keras: 0 outputs; networks that classify');
    expect(() =>
      branches([
        ['a', 0, 0],
        ['b', 0, 0],
      ]),
    ).toThrow('keras: 2 outputs; networks that classify');
    expect(() => branches([['nothing', 0, 0]])).toThrow('keras: layer "output" reads "nothing", which no earlier layer makes.');
    expect(() => branches([['y', 0, 0]], reading(layer('Flatten', {}, 'y'), 'nothing'))).toThrow('keras: layer "y" reads "nothing"');
    expect(() => branches([['y', 0, 0]], layer('InputLayer', {}, 'y'))).toThrow('keras: layer "y" reads "the input"');
  });

  it.each<[string, Config]>([
    ['has no layers', { class_name: 'Net', config: {} }],
    ['has an empty list of layers', { class_name: 'Net', config: { layers: [] } }],
    ['has too many', { class_name: 'Net', config: { layers: new Array(5001).fill(POOL) } }],
  ])('that %s is refused', (_, config) => {
    expect(() => modelOf(config, 'keras')).toThrow('keras: the model is a Net; a Sequential or Functional one with layers is read.');
  });

  it('may be nested only so deep', () => {
    const nest = (depth: number): Config => ({ class_name: 'Sequential', config: { layers: depth === 0 ? [POOL] : [nest(depth - 1)] } });
    expect(modelOf(nest(18), 'keras').layers).toHaveLength(1);
    expect(() => modelOf(nest(19), 'keras')).toThrow('the model is a Sequential');
    expect(modelOf({ class_name: 'Net', config: { layers: new Array(5000).fill(POOL) } }, 'keras').layers).toHaveLength(5000);
  });

  it('has layers with a class, and names that they are called by', () => {
    for (const bad of [null, 'x', [], {}, { class_name: 3 }])
      expect(() => modelOf({ class_name: 'Net', config: { layers: [bad] } }, 'keras')).toThrow(
        `keras: a layer has no class_name: ${JSON.stringify(bad)}.`,
      );
    const {
      name,
      sequential: isSequential,
      layers,
      outputs,
    } = modelOf(
      {
        class_name: 'Functional',
        config: {
          layers: [
            { class_name: 'A' },
            { class_name: 'B', config: { name: 'b' } },
            { class_name: 'C', name: 'c', config: { name: 'other' } },
            { class_name: 'D', config: [POOL] },
          ],
          output_layers: 'x',
        },
      },
      'keras',
    );
    expect({ name, isSequential, outputs }).toEqual({ name: '', isSequential: false, outputs: [] });
    expect(layers.map((each) => each.name)).toEqual(['A', 'b', 'c', 'D']);
    expect(layers.map(({ config }) => config)).toEqual([{}, { name: 'b' }, { name: 'other' }, { layers: [POOL] }]);
    expect([layersOf([1]), layersOf({ layers: [2] }), layersOf({ layers: 3 }), layersOf(null)]).toEqual([[1], [2], undefined, undefined]);
  });

  const inbound = (inbound_nodes: unknown) =>
    modelOf({ class_name: 'Net', config: { layers: [{ class_name: 'A', inbound_nodes }] } }, 'keras').layers[0];
  const tensor = (name: string) => ({ class_name: '__keras_tensor__', config: { keras_history: [name, 0, 0] } });
  it.each<[string, unknown, string[], number | undefined]>([
    ['nothing', undefined, [], undefined],
    ['no call', [], [], undefined],
    [
      'two tensors of Keras 2',
      [
        [
          ['a', 0, 0, {}],
          ['b', 0, 0, {}],
        ],
      ],
      ['a', 'b'],
      undefined,
    ],
    ['one tensor of Keras 2', [['a', 0, 0, {}]], ['a'], undefined],
    ['a number beside it', [[['a', 0, 0, { y: 4, name: null }]]], ['a'], 4],
    ['a tensor beside it', [[['a', 0, 0, { y: ['b', 0, 0] }]]], ['a', 'b'], undefined],
    ['a list beside it', [[['a', 0, 0, { y: [1, 2, 3], z: ['b', 0] }]]], ['a'], undefined],
    ['tensors of Keras 3', [{ args: [[tensor('a'), tensor('b')]], kwargs: {} }], ['a', 'b'], undefined],
    ['a number of Keras 3', [{ args: [tensor('a'), 5], kwargs: {} }], ['a'], 5],
    ['a number by its name', [{ args: [tensor('a')], kwargs: { y: 6 } }], ['a'], 6],
    ['what is no tensor', [{ args: [{ config: {} }, { config: 1 }, null, 'x'], kwargs: 1 }], [], undefined],
    ['no arguments', [{}], [], undefined],
  ])('has layers that read %s', (_, given, names, number) => {
    const own = inbound(given) as NonNullable<ReturnType<typeof inbound>>;
    expect(inboundOf(own, 'keras')).toEqual(names);
    expect(own.number).toBe(number);
  });

  it('uses a layer once', () => {
    expect(() => inboundOf(inbound([[], []]) as never, 'keras')).toThrow('keras: layer "A" is used 2 times.');
    let deep: unknown = tensor('a');
    for (let i = 0; i < 19; i++) deep = [deep];
    expect(inboundOf(inbound([{ args: deep }]) as never, 'keras')).toEqual(['a']);
    for (let i = 0; i < 3; i++) deep = [deep];
    expect(inboundOf(inbound([{ args: deep }]) as never, 'keras')).toEqual([]);
  });

  it('says in its first layers how large images are', () => {
    const shapeOf = (...layers: Layer[]) => inputShapeOf(modelOf({ class_name: 'Net', config: { layers } }, 'keras'), 'keras');
    expect(shapeOf(layer('InputLayer', { batch_input_shape: [null, 64, 64, 3] }))).toEqual([null, 64, 64, 3]);
    expect(shapeOf(layer('Conv2D', { batch_shape: [1, 96, 96, 3] }))).toEqual([1, 96, 96, 3]);
    expect(shapeOf(layer('InputLayer'), sequential(POOL))).toEqual([null, 32, 32, 3]);
    expect(shapeOf(layer('Conv2D'), layer('InputLayer', { batch_shape: [1, 96, 96, 3] }))).toEqual([null, null, null, 3]);
    expect(shapeOf(layer('InputLayer'))).toEqual([null, null, null, 3]);
  });

  it('has places in a file of weights by class and number', () => {
    const kinds = ['Conv2D', 'DepthwiseConv2D', 'Conv2D', 'BatchNormalization', 'ReLU', 'TFOpLambda', 'My>Layer', 'Conv2D'];
    expect(placesOf(modelOf({ class_name: 'Net', config: { layers: kinds.map((kind) => layer(kind)) } }, 'keras'))).toEqual([
      'conv2d',
      'depthwise_conv2d',
      'conv2d_1',
      'batch_normalization',
      're_lu',
      'tf_op_lambda',
      'my_layer',
      'conv2d_2',
    ]);
    expect(sidesOf([[1, 2], 3], 'a', 'keras')).toEqual([
      [1, 2],
      [3, 3],
    ]);
  });
});

describe('variables', () => {
  const constant = (value: number): Constant => ({ shape: [1], values: Float32Array.of(value) });
  const path = (...names: readonly string[]) => names.map((name) => ({ name, place: `${name}_place` }));

  it('are found by the names of their layer and of the models around it', () => {
    const names = ['Conv/kernel:0', 'expanded_conv/Conv/kernel:0', 'net/other/kernel', 'net/a/x/bias:0', 'a/x/bias', 'b/x/bias'];
    const variables = namedVariables(new Map(names.map((name, i) => [name, constant(i)])));
    const found = (layerPath: readonly string[], name: string) => variables.find(path(...layerPath), name, 0)?.values[0];
    expect(found(['net', 'Conv'], 'kernel')).toBe(0);
    expect(found(['net', 'expanded_conv/Conv'], 'kernel')).toBe(1);
    expect(found(['net', 'other'], 'kernel')).toBe(2);
    expect(found(['other'], 'kernel')).toBeUndefined();
    // The one that names the most of the models around it.
    expect(found(['net', 'a', 'x'], 'bias')).toBe(3);
    expect(found(['a', 'x'], 'bias')).toBe(4);
    expect(found(['b', 'x'], 'bias')).toBe(5);
    expect(found(['x'], 'bias')).toBeUndefined();
    expect(found(['net', 'Conv'], 'gamma')).toBeUndefined();
  });

  it('are found by their place', () => {
    const variables = placedVariables(
      new Map([
        ['layers/a_place/layers/b_place/vars/1', constant(1)],
        ['vars/0', constant(2)],
      ]),
    );
    expect(variables.find(path('net', 'a', 'b'), 'kernel', 1)?.values[0]).toBe(1);
    expect(variables.find(path('net', 'a', 'b'), 'kernel', 0)).toBeUndefined();
    expect(variables.find(path('net'), 'kernel', 0)?.values[0]).toBe(2);
  });
});
