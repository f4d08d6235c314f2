import { type ConvNode, isDepthwise } from './graph.js';

// What integers mean, whatever computes them.

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
  /**
   * Where a dense convolution reads a scale a channel: what each lane is worth to it. Its filter's rows have taken in the
   * rest, scale[channel] / unit.
   */
  readonly unit?: number;
}

/** Eight bits' range in steps as fine as sixteen have room for, sums of convolutions that read them included. */
export const finer = ({ scale, low, high }: Lanes): Lanes => ({ scale: (scale as number) / 64, low: low * 64, high: high * 64 });

/** Biases stay below this, so that sums have the other half of an i32. */
export const LARGEST_BIAS = 2 ** 30;

/** The gate of squeeze-excite in Q15, which one instruction multiplies with. */
export const GATE_LANES: Lanes = { scale: 2 ** -15, low: 0, high: 32767 };

export const scaleOf = (lanes: Lanes, channel: number): number =>
  typeof lanes.scale === 'number' ? lanes.scale : (lanes.scale[channel] as number);

/** What a convolution takes a lane of its input to be worth. */
export const unitOf = (node: ConvNode, { scale, unit }: Lanes, channel: number): number => {
  if (typeof scale === 'number') return scale;
  return isDepthwise(node) ? (scale[channel] as number) : (unit as number);
};
