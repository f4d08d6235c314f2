import { Arguments } from '../arguments';
import { HARD_SWISH, RESIDUAL, clamp, hardSwish, lane, madd, never } from '../arithmetic';

/*
 * pointwise.ts for arm64, which has twice the registers of x86 and pays for a splat: four pixels by sixteen output channels, four
 * input channels a round.
 *
 *   filter, packed [channels / 16][inputChannels][16], the last eight of an odd number of eights [inputChannels][8]
 *   a round: 4 loads of input; four times 4 loads of filter, 4 splats of an input lane, 16 multiply-adds
 *
 * Loads come a step ahead of their use, each with a pointer of its own, which in-order processors need. V8 takes all loads of a
 * block to its front, and spills: an exit ends each of the four steps. A splat is made where it is used: with 16 sums, 4 inputs and
 * 4 filters, V8 has no register left to carry four splats round the loop.
 */

// @ts-ignore: decorator
@inline
function store8(p: Arguments, output: usize, c0: v128, c1: v128, other: usize, low: v128, high: v128): void {
  if (p.epilogue == HARD_SWISH) {
    v128.store(output, hardSwish(c0));
    v128.store(output, hardSwish(c1), 16);
    return;
  }
  if (p.epilogue == RESIDUAL) {
    c0 = f32x4.add(c0, v128.load(other));
    c1 = f32x4.add(c1, v128.load(other, 16));
  }
  v128.store(output, clamp(c0, low, high));
  v128.store(output, clamp(c1, low, high), 16);
}

// @ts-ignore: decorator
@inline
function store16(
  p: Arguments, output: usize, c0: v128, c1: v128, c2: v128, c3: v128, other: usize, low: v128, high: v128,
): void {
  store8(p, output, c0, c1, other, low, high);
  store8(p, output + 32, c2, c3, other + 32, low, high);
}

// @ts-ignore: decorator
@inline
function tile16(
  p: Arguments, n: usize, filter: usize, low: v128, high: v128,
  a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const bias = p.bias + n;
  let c00 = v128.load(bias), c01 = v128.load(bias, 16), c02 = v128.load(bias, 32), c03 = v128.load(bias, 48);
  let c10 = c00, c11 = c01, c12 = c02, c13 = c03;
  let c20 = c00, c21 = c01, c22 = c02, c23 = c03;
  let c30 = c00, c31 = c01, c32 = c02, c33 = c03;
  let f0 = filter, f1 = filter + 16, f2 = filter + 32, f3 = filter + 48;
  let b0 = v128.load(f0), b1 = v128.load(f1), b2 = v128.load(f2), b3 = v128.load(f3);
  f0 += 64, f1 += 64, f2 += 64, f3 += 64;
  let q0 = v128.load(a0), q1 = v128.load(a1), q2 = v128.load(a2), q3 = v128.load(a3);
  a0 += 16, a1 += 16, a2 += 16, a3 += 16;
  const end = a0 + <usize>p.run * 4;
  let x: v128;
  do {
    x = lane(q0, 0);
    c00 = madd(c00, x, b0); c01 = madd(c01, x, b1); c02 = madd(c02, x, b2); c03 = madd(c03, x, b3);
    x = lane(q1, 0);
    c10 = madd(c10, x, b0); c11 = madd(c11, x, b1); c12 = madd(c12, x, b2); c13 = madd(c13, x, b3);
    x = lane(q2, 0);
    c20 = madd(c20, x, b0); c21 = madd(c21, x, b1); c22 = madd(c22, x, b2); c23 = madd(c23, x, b3);
    x = lane(q3, 0);
    c30 = madd(c30, x, b0); b0 = v128.load(f0);
    c31 = madd(c31, x, b1); b1 = v128.load(f1);
    c32 = madd(c32, x, b2); b2 = v128.load(f2);
    c33 = madd(c33, x, b3); b3 = v128.load(f3);
    f0 += 64, f1 += 64, f2 += 64, f3 += 64;
    if (never(f0)) break;

    x = lane(q0, 1);
    c00 = madd(c00, x, b0); c01 = madd(c01, x, b1); c02 = madd(c02, x, b2); c03 = madd(c03, x, b3);
    x = lane(q1, 1);
    c10 = madd(c10, x, b0); c11 = madd(c11, x, b1); c12 = madd(c12, x, b2); c13 = madd(c13, x, b3);
    x = lane(q2, 1);
    c20 = madd(c20, x, b0); c21 = madd(c21, x, b1); c22 = madd(c22, x, b2); c23 = madd(c23, x, b3);
    x = lane(q3, 1);
    c30 = madd(c30, x, b0); b0 = v128.load(f0);
    c31 = madd(c31, x, b1); b1 = v128.load(f1);
    c32 = madd(c32, x, b2); b2 = v128.load(f2);
    c33 = madd(c33, x, b3); b3 = v128.load(f3);
    f0 += 64, f1 += 64, f2 += 64, f3 += 64;
    if (never(f1)) break;

    x = lane(q0, 2);
    c00 = madd(c00, x, b0); c01 = madd(c01, x, b1); c02 = madd(c02, x, b2); c03 = madd(c03, x, b3);
    x = lane(q1, 2);
    c10 = madd(c10, x, b0); c11 = madd(c11, x, b1); c12 = madd(c12, x, b2); c13 = madd(c13, x, b3);
    x = lane(q2, 2);
    c20 = madd(c20, x, b0); c21 = madd(c21, x, b1); c22 = madd(c22, x, b2); c23 = madd(c23, x, b3);
    x = lane(q3, 2);
    c30 = madd(c30, x, b0); b0 = v128.load(f0);
    c31 = madd(c31, x, b1); b1 = v128.load(f1);
    c32 = madd(c32, x, b2); b2 = v128.load(f2);
    c33 = madd(c33, x, b3); b3 = v128.load(f3);
    f0 += 64, f1 += 64, f2 += 64, f3 += 64;
    if (never(f2)) break;

    x = lane(q0, 3);
    c00 = madd(c00, x, b0); c01 = madd(c01, x, b1); c02 = madd(c02, x, b2); c03 = madd(c03, x, b3);
    x = lane(q1, 3);
    c10 = madd(c10, x, b0); c11 = madd(c11, x, b1); c12 = madd(c12, x, b2); c13 = madd(c13, x, b3);
    x = lane(q2, 3);
    c20 = madd(c20, x, b0); c21 = madd(c21, x, b1); c22 = madd(c22, x, b2); c23 = madd(c23, x, b3);
    x = lane(q3, 3);
    c30 = madd(c30, x, b0); b0 = v128.load(f0);
    c31 = madd(c31, x, b1); b1 = v128.load(f1);
    c32 = madd(c32, x, b2); b2 = v128.load(f2);
    c33 = madd(c33, x, b3); b3 = v128.load(f3);
    f0 += 64, f1 += 64, f2 += 64, f3 += 64;
    q0 = v128.load(a0), q1 = v128.load(a1), q2 = v128.load(a2), q3 = v128.load(a3);
    a0 += 16, a1 += 16, a2 += 16, a3 += 16;
  } while (a0 < end);
  store16(p, o0 + n, c00, c01, c02, c03, r0 + n, low, high);
  store16(p, o1 + n, c10, c11, c12, c13, r1 + n, low, high);
  store16(p, o2 + n, c20, c21, c22, c23, r2 + n, low, high);
  store16(p, o3 + n, c30, c31, c32, c33, r3 + n, low, high);
}

// @ts-ignore: decorator
@inline
function tile8(
  p: Arguments, n: usize, filter: usize, low: v128, high: v128,
  a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const bias = p.bias + n;
  let c00 = v128.load(bias), c01 = v128.load(bias, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
  for (const end = a0 + <usize>p.run * 4; a0 < end; a0 += 4, a1 += 4, a2 += 4, a3 += 4, filter += 32) {
    const b0 = v128.load(filter), b1 = v128.load(filter, 16);
    let x = v128.load_splat<f32>(a0);
    c00 = madd(c00, x, b0); c01 = madd(c01, x, b1);
    x = v128.load_splat<f32>(a1);
    c10 = madd(c10, x, b0); c11 = madd(c11, x, b1);
    x = v128.load_splat<f32>(a2);
    c20 = madd(c20, x, b0); c21 = madd(c21, x, b1);
    x = v128.load_splat<f32>(a3);
    c30 = madd(c30, x, b0); c31 = madd(c31, x, b1);
  }
  store8(p, o0 + n, c00, c01, r0 + n, low, high);
  store8(p, o1 + n, c10, c11, r1 + n, low, high);
  store8(p, o2 + n, c20, c21, r2 + n, low, high);
  store8(p, o3 + n, c30, c31, r3 + n, low, high);
}

/** Four pixels by all output channels; it reads, and does not use, a step of filter and four channels of input behind the last. */
export function wide_tile(
  p: Arguments,
  a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const low = f32x4.splat(p.low);
  const high = f32x4.splat(p.high);
  const bytes = <usize>p.channels * 4;
  let filter = p.filter;
  let n: usize = 0;
  for (; n + 64 <= bytes; n += 64, filter += <usize>p.run * 64) {
    tile16(p, n, filter, low, high, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
  }
  if (n < bytes) tile8(p, n, filter, low, high, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
}
