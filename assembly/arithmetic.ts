// The few operations that every kernel's inner loop and epilogue are made of.

/** a + x * w: two roundings on baseline SIMD, one where the relaxed variant finds a fused multiply-add. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, x: v128, w: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, w, a);
  return f32x4.add(a, f32x4.mul(x, w));
}

/** a + the products of the i16 lanes, added in pairs. */
// @ts-ignore: decorator
@inline
export function dot(a: v128, x: v128, w: v128): v128 {
  return i32x4.add(a, i32x4.dot_i16x8_s(x, w));
}

/** pmax and pmin are one instruction where max and min are several; with x in front, NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function clamp(x: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, low), high);
}

/** x * clamp(x / 6 + 1/2, 0, 1): h-swish, MobileNetV3 paper section 5.2. */
// @ts-ignore: decorator
@inline
export function hardSwish(x: v128): v128 {
  const gate = f32x4.add(f32x4.mul(x, f32x4.splat(1.0 / 6.0)), f32x4.splat(0.5));
  return f32x4.mul(x, clamp(gate, f32x4.splat(0), f32x4.splat(1)));
}

/**
 * 1 / (1 + e^-x), one IEEE operation at a time, so that float32 and lanes have the same bits on every machine. e^t = 2^n e^r, with n
 * the nearest integer to t / ln 2 and e^r by the polynomial of Cephes' expf: within 2 units in the last place. Below -88.4 it is 0.
 */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const t = clamp(f32x4.neg(x), f32x4.splat(-88.0), f32x4.splat(88.8));
  const rounded = f32x4.add(f32x4.mul(t, f32x4.splat(1.44269504088896341)), f32x4.splat(ROUND));
  const n = f32x4.sub(rounded, f32x4.splat(ROUND));
  // ln 2 in two parts: the first has few bits, so that its product with n is exact.
  const r = f32x4.sub(f32x4.sub(t, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.add(f32x4.mul(f32x4.splat(1.9875691500e-4), r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  // The low bits of `rounded` are n: moved to where an exponent is, they are 2^n, and infinity for n = 128.
  const power = i32x4.add(i32x4.shl(rounded, 23), i32x4.splat(127 << 23));
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(p, power)));
}

/** 1.5 * 2^23: added to |x| < 2^22, it leaves x, rounded half to even, in the low bits. */
const ROUND: f32 = 12582912.0;

/**
 * pmax(x, low) rounded half to even, with low an integer: lowestOf(low). Processors compare integers on more units than floats; the bits of floats
 * above zero, as x + ROUND is, are in the order of their values, and those of floats below zero are below them all.
 */
// @ts-ignore: decorator
@inline
export function roundFrom(x: v128, lowest: v128): v128 {
  return i32x4.sub(i32x4.max_s(f32x4.add(x, f32x4.splat(ROUND)), lowest), i32x4.splat(0x4b400000));
}

// @ts-ignore: decorator
@inline
export function lowestOf(low: f32): v128 {
  return f32x4.splat(ROUND + low);
}

/** Four i16 values in memory as f32 lanes. */
// @ts-ignore: decorator
@inline
export function loadF32FromI16(pointer: usize): v128 {
  return f32x4.convert_i32x4_s(v128.load_ext<i16>(pointer));
}

/**
 * False: no pointer is zero. To a compiler, an exit that needs all sums as they stand. V8 takes every load of a block of
 * code to its front, and where that is more than fits in registers it spills; with exits in between, blocks stay small.
 * Two exits of a loop test different pointers, or they would become one.
 */
// @ts-ignore: decorator
@inline
export function never(pointer: usize): bool {
  return pointer == 0;
}

// What a convolution does with its sums. One branch a tile, always the same way, costs nothing that can be measured, and
// a kernel for each would be twice the code.
export const CLAMP: usize = 0;
export const HARD_SWISH: usize = 1;
export const RESIDUAL: usize = 2;
/** To a tile: whatever its arguments say. */
export const ANY: usize = 3;

/** Lane i in all four lanes: one instruction on arm64. */
// @ts-ignore: decorator
@inline
export function lane(x: v128, i: u8): v128 {
  if (i == 0) return v128.shuffle<i32>(x, x, 0, 0, 0, 0);
  if (i == 1) return v128.shuffle<i32>(x, x, 1, 1, 1, 1);
  if (i == 2) return v128.shuffle<i32>(x, x, 2, 2, 2, 2);
  return v128.shuffle<i32>(x, x, 3, 3, 3, 3);
}
