import { Arguments } from '../arguments';
import { lane } from '../arithmetic';
import { storeFour, storeOne } from '../lanes/ends';

/*
 * For engines whose relaxed dot product is one instruction (SDOT on arm64, VPDPBUSD on x86 with AVX-VNNI). It multiplies bytes,
 * four input channels at once. A lane of 16 bits is two bytes, lane = 256 * upper + lower + a constant, so its sums take two
 * passes over one filter of bytes, shifted in between; i32 arithmetic wraps, and the sums are those of the other ways, bit for
 * bit. Lanes that fit into 8 bits take one pass.
 *
 *   panel of four pixels  [planes][inputChannels / 4][4 pixels][4]: one load and four splats for four channels of each
 *   filter, i8            [channels / 16][inputChannels / 4][16][4], the last eight of an odd number of eights [..][8][4]
 *   bias                  has the constant times the channel's sum of weights in it
 *
 * Loads come a step ahead of their use, each with a pointer of its own, which in-order processors need, and V8. Splats follow each
 * other: behind a dot product, the first of them waits a cycle on such a processor.
 */

// @ts-ignore: decorator
@inline
function dot4(sum: v128, filter: v128, x: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.relaxed_dot_i8x16_i7x16_add_s(filter, x, sum) : sum;
}

/** The upper bytes of 8 lanes of each of two pixels. */
// @ts-ignore: decorator
@inline
function upper(x: v128, y: v128): v128 {
  return v128.shuffle<i8>(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

// @ts-ignore: decorator
@inline
function lower(x: v128, y: v128): v128 {
  return v128.shuffle<i8>(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

/** Lanes as bytes: p.flip turns bits (two planes), p.shift is subtracted (one plane). */
// @ts-ignore: decorator
@inline
function bytesOf(planes: i32, pointer: usize, constant: v128): v128 {
  return planes == 2 ? v128.xor(v128.load(pointer), constant) : i16x8.sub(v128.load(pointer), constant);
}

/** Eight channels of four pixels a step. */
// @ts-ignore: decorator
@inline
function packPanel(planes: i32, p: Arguments, panel: usize, a0: usize, a1: usize, a2: usize, a3: usize): void {
  const constant = v128.load_splat<i16>(changetype<usize>(p), offsetof<Arguments>('splitter'));
  const plane = <usize>p.run * 4;
  let at = panel;
  for (const end = panel + plane; at < end; at += 32, a0 += 16, a1 += 16, a2 += 16, a3 += 16) {
    const x0 = bytesOf(planes, a0, constant);
    const x1 = bytesOf(planes, a1, constant);
    const x2 = bytesOf(planes, a2, constant);
    const x3 = bytesOf(planes, a3, constant);
    const l01 = lower(x0, x1);
    const l23 = lower(x2, x3);
    if (planes == 1) {
      v128.store(at, v128.shuffle<i32>(l01, l23, 0, 2, 4, 6));
      v128.store(at, v128.shuffle<i32>(l01, l23, 1, 3, 5, 7), 16);
    } else {
      const u01 = upper(x0, x1);
      const u23 = upper(x2, x3);
      v128.store(at, v128.shuffle<i32>(u01, u23, 0, 2, 4, 6));
      v128.store(at, v128.shuffle<i32>(u01, u23, 1, 3, 5, 7), 16);
      v128.store(at + plane, v128.shuffle<i32>(l01, l23, 0, 2, 4, 6));
      v128.store(at + plane, v128.shuffle<i32>(l01, l23, 1, 3, 5, 7), 16);
    }
  }
}

// @ts-ignore: decorator
@inline
function tile16(
  planes: i32, p: Arguments, n: usize, panel: usize, filter: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const plane = <usize>p.run * 4;
  let c00 = i32x4.splat(0), c01 = c00, c02 = c00, c03 = c00;
  let c10 = c00, c11 = c00, c12 = c00, c13 = c00;
  let c20 = c00, c21 = c00, c22 = c00, c23 = c00;
  let c30 = c00, c31 = c00, c32 = c00, c33 = c00;
  let q = v128.load(panel);
  let x0 = lane(q, 0), x1 = lane(q, 1), x2 = lane(q, 2), x3 = lane(q, 3);
  q = v128.load(panel, 16);
  let a = panel + 32;
  let end = a + plane;
  const last = end + <usize>(planes - 1) * plane;
  for (;;) {
    let f0 = filter, f1 = filter + 16, f2 = filter + 32, f3 = filter + 48;
    let b0 = v128.load(f0), b1 = v128.load(f1), b2 = v128.load(f2), b3 = v128.load(f3);
    f0 += 64, f1 += 64, f2 += 64, f3 += 64;
    do {
      c00 = dot4(c00, b0, x0); c01 = dot4(c01, b1, x0); c02 = dot4(c02, b2, x0); c03 = dot4(c03, b3, x0);
      c10 = dot4(c10, b0, x1); c11 = dot4(c11, b1, x1); c12 = dot4(c12, b2, x1); c13 = dot4(c13, b3, x1);
      c20 = dot4(c20, b0, x2); c21 = dot4(c21, b1, x2); c22 = dot4(c22, b2, x2); c23 = dot4(c23, b3, x2);
      c30 = dot4(c30, b0, x3); b0 = v128.load(f0);
      c31 = dot4(c31, b1, x3); b1 = v128.load(f1);
      c32 = dot4(c32, b2, x3); b2 = v128.load(f2);
      c33 = dot4(c33, b3, x3); b3 = v128.load(f3);
      x0 = lane(q, 0), x1 = lane(q, 1), x2 = lane(q, 2), x3 = lane(q, 3);
      q = v128.load(a);
      f0 += 64, f1 += 64, f2 += 64, f3 += 64, a += 16;
    } while (a < end);
    if (end == last) break;
    end = last;
    c00 = i32x4.shl(c00, 8); c01 = i32x4.shl(c01, 8); c02 = i32x4.shl(c02, 8); c03 = i32x4.shl(c03, 8);
    c10 = i32x4.shl(c10, 8); c11 = i32x4.shl(c11, 8); c12 = i32x4.shl(c12, 8); c13 = i32x4.shl(c13, 8);
    c20 = i32x4.shl(c20, 8); c21 = i32x4.shl(c21, 8); c22 = i32x4.shl(c22, 8); c23 = i32x4.shl(c23, 8);
    c30 = i32x4.shl(c30, 8); c31 = i32x4.shl(c31, 8); c32 = i32x4.shl(c32, 8); c33 = i32x4.shl(c33, 8);
  }
  const bias = p.bias + n * 2;
  let b = v128.load(bias);
  c00 = i32x4.add(c00, b); c10 = i32x4.add(c10, b); c20 = i32x4.add(c20, b); c30 = i32x4.add(c30, b);
  b = v128.load(bias, 16);
  c01 = i32x4.add(c01, b); c11 = i32x4.add(c11, b); c21 = i32x4.add(c21, b); c31 = i32x4.add(c31, b);
  storeFour(p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
  b = v128.load(bias, 32);
  c02 = i32x4.add(c02, b); c12 = i32x4.add(c12, b); c22 = i32x4.add(c22, b); c32 = i32x4.add(c32, b);
  b = v128.load(bias, 48);
  c03 = i32x4.add(c03, b); c13 = i32x4.add(c13, b); c23 = i32x4.add(c23, b); c33 = i32x4.add(c33, b);
  storeFour(p, n + 16, c02, c03, c12, c13, c22, c23, c32, c33, o0, o1, o2, o3, r0, r1, r2, r3);
}

// @ts-ignore: decorator
@inline
function tile8(
  planes: i32, p: Arguments, n: usize, panel: usize, filter: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const plane = <usize>p.run * 4;
  let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  let a = panel;
  let end = a + plane;
  const last = end + <usize>(planes - 1) * plane;
  for (;;) {
    let f = filter;
    do {
      const q = v128.load(a);
      const b0 = v128.load(f), b1 = v128.load(f, 16);
      let x = lane(q, 0);
      c00 = dot4(c00, b0, x); c01 = dot4(c01, b1, x);
      x = lane(q, 1);
      c10 = dot4(c10, b0, x); c11 = dot4(c11, b1, x);
      x = lane(q, 2);
      c20 = dot4(c20, b0, x); c21 = dot4(c21, b1, x);
      x = lane(q, 3);
      c30 = dot4(c30, b0, x); c31 = dot4(c31, b1, x);
      f += 32, a += 16;
    } while (a < end);
    if (end == last) break;
    end = last;
    c00 = i32x4.shl(c00, 8); c10 = i32x4.shl(c10, 8); c20 = i32x4.shl(c20, 8); c30 = i32x4.shl(c30, 8);
    c01 = i32x4.shl(c01, 8); c11 = i32x4.shl(c11, 8); c21 = i32x4.shl(c21, 8); c31 = i32x4.shl(c31, 8);
  }
  const bias = p.bias + n * 2;
  let b = v128.load(bias);
  c00 = i32x4.add(c00, b); c10 = i32x4.add(c10, b); c20 = i32x4.add(c20, b); c30 = i32x4.add(c30, b);
  b = v128.load(bias, 16);
  c01 = i32x4.add(c01, b); c11 = i32x4.add(c11, b); c21 = i32x4.add(c21, b); c31 = i32x4.add(c31, b);
  storeFour(p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
}

/** Four pixels by all output channels. */
export function planes_tile(
  planes: i32, p: Arguments, panel: usize,
  a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  packPanel(planes, p, panel, a0, a1, a2, a3);
  const bytes = <usize>p.channels * 2;
  let filter = p.filter;
  let n: usize = 0;
  for (; n + 32 <= bytes; n += 32, filter += <usize>p.run * 16) {
    tile16(planes, p, n, panel, filter, o0, o1, o2, o3, r0, r1, r2, r3);
  }
  if (n < bytes) tile8(planes, p, n, panel, filter, o0, o1, o2, o3, r0, r1, r2, r3);
}

/** One pixel by eights of output channels, `from` to `to`. */
export function planes_one(
  planes: i32, p: Arguments, panel: usize, input: usize, output: usize, other: usize, from: usize, to: usize,
): void {
  const constant = v128.load_splat<i16>(changetype<usize>(p), offsetof<Arguments>('splitter'));
  const depth = <usize>p.run;
  for (let c: usize = 0; c < depth; c += 8) {
    const x = bytesOf(planes, input + c * 2, constant);
    v128.store_lane<i64>(panel + c, lower(x, x), 0);
    if (planes == 2) v128.store_lane<i64>(panel + depth + c, upper(x, x), 0);
  }
  const whole = <usize>(p.channels & ~15);
  for (let eight = from; eight < to; eight++) {
    // Sixteen channels lie together; the last eight of an odd number of eights do alone.
    const channel = eight * 8;
    const isWhole = channel < whole;
    const stride: usize = isWhole ? 64 : 32;
    let filter = p.filter + (channel & ~15) * depth + (isWhole ? (channel & 8) * 4 : 0);
    let c0 = v128.load(p.bias + channel * 4), c1 = v128.load(p.bias + channel * 4, 16);
    let d0 = i32x4.splat(0), d1 = d0;
    let a = panel;
    for (const end = a + depth; a < end; a += 4, filter += stride) {
      const b0 = v128.load(filter), b1 = v128.load(filter, 16);
      let x = v128.load_splat<i32>(a);
      c0 = dot4(c0, b0, x); c1 = dot4(c1, b1, x);
      if (planes == 2) {
        x = v128.load_splat<i32>(a + depth);
        d0 = dot4(d0, b0, x); d1 = dot4(d1, b1, x);
      }
    }
    if (planes == 2) {
      c0 = i32x4.add(c0, i32x4.shl(d0, 8));
      c1 = i32x4.add(c1, i32x4.shl(d1, 8));
    }
    storeOne(p, channel * 2, c0, c1, output, other);
  }
}
