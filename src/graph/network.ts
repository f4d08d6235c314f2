import type { Graph } from './graph.js';

/**
 * How a tensor's real values lie in the integer lanes that kernels work on: real = scale * lane. The zero point is
 * already subtracted from a lane, so that zero is zero, a halo is zeros, and no kernel corrects for it; what is left
 * of it is that [low, high] need not be symmetric.
 */
export interface Lanes {
  /** One for the tensor, or one a channel. */
  readonly scale: number | Float32Array;
  readonly low: number;
  readonly high: number;
}

/** [kernelHeight, kernelWidth, inputChannels / groups, channels], batch norm folded. */
export interface FloatWeights {
  readonly filter: Float32Array;
  readonly bias: Float32Array;
}

/** real filter = scale[c] * (filter - zeroPoint); bias in units of input scale x filter scale. */
export interface QuantizedWeights {
  readonly filter: Int8Array;
  readonly scale: Float32Array;
  readonly zeroPoint: number;
  readonly bias: Int32Array;
}

/** The same with room for a filter whose zero points, one a channel, are subtracted already. */
export interface IntegerWeights extends Omit<QuantizedWeights, 'filter'> {
  readonly filter: Int8Array | Int16Array;
}

export type Weights = FloatWeights | QuantizedWeights;

export const isQuantized = (weights: Weights | IntegerWeights): weights is IntegerWeights => 'zeroPoint' in weights;

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
