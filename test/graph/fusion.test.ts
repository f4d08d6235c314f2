import { fuse, scaleOutputs } from '../../src/graph/fusion.js';
import type { Activation, ConvNode, Node } from '../../src/graph/graph.js';
import { type FloatWeights, IMAGENET_PREPROCESSING, type Network } from '../../src/graph/network.js';
import { random, uniform } from '../random-network.js';
import { interpret, type Values } from './interpret.js';
import { conv } from './nodes.js';

// Fusion must leave what a network computes as it is. Each case says which nodes are left, and under which names.

const C = 4;
const next = random(3);
const dense = (name: string, input: string, change: Partial<ConvNode> = {}): Node =>
  conv({ name, inputs: [input], inputChannels: input === 'input' ? 3 : C, channels: C, ...change });
const depthwise = (name: string, input: string, change: Partial<ConvNode> = {}): Node => dense(name, input, { groups: C, ...change });
/** A value a channel. */
const norm = (name: string, input: string, change: Partial<ConvNode> = {}): Node => depthwise(name, input, change);
const affine = (name: string, input: string, alpha: number, beta: number, low?: number, high?: number): Node => ({
  kind: 'affine',
  name,
  inputs: [input],
  alpha,
  beta,
  ...(low === undefined ? {} : { low }),
  ...(high === undefined ? {} : { high }),
});
const activation = (name: string, input: string, activation: Activation): Node => ({
  kind: 'activation',
  name,
  inputs: [input],
  activation,
});
const add = (name: string, inputs: [string, string], activation: Activation = 'none'): Node => ({ kind: 'add', name, inputs, activation });
const multiply = (name: string, inputs: [string, string]): Node => ({ kind: 'multiply', name, inputs });
const pool = (name: string, input: string): Node => ({ kind: 'globalAveragePool', name, inputs: [input] });

/** Weights by a node's name, where not random ones. */
function networkOf(nodes: readonly Node[], given: Record<string, FloatWeights> = {}, embedding = nodes.at(-1)?.name as string): Network {
  const weights = new Map<string, FloatWeights>();
  for (const node of nodes) {
    if (node.kind !== 'conv') continue;
    const size = (node.kernel[0] * node.kernel[1] * node.inputChannels * node.channels) / node.groups;
    weights.set(node.name, given[node.name] ?? { filter: uniform(next, size, -1, 1), bias: uniform(next, node.channels, -1, 1) });
  }
  const graph = { architecture: 'test', width: 1, resolution: 4, classes: 0, nodes, outputs: { embedding } };
  return { graph, weights, lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING };
}

const image: Values = { shape: [4, 5, 3], data: [...uniform(next, 60, 0, 255)] };

/** What is left, one word a node: its name, kind or activation, and inputs. */
const spelled = ({ graph }: Network) =>
  graph.nodes.map((node) => {
    const word =
      node.kind === 'conv' || node.kind === 'activation' ? `${node.kind === 'conv' ? 'conv ' : ''}${node.activation}` : node.kind;
    const sum = node.kind === 'add' && node.activation !== 'none' ? ` ${node.activation}` : '';
    return `${node.name} = ${word}${sum}(${node.inputs.join(', ')})`;
  });

function expectFused(network: Network, expected: readonly string[]): Network {
  const fused = fuse(network);
  expect(spelled(fused)).toEqual(expected);
  const [before, after] = [network, fused].map((each) => (interpret(each, image).get(each.graph.outputs.embedding) as Values).data) as [
    readonly number[],
    readonly number[],
  ];
  expect(after).toHaveLength(before.length);
  const largest = Math.max(...before.map(Math.abs));
  before.forEach((value, i) => {
    expect(Math.abs((after[i] as number) - value)).toBeLessThan(1e-5 * Math.max(1, largest));
  });
  // Nothing is left of nodes that went.
  expect([...fused.weights.keys()].sort()).toEqual(
    fused.graph.nodes
      .filter(({ kind }) => kind === 'conv')
      .map(({ name }) => name)
      .sort(),
  );
  return fused;
}

const ones = new Float32Array(C).fill(1);
const zeros = new Float32Array(C);
const SIXTH = 1 / 6;
const X = dense('x', 'input');

describe('a clamp', () => {
  it.each<[string, readonly Node[], readonly string[]]>([
    ['of a convolution becomes its activation: relu', [X, activation('y', 'x', 'relu')], ['x = conv relu(input)']],
    ['of a convolution becomes its activation: relu6', [X, affine('y', 'x', 1, 0, 0, 6)], ['x = conv relu6(input)']],
    ['of a convolution becomes its activation: h-sigmoid', [X, affine('y', 'x', SIXTH, 0.5, 0, 1)], ['x = conv hardSigmoid(input)']],
    ['of another slope goes into the filter', [X, affine('y', 'x', 2, -1, 0)], ['x = conv relu(input)']],
    ['without bounds goes into the filter', [X, affine('y', 'x', -2, 1)], ['x = conv none(input)']],
    ['of only an offset goes into the bias', [X, affine('y', 'x', 1, 0.7)], ['x = conv none(input)']],
    ['that no activation is stays a node', [X, affine('y', 'x', 1, 0, -1, 1)], ['x = conv none(input)', 'y = affine(x)']],
    [
      'of a clamp is one, and then an activation',
      [X, affine('a', 'x', 1, 3), affine('b', 'a', 1, 0, 0, 6), affine('y', 'b', SIXTH, 0)],
      ['x = conv hardSigmoid(input)'],
    ],
    [
      'of a clamp that others read stays',
      [X, affine('a', 'x', 1, 0, -1, 1), affine('b', 'a', 2, 0), add('y', ['a', 'b'])],
      ['x = conv none(input)', 'a = affine(x)', 'b = affine(a)', 'y = add(a, b)'],
    ],
    [
      'after h-swish stays a node',
      [dense('x', 'input', { activation: 'hardSwish' }), activation('y', 'x', 'relu')],
      ['x = conv hardSwish(input)', 'y = relu(x)'],
    ],
    ['after relu joins it', [dense('x', 'input', { activation: 'relu' }), affine('y', 'x', 1, 0, 0, 6)], ['x = conv relu6(input)']],
    [
      'of a tensor that others read stays',
      [X, activation('a', 'x', 'relu'), add('y', ['x', 'a'])],
      ['x = conv none(input)', 'a = relu(x)', 'y = add(x, a)'],
    ],
    [
      'that changes nothing goes',
      [X, pool('p', 'x'), affine('a', 'p', 1, 0), dense('y', 'a')],
      ['x = conv none(input)', 'p = globalAveragePool(x)', 'y = conv none(p)'],
    ],
    [
      'that changes nothing leaves its name to its producer at the output',
      [X, pool('p', 'x'), affine('y', 'p', 1, 0)],
      ['x = conv none(input)', 'p = globalAveragePool(x)'],
    ],
  ])('%s', (_, nodes, expected) => {
    expectFused(networkOf(nodes), expected);
  });

  it('of a convolution with a residual joins it only if it changes no sum', () => {
    const residual = (change: Node) => [
      dense('r', 'input', { activation: 'relu' }),
      dense('a', 'r'),
      conv({ name: 'x', inputs: ['r', 'a'], inputChannels: C, channels: C }),
      change,
    ];
    const start = ['r = conv relu(input)', 'a = conv none(r)'];
    expectFused(networkOf(residual(activation('y', 'x', 'relu6'))), [...start, 'x = conv relu6(r, a)']);
    expectFused(networkOf(residual(affine('y', 'x', 2, 0, 0))), [...start, 'x = conv none(r, a)', 'y = affine(x)']);
    expectFused(networkOf(residual(activation('y', 'x', 'hardSigmoid'))), [...start, 'x = conv none(r, a)', 'y = hardSigmoid(x)']);
  });
});

describe('h-swish', () => {
  const gate = (alpha: number, beta: number, high: number, base = 'x') => affine('g', base, alpha, beta, 0, high);
  it.each<[string, readonly Node[], readonly string[]]>([
    ['x * h-sigmoid(x)', [X, gate(SIXTH, 0.5, 1), multiply('y', ['x', 'g'])], ['x = conv hardSwish(input)']],
    ['h-sigmoid(x) * x', [X, gate(SIXTH, 0.5, 1), multiply('y', ['g', 'x'])], ['x = conv hardSwish(input)']],
    [
      'x * relu6(x + 3) / 6',
      [X, affine('a', 'x', 1, 3), affine('b', 'a', 1, 0, 0, 6), multiply('m', ['x', 'b']), affine('y', 'm', SIXTH, 0)],
      ['x = conv hardSwish(input)'],
    ],
    [
      '(x / 6) * relu6(x + 3)',
      [X, affine('s', 'x', SIXTH, 0), affine('a', 'x', 1, 3, 0, 6), multiply('y', ['s', 'a'])],
      ['x = conv hardSwish(input)'],
    ],
  ])('is known as %s', (_, nodes, expected) => {
    const fused = expectFused(networkOf(nodes), expected);
    expect(fused.graph.outputs.embedding).toBe('x');
  });

  it('of another slope is h-swish between two factors', () => {
    const steep = expectFused(networkOf([pool('x', 'input'), gate(0.25, 0.5, 1), multiply('y', ['x', 'g'])]), [
      'x = globalAveragePool(input)',
      'y input 0 swish input 0 slope = affine(x)',
      'y input 0 swish = hardSwish(y input 0 swish input 0 slope)',
      'y = affine(y input 0 swish)',
    ]);
    expect(steep.graph.nodes.map((node) => (node.kind === 'affine' ? node.alpha : 0))).toEqual([0, 1.5, 0, 1 / 1.5]);
    expectFused(networkOf([pool('x', 'input'), gate(-0.25, 0.5, 1), multiply('y', ['x', 'g'])]), [
      'x = globalAveragePool(input)',
      'y input 0 swish input 0 slope = affine(x)',
      'y input 0 swish = hardSwish(y input 0 swish input 0 slope)',
      'y = affine(y input 0 swish)',
    ]);
    expectFused(networkOf([pool('x', 'input'), gate(1, 3, 6), multiply('y', ['x', 'g'])]), [
      'x = globalAveragePool(input)',
      'y input 0 swish = hardSwish(x)',
      'y = affine(y input 0 swish)',
    ]);
  });

  const kept = (nodes: readonly Node[]) =>
    expectFused(networkOf([pool('x', 'input'), ...nodes]), spelled(networkOf([pool('x', 'input'), ...nodes])));
  it.each<[string, readonly Node[]]>([
    ['a gate that is not half-way at 0', [gate(SIXTH, 0.4, 1), multiply('y', ['x', 'g'])]],
    ['a gate that does not begin at 0', [affine('g', 'x', SIXTH, 0.5, -1, 1), multiply('y', ['x', 'g'])]],
    ['a gate without an end', [affine('g', 'x', SIXTH, 0.5, 0), multiply('y', ['x', 'g'])]],
    ['a gate that is constant', [gate(0, 0.5, 1), multiply('y', ['x', 'g'])]],
    ['a gate of another tensor', [pool('z', 'input'), gate(SIXTH, 0.5, 1, 'z'), multiply('y', ['x', 'g'])]],
    ['a factor with an offset', [affine('s', 'x', 1, 1), gate(SIXTH, 0.5, 1), multiply('y', ['s', 'g'])]],
    ['a factor with a bound', [affine('s', 'x', 1, 0, 0), gate(SIXTH, 0.5, 1), multiply('y', ['s', 'g'])]],
    ['a sum', [gate(SIXTH, 0.5, 1), add('y', ['x', 'g'])]],
    ['a square', [multiply('y', ['x', 'x'])]],
  ])('is not seen in %s', (_, nodes) => {
    kept(nodes);
  });
});

describe('an activation', () => {
  it.each<[string, readonly Node[], readonly string[]]>([
    ['h-swish goes into a convolution', [X, activation('y', 'x', 'hardSwish')], ['x = conv hardSwish(input)']],
    [
      'h-swish does not go behind another activation',
      [dense('x', 'input', { activation: 'relu' }), activation('y', 'x', 'hardSwish')],
      ['x = conv relu(input)', 'y = hardSwish(x)'],
    ],
    [
      'h-swish does not go behind a residual',
      [
        dense('r', 'input', { activation: 'relu' }),
        conv({ name: 'x', inputs: ['r', 'r'], inputChannels: C, channels: C }),
        activation('y', 'x', 'hardSwish'),
      ],
      ['r = conv relu(input)', 'x = conv none(r, r)', 'y = hardSwish(x)'],
    ],
    [
      'relu goes into a sum',
      [dense('a', 'input', { activation: 'relu' }), pool('b', 'a'), add('s', ['a', 'b']), activation('y', 's', 'relu')],
      ['a = conv relu(input)', 'b = globalAveragePool(a)', 's = add relu(a, b)'],
    ],
    [
      'relu6 goes into a sum',
      [dense('a', 'input', { activation: 'relu' }), pool('b', 'a'), add('s', ['a', 'b']), activation('y', 's', 'relu6')],
      ['a = conv relu(input)', 'b = globalAveragePool(a)', 's = add relu6(a, b)'],
    ],
    [
      'h-swish and h-sigmoid stay behind a sum',
      [
        dense('a', 'input', { activation: 'relu' }),
        pool('b', 'a'),
        add('s', ['a', 'b']),
        activation('y', 's', 'hardSwish'),
        activation('z', 'y', 'hardSigmoid'),
      ],
      ['a = conv relu(input)', 'b = globalAveragePool(a)', 's = add(a, b)', 'y = hardSwish(s)', 'z = hardSigmoid(y)'],
    ],
    [
      'relu does not go into a sum that has one of its own',
      [dense('a', 'input', { activation: 'relu' }), pool('b', 'a'), add('s', ['a', 'b'], 'relu6'), activation('y', 's', 'relu')],
      ['a = conv relu(input)', 'b = globalAveragePool(a)', 's = add relu6(a, b)', 'y = relu(s)'],
    ],
    [
      'relu stays behind a product',
      [dense('a', 'input', { activation: 'relu' }), pool('b', 'a'), multiply('s', ['a', 'b']), activation('y', 's', 'relu')],
      ['a = conv relu(input)', 'b = globalAveragePool(a)', 's = multiply(a, b)', 'y = relu(s)'],
    ],
  ])('%s', (_, nodes, expected) => {
    expectFused(networkOf(nodes), expected);
  });
});

describe('a value a channel', () => {
  const shift = { filter: ones, bias: uniform(next, C) };
  it.each<[string, readonly Node[], Record<string, FloatWeights>, readonly string[]]>([
    [
      'goes into the convolution before it, with its activation',
      [X, norm('y', 'x', { activation: 'relu6' })],
      {},
      ['x = conv relu6(input)'],
    ],
    [
      'goes into a depthwise convolution',
      [dense('a', 'input', { activation: 'relu' }), depthwise('x', 'a', { kernel: [3, 3], padding: 'same' }), norm('y', 'x')],
      {},
      ['a = conv relu(input)', 'x = conv none(a)'],
    ],
    [
      'stays behind an activation',
      [dense('x', 'input', { activation: 'relu' }), norm('y', 'x', { activation: 'relu' })],
      {},
      ['x = conv relu(input)', 'y = conv relu(x)'],
    ],
    [
      'goes into the next convolution where there are no zeros of padding',
      [dense('x', 'input', { activation: 'relu' }), norm('n', 'x'), dense('y', 'n', { kernel: [3, 3] })],
      {},
      ['x = conv relu(input)', 'y = conv none(x)'],
    ],
    [
      'goes into a next depthwise convolution',
      [dense('x', 'input', { activation: 'relu' }), norm('n', 'x'), depthwise('y', 'n', { kernel: [3, 3], padding: [0, 0, 0, 0] })],
      {},
      ['x = conv relu(input)', 'y = conv none(x)'],
    ],
    [
      'with an offset stays before padding',
      [dense('x', 'input', { activation: 'relu' }), norm('n', 'x'), dense('y', 'n', { kernel: [3, 3], padding: 'same' })],
      {},
      ['x = conv relu(input)', 'n = conv none(x)', 'y = conv none(n)'],
    ],
    [
      'without an offset goes through padding',
      [dense('x', 'input', { activation: 'relu' }), norm('n', 'x'), dense('y', 'n', { kernel: [3, 3], padding: [1, 1, 1, 1] })],
      { n: { filter: uniform(next, C), bias: zeros } },
      ['x = conv relu(input)', 'y = conv none(x)'],
    ],
    [
      'with an activation does not go forwards',
      [dense('x', 'input', { activation: 'relu' }), norm('n', 'x', { activation: 'relu' }), dense('y', 'n')],
      {},
      ['x = conv relu(input)', 'n = conv relu(x)', 'y = conv none(n)'],
    ],
    [
      'as an offset goes into a summand of the sum before it',
      [
        dense('r', 'input', { activation: 'relu' }),
        depthwise('x', 'r', { kernel: [3, 3], padding: 'same' }),
        add('s', ['x', 'r']),
        norm('y', 's', { activation: 'relu' }),
      ],
      { y: shift },
      ['r = conv relu(input)', 'x = conv none(r)', 's = add relu(x, r)'],
    ],
    [
      'as an offset goes into a summand of a summand',
      [
        dense('r', 'input', { activation: 'relu' }),
        depthwise('x', 'r', { kernel: [3, 3], padding: 'same' }),
        add('t', ['x', 'r']),
        add('s', ['r', 't']),
        norm('y', 's'),
      ],
      { y: shift },
      ['r = conv relu(input)', 'x = conv none(r)', 't = add(x, r)', 's = add(r, t)'],
    ],
    [
      'with a gain stays behind a sum',
      [
        dense('r', 'input', { activation: 'relu' }),
        depthwise('x', 'r', { kernel: [3, 3], padding: 'same' }),
        add('s', ['x', 'r']),
        norm('y', 's'),
      ],
      {},
      ['r = conv relu(input)', 'x = conv none(r)', 's = add(x, r)', 'y = conv none(s)'],
    ],
    [
      'with an activation that no sum has stays',
      [
        dense('r', 'input', { activation: 'relu' }),
        depthwise('x', 'r', { kernel: [3, 3], padding: 'same' }),
        add('s', ['x', 'r']),
        norm('y', 's', { activation: 'hardSwish' }),
      ],
      { y: shift },
      ['r = conv relu(input)', 'x = conv none(r)', 's = add(x, r)', 'y = conv hardSwish(s)'],
    ],
    [
      'stays where no summand is a plain convolution',
      [dense('r', 'input', { activation: 'relu' }), pool('p', 'r'), add('s', ['r', 'p']), norm('y', 's')],
      { y: shift },
      ['r = conv relu(input)', 'p = globalAveragePool(r)', 's = add(r, p)', 'y = conv none(s)'],
    ],
    [
      'as an offset goes into a convolution with a residual, a gain does not',
      [
        dense('r', 'input', { activation: 'relu' }),
        conv({ name: 'x', inputs: ['r', 'r'], inputChannels: C, channels: C }),
        norm('n', 'x'),
        norm('y', 'n'),
      ],
      { n: shift },
      ['r = conv relu(input)', 'x = conv none(r, r)', 'y = conv none(x)'],
    ],
  ])('%s', (_, nodes, given, expected) => {
    expectFused(networkOf(nodes, given), expected);
  });
});

describe('a value a channel of the image', () => {
  const own = (filter: number[], bias: number[]) => ({ n: { filter: Float32Array.from(filter), bias: Float32Array.from(bias) } });
  const n = dense('n', 'input', { groups: 3, channels: 3 });
  const y = dense('y', 'n', { inputChannels: 3, kernel: [3, 3], padding: 'same' });

  it('is part of its preprocessing', () => {
    const network = networkOf([n, y], own([0.5, 2, 3], [0.1, -0.2, 0]));
    const { preprocessing } = expectFused(network, ['y = conv none(input)']);
    expect(preprocessing).toMatchObject({ crop: 0.875, interpolation: 'bilinear' });
    expect(preprocessing.std[1]).toBeCloseTo(0.224 / 2, 7);
  });

  it('is arithmetic where all channels have the same', () => {
    expectFused(networkOf([n, y], own([2, 2, 2], [0.5, 0.5, 0.5])), ['n = affine(input)', 'y = conv none(n)']);
  });

  it('stays where others read the image, where it has no inverse, and with an activation', () => {
    const twice = [n, y, dense('z', 'input', { kernel: [3, 3], padding: 'same', activation: 'relu' }), multiply('p', ['y', 'z'])];
    expectFused(networkOf(twice, own([0.5, 2, 3], [0.1, 0, 0])), [
      'n = conv none(input)',
      'y = conv none(n)',
      'z = conv relu(input)',
      'p = multiply(y, z)',
    ]);
    for (const gain of [0, -1])
      expectFused(networkOf([n, y], own([0.5, gain, 3], [0.1, 0, 0])), ['n = conv none(input)', 'y = conv none(n)']);
    expectFused(networkOf([{ ...n, activation: 'relu' } as Node, y], own([0.5, 2, 3], [0.1, 0, 0])), [
      'n = conv relu(input)',
      'y = conv none(n)',
    ]);
  });
});

describe('a residual', () => {
  const r = dense('r', 'input', { activation: 'relu' });
  it.each<[string, readonly Node[], readonly string[]]>([
    [
      'goes into the pointwise convolution, first',
      [r, dense('x', 'r'), add('y', ['x', 'r'])],
      ['r = conv relu(input)', 'x = conv none(r, r)'],
    ],
    [
      'goes into the pointwise convolution, second',
      [r, dense('x', 'r'), add('y', ['r', 'x'])],
      ['r = conv relu(input)', 'x = conv none(r, r)'],
    ],
    ['takes the activation along', [r, dense('x', 'r'), add('y', ['r', 'x'], 'relu6')], ['r = conv relu(input)', 'x = conv relu6(r, r)']],
    [
      'stays a sum of the same twice',
      [r, dense('x', 'r'), add('y', ['x', 'x'])],
      ['r = conv relu(input)', 'x = conv none(r)', 'y = add(x, x)'],
    ],
    [
      'stays beside a convolution with an activation',
      [r, dense('x', 'r', { activation: 'relu' }), add('y', ['x', 'r'])],
      ['r = conv relu(input)', 'x = conv relu(r)', 'y = add(x, r)'],
    ],
    [
      'stays beside a window',
      [r, dense('x', 'r', { kernel: [3, 3], padding: 'same' }), add('y', ['x', 'r'])],
      ['r = conv relu(input)', 'x = conv none(r)', 'y = add(x, r)'],
    ],
    [
      'stays beside a depthwise convolution',
      [r, depthwise('x', 'r', { kernel: [3, 3], padding: 'same' }), add('y', ['x', 'r'])],
      ['r = conv relu(input)', 'x = conv none(r)', 'y = add(x, r)'],
    ],
    [
      'stays beside a convolution that others read',
      [r, dense('x', 'r'), add('s', ['x', 'r']), multiply('y', ['s', 'x'])],
      ['r = conv relu(input)', 'x = conv none(r)', 's = add(x, r)', 'y = multiply(s, x)'],
    ],
    [
      'is one a convolution',
      [r, dense('x', 'r'), add('s', ['x', 'r']), add('y', ['s', 'r'])],
      ['r = conv relu(input)', 'x = conv none(r, r)', 'y = add(x, r)'],
    ],
  ])('%s', (_, nodes, expected) => {
    expectFused(networkOf(nodes), expected);
  });
});

it('gives back a network of which nothing can be said shorter', () => {
  const network = networkOf([dense('x', 'input', { activation: 'relu' })]);
  expect(fuse(network)).toBe(network);
});

it('keeps an output that something else reads', () => {
  const network = networkOf([X, activation('y', 'x', 'relu')], {}, 'x');
  expectFused(network, ['x = conv none(input)', 'y = relu(x)']);
});

it('scales the outputs of a filter', () => {
  const { filter, bias } = scaleOutputs({ filter: Float32Array.of(1, 2, 3, 4, 5, 6), bias: Float32Array.of(1, 2) }, [2, 10], [0.5, 1]);
  expect([...filter]).toEqual([2, 20, 6, 40, 10, 60]);
  expect([...bias]).toEqual([2.5, 21]);
});
