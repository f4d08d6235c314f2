import { ModelFormatError, UnsupportedModelError } from '../errors.js';
import {
  type Activation,
  type ConvNode,
  type Curve,
  INPUT,
  imageInput,
  inferShapes,
  type Node,
  type Shape,
  type UnnamedNode,
} from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import { isQuantized, type Weights } from '../graph/network.js';
import { type Built, type ConvShape, type End, meansOf, paddingOf, type Sides } from './built.js';
import type { Constant, Operation } from './constants.js';
import { pixelByPixel } from './layout.js';
import { firstNotFinite } from './tensors.js';

/*
 * Every format that lists operators is read into this: nodes of the family with their weights, constants computed at once. An
 * operator becomes the node that it is, a batch norm or a bias a value a channel; fusion.ts then finds the network in it.
 */

/** A tensor that is computed. */
interface Computed {
  readonly node: string;
  /** Zeros around it, which the convolution that reads it adds itself. */
  readonly pad?: Sides;
}

export class NetworkBuilder {
  readonly constants = new Map<string, Constant>();
  readonly lanes = new Map<string, Lanes>();
  private readonly nodes = new Map<string, Node>();
  private readonly weights = new Map<string, Weights>();
  private readonly tensors = new Map<string, Computed>();
  private readonly shapes: Map<string, Shape>;
  /** What the network's answers go through at its end, and how that is quantized. */
  private readonly ends = new Map<string, { readonly how: End; readonly lanes?: Lanes | undefined }>();

  /**
   * @param format for messages
   * @param channelAxis of an image: 3 where channels are innermost, 1 as in PyTorch
   */
  constructor(
    readonly format: string,
    readonly channelAxis: 1 | 3,
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
    if (end?.how === 'sigmoid')
      this.push(id as string, { kind: 'activation', inputs: [this.unpadded(this.found(id))], activation: 'sigmoid' }, end.lanes);
    else if (end) throw this.unsupported(`a ${end.how} of "${id}" that other layers read.`);
    return this.found(id);
  }

  private found(id: string | undefined): Computed {
    const tensor = id === undefined ? undefined : this.tensors.get(id);
    if (!tensor) throw this.damaged(`tensor "${id}" is read before it is computed.`);
    return tensor;
  }

  private read(id: string | undefined): string {
    return this.unpadded(this.computed(id));
  }

  private unpadded({ node, pad }: Computed): string {
    if (pad) throw this.unsupported('zeros are added around an image in front of no convolution.');
    return node;
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
    this.ends.delete(id);
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

  /** What the network's answers go through at its end; logits and features are given as they are before it. A sigmoid may be a gate. */
  end(id: string, input: string | undefined, how: End, lanes?: Lanes): void {
    this.alias(id, input);
    this.ends.set(id, { how, lanes });
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
    const { kernel, strides, channels, groups, activation = 'none' } = shape;
    const inputChannels = (this.shapes.get(node) as Shape)[2];
    const padding = paddingOf(this.format, shape, pad);
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
    const numbers = isQuantized(weights) ? [weights.scale] : [weights.filter, weights.bias];
    if (numbers.some((values) => firstNotFinite(values) >= 0))
      throw this.damaged(`the weights of "${id}" hold values that are not finite.`);
    this.weights.set(name, weights);
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
    const filter = this.channelAxis === 1 ? pixelByPixel(matrix, kernel[0] * kernel[1], channels) : matrix;
    this.conv(id, input, { kernel, strides: [1, 1], padding: 'valid', channels, groups: 1, activation }, { filter, bias });
  }

  /** gain[c] * x + offset[c] */
  channels(id: string, input: string | undefined, gain: Float32Array, offset: Float32Array): void {
    const [, , depth] = this.shape(input);
    const shape = { kernel: [1, 1], strides: [1, 1], padding: 'valid', channels: depth, groups: depth } as const;
    this.conv(id, input, shape, { filter: gain, bias: offset });
  }

  activation(id: string, input: string | undefined, activation: Activation | Curve, lanes?: Lanes): void {
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

  /** Of two tensors, or of a tensor and values that every pixel has. */
  combine(id: string, operation: Operation, a: string | undefined, b: string | undefined, activation: Activation, lanes?: Lanes): void {
    if (operation !== 'add' && operation !== 'multiply') throw this.unsupported(`a ${operation} of two tensors.`);
    const names = [this.read(a), this.read(b)] as [string, string];
    if (operation === 'add') {
      this.push(id, { kind: 'add', inputs: names, activation }, lanes);
      return;
    }
    if (activation !== 'none') throw this.unsupported('a product with an activation.');
    const [x, gate] = this.nodes.get(names[0])?.inputs[0] === names[1] ? [names[1], names[0]] : names;
    const last = this.nodes.get(gate);
    if (!lanes && last?.kind === 'activation' && last.activation === 'sigmoid' && last.inputs[0] === x) {
      this.push(id, { kind: 'activation', inputs: [x], activation: 'swish' });
      return;
    }
    const area = (name: string) => (this.shapes.get(name) as Shape)[0] * (this.shapes.get(name) as Shape)[1];
    this.push(id, { kind: 'multiply', inputs: area(names[0]) < area(names[1]) ? [names[1], names[0]] : names }, lanes);
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
    const inside = unpadded && kernel[0] >= 1 && kernel[0] <= height && kernel[1] >= 1 && kernel[1] <= width;
    if (!inside || (lanes && !this.lanesOf(input)))
      throw this.unsupported(`an average pool of ${kernel.join('x')} windows over ${height}x${width} pixels.`);
    const weights = meansOf(kernel[0] * kernel[1], depth, lanes !== undefined);
    this.conv(id, input, { kernel, strides, padding, channels: depth, groups: depth }, weights, lanes);
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
      end: this.ends.get(output)?.how,
      resolution: this.resolution,
    };
  }
}
