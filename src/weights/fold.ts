import { ModelFormatError } from '../errors.js';
import { scaleOutputs } from '../graph/fusion.js';
import type { FloatWeights } from '../graph/network.js';

/** A batch norm's numbers, one a channel. Keras leaves gamma or beta out where it is told to. */
export interface BatchNorm {
  /** For messages. */
  readonly name: string;
  readonly gamma?: ArrayLike<number> | undefined;
  readonly beta?: ArrayLike<number> | undefined;
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
  readonly epsilon: number;
}

/** A value a channel: y = gain * x + offset. */
export interface ChannelAffine {
  readonly gain: Float32Array;
  readonly offset: Float32Array;
}

/** gain = gamma / sqrt(variance + epsilon), offset = beta - mean * gain, in double precision. */
function affineOf({ name, gamma, beta, mean, variance, epsilon }: BatchNorm): { gain: Float64Array; offset: Float64Array } {
  const channels = mean.length;
  if ([gamma ?? mean, beta ?? mean, variance].some(({ length }) => length !== channels)) {
    throw new ModelFormatError(`the batch norm "${name}" has parts of different lengths; each needs ${channels} values.`);
  }
  const gain = new Float64Array(channels);
  const offset = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const spread = (variance[c] as number) + epsilon;
    if (!(spread > 0)) throw new ModelFormatError(`the batch norm "${name}" holds ${variance[c]}, a negative variance.`);
    const factor = (gamma?.[c] ?? 1) / Math.sqrt(spread);
    gain[c] = factor;
    offset[c] = (beta?.[c] ?? 0) - (mean[c] as number) * factor;
  }
  return { gain, offset };
}

/** A batch norm as a node of its own. */
export function batchNormAffine(norm: BatchNorm): ChannelAffine {
  const { gain, offset } = affineOf(norm);
  return { gain: new Float32Array(gain), offset: new Float32Array(offset) };
}

/** A batch norm into the convolution before it: weights are rounded once. */
export function foldBatchNorm(weights: FloatWeights, norm: BatchNorm): FloatWeights {
  const { gain, offset } = affineOf(norm);
  return scaleOutputs(weights, gain, offset);
}
