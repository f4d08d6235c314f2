import { type Arithmetics, arithmeticsOf, WAYS, type WayEntry } from '../../src/compute/ways.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Activation, ConvNode, Node, Padding } from '../../src/graph/graph.js';
import type { Weights } from '../../src/graph/network.js';
import { follow, type Values } from '../graph/interpret.js';
import { conv } from '../graph/nodes.js';
import { random, uniform } from '../random-network.js';
import { baseline, type Computed, compute } from './run.js';

// Single nodes against plain loops, and the kernels that were chosen for them.

const MACHINES = { x86: { arm: false, dot: undefined }, arm64: { arm: true, dot: undefined } };
const firstOn = (machine: keyof typeof MACHINES) => {
  const way = WAYS.find(({ turn }) => turn(MACHINES[machine]) === 'first') as WayEntry;
  return arithmeticsOf(way, MACHINES[machine]) as Arithmetics;
};

let engine: Engine;
beforeAll(async () => {
  engine = await baseline();
});

const next = random(21);
const values = (height: number, width: number, channels: number): Values => ({
  shape: [height, width, channels],
  data: [...uniform(next, height * width * channels, -4, 4)],
});
function weightsOf(nodes: readonly Node[]): Map<string, Weights> {
  const weights = new Map<string, Weights>();
  for (const node of nodes) {
    if (node.kind !== 'conv') continue;
    const size = (node.kernel[0] * node.kernel[1] * node.inputChannels * node.channels) / node.groups;
    weights.set(node.name, { filter: uniform(next, size), bias: uniform(next, node.channels) });
  }
  return weights;
}

function check(
  nodes: readonly Node[],
  inputs: Record<string, Values>,
  machine: keyof typeof MACHINES = 'x86',
  onePixel: string[] = [],
): Computed {
  const weights = weightsOf(nodes);
  const result = compute(engine, firstOn(machine), nodes, weights, inputs, new Map(), onePixel);
  const wanted = follow(nodes, weights, inputs).get(nodes.at(-1)?.name as string) as Values;
  expect(result.values.shape).toEqual(wanted.shape);
  const largest = Math.max(1, ...wanted.data.map(Math.abs));
  wanted.data.forEach((value, i) => {
    expect(Math.abs((result.values.data[i] as number) - value) / largest).toBeLessThan(2e-6);
  });
  return result;
}

describe.each(['x86', 'arm64'] as const)('on %s', (machine) => {
  const pointwise = machine === 'arm64' ? 'f32_wide_pointwise' : 'f32_pointwise';
  it.each<[number, number, number, number, Activation]>([
    [1, 1, 5, 9, 'none'],
    [3, 5, 16, 24, 'relu'],
    [2, 3, 20, 7, 'relu6'],
    [1, 7, 8, 40, 'hardSigmoid'],
    [4, 4, 9, 17, 'hardSwish'],
  ])('a pointwise convolution of %d x %d x %d to %d, %s', (height, width, inputChannels, channels, activation) => {
    const node = conv({ inputChannels, channels, activation });
    const { kernels, steps } = check([node], { x: values(height, width, inputChannels) }, machine);
    expect(kernels).toEqual([pointwise]);
    expect(steps).toMatchObject([
      { kind: height * width === 1 ? 'fullyConnected' : 'pointwise', madds: height * width * inputChannels * channels, first: 0, count: 1 },
    ]);
  });

  it('a matrix by a vector, behind the pool', () => {
    const node = conv({ inputChannels: 20, channels: 13, activation: 'hardSwish' });
    expect(check([node], { x: values(1, 1, 20) }, machine, ['x']).kernels).toEqual(['f32_vector']);
  });

  it('a residual', () => {
    for (const activation of ['none', 'relu', 'relu6'] as const) {
      const node = conv({ inputs: ['x', 'r'], channels: 12, inputChannels: 9, activation });
      expect(check([node], { x: values(3, 5, 9), r: values(3, 5, 12) }, machine).kernels).toEqual([pointwise]);
    }
  });

  it.each<[string, Partial<ConvNode>, number, number]>([
    ['3 x 3', { kernel: [3, 3], padding: 'same' }, 5, 7],
    ['3 x 3 without padding', { kernel: [3, 3], inputChannels: 9, channels: 17 }, 5, 7],
    ['3 x 3, stride 2', { kernel: [3, 3], strides: [2, 2], padding: [1, 1, 1, 1], activation: 'hardSwish' }, 6, 5],
    ['2 x 3, all paddings unlike', { kernel: [2, 3], strides: [1, 3], padding: [2, 0, 1, 3], inputChannels: 5, channels: 3 }, 4, 7],
    ['1 x 1, stride 2', { strides: [2, 2], inputChannels: 9, channels: 12 }, 5, 6],
    ['1 x 1, stride 2 one way', { strides: [1, 2], inputChannels: 9, channels: 12 }, 5, 6],
    ['1 x 1, padded', { padding: [0, 1, 0, 0] }, 3, 3],
  ])('a window of %s', (_, change, height, width) => {
    const node = conv({ ...change });
    const { kernels, steps } = check([node], { x: values(height, width, node.inputChannels) }, machine);
    expect(kernels.filter((kernel) => kernel !== 'clear_halo')).toEqual(['f32_convolution']);
    expect(steps[0]?.kind).toBe('convolution');
  });

  it.each<[string, Partial<ConvNode>, number, number]>([
    ['3 x 3, padded', { kernel: [3, 3], strides: [2, 2], padding: 'same', channels: 16 }, 9, 11],
    ['1 x 1', { channels: 9 }, 3, 5],
  ])("a window of the image's own three channels, %s", (_, change, height, width) => {
    const node = conv({ inputs: ['input'], ...change, inputChannels: 3 });
    expect(check([node], { input: values(height, width, 3) }, machine).kernels).toEqual(['f32_convolution']);
  });

  it.each<[number, number, 1 | 2, Padding, number, number, string]>([
    [3, 3, 1, 'same', 5, 7, 'f32_depthwise_3x3s1'],
    [3, 3, 2, [1, 1, 1, 1], 6, 9, 'f32_depthwise_3x3s2'],
    [5, 5, 1, 'same', 5, 7, 'f32_depthwise_5x5s1'],
    [5, 5, 2, [2, 2, 2, 2], 9, 8, 'f32_depthwise_5x5s2'],
    [3, 3, 1, 'same', 5, 3, 'f32_depthwise'],
    [3, 3, 1, 'same', 5, 4, 'f32_depthwise_3x3s1'],
    [3, 5, 1, 'same', 5, 7, 'f32_depthwise'],
    [2, 2, 1, [0, 1, 1, 0], 5, 7, 'f32_depthwise'],
    [1, 1, 1, 'valid', 5, 7, 'f32_depthwise'],
  ])('a depthwise convolution of %d x %d, stride %d, padding %j, of %d x %d', (kh, kw, stride, padding, height, width, kernel) => {
    const node = conv({
      kernel: [kh, kw],
      strides: [stride, stride],
      padding,
      inputChannels: 12,
      channels: 12,
      groups: 12,
      activation: 'relu6',
    });
    const { kernels, steps } = check([node], { x: values(height, width, 12) }, machine);
    expect(kernels.filter((name) => name !== 'clear_halo')).toEqual([kernel]);
    expect(steps[0]?.kind).toBe('depthwise');
  });

  it('a depthwise convolution of unlike strides', () => {
    const node = conv({ kernel: [3, 3], strides: [1, 2], padding: 'same', groups: 8, activation: 'hardSigmoid' });
    expect(check([node], { x: values(5, 9, 8) }, machine).kernels.at(-1)).toBe('f32_depthwise');
  });
});

const two = (kind: 'add' | 'multiply', activation?: Activation): Node =>
  ({ kind, name: 'y', inputs: ['x', 'z'], ...(activation ? { activation } : {}) }) as Node;

it.each<[string, Node, [number, number], [number, number], string]>([
  ['a sum', two('add', 'none'), [3, 5], [3, 5], 'f32_add'],
  ['a sum with relu6', two('add', 'relu6'), [3, 5], [3, 5], 'f32_add'],
  ['a sum with a pixel', two('add', 'relu'), [3, 5], [1, 1], 'f32_add_channels'],
  ['a sum of columns', two('add', 'none'), [5, 1], [5, 1], 'f32_add'],
  ['a product', two('multiply'), [3, 5], [3, 5], 'f32_multiply'],
  ['a product with a pixel', two('multiply'), [3, 5], [1, 1], 'f32_gate'],
])('%s', (_, node, [h, w], [h2, w2], kernel) => {
  expect(check([node], { x: values(h, w, 11), z: values(h2, w2, 11) }).kernels).toEqual([kernel]);
});

const one = (node: object): Node => ({ name: 'y', inputs: ['x'], ...node }) as unknown as Node;
it.each<[string, Node, string]>([
  ['a pool', one({ kind: 'globalAveragePool' }), 'f32_global_average_pool'],
  ['h-swish', one({ kind: 'activation', activation: 'hardSwish' }), 'f32_hard_swish'],
  ['h-sigmoid', one({ kind: 'activation', activation: 'hardSigmoid' }), 'f32_affine'],
  ['relu', one({ kind: 'activation', activation: 'relu' }), 'f32_affine'],
  ['relu6', one({ kind: 'activation', activation: 'relu6' }), 'f32_affine'],
  ['none', one({ kind: 'activation', activation: 'none' }), 'f32_affine'],
  ['a line', one({ kind: 'affine', alpha: -1.5, beta: 0.25 }), 'f32_affine'],
  ['a line with bounds', one({ kind: 'affine', alpha: 2, beta: 0.25, low: -3, high: 4 }), 'f32_affine'],
])('%s', (_, node, kernel) => {
  for (const [h, w] of [
    [3, 5],
    [1, 1],
  ] as const)
    expect(check([node], { x: values(h, w, 11) }).kernels).toEqual([kernel]);
});

it('arithmetic with the image itself, and a window of it', () => {
  const scaled: Node = { kind: 'affine', name: 'scaled', inputs: ['input'], alpha: 2, beta: -1 };
  const input = values(5, 7, 3);
  check([scaled, conv({ inputs: ['scaled'], kernel: [3, 3], padding: 'same', inputChannels: 3 })], { input });
  const { steps } = check(
    [{ ...scaled, name: 'twice' }, { ...scaled, inputs: ['twice'] }, conv({ inputs: ['scaled'], inputChannels: 3 })],
    { input },
  );
  expect(steps.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['twice affine', 'scaled affine', 'conv convolution']);
});

describe('what no kernel computes', () => {
  it.each<[string, Node[], Record<string, Values>, string]>([
    [
      'h-swish of a residual',
      [conv({ inputs: ['x', 'z'], activation: 'hardSwish' })],
      { x: values(2, 2, 8), z: values(2, 2, 8) },
      'only a pointwise convolution without h-swish can add a residual',
    ],
    [
      'a window with a residual',
      [conv({ inputs: ['x', 'z'], kernel: [3, 3], padding: 'same' })],
      { x: values(2, 2, 8), z: values(2, 2, 8) },
      'only a pointwise convolution without h-swish can add a residual',
    ],
    [
      'a residual of the image',
      [conv({ inputs: ['input', 'z'], inputChannels: 3 })],
      { input: values(2, 2, 3), z: values(2, 2, 8) },
      'only a pointwise convolution without h-swish can add a residual',
    ],
    [
      'a depthwise convolution of the image',
      [conv({ inputs: ['input'], inputChannels: 3, channels: 3, groups: 3 })],
      { input: values(2, 2, 3) },
      'conv: a depthwise convolution of the image itself is not supported.',
    ],
    [
      'a pool of the image',
      [one({ kind: 'globalAveragePool', inputs: ['input'] })],
      { input: values(2, 2, 3) },
      'y: a globalAveragePool of the image itself is not supported.',
    ],
    [
      'a sum with h-swish',
      [two('add', 'hardSwish')],
      { x: values(2, 2, 8), z: values(2, 2, 8) },
      'y: hardSwish fused into a sum is not supported; make it a node of its own.',
    ],
    [
      'a sum with h-sigmoid',
      [two('add', 'hardSigmoid')],
      { x: values(2, 2, 8), z: values(2, 2, 8) },
      'y: hardSigmoid fused into a sum is not supported; make it a node of its own.',
    ],
  ])('%s', (_, nodes, inputs, message) => {
    expect(() => compute(engine, firstOn('x86'), nodes, weightsOf(nodes), inputs)).toThrow(message);
  });
});
