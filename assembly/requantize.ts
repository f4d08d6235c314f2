import { HARD_SWISH, RESIDUAL, clamp, loadF32FromI16, round } from './arithmetic';

/*
 * The end of every quantized convolution. Sums are exact integers; from there on each step is one IEEE float32
 * operation, in this order, on every machine, so that results are bit-identical everywhere:
 *
 *   clamp        y = f32(sum) * scale[c]
 *   h-swish      y = (f32(sum) * scale[c]) * clamp(f32(sum) * gateScale[c] + 1/2, 0, 1)
 *   residual     y = f32(sum) * scale[c] + f32(other) * alpha
 *   then         q = round half to even(clamp(y, low, high))
 *
 * A fused multiply-add would round once where these round twice: it has no place here.
 */
// @ts-ignore: decorator
@inline
export function requantize(
  kind: i32, sum: v128, scale: v128, gateScale: v128, other: usize, alpha: v128, low: v128, high: v128,
): v128 {
  const x = f32x4.convert_i32x4_s(sum);
  let y = f32x4.mul(x, scale);
  if (kind == HARD_SWISH) {
    const gate = f32x4.add(f32x4.mul(x, gateScale), f32x4.splat(0.5));
    y = f32x4.mul(y, clamp(gate, f32x4.splat(0), f32x4.splat(1)));
  } else if (kind == RESIDUAL) {
    y = f32x4.add(y, f32x4.mul(loadF32FromI16(other), alpha));
  }
  return round(clamp(y, low, high));
}
