import type { Node } from '../../src/graph/graph.js';
import type { FloatWeights } from '../../src/graph/network.js';
import { arithmetic } from '../../src/weights/arithmetic.js';
import { NetworkBuilder } from '../../src/weights/builder.js';
import { type ConvShape, paddingOf } from '../../src/weights/built.js';
import { arithmeticOf, type Operation } from '../../src/weights/constants.js';
import { finish } from '../../src/weights/finish.js';
import { batchNormAffine, foldBatchNorm } from '../../src/weights/fold.js';
import { pixelByPixel, toChannelsFirst, toChannelsLast, turned } from '../../src/weights/layout.js';
import { resolutionOf } from '../../src/weights/resolution.js';

// What every reader of operators builds with, one call at a time.

const LANES = { scale: 0.5, low: -128, high: 127 };
const FINER = { scale: 0.25, low: 0, high: 255 };
const start = (axis: 1 | 3 = 3) => {
  const builder = new NetworkBuilder('test', axis, 32);
  builder.input('image');
  return builder;
};
const shape = (change: Partial<ConvShape> = {}): ConvShape => ({
  kernel: [1, 1],
  strides: [1, 1],
  padding: 'valid',
  channels: 2,
  groups: 1,
  ...change,
});
const zeros = (count: number, channels = 2): FloatWeights => ({ filter: new Float32Array(count), bias: new Float32Array(channels) });
/** A builder whose tensor x has 2 channels and as many pixels. */
const withX = (axis: 1 | 3 = 3, change: Partial<ConvShape> = {}, lanes?: typeof LANES) => {
  const builder = start(axis);
  const { kernel, channels } = shape(change);
  builder.conv('x', 'image', shape(change), zeros(3 * kernel[0] * kernel[1] * channels, channels), lanes);
  return builder;
};
const values = (...numbers: number[]) => ({ shape: [numbers.length], values: Float32Array.from(numbers) });
const nodesOf = (builder: NetworkBuilder, output: string) => builder.build(output).nodes.slice(1);

describe('a convolution', () => {
  it('has what its operator says, and the zeros in front of it', () => {
    const builder = start();
    builder.pad('padded', 'image', [1, 2, 3, 4]);
    builder.pad('more', 'padded', [0, 0, 1, 0]);
    builder.conv('y', 'more', shape({ kernel: [3, 2], strides: [2, 1], activation: 'relu' }), zeros(3 * 6 * 2), LANES);
    const { nodes, weights, lanes, output, shapes, resolution, end } = builder.build('y');
    expect(nodes).toEqual([
      {
        kind: 'conv',
        name: '0',
        inputs: ['input'],
        kernel: [3, 2],
        strides: [2, 1],
        padding: [1, 2, 4, 4],
        inputChannels: 3,
        channels: 2,
        groups: 1,
        activation: 'relu',
      },
    ]);
    expect([...weights.keys()]).toEqual(['0']);
    expect(lanes).toEqual(new Map([['0', LANES]]));
    expect({ output, resolution, end, shape: shapes.get('0') }).toEqual({
      output: '0',
      resolution: 32,
      end: undefined,
      shape: [17, 39, 2],
    });
    expect(builder.shape('y')).toEqual([17, 39, 2]);
    expect(builder.lanesOf('y')).toBe(LANES);
  });

  it('adds its own zeros to those in front of it', () => {
    const convOf = (change: Partial<ConvShape>, pad?: [number, number, number, number]) =>
      paddingOf('test', shape({ kernel: [3, 3], ...change }), pad);
    expect(convOf({ padding: 'same' })).toBe('same');
    expect(convOf({ padding: 'same', kernel: [1, 1] })).toBe('valid');
    expect(convOf({ padding: 'same', kernel: [1, 1], strides: [2, 1] })).toBe('same');
    expect(convOf({ padding: 'same', kernel: [1, 2] })).toBe('same');
    expect(convOf({ padding: 'valid' }, [1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
    expect(convOf({ padding: [1, 1, 0, 2] }, [1, 2, 3, 4])).toEqual([2, 3, 3, 6]);
    expect(() => convOf({ padding: 'same' }, [1, 1, 1, 1])).toThrow('in front of a convolution that adds its own.');
  });

  it.each<[string, Partial<ConvShape>, FloatWeights, string]>([
    ['a kernel of no side', { kernel: [0, 1] }, zeros(0), 'a convolution of a 0x1 kernel and strides [1,1].'],
    ['a kernel of half a side', { kernel: [1, 1.5] }, zeros(9), 'a 1x1.5 kernel'],
    ['a kernel above 64', { kernel: [65, 1] }, zeros(390), 'a 65x1 kernel'],
    ['no stride', { strides: [1, 0] }, zeros(6), 'strides [1,0]'],
    ['groups', { groups: 2 }, zeros(3), 'a convolution of 3 to 2 channels in 2 groups.'],
    ['a depthwise multiplier', { groups: 3, channels: 6 }, zeros(6, 6), 'a convolution of 3 to 6 channels in 3 groups.'],
    ['too few weights', {}, zeros(5), 'a 1x1 convolution of 3 to 2 channels has 5 weights and 2 biases.'],
    ['too many biases', {}, zeros(6, 3), 'has 6 weights and 3 biases.'],
    ['an endless weight', {}, { filter: new Float32Array(6).fill(Number.NaN), bias: new Float32Array(2) }, 'weights of "y" hold values'],
    ['an endless bias', {}, { filter: new Float32Array(6), bias: Float32Array.of(0, 1 / 0) }, 'weights of "y" hold values that are not'],
  ])('is refused with %s', (_, change, weights, message) => {
    expect(() => start().conv('y', 'image', shape(change), weights)).toThrow(`test: `);
    expect(() => start().conv('y', 'image', shape(change), weights)).toThrow(message);
  });

  it('may be as large as 64, and depthwise', () => {
    const builder = start();
    builder.pad('wide', 'image', [64, 0, 0, 0]);
    builder.conv('y', 'wide', shape({ kernel: [64, 1], strides: [64, 64], channels: 3, groups: 3 }), zeros(192, 3));
    expect(builder.shape('y')).toEqual([1, 1, 3]);
  });
});

describe('a tensor', () => {
  it('is known before it is read', () => {
    const builder = start();
    expect([builder.isComputed('image'), builder.isComputed('x')]).toEqual([true, false]);
    expect(() => builder.shape('x')).toThrow('test: tensor "x" is read before it is computed.');
    expect(() => builder.shape(undefined)).toThrow('tensor "undefined" is read');
    expect(builder.constant(undefined)).toBeUndefined();
    builder.constants.set('c', values(1));
    expect(builder.constant('c')).toEqual(values(1));
  });

  it('has zeros around it only in front of a convolution', () => {
    const builder = start();
    builder.pad('padded', 'image', [0, 1, 0, 0]);
    expect(() => builder.activation('y', 'padded', 'relu')).toThrow('zeros are added around an image in front of no convolution.');
    builder.pad('plain', 'image', [0, 0, 0, 0]);
    builder.activation('y', 'plain', 'relu');
    for (const sides of [
      [-1, 0, 0, 0],
      [0, 65, 0, 0],
      [0, 0, 0.5, 0],
    ] as [number, number, number, number][])
      expect(() => builder.pad('z', 'image', sides)).toThrow(`a padding of [${sides}].`);
  });

  it('goes by other names, constants too, and has lanes where one of them has', () => {
    const builder = withX();
    builder.constants.set('c', values(1, 2));
    builder.alias('d', 'c');
    expect(builder.constant('d')).toEqual(values(1, 2));
    expect(builder.isComputed('d')).toBe(false);
    builder.alias('y', 'x', LANES);
    expect(builder.lanesOf('x')).toBe(LANES);
    builder.alias('z', 'y', FINER);
    expect(builder.lanesOf('z')).toBe(LANES);
    expect(builder.build('z').output).toBe('0');
    builder.activation('w', 'z', 'none', FINER);
    expect(builder.build('w').nodes).toHaveLength(1);
    builder.activation('v', 'w', 'hardSwish', FINER);
    expect(nodesOf(builder, 'v')).toEqual([{ kind: 'activation', name: '1', inputs: ['0'], activation: 'hardSwish' }]);
    expect(builder.lanesOf('v')).toBe(FINER);
  });

  it('is left out where the output does not need it', () => {
    const builder = withX();
    builder.conv('dead', 'image', shape(), zeros(6), LANES);
    builder.activation('y', 'x', 'relu');
    const built = builder.build('y');
    expect(built.nodes.map(({ name }) => name)).toEqual(['0', '2']);
    expect([...built.weights.keys()]).toEqual(['0']);
    expect(built.lanes.size).toBe(0);
    expect(() => builder.build('image')).toThrow('test: the network gives its input back.');
    expect(() => builder.build('none')).toThrow('tensor "none" is read before it is computed.');
  });
});

describe('the end', () => {
  it('is what the answers go through, under whatever name', () => {
    const builder = withX();
    builder.end('p', 'x', 'softmax');
    builder.alias('q', 'p');
    expect(builder.build('q')).toMatchObject({ end: 'softmax', output: '0' });
    expect(() => builder.activation('y', 'q', 'relu')).toThrow('a softmax of "q" that other layers read.');
    builder.end('n', 'x', 'normalization');
    expect(() => builder.shape('n')).toThrow('a normalization of "n" that other layers read.');
  });

  it('is a layer where it is a sigmoid that other layers read', () => {
    const builder = withX();
    builder.end('s', 'x', 'sigmoid', FINER);
    expect(builder.build('s')).toMatchObject({ end: 'sigmoid', output: '0' });
    builder.activation('y', 's', 'relu');
    expect(nodesOf(builder, 'y')).toEqual([
      { kind: 'activation', name: '1', inputs: ['0'], activation: 'sigmoid' },
      { kind: 'activation', name: '2', inputs: ['1'], activation: 'relu' },
    ]);
    expect(builder.lanesOf('s')).toBe(FINER);
    expect(builder.build('s')).toMatchObject({ end: undefined, output: '1' });
  });

  it('is swish where a sigmoid multiplies what it is of', () => {
    for (const [a, b] of [
      ['x', 's'],
      ['s', 'x'],
    ] as const) {
      const builder = withX();
      builder.end('s', 'x', 'sigmoid');
      builder.combine('y', 'multiply', a, b, 'none');
      expect(nodesOf(builder, 'y')).toEqual([{ kind: 'activation', name: '2', inputs: ['0'], activation: 'swish' }]);
    }
    const quantized = withX();
    quantized.end('s', 'x', 'sigmoid', FINER);
    quantized.combine('y', 'multiply', 'x', 's', 'none', LANES);
    expect(nodesOf(quantized, 'y').map(({ kind }) => kind)).toEqual(['activation', 'multiply']);
    const other = withX();
    other.conv('z', 'image', shape(), zeros(6));
    other.end('s', 'z', 'sigmoid');
    other.combine('y', 'multiply', 'x', 's', 'none');
    expect(other.build('y').nodes.map(({ kind }) => kind)).toEqual(['conv', 'conv', 'activation', 'multiply']);
    const relu = withX();
    relu.activation('r', 'x', 'relu');
    relu.combine('y', 'multiply', 'x', 'r', 'none');
    expect(nodesOf(relu, 'y').map(({ kind }) => kind)).toEqual(['activation', 'multiply']);
  });
});

describe('two tensors', () => {
  it('are added, or multiplied with the one of one pixel behind', () => {
    const builder = withX();
    builder.globalPool('p', 'x');
    builder.combine('m', 'multiply', 'p', 'x', 'none', LANES);
    builder.combine('a', 'add', 'm', 'x', 'relu6', FINER);
    expect(nodesOf(builder, 'a')).toEqual([
      { kind: 'globalAveragePool', name: '1', inputs: ['0'] },
      { kind: 'multiply', name: '2', inputs: ['0', '1'] },
      { kind: 'add', name: '3', inputs: ['2', '0'], activation: 'relu6' },
    ]);
    expect([builder.lanesOf('m'), builder.lanesOf('a')]).toEqual([LANES, FINER]);
    builder.combine('n', 'multiply', 'x', 'p', 'none');
    expect(nodesOf(builder, 'n').at(-1)?.inputs).toEqual(['0', '1']);
    builder.activation('r', 'x', 'relu');
    builder.combine('s', 'multiply', 'x', 'r', 'none');
    expect(nodesOf(builder, 's').at(-1)?.inputs).toEqual(['0', nodesOf(builder, 'r').at(-1)?.name]);
    expect(() => builder.combine('z', 'subtract', 'x', 'a', 'none')).toThrow('a subtract of two tensors.');
    expect(() => builder.combine('z', 'multiply', 'x', 'a', 'relu')).toThrow('a product with an activation.');
  });
});

describe('arithmetic with a number', () => {
  it.each<[Operation, boolean, number, number]>([
    ['add', false, 1, 4],
    ['add', true, 1, 4],
    ['subtract', false, 1, -4],
    ['subtract', true, -1, 4],
    ['multiply', false, 4, 0],
    ['multiply', true, 4, 0],
    ['divide', false, 0.25, 0],
  ])('is a line: %s, the number first: %s', (operation, first, alpha, beta) => {
    const builder = withX();
    builder.constants.set('c', values(4));
    arithmetic(builder, 'y', operation, first ? 'c' : 'x', first ? 'x' : 'c', 'none', LANES);
    const [node] = nodesOf(builder, 'y') as [Node & { kind: 'affine' }];
    expect(node).toEqual({ kind: 'affine', name: '1', inputs: ['0'], alpha, beta: beta || expect.any(Number) });
    expect(node.beta).toBeCloseTo(beta, 12);
    expect(builder.lanesOf('y')).toBe(LANES);
    // The same a channel.
    builder.constants.set('cs', values(4, 4));
    arithmetic(builder, 'z', operation, first ? 'cs' : 'x', first ? 'x' : 'cs');
    const built = builder.build('z');
    const { filter, bias } = built.weights.get(built.output) as FloatWeights;
    expect([...filter]).toEqual([alpha, alpha]);
    bias.forEach((offset) => {
      expect(offset).toBeCloseTo(beta, 12);
    });
  });

  it('has the bounds of a fused activation', () => {
    const builder = withX();
    builder.constants.set('c', values(1));
    const rangeOf = (activation: 'relu' | 'relu6') => {
      arithmetic(builder, activation, 'add', 'x', 'c', activation);
      const { low, high } = nodesOf(builder, activation)[0] as Node & { kind: 'affine' };
      return [low, high];
    };
    expect(rangeOf('relu')).toEqual([0, undefined]);
    expect(rangeOf('relu6')).toEqual([0, 6]);
    builder.constants.set('cs', values(1, 2));
    arithmetic(builder, 'y', 'add', 'x', 'cs', 'relu');
    expect(nodesOf(builder, 'y')).toMatchObject([
      { kind: 'conv', groups: 2, activation: 'none' },
      { kind: 'activation', activation: 'relu' },
    ]);
  });

  it('of constants is computed at once', () => {
    const builder = withX();
    builder.constants.set('a', values(6, 8));
    builder.constants.set('b', { shape: [], values: Float32Array.of(2) });
    const results = (['add', 'subtract', 'multiply', 'divide'] as const).flatMap((operation) => {
      arithmetic(builder, 'ab', operation, 'a', 'b');
      arithmetic(builder, 'ba', operation, 'b', 'a');
      return ['ab', 'ba'].map((id) => [builder.constant(id)?.shape, ...(builder.constant(id)?.values ?? [])]);
    });
    expect(results).toEqual([
      [[2], 8, 10],
      [[2], 8, 10],
      [[2], 4, 6],
      [[2], -4, -6],
      [[2], 12, 16],
      [[2], 12, 16],
      [[2], 3, 4],
      [[2], Math.fround(1 / 3), 0.25],
    ]);
    expect([...arithmeticOf('test', 'add', values(1, 2), values(3, 4)).values]).toEqual([4, 6]);
    expect(() => arithmeticOf('test', 'add', values(1, 2), values(1, 2, 3))).toThrow(
      'test: arithmetic of constants of shapes [2] and [3].',
    );
  });

  it('refuses what is no line, and what is quantized a channel', () => {
    const builder = withX();
    builder.constants.set('c', values(4));
    builder.constants.set('cs', values(4, 4));
    expect(() => arithmetic(builder, 'y', 'divide', 'c', 'x')).toThrow('a number divided by a tensor.');
    expect(() => arithmetic(builder, 'y', 'add', 'x', 'cs', 'none', LANES)).toThrow('multiplied with a quantized tensor.');
    builder.constants.set('zero', values(0));
    expect(() => arithmetic(builder, 'y', 'divide', 'x', 'zero')).toThrow('test: "y" is clamp(Infinity x + 0, -Infinity, Infinity).');
  });

  it.each<[1 | 3, readonly number[], boolean]>([
    [3, [2], true],
    [3, [1, 1, 1, 2], true],
    [3, [1, 2, 1], false],
    [3, [2, 1, 1], false],
    [1, [1, 2, 1, 1], true],
    [1, [2, 1, 1], true],
    [1, [2, 1], false],
    // An image that has yet to be turned.
    [1, [2], true],
    [3, [1], true],
    [3, [3], false],
    [3, [2, 2], false],
  ])('with channels at axis %d takes a constant of shape [%s]: %s', (axis, sides, taken) => {
    const builder = withX(axis);
    const count = sides.reduce((a, b) => a * b, 1);
    builder.constants.set('c', { shape: sides, values: new Float32Array(count).fill(1) });
    const compute = () => arithmetic(builder, 'y', 'add', 'x', 'c');
    if (!taken) expect(compute).toThrow(/arithmetic of 32x32x2 values with a constant of shape/);
    else expect(compute).not.toThrow();
  });

  it('takes a constant along the axis of channels where the width is as large', () => {
    const compute = (sides: readonly number[]) => () => {
      const builder = withX(1, { kernel: [1, 31] });
      builder.constants.set('c', { shape: sides, values: new Float32Array(2).fill(1) });
      arithmetic(builder, 'y', 'add', 'x', 'c');
    };
    expect(compute([2])).toThrow('arithmetic of 32x2x2 values with a constant of shape [2].');
    expect(compute([2, 1, 1])).not.toThrow();
  });

  it('takes a constant along any axis where there is one pixel', () => {
    for (const sides of [[2], [2, 1], [1, 2, 1, 1], [2, 1, 1, 1]]) {
      const builder = withX(1);
      builder.globalPool('p', 'x');
      builder.constants.set('c', { shape: sides, values: new Float32Array(2).fill(1) });
      expect(() => arithmetic(builder, 'y', 'add', 'p', 'c')).not.toThrow();
    }
  });
});

describe('a line', () => {
  it('has bounds where they are finite', () => {
    const builder = withX();
    builder.affine('a', 'x', {});
    builder.affine('b', 'a', { alpha: 2, beta: 3, low: 4 }, LANES);
    builder.affine('c', 'b', { high: 4, low: Number.NEGATIVE_INFINITY });
    expect(nodesOf(builder, 'c')).toEqual([
      { kind: 'affine', name: '1', inputs: ['0'], alpha: 1, beta: 0 },
      { kind: 'affine', name: '2', inputs: ['1'], alpha: 2, beta: 3, low: 4 },
      { kind: 'affine', name: '3', inputs: ['2'], alpha: 1, beta: 0, high: 4 },
    ]);
    expect(builder.lanesOf('b')).toBe(LANES);
    builder.affine('d', 'c', { low: 1, high: 1 });
    for (const bad of [{ alpha: Number.NaN }, { beta: 1 / 0 }, { low: 2, high: 1 }, { low: Number.NaN }])
      expect(() => builder.affine('z', 'x', bad)).toThrow('test: "z" is clamp(');
  });
});

describe('a fully connected layer', () => {
  it('reads one pixel, or all of an image', () => {
    const builder = withX();
    builder.globalPool('p', 'x');
    expect(builder.denseKernel('p', 2)).toEqual([1, 1]);
    expect(builder.denseKernel('x', 2)).toEqual([1, 1]);
    expect(builder.denseKernel('x', 2048)).toEqual([32, 32]);
    expect(() => builder.denseKernel('x', 2047)).toThrow('test: a fully connected layer of 2047 values reads 32x32x2.');
  });

  it('takes rows in the order in which the format flattens an image', () => {
    for (const axis of [3, 1] as const) {
      const builder = withX(axis, { kernel: [31, 32] });
      builder.dense('y', 'x', Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), Float32Array.of(1, 2, 3), 'relu');
      const [node] = nodesOf(builder, 'y');
      expect(node).toMatchObject({ kind: 'conv', kernel: [2, 1], inputChannels: 2, channels: 3, padding: 'valid', activation: 'relu' });
      const { filter } = builder.build('y').weights.get('1') as FloatWeights;
      expect([...filter]).toEqual(axis === 3 ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] : [1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12]);
    }
    const plain = withX(1, { kernel: [32, 32] });
    plain.dense('y', 'x', Float32Array.of(1, 2), Float32Array.of(1));
    expect(nodesOf(plain, 'y')).toMatchObject([{ kernel: [1, 1], channels: 1, activation: 'none' }]);
  });
});

describe('a pool', () => {
  const kindOf = (window: Partial<ConvShape>, lanes?: typeof LANES) => {
    const builder = withX(3, { kernel: [25, 26], strides: [1, 1] }, lanes); // 8 x 7 pixels
    builder.averagePool('y', 'x', shape(window), lanes);
    return nodesOf(builder, 'y')[0]?.kind;
  };

  it('of all pixels is global, whatever its strides', () => {
    expect(kindOf({ kernel: [8, 7] })).toBe('globalAveragePool');
    expect(kindOf({ kernel: [8, 7] }, LANES)).toBe('globalAveragePool');
    expect(kindOf({ kernel: [8, 7], padding: 'same', strides: [8, 7] })).toBe('globalAveragePool');
    expect(kindOf({ kernel: [9, 9], padding: 'same', strides: [8, 8] })).toBe('globalAveragePool');
    expect(kindOf({ kernel: [8, 7], padding: [0, 0, 0, 0] })).toBe('globalAveragePool');
  });

  it('of some pixels is a convolution', () => {
    expect(kindOf({ kernel: [2, 3], strides: [2, 1] })).toBe('conv');
    expect(kindOf({ kernel: [2, 3], padding: [0, 0, 0, 0] })).toBe('conv');
    expect(kindOf({ kernel: [8, 6] })).toBe('conv');
    expect(kindOf({ kernel: [7, 7] })).toBe('conv');
    const builder = withX();
    builder.averagePool('y', 'x', shape({ kernel: [2, 4] }));
    const { filter, bias } = builder.build('y').weights.get('1') as FloatWeights;
    expect([...filter]).toEqual(new Array(16).fill(0.125));
    expect([...bias]).toEqual([0, 0]);
    const integers = withX(undefined, undefined, LANES);
    integers.averagePool('y', 'x', shape({ kernel: [2, 4] }), LANES);
    expect(integers.build('y').weights.get('1')).toEqual({
      filter: new Int8Array(16).fill(1),
      scale: Float32Array.of(0.125, 0.125),
      zeroPoint: 0,
      bias: new Int32Array(2),
    });
    expect(integers.lanesOf('y')).toEqual(LANES);
  });

  it.each<[string, Partial<ConvShape>, boolean]>([
    ['windows that zeros surround', { kernel: [2, 2], padding: 'same' }, false],
    ['windows that given zeros surround', { kernel: [2, 2], padding: [0, 0, 1, 0] }, false],
    ['all pixels once for each', { kernel: [8, 7], padding: 'same', strides: [1, 7] }, false],
    ['all pixels once for each column', { kernel: [8, 7], padding: 'same', strides: [8, 1] }, false],
    ['windows that are higher than the image', { kernel: [2 ** 20, 6] }, false],
    ['windows that are wider than the image', { kernel: [7, 2 ** 20] }, false],
    ['windows of no height', { kernel: [0, 2] }, false],
    ['windows of less than no width', { kernel: [2, -1] }, false],
    ['real numbers that become integers', { kernel: [2, 2] }, true],
  ])('is refused of %s', (_, window, quantized) => {
    const builder = withX(3, { kernel: [25, 26], strides: [1, 1] });
    expect(() => builder.averagePool('y', 'x', shape(window), quantized ? LANES : undefined)).toThrow(
      /an average pool of .* windows over 8x7 pixels\./,
    );
  });

  it('of one pixel is that pixel, but where its range changes', () => {
    const kinds = (own: typeof LANES | undefined, lanes: typeof LANES | undefined) => {
      const builder = withX(3, { kernel: [32, 32] }, own);
      builder.averagePool('y', 'x', shape({ kernel: [3, 3] }), lanes);
      return builder.build('y').nodes.length;
    };
    expect(kinds(undefined, undefined)).toBe(1);
    expect(kinds(LANES, undefined)).toBe(1);
    expect(kinds(LANES, { ...LANES })).toBe(1);
    expect(kinds(undefined, LANES)).toBe(2);
    for (const change of [{ scale: 1 }, { low: -127 }, { high: 126 }]) expect(kinds(LANES, { ...LANES, ...change })).toBe(2);
    const builder = withX();
    builder.globalPool('y', 'x', LANES);
    expect([nodesOf(builder, 'y')[0]?.kind, builder.lanesOf('y')]).toEqual(['globalAveragePool', LANES]);
  });
});

describe('layouts', () => {
  it('turn filters from channels first to channels last, and back', () => {
    // [2 out, 3 in, 1, 2]
    const first = Float32Array.from({ length: 12 }, (_, i) => i);
    const last = Float32Array.of(0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11);
    expect(toChannelsLast(first, [2, 3, 1, 2])).toEqual(last);
    expect(toChannelsLast(first, [2, 3, 2, 1])).toEqual(last);
    expect(toChannelsFirst(last, [1, 2], 2)).toEqual(first);
    expect(toChannelsFirst(last, [2, 1], 2)).toEqual(first);
    expect(toChannelsLast(Int8Array.of(1, 2), [1, 2, 1, 1])).toEqual(Int8Array.of(1, 2));
  });

  it('turn matrices, and rows channel by channel into rows pixel by pixel', () => {
    expect(turned(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3)).toEqual(Float32Array.of(1, 4, 2, 5, 3, 6));
    const matrix = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    expect(pixelByPixel(matrix, 1, 2)).toBe(matrix);
    // 2 channels of 3 pixels, 2 outputs
    expect(pixelByPixel(matrix, 3, 2)).toEqual(Float32Array.of(1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12));
  });
});

describe('a batch norm', () => {
  const norm = { name: 'n', gamma: [2, 3], beta: [1, -1], mean: [0.5, 4], variance: [3, 0], epsilon: 1 };
  it('is a value a channel', () => {
    expect(batchNormAffine(norm)).toEqual({ gain: Float32Array.of(1, 3), offset: Float32Array.of(0.5, -13) });
    expect(batchNormAffine({ ...norm, gamma: undefined })).toEqual({ gain: Float32Array.of(0.5, 1), offset: Float32Array.of(0.75, -5) });
    expect(batchNormAffine({ ...norm, beta: undefined })).toEqual({ gain: Float32Array.of(1, 3), offset: Float32Array.of(-0.5, -12) });
  });

  it('goes into the convolution before it', () => {
    const folded = foldBatchNorm({ filter: Float32Array.of(1, 2, 3, 4), bias: Float32Array.of(1, 2) }, norm);
    expect(folded).toEqual({ filter: Float32Array.of(1, 6, 3, 12), bias: Float32Array.of(1.5, -7) });
  });

  it('is refused where its parts do not fit', () => {
    const message = 'the batch norm "n" has parts of different lengths; each needs 2 values.';
    for (const part of ['gamma', 'beta', 'variance']) expect(() => batchNormAffine({ ...norm, [part]: [1] })).toThrow(message);
    expect(() => batchNormAffine({ ...norm, variance: [1, -1] })).toThrow('the batch norm "n" holds -1, a negative variance.');
    expect(() => batchNormAffine({ ...norm, variance: [1, Number.NaN] })).toThrow('holds NaN');
  });
});

describe('the resolution', () => {
  it('is what the input says, and 224 where it says nothing', () => {
    for (const open of [null, -1, 0, 1]) expect(resolutionOf('test', [1, open, open, 3])).toBe(224);
    expect(resolutionOf('test', [1, 32, 32, 3])).toBe(32);
    expect(resolutionOf('test', [null, 512, 512, 3])).toBe(512);
    expect(resolutionOf('test', [1, 224, null, 3])).toBe(224);
    for (const bad of [
      [1, 31, 31, 3],
      [1, 513, 513, 3],
      [1, 96, 64, 3],
      [1, 96, 96, 1],
      [96, 96, 3],
      [1, 1, 96, 96, 3],
      [1, 96, null, 3],
    ]) {
      const given = bad.map((side) => side ?? -1);
      expect(() => resolutionOf('test', bad)).toThrow(
        `test: the input has shape [${given}]; an image as [n, side, side, 3], its side from`,
      );
    }
  });
});

describe('the finished network', () => {
  const otherwise = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 0.9, interpolation: 'bicubic' } as const;
  /** An image of 3 channels, a pool, a layer of 4, and what else is asked for. */
  const built = (change: (builder: NetworkBuilder) => string, lanes?: typeof LANES) => {
    const builder = start();
    builder.conv('c', 'image', shape({ channels: 4, kernel: [3, 3] }), zeros(108, 4), lanes);
    builder.globalPool('p', 'c', lanes);
    return finish(builder.build(change(builder)), 'test', otherwise);
  };
  const layer = (builder: NetworkBuilder, id: string, input: string, lanes?: typeof LANES, activation?: 'relu') => {
    builder.conv(id, input, shape({ channels: 4, ...(activation ? { activation } : {}) }), zeros(16, 4), lanes);
    return id;
  };

  it('has its last linear layer for a classifier, and the pool for features', () => {
    const { graph, preprocessing } = built((builder) => layer(builder, 'y', layer(builder, 'd', 'p')));
    expect(graph).toMatchObject({ architecture: 'custom', width: 1, resolution: 32, classes: 4, outputs: { logits: '3', embedding: '1' } });
    expect(graph).not.toHaveProperty('probabilities');
    expect(preprocessing).toEqual(otherwise);
  });

  it('has features only where its last layer bends values or is normalized', () => {
    for (const bend of [
      (builder: NetworkBuilder) => layer(builder, 'y', 'p', undefined, 'relu'),
      () => 'p',
      (builder: NetworkBuilder) => {
        builder.end('n', layer(builder, 'y', 'p'), 'normalization');
        return 'n';
      },
    ]) {
      const { graph } = built(bend);
      expect(graph.classes).toBe(0);
      expect(graph.outputs).not.toHaveProperty('logits');
    }
  });

  it('has classes where probabilities follow', () => {
    for (const how of ['softmax', 'sigmoid'] as const) {
      const { graph } = built((builder) => {
        builder.end('s', layer(builder, 'y', 'p', undefined, 'relu'), how);
        return 's';
      });
      expect(graph).toMatchObject({ classes: 4, outputs: { logits: '2', embedding: '1' } });
      expect(graph.probabilities).toBe(how === 'sigmoid' ? 'sigmoid' : undefined);
    }
  });

  it('takes what the last layers read for features where nothing is pooled', () => {
    const builder = start();
    builder.conv('c', 'image', shape({ channels: 4, kernel: [32, 32] }), zeros(32 * 32 * 12, 4));
    layer(builder, 'y', layer(builder, 'd', 'c', undefined, 'relu'));
    expect(finish(builder.build('y'), 'test', otherwise).graph.outputs).toEqual({ logits: '2', embedding: '1' });
    const single = start();
    single.conv('c', 'image', shape({ channels: 4, kernel: [32, 32] }), zeros(32 * 32 * 12, 4));
    expect(finish(single.build('c'), 'test', otherwise).graph.outputs).toEqual({ logits: '0', embedding: '0' });
  });

  it('has the mean of its pixels for features where they are few', () => {
    const finished = (side: number, end?: 'softmax', lanes?: typeof LANES) => {
      const builder = start();
      const stride = Math.floor(32 / side);
      builder.conv(
        'c',
        'image',
        shape({ channels: 4, kernel: [stride, stride], strides: [stride, stride] }),
        zeros(stride ** 2 * 12, 4),
        lanes,
      );
      if (end) builder.end('s', 'c', end);
      return finish(builder.build(end ? 's' : 'c'), 'test', otherwise);
    };
    for (const side of [2, 4]) {
      const { graph } = finished(side);
      expect(graph).toMatchObject({ classes: 0, outputs: { embedding: 'pool' } });
      expect(graph.outputs).not.toHaveProperty('logits');
      expect(graph.nodes.at(-1)).toEqual({ kind: 'globalAveragePool', name: 'pool', inputs: ['0'] });
    }
    // Means lie between the steps of what they are of.
    expect(finished(4, undefined, LANES).lanes.get('pool')?.scale).toBe((LANES.scale as number) / 64);
    expect(finished(4, undefined, LANES).lanes.get('0')).toEqual(LANES);
    for (const other of [() => finished(5), () => finished(4, 'softmax')])
      expect(other).toThrow(/test: the output has .x. pixels; networks that classify an image or give its features are read\./);
  });

  it('has logits in finer steps than 8 bits have', () => {
    const lanesAt = (lanes: typeof LANES, how?: 'sigmoid') => {
      const network = built((builder) => {
        builder.lanes.set('input', LANES);
        layer(builder, 'y', 'p', lanes);
        if (how) builder.end('s', 'y', how);
        return how ? 's' : 'y';
      }, FINER);
      return network.lanes.get('2');
    };
    expect(lanesAt({ scale: 0.5, low: -100, high: 155 })).toEqual({ scale: 0.5 / 64, low: -6400, high: 9920 });
    expect(lanesAt({ scale: 0.5, low: -100, high: 155 }, 'sigmoid')).toEqual({ scale: 0.5, low: -100, high: 155 });
    expect(lanesAt({ scale: 0.5, low: -100, high: 924 })).toEqual({ scale: 0.5, low: -100, high: 924 });
    expect(lanesAt({ scale: 0.5, low: -100, high: 923 })).toMatchObject({ low: -6400 });
  });

  /** What the first arithmetic of the image says of its values. */
  const told = (change: (builder: NetworkBuilder) => void) => {
    const builder = start();
    change(builder);
    builder.conv('c', 'scaled', shape({ channels: 4, kernel: [3, 3] }), zeros(108, 4));
    builder.globalPool('p', 'c');
    return finish(builder.build('p'), 'test', otherwise).preprocessing;
  };

  it('says which values its first arithmetic takes', () => {
    const perChannel = (gain: number[], offset: number[]) =>
      told((builder) => builder.channels('scaled', 'image', Float32Array.from(gain), Float32Array.from(offset)));
    // (v - mean) / std of values up to 1, and of bytes.
    const unit = perChannel([4, 2, 1], [-2, 0, 1]);
    expect(unit).toEqual({ ...otherwise, mean: [0.5, 0, -1], std: [0.25, 0.5, 1] });
    const bytes = perChannel([1 / 51, 1 / 51, 2 / 51], [-1, -1, -1]);
    [0.2, 0.2, 0.1].forEach((value, c) => {
      expect(bytes.std[c]).toBeCloseTo(value, 6);
      expect(bytes.mean[c]).toBeCloseTo(value, 6);
    });
    expect(perChannel([1, 1, 1], [0, 0, 0])).toEqual(otherwise);
    expect(perChannel([1, 1, 1], [-1, 0, 0])).toEqual({ ...otherwise, mean: [1, 0, 0], std: [1, 1, 1] });
  });

  it('takes bytes where it begins by dividing them', () => {
    const scaled = (alpha: number) => told((builder) => builder.affine('scaled', 'image', { alpha, beta: -1 })).std;
    expect(scaled(1 / 127.5)).toEqual([1 / 255, 1 / 255, 1 / 255]);
    expect(scaled(-1 / 127.5)).toEqual([1 / 255, 1 / 255, 1 / 255]);
    expect(scaled(2)).toEqual([1, 1, 1]);
    expect(scaled(1 / 32)).toEqual([1, 1, 1]);
  });
});
