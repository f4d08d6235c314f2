import type { Graph } from './graph.js';
import type { Lanes } from './lanes.js';

/** [kernelHeight, kernelWidth, inputChannels / groups, channels], batch norm folded. */
export interface FloatWeights {
  readonly filter: Float32Array;
  readonly bias: Float32Array;
}

/**
 * real filter = scale[c] * (filter - zeroPoint); bias in units of input scale x filter scale. Files hold int8; int16 has room
 * for a filter whose zero points, one a channel, are subtracted already.
 */
export interface QuantizedWeights {
  readonly filter: Int8Array | Int16Array;
  readonly scale: Float32Array;
  readonly zeroPoint: number;
  readonly bias: Int32Array;
}

export type Weights = FloatWeights | QuantizedWeights;

export const isQuantized = (weights: Weights): weights is QuantizedWeights => 'zeroPoint' in weights;

/** From pixels (0 to 255, RGB) to the network's input: (value / 255 - mean) / std after a resize and a centre crop. */
export interface Preprocessing {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** The share of the shorter side that the crop keeps; torchvision's 224 of 256 is 0.875. */
  readonly crop: number;
  readonly interpolation: 'bilinear' | 'bicubic';
}

export const IMAGENET_PREPROCESSING: Preprocessing = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  crop: 0.875,
  interpolation: 'bilinear',
};

/** A graph with its numbers. Tensors with lanes are quantized, those without are float32. */
export interface Network {
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Weights>;
  readonly lanes: ReadonlyMap<string, Lanes>;
  readonly preprocessing: Preprocessing;
  readonly labels?: readonly string[];
}
