import { ModelFormatError, UnsupportedModelError } from '../errors.js';
import {
  type Activation,
  type ConvNode,
  INPUT,
  INPUT_CHANNELS,
  imageInput,
  inferShapes,
  type Node,
  type Padding,
  type Shape,
  type UnnamedNode,
} from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { Weights } from '../graph/network.js';
import { arithmeticOf, type Constant, type Operation } from './constants.js';
import { firstNotFinite } from './tensors.js';

/*
 * Every format that lists operators is read into this: nodes of the family with their weights, constants computed at once. An
 * operator becomes the node that it is, a batch norm or a bias a value a channel; fusion.ts then finds the network in it.
 */

type Sides = readonly [top: number, bottom: number, left: number, right: number];

/** A tensor that is computed. */
interface Computed {
  readonly node: string;
  /** Zeros around it, which the convolution that reads it adds itself. */
  readonly pad?: Sides;
}

export interface ConvShape {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: Padding;
  readonly channels: number;
  readonly groups: number;
  readonly activation?: Activation;
}

export type End = 'softmax' | 'sigmoid' | 'normalization';

export interface Built {
  readonly nodes: readonly Node[];
  readonly weights: ReadonlyMap<string, Weights>;
  readonly lanes: Map<string, Lanes>;
  readonly shapes: ReadonlyMap<string, Shape>;
  /** The node whose tensor is the output; what follows it alone was left out. */
  readonly output: string;
  readonly end?: End | undefined;
  readonly resolution: number;
}

const SMALLEST = 32;
const LARGEST = 512;
const DEFAULT_RESOLUTION = 224;

/** The side of the images that an input of shape [n, side, side, 3] takes; what is left open is 224. */
export function resolutionOf(format: string, shape: readonly (number | null)[]): number {
  const [, height, width, channels] = shape;
  const side = (value: number | null | undefined) => (value && value > 1 ? value : DEFAULT_RESOLUTION);
  const resolution = side(height);
  if (shape.length !== 4 || channels !== INPUT_CHANNELS || side(width) !== resolution || resolution < SMALLEST || resolution > LARGEST) {
    const given = shape.map((value) => value ?? -1);
    throw new UnsupportedModelError(
      `${format}: the input has shape [${given}]; an image as [n, side, side, 3], its side from ${SMALLEST} to ${LARGEST}, was expected.`,
    );
  }
  return resolution;
}

export class NetworkBuilder {
  readonly constants = new Map<string, Constant>();
  readonly lanes = new Map<string, Lanes>();
  private readonly nodes = new Map<string, Node>();
  private readonly weights = new Map<string, Weights>();
  private readonly tensors = new Map<string, Computed>();
  private readonly shapes: Map<string, Shape>;
  /** What the network's answers go through at its end. */
  private readonly ends = new Map<string, End>();

  /**
   * @param format for messages
   * @param channelAxis of an image: 3 where channels are innermost, 1 as in PyTorch
   */
  constructor(
    readonly format: string,
    private readonly channelAxis: 1 | 3,
    private readonly resolution: number,
  ) {
    this.shapes = new Map(imageInput(resolution, resolution));
  }

  unsupported(what: string): UnsupportedModelError {
    return new UnsupportedModelError(`${this.format}: ${what}`);
  }

  damaged(what: string): ModelFormatError {
    return new ModelFormatError(`${this.format}: ${what}`);
  }

  input(id: string): void {
    this.tensors.set(id, { node: INPUT });
  }

  isComputed(id: string): boolean {
    return this.tensors.has(id);
  }

  /** The constant of that name; undefined for a tensor that is computed. */
  constant(id: string | undefined): Constant | undefined {
    return id === undefined ? undefined : this.constants.get(id);
  }

  private computed(id: string | undefined): Computed {
    const end = id === undefined ? undefined : this.ends.get(id);
    if (end) throw this.unsupported(`a ${end} of "${id}" that other layers read.`);
    return this.found(id);
  }

  private found(id: string | undefined): Computed {
    const tensor = id === undefined ? undefined : this.tensors.get(id);
    if (!tensor) throw this.damaged(`tensor "${id}" is read before it is computed.`);
    return tensor;
  }

  private read(id: string | undefined): string {
    const tensor = this.computed(id);
    if (tensor.pad) throw this.unsupported('zeros are added around an image in front of no convolution.');
    return tensor.node;
  }

  shape(id: string | undefined): Shape {
    return this.shapes.get(this.computed(id).node) as Shape;
  }

  /** How a tensor is quantized; undefined for a float one. */
  lanesOf(id: string | undefined): Lanes | undefined {
    return this.lanes.get(this.computed(id).node);
  }

  private push(id: string, node: UnnamedNode, lanes?: Lanes): string {
    const name = `${this.nodes.size}`;
    const named: Node = { ...node, name };
    const inputs = node.inputs.map((input) => [input, this.shapes.get(input) as Shape] as const);
    this.shapes.set(name, inferShapes([named], inputs).get(name) as Shape);
    this.nodes.set(name, named);
    this.tensors.set(id, { node: name });
    if (lanes) this.lanes.set(name, lanes);
    return name;
  }

  /** The operator changes nothing: its output is its input under another name. */
  alias(id: string, input: string | undefined, lanes?: Lanes): void {
    const constant = this.constant(input);
    if (constant) {
      this.constants.set(id, constant);
      return;
    }
    const tensor = this.found(input);
    this.tensors.set(id, tensor);
    if (lanes && !this.lanes.has(tensor.node)) this.lanes.set(tensor.node, lanes);
    const end = this.ends.get(input as string);
    if (end) this.ends.set(id, end);
  }

  /** What the network's answers go through at its end; logits and features are given as they are before it. */
  end(id: string, input: string | undefined, how: End): void {
    this.alias(id, input);
    this.ends.set(id, how);
  }

  pad(id: string, input: string | undefined, sides: Sides, lanes?: Lanes): void {
    if (!sides.every((side) => Number.isInteger(side) && side >= 0 && side <= 64)) throw this.unsupported(`a padding of [${sides}].`);
    const { pad = [0, 0, 0, 0], ...tensor } = this.computed(input);
    this.alias(id, input, lanes);
    const sum = sides.map((side, i) => side + (pad[i] as number)) as unknown as Sides;
    if (sum.some((side) => side > 0)) this.tensors.set(id, { ...tensor, pad: sum });
  }

  /** @param weights with channels innermost, as our kernels have them */
  conv(id: string, input: string | undefined, shape: ConvShape, weights: Weights, lanes?: Lanes): void {
    const { node, pad } = this.computed(input);
    const { kernel, strides, channels, groups } = shape;
    const inputChannels = (this.shapes.get(node) as Shape)[2];
    const padding = this.paddingOf(shape, pad);
    const sound = [...kernel, ...strides].every((side) => Number.isInteger(side) && side >= 1 && side <= 64);
    if (!sound) throw this.unsupported(`a convolution of a ${kernel.join('x')} kernel and strides [${strides}].`);
    if (groups !== 1 && (groups !== inputChannels || channels !== inputChannels)) {
      throw this.unsupported(`a convolution of ${inputChannels} to ${channels} channels in ${groups} groups.`);
    }
    const wanted = (kernel[0] * kernel[1] * inputChannels * channels) / groups;
    if (weights.filter.length !== wanted || weights.bias.length !== channels) {
      throw this.damaged(
        `a ${kernel.join('x')} convolution of ${inputChannels} to ${channels} channels has ${weights.filter.length} weights and ${weights.bias.length} biases.`,
      );
    }
    const { activation = 'none' } = shape;
    const conv: Omit<ConvNode, 'name'> = {
      kind: 'conv',
      inputs: [node],
      kernel,
      strides,
      padding,
      inputChannels,
      channels,
      groups,
      activation,
    };
    const name = this.push(id, conv, lanes);
    if (
      weights.filter instanceof Float32Array &&
      (firstNotFinite(weights.filter) >= 0 || firstNotFinite(weights.bias as Float32Array) >= 0)
    ) {
      throw this.damaged(`the weights of "${id}" hold values that are not finite.`);
    }
    this.weights.set(name, weights);
  }

  private paddingOf({ kernel, strides, padding }: ConvShape, pad: Sides | undefined): Padding {
    const plain = kernel[0] * kernel[1] === 1 && strides[0] * strides[1] === 1;
    const own = plain && padding === 'same' ? 'valid' : padding;
    if (!pad) return own;
    if (own === 'same') throw this.unsupported('zeros are added around an image in front of a convolution that adds its own.');
    return own === 'valid' ? pad : (pad.map((side, i) => side + (own[i] as number)) as unknown as Sides);
  }

  /** A fully connected layer of an image is a convolution of a kernel that covers it. */
  denseKernel(input: string | undefined, inputs: number): readonly [number, number] {
    const [height, width, depth] = this.shape(input);
    if (inputs === depth) return [1, 1];
    if (inputs === height * width * depth) return [height, width];
    throw this.damaged(`a fully connected layer of ${inputs} values reads ${height}x${width}x${depth}.`);
  }

  /** @param matrix [inputs, channels], the rows in the order in which the format flattens an image */
  dense(id: string, input: string | undefined, matrix: Float32Array, bias: Float32Array, activation: Activation = 'none'): void {
    const channels = bias.length;
    const kernel = this.denseKernel(input, matrix.length / channels);
    const filter = this.channelAxis === 1 ? this.innermost(matrix, kernel[0] * kernel[1], channels) : matrix;
    this.conv(id, input, { kernel, strides: [1, 1], padding: 'valid', channels, groups: 1, activation }, { filter, bias });
  }

  /** Rows that go channel by channel, to rows that go pixel by pixel. */
  private innermost(matrix: Float32Array, area: number, channels: number): Float32Array {
    if (area === 1) return matrix;
    const filter = new Float32Array(matrix.length);
    const depth = matrix.length / area / channels;
    for (let c = 0, from = 0; c < depth; c++) {
      for (let tap = 0; tap < area; tap++) {
        for (let o = 0; o < channels; o++) filter[(tap * depth + c) * channels + o] = matrix[from++] as number;
      }
    }
    return filter;
  }

  /** gain[c] * x + offset[c] */
  channels(id: string, input: string | undefined, gain: Float32Array, offset: Float32Array): void {
    const [, , depth] = this.shape(input);
    const shape = { kernel: [1, 1], strides: [1, 1], padding: 'valid', channels: depth, groups: depth } as const;
    this.conv(id, input, shape, { filter: gain, bias: offset });
  }

  activation(id: string, input: string | undefined, activation: Activation, lanes?: Lanes): void {
    if (activation === 'none') this.alias(id, input, lanes);
    else this.push(id, { kind: 'activation', inputs: [this.read(input)], activation }, lanes);
  }

  /** clamp(alpha * x + beta, low, high) */
  affine(
    id: string,
    input: string | undefined,
    f: { alpha?: number; beta?: number; low?: number | undefined; high?: number | undefined },
    lanes?: Lanes,
  ): void {
    const { alpha = 1, beta = 0, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = f;
    if (!Number.isFinite(alpha) || !Number.isFinite(beta) || !(low <= high))
      throw this.damaged(`"${id}" is clamp(${alpha} x + ${beta}, ${low}, ${high}).`);
    const range = { ...(Number.isFinite(low) ? { low } : {}), ...(Number.isFinite(high) ? { high } : {}) };
    this.push(id, { kind: 'affine', inputs: [this.read(input)], alpha, beta, ...range }, lanes);
  }

  /** Sums and products of tensors, numbers and values a channel; of constants at once. */
  arithmetic(
    id: string,
    operation: Operation,
    a: string | undefined,
    b: string | undefined,
    activation: Activation = 'none',
    lanes?: Lanes,
  ): void {
    const [left, right] = [this.constant(a), this.constant(b)];
    if (left && right) {
      this.constants.set(id, arithmeticOf(this.format, operation, left, right));
      return;
    }
    if (left || right) {
      this.withConstant(id, operation, (left ? b : a) as string, (left ?? right) as Constant, left !== undefined, activation, lanes);
      return;
    }
    if (operation === 'divide') throw this.unsupported('a tensor divided by a tensor.');
    const names = [this.read(a), this.read(b)] as [string, string];
    if (operation === 'subtract') throw this.unsupported('a tensor minus a tensor.');
    if (operation === 'add') {
      this.push(id, { kind: 'add', inputs: names, activation }, lanes);
      return;
    }
    if (activation !== 'none') throw this.unsupported('a product with an activation.');
    const area = (name: string) => (this.shapes.get(name) as Shape)[0] * (this.shapes.get(name) as Shape)[1];
    this.push(id, { kind: 'multiply', inputs: area(names[0]) < area(names[1]) ? [names[1], names[0]] : names }, lanes);
  }

  private withConstant(
    id: string,
    operation: Operation,
    input: string,
    constant: Constant,
    first: boolean,
    activation: Activation,
    lanes?: Lanes,
  ): void {
    if (operation === 'divide' && first) throw this.unsupported('a number divided by a tensor.');
    const { values } = constant;
    const sign = operation === 'subtract' && first ? -1 : 1;
    const gainOf = (v: number) => (operation === 'multiply' ? v : operation === 'divide' ? 1 / v : sign);
    const offsetOf = (v: number) => (operation === 'add' || (operation === 'subtract' && first) ? v : operation === 'subtract' ? -v : 0);
    const range = activation === 'relu6' ? { low: 0, high: 6 } : activation === 'relu' ? { low: 0 } : {};
    if (values.length === 1) {
      const value = values[0] as number;
      this.affine(id, input, { alpha: gainOf(value), beta: offsetOf(value), ...range }, lanes);
    } else {
      this.checkPerChannel(input, constant);
      if (lanes) throw this.unsupported('a value a channel is added to or multiplied with a quantized tensor.');
      const between = activation === 'none' ? id : `${id} before ${activation}`;
      this.channels(between, input, Float32Array.from(values, gainOf), Float32Array.from(values, offsetOf));
      if (activation !== 'none') this.activation(id, between, activation);
    }
  }

  /** A constant with a value a channel goes along the axis that channels have. */
  private checkPerChannel(input: string, { shape, values }: Constant): void {
    const [height, width, depth] = this.shape(input);
    const long = shape.map((side, i) => [side, shape.length - i] as const).filter(([side]) => side !== 1);
    // An image with its channels innermost may come before it is turned.
    const axes = height * width === 1 ? [1, 2, 3, 4] : this.channelAxis === 1 && (width === depth || long[0]?.[1] !== 1) ? [3] : [1];
    if (values.length !== depth || long.length !== 1 || !axes.includes(long[0]?.[1] as number)) {
      throw this.unsupported(`arithmetic of ${height}x${width}x${depth} values with a constant of shape [${shape}].`);
    }
  }

  /** The mean of windows; a window over all pixels is a global pool, at whatever size the network later runs. */
  averagePool(
    id: string,
    input: string | undefined,
    { kernel, strides, padding }: Pick<ConvShape, 'kernel' | 'strides' | 'padding'>,
    lanes?: Lanes,
  ): void {
    const [height, width, depth] = this.shape(input);
    const whole = kernel[0] >= height && kernel[1] >= width && (padding !== 'same' || (strides[0] >= height && strides[1] >= width));
    const exact = kernel[0] === height && kernel[1] === width;
    if (height * width === 1 || (whole && (exact || padding === 'same'))) {
      this.globalPool(id, input, lanes);
      return;
    }
    const unpadded = padding === 'valid' || (typeof padding !== 'string' && padding.every((side) => side === 0));
    if (!unpadded || lanes) throw this.unsupported(`an average pool of ${kernel.join('x')} windows over ${height}x${width} pixels.`);
    const filter = new Float32Array(kernel[0] * kernel[1] * depth).fill(1 / (kernel[0] * kernel[1]));
    this.conv(id, input, { kernel, strides, padding, channels: depth, groups: depth }, { filter, bias: new Float32Array(depth) });
  }

  globalPool(id: string, input: string | undefined, lanes?: Lanes): void {
    const [height, width] = this.shape(input);
    const name = this.read(input);
    const own = this.lanes.get(name);
    const same = !lanes || (own !== undefined && own.scale === lanes.scale && own.low === lanes.low && own.high === lanes.high);
    if (height * width === 1 && same) this.alias(id, input);
    else this.push(id, { kind: 'globalAveragePool', inputs: [name] }, lanes);
  }

  /** What the output needs; the rest is left out. */
  build(output: string): Built {
    const name = this.found(output).node;
    if (name === INPUT) throw this.unsupported('the network gives its input back.');
    const needed = new Set<string>([INPUT]);
    const stack = [name];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (needed.has(next)) continue;
      needed.add(next);
      stack.push(...(this.nodes.get(next)?.inputs ?? []));
    }
    const kept = <T>(all: ReadonlyMap<string, T>) => new Map([...all].filter(([key]) => needed.has(key)));
    return {
      nodes: [...kept(this.nodes).values()],
      weights: kept(this.weights),
      lanes: kept(this.lanes),
      shapes: this.shapes,
      output: name,
      end: this.ends.get(output),
      resolution: this.resolution,
    };
  }
}
