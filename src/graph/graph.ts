import { ShapeError, UnsupportedModelError } from '../errors.js';

/** What a convolution does with its sums before it stores them. */
export type Activation = 'none' | 'relu' | 'relu6' | 'hardSwish' | 'hardSigmoid';
/** 1 / (1 + e^-x), and x times it: a node of its own computes them. */
export type Curve = 'sigmoid' | 'swish';
export const isCurve = (activation: Activation | Curve): activation is Curve => activation === 'sigmoid' || activation === 'swish';
/** 'same' is TensorFlow's rule (the odd pixel goes bottom and right); PyTorch's symmetric padding is four numbers. */
export type Padding = 'same' | 'valid' | readonly [top: number, bottom: number, left: number, right: number];

interface NodeBase {
  /** Unique; also names the node's output tensor. */
  readonly name: string;
  /** Names of the tensors it reads; INPUT is the network's own. */
  readonly inputs: readonly string[];
}

export interface ConvNode extends NodeBase {
  readonly kind: 'conv';
  readonly kernel: readonly [height: number, width: number];
  readonly strides: readonly [height: number, width: number];
  readonly padding: Padding;
  readonly inputChannels: number;
  readonly channels: number;
  /** 1, or inputChannels: a depthwise convolution. */
  readonly groups: number;
  readonly activation: Activation;
  /** In training a batch norm followed, and no bias: it counts two parameters a channel. */
  readonly batchNorm?: boolean;
}

/** inputs[1], when there, is added before the activation: a fused residual. */
export type Node =
  | ConvNode
  | (NodeBase & { readonly kind: 'activation'; readonly activation: Activation | Curve })
  /** clamp(alpha * x + beta, low, high) */
  | (NodeBase & { readonly kind: 'affine'; readonly alpha: number; readonly beta: number; readonly low?: number; readonly high?: number })
  | (NodeBase & { readonly kind: 'add'; readonly activation: Activation })
  /** The second factor has the first's shape, or is [n, 1, 1, c]. */
  | (NodeBase & { readonly kind: 'multiply' })
  | (NodeBase & { readonly kind: 'globalAveragePool' });

/** Omit, for each member of the union. */
type Unnamed<N> = N extends Node ? Omit<N, 'name'> : never;
/** A node that whoever imports a network has yet to name. */
export type UnnamedNode = Unnamed<Node>;

/** A network's structure: no weights, no numbers that depend on the input's size. */
export interface Graph {
  readonly architecture: string;
  readonly width: number;
  /** The side in pixels that the network was made for; it runs at others too. */
  readonly resolution: number;
  /** 0 without a classifier. */
  readonly classes: number;
  /** What turns logits into probabilities; softmax where nothing is said. */
  readonly probabilities?: 'sigmoid';
  /** In an order in which each node comes after what it reads. */
  readonly nodes: readonly Node[];
  readonly outputs: Outputs;
}

/** The tensors that a network gives, by role. */
export interface Outputs {
  /** A value a class, before softmax; a network without a classifier has none. */
  readonly logits?: string;
  /** Pooled features before the classifier. */
  readonly embedding: string;
}

/** What a network gives, whatever its role. */
export const outputNames = ({ logits, embedding }: Outputs): string[] => (logits === undefined ? [embedding] : [logits, embedding]);

export const renameOutputs = ({ logits, embedding }: Outputs, renamed: (name: string) => string): Outputs => ({
  ...(logits === undefined ? {} : { logits: renamed(logits) }),
  embedding: renamed(embedding),
});

export const INPUT = 'input';
export const INPUT_CHANNELS = 3;

/** [height, width, channels] */
export type Shape = readonly [height: number, width: number, channels: number];

export const isDepthwise = (node: ConvNode): boolean => node.groups > 1;

/** [top, bottom, left, right] in pixels. */
export function resolvePadding(
  padding: Padding,
  [height, width]: readonly [number, number],
  kernel: readonly [number, number],
  strides: readonly [number, number],
): readonly [number, number, number, number] {
  if (padding === 'valid') return [0, 0, 0, 0];
  if (padding !== 'same') return padding;
  const total = (size: number, k: number, s: number) => Math.max((Math.ceil(size / s) - 1) * s + k - size, 0);
  const vertical = total(height, kernel[0], strides[0]);
  const horizontal = total(width, kernel[1], strides[1]);
  const top = vertical >> 1;
  const left = horizontal >> 1;
  return [top, vertical - top, left, horizontal - left];
}

function convShape(node: ConvNode, input: Shape): Shape {
  const [height, width, channels] = input;
  if (channels !== node.inputChannels) {
    throw new ShapeError(`${node.name}: expected ${node.inputChannels} input channels; got ${channels}.`);
  }
  const [top, bottom, left, right] = resolvePadding(node.padding, [height, width], node.kernel, node.strides);
  const out = [
    Math.floor((height + top + bottom - node.kernel[0]) / node.strides[0]) + 1,
    Math.floor((width + left + right - node.kernel[1]) / node.strides[1]) + 1,
  ] as const;
  if (out[0] < 1 || out[1] < 1) {
    throw new ShapeError(`${node.name}: a ${node.kernel.join('x')} kernel does not fit into ${height}x${width} pixels.`);
  }
  return [out[0], out[1], node.channels];
}

/** What a network reads: an image of height x width. */
export const imageInput = (height: number, width: number): [string, Shape][] => [[INPUT, [height, width, INPUT_CHANNELS]]];

/** The shape of every tensor, given those of the inputs; checks that the nodes fit together. */
export function inferShapes(nodes: readonly Node[], inputs: Iterable<readonly [string, Shape]>): Map<string, Shape> {
  const shapes = new Map<string, Shape>(inputs);
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => {
      const shape = shapes.get(name);
      if (!shape) throw new UnsupportedModelError(`${node.name}: it reads "${name}", but no earlier node makes that tensor.`);
      return shape;
    });
    const first = inputs[0];
    if (!first) throw new UnsupportedModelError(`${node.name}: needs at least one input; got none.`);
    if (shapes.has(node.name)) throw new UnsupportedModelError(`node names must be unique; got "${node.name}" twice.`);
    let shape: Shape = first;
    if (node.kind === 'conv') shape = convShape(node, first);
    if (node.kind === 'globalAveragePool') shape = [1, 1, first[2]];
    const second = inputs[1];
    if (node.kind === 'add' || node.kind === 'multiply') {
      if (!second) throw new UnsupportedModelError(`${node.name}: needs two inputs; got one.`);
    }
    if (second) {
      const perChannel = node.kind !== 'conv' && second[0] === 1 && second[1] === 1;
      if (second[2] !== shape[2] || (!perChannel && (second[0] !== shape[0] || second[1] !== shape[1]))) {
        throw new ShapeError(
          `${node.name}: the second input must be ${shape.join('x')}${node.kind === 'conv' ? '' : ` or 1x1x${shape[2]}`}; got ${second.join('x')}.`,
        );
      }
    }
    shapes.set(node.name, shape);
  }
  return shapes;
}

/** How many nodes read each tensor. */
export function countReaders(nodes: readonly Node[]): Map<string, number> {
  const readers = new Map<string, number>();
  for (const node of nodes) for (const name of node.inputs) readers.set(name, (readers.get(name) ?? 0) + 1);
  return readers;
}
