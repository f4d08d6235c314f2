import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import type { Lanes } from '../../graph/lanes.js';
import type { QuantizedWeights } from '../../graph/network.js';
import { withBiases } from '../biases.js';
import type { OnnxTensor } from './model.js';

// How ONNX says that numbers are quantized: real = scale * (q - zero point), one scale a tensor, or one along an axis.

export interface Quantized {
  readonly tensor: OnnxTensor;
  readonly scales: ArrayLike<number>;
  readonly zeroPoints: ArrayLike<number>;
  readonly axis: number;
}

export const isEightBit = ({ type }: OnnxTensor): boolean => type === 'int8' || type === 'uint8';

/** The range of an 8-bit activation, its zero point subtracted. */
export function lanesOf(scale: OnnxTensor | undefined, zeroPoint: OnnxTensor | undefined, name: string): Lanes {
  const type = zeroPoint?.type ?? 'uint8';
  const value = scale?.values[0];
  const zero = zeroPoint?.values[0] ?? 0;
  if (scale?.values.length !== 1 || !(value !== undefined && value > 0 && Number.isFinite(value))) {
    throw new UnsupportedModelError(
      `onnx: tensor "${name}" is quantized by [${scale?.values.slice(0, 4)}]; one scale above zero was expected.`,
    );
  }
  if (type !== 'int8' && type !== 'uint8')
    throw new UnsupportedModelError(`onnx: tensor "${name}" is quantized to ${type}; int8 and uint8 are read.`);
  const lowest = type === 'uint8' ? 0 : -128;
  return { scale: value, low: lowest - zero, high: lowest + 255 - zero };
}

/** Steps of the row-major index along an axis. */
function along({ tensor: { shape, values }, axis }: Quantized): { count: number; block: number } {
  const place = axis < 0 ? axis + shape.length : axis;
  const block = shape.slice(place + 1).reduce((product, side) => product * side, 1);
  return { count: shape[place] ?? 1, block: Math.max(1, Math.min(block, values.length)) };
}

/** The real values of a quantized constant. */
export function realValues(quantized: Quantized, name: string): Float32Array {
  const { tensor, scales, zeroPoints } = quantized;
  const { count, block } = along(quantized);
  const bad = [scales, zeroPoints].some(({ length }) => length !== 1 && length !== count);
  if (bad) throw new ModelFormatError(`onnx: tensor "${name}" has ${scales.length} scales and ${zeroPoints.length} zero points.`);
  const values = new Float32Array(tensor.values.length);
  for (let i = 0, c = 0, inside = 0; i < values.length; i++) {
    const scale = scales[scales.length === 1 ? 0 : c] as number;
    const zero = zeroPoints[zeroPoints.length === 1 ? 0 : c] as number;
    values[i] = scale * ((tensor.values[i] as number) - zero);
    if (++inside === block) {
      inside = 0;
      if (++c === count) c = 0;
    }
  }
  return values;
}

/** Puts a filter's values in the order in which our kernels take them. */
export type Order = <T extends Float32Array | Int8Array>(values: T) => T;

/**
 * A filter's integers as our kernels take them, in their order.
 *
 * @param ordered puts values in that order
 * @returns undefined where channels have zero points of their own
 */
export function quantizedWeights(
  { tensor, scales, zeroPoints }: Quantized,
  channels: number,
  bias: ArrayLike<number>,
  input: Lanes,
  ordered: Order,
): QuantizedWeights | undefined {
  const points = new Set(Array.from(zeroPoints));
  if (points.size !== 1 || (scales.length !== 1 && scales.length !== channels) || typeof input.scale !== 'number') return undefined;
  const shift = tensor.type === 'uint8' ? 128 : 0;
  const bytes = new Int8Array(tensor.values.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (tensor.values[i] as number) - shift;
  const scale = Float32Array.from({ length: channels }, (_, c) => scales[scales.length === 1 ? 0 : c] as number);
  const zeroPoint = ((zeroPoints[0] as number) ?? 0) - shift;
  return withBiases({ filter: ordered(bytes), scale, zeroPoint }, bias, input.scale);
}
