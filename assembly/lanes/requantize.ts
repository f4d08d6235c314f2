import { Arguments } from '../arguments';
import { HARD_SWISH, RESIDUAL, loadF32FromI16, lowestOf, roundFrom } from '../arithmetic';

/*
 * The end of every quantized convolution. Sums are exact integers; from there on each step is one IEEE float32
 * operation, in this order, on every machine, so that results are bit-identical everywhere:
 *
 *   clamp        y = f32(sum) * scale[c]
 *   h-swish      y = f32(sum) * clamp(f32(sum) * gateScale[c] + scale[c] / 2, 0, scale[c])
 *   residual     y = f32(sum) * scale[c] + f32(other) * residualScale
 *   then         q = round half to even(clamp(y, low, high))
 *
 * A fused multiply-add would round once where these round twice: it has no place here.
 */

/**
 * x * scale * h-sigmoid(x * gateScale * 6 / scale), with the scale inside the clamp: one multiplication less. The clamp
 * compares bits as integers (see roundFrom).
 */
// @ts-ignore: decorator
@inline
export function scaledHardSwish(x: v128, scale: v128, gateScale: v128): v128 {
  const gate = f32x4.add(f32x4.mul(x, gateScale), f32x4.mul(scale, f32x4.splat(0.5)));
  return f32x4.mul(x, i32x4.min_s(i32x4.max_s(gate, i32x4.splat(0)), scale));
}

/** Four sums to i32 lanes, clamped from below; narrow() does the rest. */
// @ts-ignore: decorator
@inline
export function requantize(kind: usize, sum: v128, scale: v128, gateScale: v128, other: usize, residualScale: v128, lowest: v128): v128 {
  const x = f32x4.convert_i32x4_s(sum);
  let y = kind == HARD_SWISH ? scaledHardSwish(x, scale, gateScale) : f32x4.mul(x, scale);
  if (kind == RESIDUAL) y = f32x4.add(y, f32x4.mul(loadF32FromI16(other), residualScale));
  return roundFrom(y, lowest);
}

/**
 * Eight lanes to i16, clamped from above. After rounding, because roundFrom() keeps the order of all that it is given,
 * however large, narrowing saturates, and one minimum then does for eight lanes.
 */
// @ts-ignore: decorator
@inline
export function narrow(q0: v128, q1: v128, high: v128): v128 {
  return i16x8.min_s(i16x8.narrow_i32x4_s(q0, q1), high);
}

/** What requantize() takes. */
// @ts-ignore: decorator
@inline
export function lowest(p: Arguments): v128 {
  return lowestOf(p.low);
}

/** What narrow() takes. */
// @ts-ignore: decorator
@inline
export function highest(p: Arguments): v128 {
  return v128.load_splat<i16>(changetype<usize>(p), offsetof<Arguments>('highLane'));
}
