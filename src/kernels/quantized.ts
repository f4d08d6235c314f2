import { QuantizationError } from '../errors.js';
import type { Activation } from '../graph/graph.js';
import { type Lanes, scaleOf } from '../graph/lanes.js';
import type { QuantizedWeights } from '../graph/network.js';
import { checkParams, dtypeOf } from './checks.js';
import type { QFilter, QTensor, QuantParams } from './types.js';

// Between 8-bit values with zero points and the 16-bit lanes, zero points subtracted, that kernels work on.

const at = (values: number | ArrayLike<number>, channel: number): number =>
  typeof values === 'number' ? values : (values[channel] as number);
const singles = (scale: number | Float32Array) => (typeof scale === 'number' ? Math.fround(scale) : scale);

const RANGES = { int8: [-128, 127], uint8: [0, 255] } as const;

/** The lanes of a tensor that is read: as wide as its type and zero points allow. */
export function inputLanes(what: string, { data, scale, zeroPoint }: QTensor): Lanes {
  const [lowest, highest] = RANGES[dtypeOf(what, data)];
  const points = typeof zeroPoint === 'number' ? [zeroPoint] : Array.from(zeroPoint);
  return { scale: singles(scale), low: lowest - Math.max(...points), high: highest - Math.min(...points) };
}

/** The lanes of a tensor that is written: all of 16 bits; Codec clamps each channel to its type. */
export const outputLanes = ({ scale }: Pick<QuantParams, 'scale'>): Lanes => ({ scale: singles(scale), low: -32767, high: 32767 });

export const zeroPoints = (zeroPoint: number | Int32Array, channels: number) =>
  Int32Array.from({ length: channels }, (_, c) => at(zeroPoint, c));

/** An activation's upper end, in real units. */
const ceilingOf = (activation: Activation) => (activation === 'relu6' ? 6 : activation === 'hardSigmoid' ? 1 : Number.POSITIVE_INFINITY);

/** For each channel of an output: where its lanes end, and what makes 8-bit values of them. */
export interface Clamps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly zeroPoint: Int32Array;
}

export function clampsOf({ dtype, scale, zeroPoint }: QuantParams, channels: number, activation: Activation): Clamps {
  const [lowest, highest] = RANGES[dtype];
  const points = zeroPoints(zeroPoint, channels);
  return {
    low: points.map((point) => lowest - point),
    high: points.map((point, c) => Math.min(highest - point, Math.round(ceilingOf(activation) / Math.fround(at(scale, c))))),
    zeroPoint: points,
  };
}

/** A filter with its zero points subtracted, and its bias in units of input scale x filter scale. */
export function integerWeights(
  what: string,
  filter: QFilter,
  bias: Float32Array | Int32Array | undefined,
  input: Lanes,
  depthwise: boolean,
): QuantizedWeights {
  const channels = filter.shape[3];
  const points = zeroPoints(filter.zeroPoint ?? 0, channels);
  const centred = Int16Array.from(filter.data, (q, i) => q - (points[i % channels] as number));
  const scale = Float32Array.from({ length: channels }, (_, c) => at(filter.scale, c));
  const biases = new Int32Array(channels);
  if (bias instanceof Int32Array) biases.set(bias);
  else if (bias) {
    for (let c = 0; c < channels; c++) {
      const unit = (scale[c] as number) * scaleOf(input, depthwise ? c : 0);
      const q = Math.round((bias[c] as number) / unit);
      if (!(Math.abs(q) < 2 ** 31))
        throw new QuantizationError(
          `${what}: the bias ${bias[c]} of channel ${c} does not fit 32 bits in steps of ${unit}; use larger scales or a smaller bias.`,
        );
      biases[c] = q;
    }
  }
  return { filter: centred, scale, zeroPoint: 0, bias: biases };
}

// How wide the lanes between squeeze-excite's layers may be.

const largest = ({ low, high }: Lanes) => Math.max(-low, high);

/** The largest lane that leaves half of a 32-bit sum to the bias. */
export function widest({ data, shape, zeroPoint = 0 }: QFilter): number {
  const channels = shape[3];
  const points = zeroPoints(zeroPoint, channels);
  const sums = new Float64Array(channels);
  for (let i = 0; i < data.length; i++) {
    const c = i % channels;
    sums[c] = (sums[c] as number) + Math.abs((data[i] as number) - (points[c] as number));
  }
  return Math.min(32767, Math.floor(2 ** 30 / Math.max(...sums, 1)));
}

/** The same range in finer steps, up to a lane. */
export function finer(lanes: Lanes, limit: number): Lanes {
  const factor = Math.max(1, Math.floor(limit / largest(lanes)));
  return { scale: (lanes.scale as number) / factor, low: lanes.low * factor, high: lanes.high * factor };
}

/** Lanes of a given type, that is, clamped to it. */
export function narrow(what: string, params: QuantParams, channels: number): Lanes {
  checkParams(what, params, channels);
  if (typeof params.scale !== 'number' || typeof params.zeroPoint !== 'number') {
    throw new QuantizationError(`${what}: the output needs one scale and one zero point for the whole tensor; got one a channel.`);
  }
  const { low, high } = clampsOf(params, 1, 'none');
  return { scale: Math.fround(params.scale), low: low[0] as number, high: high[0] as number };
}

/** Lanes up to a limit that no input within `lanes` can leave. */
export function bounded({ filter, scale, bias }: QuantizedWeights, lanes: Lanes, limit: number): Lanes {
  const channels = scale.length;
  const sums = Float64Array.from(bias, Math.abs);
  filter.forEach((w, i) => {
    sums[i % channels] = (sums[i % channels] as number) + Math.abs(w) * largest(lanes);
  });
  const bound = sums.reduce((most, sum, c) => Math.max(most, sum * (scale[c] as number) * (lanes.scale as number)), 0);
  return { scale: Math.fround(Math.max(bound, 1e-30) / limit), low: -limit, high: limit };
}
