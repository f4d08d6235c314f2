import { UnsupportedModelError } from '../errors.js';
import type { Activation, Node, Padding, Shape } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { Weights } from '../graph/network.js';

export type Sides = readonly [top: number, bottom: number, left: number, right: number];

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

/** A convolution's own zeros, and those that an operator in front of it adds. */
export function paddingOf(format: string, { kernel, strides, padding }: ConvShape, pad: Sides | undefined): Padding {
  const plain = kernel[0] * kernel[1] === 1 && strides[0] * strides[1] === 1;
  const own = plain && padding === 'same' ? 'valid' : padding;
  if (!pad) return own;
  if (own === 'same')
    throw new UnsupportedModelError(`${format}: zeros are added around an image in front of a convolution that adds its own.`);
  return own === 'valid' ? pad : (pad.map((side, i) => side + (own[i] as number)) as unknown as Sides);
}

/** What takes the mean of a window in each channel. */
export function meansOf(area: number, channels: number, quantized: boolean): Weights {
  const [count, mean] = [area * channels, 1 / area];
  if (!quantized) return { filter: new Float32Array(count).fill(mean), bias: new Float32Array(channels) };
  const scale = new Float32Array(channels).fill(mean);
  return { filter: new Int8Array(count).fill(1), scale, zeroPoint: 0, bias: new Int32Array(channels) };
}
