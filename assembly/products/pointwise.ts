import { Arguments } from '../arguments';
import { never } from '../arithmetic';
import { storeFour, storeOne } from '../lanes/ends';

/*
 * pairs/pointwise.ts for arm64 without a dot product of bytes: extmul and add are one instruction there, SMLAL, and the dot of
 * pairs is three. Four pixels by sixteen output channels, one input channel a step:
 *
 *   filter, i16, packed [channels / 16][inputChannels][16], the last eight of an odd number of eights [inputChannels][8]
 *   one step: 2 loads of filter, 4 splats of input, 16 multiply-adds
 */

// @ts-ignore: decorator
@inline
export function low(sum: v128, x: v128, w: v128): v128 {
  return i32x4.add(sum, i32x4.extmul_low_i16x8_s(x, w));
}

// @ts-ignore: decorator
@inline
export function high(sum: v128, x: v128, w: v128): v128 {
  return i32x4.add(sum, i32x4.extmul_high_i16x8_s(x, w));
}

/** `runs` stretches of p.run values, `next` bytes from one to the next; `pointwise`: one, and no loop over them. */
// @ts-ignore: decorator
@inline
function tile16(
  pointwise: bool, p: Arguments, n: usize, filter: usize, runs: usize, next: usize,
  i0: usize, i1: usize, i2: usize, i3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const bias = p.bias + n * 2;
  let c00 = v128.load(bias);
  let c01 = v128.load(bias, 16);
  let c02 = v128.load(bias, 32);
  let c03 = v128.load(bias, 48);
  let c10 = c00, c11 = c01, c12 = c02, c13 = c03;
  let c20 = c00, c21 = c01, c22 = c02, c23 = c03;
  let c30 = c00, c31 = c01, c32 = c02, c33 = c03;
  const step: usize = pointwise ? 8 : 2;
  let run: usize = 0;
  do {
    let a0 = i0, a1 = i1, a2 = i2, a3 = i3;
    const end = a0 + <usize>p.run * 2;
    do {
      let b0 = v128.load(filter), b1 = v128.load(filter, 16), x = v128.load_splat<i16>(a0);
      c00 = low(c00, x, b0); c01 = high(c01, x, b0); c02 = low(c02, x, b1); c03 = high(c03, x, b1);
      x = v128.load_splat<i16>(a1);
      c10 = low(c10, x, b0); c11 = high(c11, x, b0); c12 = low(c12, x, b1); c13 = high(c13, x, b1);
      x = v128.load_splat<i16>(a2);
      c20 = low(c20, x, b0); c21 = high(c21, x, b0); c22 = low(c22, x, b1); c23 = high(c23, x, b1);
      x = v128.load_splat<i16>(a3);
      c30 = low(c30, x, b0); c31 = high(c31, x, b0); c32 = low(c32, x, b1); c33 = high(c33, x, b1);
      if (pointwise) {
        if (never(a0)) break;
        b0 = v128.load(filter, 32), b1 = v128.load(filter, 48), x = v128.load_splat<i16>(a0, 2);
        c00 = low(c00, x, b0); c01 = high(c01, x, b0); c02 = low(c02, x, b1); c03 = high(c03, x, b1);
        x = v128.load_splat<i16>(a1, 2);
        c10 = low(c10, x, b0); c11 = high(c11, x, b0); c12 = low(c12, x, b1); c13 = high(c13, x, b1);
        x = v128.load_splat<i16>(a2, 2);
        c20 = low(c20, x, b0); c21 = high(c21, x, b0); c22 = low(c22, x, b1); c23 = high(c23, x, b1);
        x = v128.load_splat<i16>(a3, 2);
        c30 = low(c30, x, b0); c31 = high(c31, x, b0); c32 = low(c32, x, b1); c33 = high(c33, x, b1);
        if (never(a1)) break;
        b0 = v128.load(filter, 64), b1 = v128.load(filter, 80), x = v128.load_splat<i16>(a0, 4);
        c00 = low(c00, x, b0); c01 = high(c01, x, b0); c02 = low(c02, x, b1); c03 = high(c03, x, b1);
        x = v128.load_splat<i16>(a1, 4);
        c10 = low(c10, x, b0); c11 = high(c11, x, b0); c12 = low(c12, x, b1); c13 = high(c13, x, b1);
        x = v128.load_splat<i16>(a2, 4);
        c20 = low(c20, x, b0); c21 = high(c21, x, b0); c22 = low(c22, x, b1); c23 = high(c23, x, b1);
        x = v128.load_splat<i16>(a3, 4);
        c30 = low(c30, x, b0); c31 = high(c31, x, b0); c32 = low(c32, x, b1); c33 = high(c33, x, b1);
        if (never(a2)) break;
        b0 = v128.load(filter, 96), b1 = v128.load(filter, 112), x = v128.load_splat<i16>(a0, 6);
        c00 = low(c00, x, b0); c01 = high(c01, x, b0); c02 = low(c02, x, b1); c03 = high(c03, x, b1);
        x = v128.load_splat<i16>(a1, 6);
        c10 = low(c10, x, b0); c11 = high(c11, x, b0); c12 = low(c12, x, b1); c13 = high(c13, x, b1);
        x = v128.load_splat<i16>(a2, 6);
        c20 = low(c20, x, b0); c21 = high(c21, x, b0); c22 = low(c22, x, b1); c23 = high(c23, x, b1);
        x = v128.load_splat<i16>(a3, 6);
        c30 = low(c30, x, b0); c31 = high(c31, x, b0); c32 = low(c32, x, b1); c33 = high(c33, x, b1);
      }
      a0 += step, a1 += step, a2 += step, a3 += step, filter += step * 16;
    } while (a0 < end);
    i0 += next, i1 += next, i2 += next, i3 += next;
  } while (!pointwise && ++run < runs);
  storeFour(p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
  storeFour(p, n + 16, c02, c03, c12, c13, c22, c23, c32, c33, o0, o1, o2, o3, r0, r1, r2, r3);
}

// @ts-ignore: decorator
@inline
function tile8(
  pointwise: bool, p: Arguments, n: usize, filter: usize, runs: usize, next: usize,
  i0: usize, i1: usize, i2: usize, i3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const bias = p.bias + n * 2;
  let c00 = v128.load(bias);
  let c01 = v128.load(bias, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
  let run: usize = 0;
  do {
    let a0 = i0, a1 = i1, a2 = i2, a3 = i3;
    const end = a0 + <usize>p.run * 2;
    do {
      const b = v128.load(filter);
      let x = v128.load_splat<i16>(a0);
      c00 = low(c00, x, b); c01 = high(c01, x, b);
      x = v128.load_splat<i16>(a1);
      c10 = low(c10, x, b); c11 = high(c11, x, b);
      x = v128.load_splat<i16>(a2);
      c20 = low(c20, x, b); c21 = high(c21, x, b);
      x = v128.load_splat<i16>(a3);
      c30 = low(c30, x, b); c31 = high(c31, x, b);
      a0 += 2, a1 += 2, a2 += 2, a3 += 2, filter += 16;
    } while (a0 < end);
    i0 += next, i1 += next, i2 += next, i3 += next;
  } while (!pointwise && ++run < runs);
  storeFour(p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
}

/** Four pixels by all output channels. */
// @ts-ignore: decorator
@inline
export function products_tile(
  pointwise: bool, p: Arguments, runs: usize, next: usize,
  a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const bytes = <usize>p.channels * 2;
  const depth = runs * p.run * 2;
  let filter = p.filter;
  let n: usize = 0;
  for (; n + 32 <= bytes; n += 32, filter += depth * 16) {
    tile16(pointwise, p, n, filter, runs, next, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
  }
  if (n < bytes) tile8(pointwise, p, n, filter, runs, next, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
}

/** One pixel by eights of output channels, `from` to `to`; `isNarrow`: the filter is i8, as layers behind the pool have it. */
// @ts-ignore: decorator
@inline
export function products_one(
  isNarrow: bool, p: Arguments, input: usize, output: usize, other: usize, from: usize, to: usize,
): void {
  const depth = <usize>p.run;
  const bytes: usize = isNarrow ? 1 : 2;
  const whole = <usize>(p.channels & ~15);
  for (let eight = from; eight < to; eight++) {
    // Sixteen channels lie together; the last eight of an odd number of eights do alone.
    const channel = eight * 8;
    const isWhole = channel < whole;
    const stride: usize = (isWhole ? 16 : 8) * bytes;
    let filter = p.filter + ((channel & ~15) * depth + (isWhole ? channel & 8 : 0)) * bytes;
    let c0 = v128.load(p.bias + channel * 4);
    let c1 = v128.load(p.bias + channel * 4, 16);
    let d0 = i32x4.splat(0), d1 = d0;
    let a = input;
    for (const end = a + depth * 2; a < end; a += 4) {
      let b = isNarrow ? v128.load_ext<i8>(filter) : v128.load(filter);
      filter += stride;
      let x = v128.load_splat<i16>(a);
      c0 = low(c0, x, b); c1 = high(c1, x, b);
      b = isNarrow ? v128.load_ext<i8>(filter) : v128.load(filter);
      filter += stride;
      x = v128.load_splat<i16>(a, 2);
      d0 = low(d0, x, b); d1 = high(d1, x, b);
    }
    storeOne(p, channel * 2, i32x4.add(c0, d0), i32x4.add(c1, d1), output, other);
  }
}

/** Matrix by vector. A unit is eight output channels. */
export function products_vector(p: Arguments, from: usize, to: usize): void {
  products_one(true, p, p.input, p.output, 0, from, to);
}
