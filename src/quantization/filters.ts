import { type ConvNode, isDepthwise } from '../graph/graph.js';
import type { FloatWeights } from '../graph/network.js';

/** Filters in int8, symmetric, a scale a channel. Channels are the innermost dimension. */
export interface RoundedFilter {
  readonly filter: Int8Array;
  readonly scale: Float32Array;
}

/** A layer in integers, but for its bias, whose unit depends on lanes that are not chosen yet. */
export interface RoundedWeights extends RoundedFilter {
  readonly bias: Float32Array;
  /** Factors of the input channels that the filter was multiplied by, where the tensor's scales make up for them. */
  readonly rows?: Float32Array;
  /** Where that tensor has 8 bits: the step of a channel is its factor times this. */
  readonly unit?: number;
}

/** The scale at which a channel's largest weight is 127. */
export function largestScales(filter: Float32Array, channels: number): Float32Array {
  const scale = new Float32Array(channels);
  for (let i = 0, c = 0; i < filter.length; i++) {
    const magnitude = Math.abs(filter[i] as number);
    if (magnitude > (scale[c] as number)) scale[c] = magnitude;
    if (++c === channels) c = 0;
  }
  // A channel of zeros: any scale does.
  return scale.map((s) => s / 127 || 1e-6);
}

/** Shares of the largest scale that are tried; below, clipping costs more than finer steps give. */
const SHARES = [1, 0.98, 0.96, 0.94, 0.92, 0.9, 0.87, 0.84, 0.8];

/** For each channel the scale, of those just below the largest, that rounds with the least squared error. */
export function leastSquaresScales(filter: Float32Array, channels: number): Float32Array {
  const largest = largestScales(filter, channels);
  const best = largest.slice();
  const least = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  for (const share of SHARES) {
    const error = new Float64Array(channels);
    for (let i = 0, c = 0; i < filter.length; i++) {
      const w = filter[i] as number;
      const scale = (largest[c] as number) * share;
      const q = Math.round(w / scale);
      const difference = w - (q > 127 ? 127 : q < -127 ? -127 : q) * scale;
      error[c] = (error[c] as number) + difference * difference;
      if (++c === channels) c = 0;
    }
    for (let c = 0; c < channels; c++) {
      if ((error[c] as number) >= (least[c] as number)) continue;
      least[c] = error[c] as number;
      best[c] = (largest[c] as number) * share;
    }
  }
  return best;
}

export function roundFilter(filter: Float32Array, scale: Float32Array): Int8Array {
  const rounded = new Int8Array(filter.length);
  for (let i = 0, c = 0; i < filter.length; i++) {
    const q = Math.round((filter[i] as number) / (scale[c] as number));
    rounded[i] = q > 127 ? 127 : q < -127 ? -127 : q;
    if (++c === scale.length) c = 0;
  }
  return rounded;
}

/**
 * The bias that makes up for the mean of what rounding the filter adds: bias + sum of (w - rounded w) * E[x] (Nagel et
 * al., arXiv 1906.04721, section 4.2). Zeros at the image's edge are left out of account.
 *
 * @param mean of the convolution's input, a value a channel
 */
export function correctedBias(node: ConvNode, { filter, bias }: FloatWeights, rounded: RoundedFilter, mean: Float64Array): Float32Array {
  const shift = new Float64Array(node.channels);
  const inputs = node.inputChannels / node.groups;
  const depthwise = isDepthwise(node);
  for (let i = 0, c = 0, row = 0; i < filter.length; i++) {
    const error = (filter[i] as number) - (rounded.filter[i] as number) * (rounded.scale[c] as number);
    shift[c] = (shift[c] as number) + error * (mean[depthwise ? c : row % inputs] as number);
    if (++c === node.channels) {
      c = 0;
      row++;
    }
  }
  return bias.map((b, c) => b + (shift[c] as number));
}
