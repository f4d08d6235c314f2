import { type Activation, type ConvNode, INPUT, type Node, type Padding } from '../../src/graph/graph.js';
import { GATE_LANES, type Lanes, scaleOf } from '../../src/graph/lanes.js';
import type { FloatWeights, QuantizedWeights } from '../../src/graph/network.js';
import type { QTensor, Tensor } from '../../src/kernels/index.js';
import type { Piece } from '../../src/kernels/runner.js';
import { type Shape, Values } from './cases.js';
import { evaluate } from './pieces.js';

// What networks are made of, at odd sizes: tensors that have zeros around them, residuals, images, lanes of 16 bits.

interface ConvOptions {
  readonly kernel?: readonly [number, number];
  readonly strides?: readonly [number, number];
  readonly padding?: Padding;
  readonly activation?: Activation;
  readonly depthwise?: boolean;
  /** On lanes: a scale a channel. */
  readonly scales?: boolean;
}

/** One node of a kind, without what a builder gives it. */
type Kind<N = Node> = N extends ConvNode ? never : N extends Node ? Omit<N, 'name' | 'inputs'> : never;

/** Builds a piece node by node, in float32 or on lanes. */
class Builder {
  private readonly values: Values;
  private readonly channels = new Map<string, number>();
  private readonly nodes: Node[] = [];
  private readonly weights = new Map<string, FloatWeights | QuantizedWeights>();
  private readonly lanes = new Map<string, Lanes>();
  private readonly inputs = new Map<string, Tensor | QTensor>();

  constructor(
    private readonly isReal: boolean,
    seed: number,
  ) {
    this.values = new Values(seed);
  }

  input(shape: Shape): string {
    const name = this.named('x', shape[3]);
    if (this.isReal) this.inputs.set(name, this.values.floats(shape, -2, 2));
    else {
      const x = this.values.quantized('int8', shape);
      this.inputs.set(name, x);
      this.lanes.set(name, {
        scale: Math.fround(x.scale as number),
        low: -128 - (x.zeroPoint as number),
        high: 127 - (x.zeroPoint as number),
      });
    }
    return name;
  }

  /** Pixels in float32, which a network on lanes quantizes first. */
  image(height: number, width: number, lanes: Lanes): string {
    this.channels.set(INPUT, 3);
    const x = this.values.floats([1, height, width, 3], -2, 2);
    this.inputs.set(INPUT, x);
    if (this.isReal) return INPUT;
    this.lanes.set(INPUT, lanes);
    x.data.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    x.data.set([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN], x.data.length - 3);
    return INPUT;
  }

  conv(inputs: readonly string[], channels: number, options: ConvOptions = {}): string {
    const { kernel = [1, 1], strides = [1, 1], padding = 'same', activation = 'none', depthwise = false, scales = false } = options;
    const [read] = inputs as [string];
    const inputChannels = this.channels.get(read) as number;
    const name = this.named('conv', channels);
    const node: ConvNode = {
      kind: 'conv',
      name,
      inputs,
      kernel,
      strides,
      padding,
      inputChannels,
      channels,
      groups: depthwise ? channels : 1,
      activation,
    };
    this.nodes.push(node);
    const fanIn = kernel[0] * kernel[1] * (depthwise ? 1 : inputChannels);
    if (this.isReal) {
      const bound = Math.sqrt(3 / fanIn);
      this.weights.set(name, { filter: this.values.vector(fanIn * channels, -bound, bound), bias: this.values.vector(channels) });
      return name;
    }
    const scale = this.values.vector(channels, 0.004, 0.01);
    const filter = this.values.bytes('int8', fanIn * channels) as Int8Array;
    for (let i = 0; i < filter.length; i++) filter[i] = Math.max(-127, filter[i] as number);
    const bias = Int32Array.from({ length: channels }, () => this.values.integer(-9000, 9000));
    this.weights.set(name, { filter, scale, zeroPoint: 0, bias });
    // Lanes of a few thousand, of which some are clamped.
    const { unit, ...given } = this.lanes.get(read) as Lanes;
    const real = (unit ?? scaleOf(given, 0)) * Math.max(-given.low, given.high) * 0.5 * Math.sqrt(fanIn);
    this.spread(name, real / (given.high - given.low > 255 ? 9000 : 20000), scales);
    return name;
  }

  channelsOf = (name: string): number => this.channels.get(name) as number;

  node(kind: Kind, ...inputs: string[]): string {
    const name = this.named(kind.kind, this.channels.get(inputs[0] as string) as number);
    this.nodes.push({ ...kind, name, inputs } as Node);
    const lanes = inputs.map((input) => this.lanes.get(input) as Lanes);
    if (this.isReal) return name;
    const reals = lanes.map((each) => scaleOf(each, 0) * Math.max(-each.low, each.high));
    const real = kind.kind === 'multiply' ? reals.reduce((a, b) => a * b) / 4 : Math.max(...reals);
    this.spread(name, real / 20000);
    return name;
  }

  /** h-sigmoid of one pixel a channel, and the product with it, as squeeze-excite has them. */
  gated(x: string): string {
    const squeezed = this.node({ kind: 'globalAveragePool' }, x);
    const gate = this.conv([squeezed], this.channels.get(x) as number, { activation: 'hardSigmoid' });
    const name = this.node({ kind: 'multiply' }, x, gate);
    if (!this.isReal) {
      this.lanes.set(gate, GATE_LANES);
      this.lanes.set(name, this.lanes.get(x) as Lanes);
    }
    return name;
  }

  build(output: string): Piece {
    const { nodes, weights, lanes, inputs } = this;
    return { nodes, weights, lanes, inputs, output };
  }

  private spread(name: string, scale: number, perChannel = false): void {
    const range = { low: -this.values.integer(15000, 32767), high: this.values.integer(15000, 32767) };
    const scales = this.values.vector(this.channelsOf(name), 0.5 * scale, 1.5 * scale);
    this.lanes.set(name, perChannel ? { scale: scales, unit: Math.fround(scale), ...range } : { scale: Math.fround(scale), ...range });
  }

  private named(kind: string, channels: number): string {
    const name = `${kind}${this.channels.size}`;
    this.channels.set(name, channels);
    return name;
  }
}

const SIZES = [
  [7, 7],
  [5, 9],
  [1, 1],
  [2, 3],
  [3, 5],
  [8, 6],
] as const;

const BETWEEN: Record<string, (b: Builder, a: string) => string> = {
  relu: (b, a) => b.node({ kind: 'activation', activation: 'relu' }, a),
  relu6: (b, a) => b.node({ kind: 'activation', activation: 'relu6' }, a),
  'h-swish': (b, a) => b.node({ kind: 'activation', activation: 'hardSwish' }, a),
  'h-sigmoid': (b, a) => b.node({ kind: 'activation', activation: 'hardSigmoid' }, a),
  sigmoid: (b, a) => b.node({ kind: 'activation', activation: 'sigmoid' }, a),
  swish: (b, a) => b.node({ kind: 'activation', activation: 'swish' }, a),
  'an affine function': (b, a) => b.node({ kind: 'affine', alpha: 0.7, beta: 0.3 }, a),
  'an affine function with a clamp': (b, a) => b.node({ kind: 'affine', alpha: -1.3, beta: 0.1, low: -0.6, high: 0.9 }, a),
  'a sum': (b, a) => b.node({ kind: 'add', activation: 'none' }, a, b.conv([a], b.channelsOf(a))),
  'a sum and relu6': (b, a) => b.node({ kind: 'add', activation: 'relu6' }, a, b.conv([a], b.channelsOf(a))),
  'a product': (b, a) => b.node({ kind: 'multiply' }, a, b.conv([a], b.channelsOf(a))),
  'a product with a pixel': (b, a) => b.node({ kind: 'multiply' }, a, b.node({ kind: 'globalAveragePool' }, a)),
  'a gate': (b, a) => b.gated(a),
};

function* piecesOf(isReal: boolean): Generator<[name: string, piece: Piece]> {
  let seed = 1;
  const builder = () => new Builder(isReal, seed++);
  const depthwise3 = { kernel: [3, 3], depthwise: true } as const;
  const depthwise5 = { kernel: [5, 5], strides: [2, 2], depthwise: true } as const;
  for (const [h, w] of SIZES) {
    for (const activation of ['none', 'relu', 'relu6'] as const) {
      const b = builder();
      const narrow = b.conv([b.input([2, h, w, 24])], 40);
      const wide = b.conv([b.conv([narrow], 48, { activation: 'hardSwish' })], 48, { ...depthwise3, activation: 'relu' });
      const sum = b.conv([wide, narrow], 40, { activation });
      yield [`a residual, ${activation}, ${h} x ${w}`, b.build(sum)];
      // The residual, and what it becomes, have zeros around them.
      const both = [b.conv([sum], 40, depthwise3), b.conv([narrow], 40, depthwise3)];
      yield [`a residual among others, ${activation}, ${h} x ${w}`, b.build(b.node({ kind: 'add', activation: 'none' }, ...both))];
    }
    for (const [name, between] of Object.entries(BETWEEN)) {
      const alone = builder();
      yield [`${name} alone, ${h} x ${w}`, alone.build(between(alone, alone.conv([alone.input([1, h, w, 5])], 73, { scales: true })))];
      const b = builder();
      const a = b.conv([b.input([1, h, w, 5])], 17);
      const middle = between(b, a);
      const ends = [b.conv([middle], 17, { ...depthwise5, strides: [1, 1] }), b.conv([a], 17, depthwise3)] as const;
      yield [`${name}, ${h} x ${w}`, b.build(b.node({ kind: 'add', activation: 'none' }, ...ends))];
    }
    const windows = [
      { kernel: [3, 3], strides: [2, 2], padding: 'same', activation: 'hardSwish' },
      { kernel: [2, 5], strides: [1, 2], padding: [1, 2, 3, 1], activation: 'relu6' },
      { kernel: [1, 1], strides: [2, 1], padding: 'same', activation: 'none' },
    ] as const;
    for (const window of windows) {
      const b = builder();
      const inner = b.conv([b.input([1, h, w, 9])], 13, { activation: 'relu' });
      yield [`a window of ${window.kernel}, ${h} x ${w}`, b.build(b.conv([inner], 24, window))];
    }
    const pooled = builder();
    const features = pooled.conv([pooled.input([2, h, w, 24])], 48, { activation: 'hardSwish' });
    const embedding = pooled.conv([pooled.node({ kind: 'globalAveragePool' }, features)], 72, { activation: 'hardSwish' });
    yield [`layers behind a pool, ${h} x ${w}`, pooled.build(pooled.conv([embedding], 31))];
  }
  const stem = { kernel: [3, 3], strides: [2, 2], activation: 'hardSwish' } as const;
  const lanes: [string, Lanes][] = [
    ['8 bits', { scale: Math.fround(2 / 127), low: -128, high: 127 }],
    ['16 bits', { scale: Math.fround(2 / 9000), low: -9000, high: 8700 }],
    ['a scale a channel', { scale: Float32Array.of(0.0002, 0.0003, 0.0005), low: -7000, high: 7000, unit: 0.0003 }],
  ];
  for (const [name, each] of isReal ? lanes.slice(0, 1) : lanes) {
    for (const [h, w] of [
      [9, 7],
      [1, 3],
      [8, 12],
    ] as const) {
      const b = builder();
      yield [`an image of ${name}, ${h} x ${w}`, b.build(b.conv([b.image(h, w, each)], 16, stem))];
    }
  }
}

/** Every piece and what the loops give for it; made when it is first run. */
export const piecesBy = (isReal: boolean): readonly { readonly name: string; readonly piece: Piece; readonly expected: () => Tensor }[] =>
  [...piecesOf(isReal)].map(([name, piece]) => {
    let made: Tensor | undefined;
    return { name, piece, expected: () => (made ??= evaluate(piece)) };
  });
