import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, dot, never } from '../arithmetic';
import { highest, lowest, narrow, requantize } from '../requantize';

/*
 * The twin of f32.ts. Two lines of the input are interleaved, so that one dot_i16x8_s multiplies two taps, one above
 * the other, of four channels:
 *
 *   line 0:  a0 a1 a2 a3        pair:  a0 b0 a1 b1 a2 b2 a3 b3   . dot .   filter pair:  u0 v0 u1 v1 u2 v2 u3 v3
 *   line 1:  b0 b1 b2 b3
 *
 *   filter, packed [channels / 4][ceil(kernelHeight / 2)][kernelWidth][4][2], i16; an odd last tap pairs with zero
 *
 * A 3x3 kernel goes along the row, its filter in registers, each column read once for all outputs that it is part of. A
 * 5x5 filter has no room there: four neighbouring output pixels are, and the filter comes by. A unit is one output row.
 * The line under the last, paired with zeros, is read: the planner leaves a row behind every halo.
 */

// @ts-ignore: decorator
@inline
function pair(at: usize, rowStride: usize): v128 {
  return v128.shuffle<i16>(v128.load_zero<u64>(at), v128.load_zero<u64>(at + rowStride), 0, 8, 1, 9, 2, 10, 3, 11);
}

/** The last line of an odd number, paired with zeros. */
// @ts-ignore: decorator
@inline
function single(at: usize): v128 {
  return v128.load_ext<u16>(at);
}

// @ts-ignore: decorator
@inline
function store4(kind: usize, output: usize, sum: v128, scale: v128, gateScale: v128, low: v128, high: v128): void {
  const q = requantize(kind, sum, scale, gateScale, 0, low, low);
  v128.store_lane<i64>(output, narrow(q, q, high), 0);
}

// @ts-ignore: decorator
@inline
function store(
  kind: usize, count: usize, p: Arguments, pixel: usize, c: usize, output: usize,
  s0: v128, s1: v128, s2: v128, s3: v128, low: v128, high: v128,
): void {
  const scale = v128.load(p.scale + c * 2);
  const gateScale = kind == HARD_SWISH ? v128.load(p.otherScale + c * 2) : scale;
  const q0 = requantize(kind, s0, scale, gateScale, 0, low, low);
  const q1 = requantize(kind, s1, scale, gateScale, 0, low, low);
  const q01 = narrow(q0, q1, high);
  v128.store_lane<i64>(output, q01, 0);
  v128.store_lane<i64>((output += pixel), q01, 1);
  if (count == 2) return;
  const q2 = requantize(kind, s2, scale, gateScale, 0, low, low);
  const q3 = count == 4 ? requantize(kind, s3, scale, gateScale, 0, low, low) : q2;
  const q23 = narrow(q2, q3, high);
  v128.store_lane<i64>((output += pixel), q23, 0);
  if (count == 4) v128.store_lane<i64>((output += pixel), q23, 1);
}

const FIRST_LEVEL_CACHE: usize = 32 << 10;

// @ts-ignore: decorator
@inline
function depthwise3(kind: usize, stride: usize, p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 2;
  const low = lowest(p);
  const high = highest(p);
  const rowStride = p.inputRowStride;
  const width = p.width;
  // Channels that share cache lines find them in the first-level cache again: a long row in parts.
  const part: usize = rowStride * 3 > FIRST_LEVEL_CACHE ? 28 : width;
  for (let row = from; row < to; row++) {
    for (let x: usize = 0; x < width; x += part) {
      let input = p.input + row * stride * rowStride + x * stride * pixel;
      let outputs = p.output + row * p.outputRowStride + x * pixel;
      const bytes = min(part, width - x) * pixel;
      let filter = p.filter;
      for (let c: usize = 0; c < pixel; c += 8, input += 8, outputs += 8, filter += 96) {
        const a0 = v128.load(filter);
        const a1 = v128.load(filter, 16);
        const a2 = v128.load(filter, 32);
        const b0 = v128.load(filter, 48);
        const b1 = v128.load(filter, 64);
        const b2 = v128.load(filter, 80);
        const bias = v128.load(p.bias + c * 2);
        const scale = v128.load(p.scale + c * 2);
        const gateScale = kind == HARD_SWISH ? v128.load(p.otherScale + c * 2) : scale;
        let at = input;
        let under = at + 2 * rowStride;
        let u = pair(at, rowStride);
        let v = single(under);
        let s0 = dot(dot(bias, u, a0), v, b0);
        let s1 = bias;
        if (stride == 1) {
          at += pixel;
          under += pixel;
          u = pair(at, rowStride);
          v = single(under);
          s0 = dot(dot(s0, u, a1), v, b1);
          s1 = dot(dot(bias, u, a0), v, b0);
        }
        let output = outputs;
        const end = output + bytes;
        // Two pixels a round: their ends are independent of each other. Behind an odd last one, what is read is not stored.
        for (;;) {
          let t0: v128;
          at += pixel;
          under += pixel;
          u = pair(at, rowStride);
          v = single(under);
          if (stride == 1) {
            t0 = dot(dot(s0, u, a2), v, b2);
            s0 = dot(dot(s1, u, a1), v, b1);
            s1 = dot(dot(bias, u, a0), v, b0);
          } else {
            t0 = dot(dot(s0, u, a1), v, b1);
            at += pixel;
            under += pixel;
            u = pair(at, rowStride);
            v = single(under);
            t0 = dot(dot(t0, u, a2), v, b2);
            s0 = dot(dot(bias, u, a0), v, b0);
          }
          let t1: v128;
          at += pixel;
          under += pixel;
          u = pair(at, rowStride);
          v = single(under);
          if (stride == 1) {
            t1 = dot(dot(s0, u, a2), v, b2);
            s0 = dot(dot(s1, u, a1), v, b1);
            s1 = dot(dot(bias, u, a0), v, b0);
          } else {
            t1 = dot(dot(s0, u, a1), v, b1);
            at += pixel;
            under += pixel;
            u = pair(at, rowStride);
            v = single(under);
            t1 = dot(dot(t1, u, a2), v, b2);
            s0 = dot(dot(bias, u, a0), v, b0);
          }
          const q0 = requantize(kind, t0, scale, gateScale, 0, low, low);
          const q1 = requantize(kind, t1, scale, gateScale, 0, low, low);
          const q = narrow(q0, q1, high);
          v128.store_lane<i64>(output, q, 0);
          output += pixel;
          if (output >= end) break;
          v128.store_lane<i64>(output, q, 1);
          output += pixel;
          if (output >= end) break;
        }
      }
    }
  }
}

/** `count` neighbouring output pixels, 2 to 4. */
// @ts-ignore: decorator
@inline
function tile5(count: usize, stride: usize, p: Arguments, input: usize, output: usize, low: v128, high: v128): void {
  const pixel = <usize>p.channels * 2;
  const rowStride = p.inputRowStride;
  let filter = p.filter;
  for (let c: usize = 0; c < pixel; c += 8, input += 8, output += 8) {
    let s0 = v128.load(p.bias + c * 2);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let line = input;
    for (const end = line + 6 * rowStride; line < end; line += 2 * rowStride, filter += 80) {
      let at = line;
      const w0 = v128.load(filter);
      const w1 = v128.load(filter, 16);
      const w2 = v128.load(filter, 32);
      let v = pair(at, rowStride);
      s0 = dot(s0, v, w0);
      v = pair((at += pixel), rowStride);
      s0 = dot(s0, v, w1);
      if (stride == 1) s1 = dot(s1, v, w0);
      v = pair((at += pixel), rowStride);
      s0 = dot(s0, v, w2);
      s1 = stride == 1 ? dot(s1, v, w1) : dot(s1, v, w0);
      if (stride == 1 && count > 2) s2 = dot(s2, v, w0);
      if (never(line)) break;

      const w3 = v128.load(filter, 48);
      const w4 = v128.load(filter, 64);
      v = pair((at += pixel), rowStride); // x3
      s0 = dot(s0, v, w3);
      if (stride == 1) {
        s1 = dot(s1, v, w2);
        if (count > 2) s2 = dot(s2, v, w1);
        if (count > 3) s3 = dot(s3, v, w0);
      } else {
        s1 = dot(s1, v, w1);
      }
      v = pair((at += pixel), rowStride); // x4
      s0 = dot(s0, v, w4);
      if (stride == 1) {
        s1 = dot(s1, v, w3);
        if (count > 2) s2 = dot(s2, v, w2);
        if (count > 3) s3 = dot(s3, v, w1);
      } else {
        s1 = dot(s1, v, w2);
        if (count > 2) s2 = dot(s2, v, w0);
      }
      if (never(at)) break;

      v = pair((at += pixel), rowStride); // x5
      if (stride == 1) {
        s1 = dot(s1, v, w4);
        if (count > 2) s2 = dot(s2, v, w3);
        if (count > 3) s3 = dot(s3, v, w2);
      } else {
        s1 = dot(s1, v, w3);
        if (count > 2) s2 = dot(s2, v, w1);
      }
      if (stride == 1 && count == 2) continue;
      v = pair((at += pixel), rowStride); // x6
      if (stride == 1) {
        s2 = dot(s2, v, w4);
        if (count > 3) s3 = dot(s3, v, w3);
      } else {
        s1 = dot(s1, v, w4);
        if (count > 2) s2 = dot(s2, v, w2);
        if (count > 3) s3 = dot(s3, v, w0);
      }
      if (count == (stride == 1 ? 3 : 2)) continue;
      if (never(filter)) break;

      v = pair((at += pixel), rowStride); // x7
      if (stride == 1) {
        s3 = dot(s3, v, w4);
        continue;
      }
      s2 = dot(s2, v, w3);
      if (count > 3) s3 = dot(s3, v, w1);
      v = pair((at += pixel), rowStride); // x8
      s2 = dot(s2, v, w4);
      if (count > 3) {
        s3 = dot(s3, v, w2);
        v = pair((at += pixel), rowStride); // x9
        s3 = dot(s3, v, w3);
        v = pair((at += pixel), rowStride); // x10
        s3 = dot(s3, v, w4);
      }
    }
    if (p.epilogue == HARD_SWISH) store(HARD_SWISH, count, p, pixel, c, output, s0, s1, s2, s3, low, high);
    else store(CLAMP, count, p, pixel, c, output, s0, s1, s2, s3, low, high);
  }
}

// @ts-ignore: decorator
@inline
function depthwise5(stride: usize, p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 2;
  const low = lowest(p);
  const high = highest(p);
  const width = p.width;
  const rest = width & 3;
  const whole = width - rest;
  for (let row = from; row < to; row++) {
    const input = p.input + row * stride * p.inputRowStride;
    const output = p.output + row * p.outputRowStride;
    for (let x: usize = 0; x < whole; x += 4) {
      tile5(4, stride, p, input + x * stride * pixel, output + x * pixel, low, high);
    }
    if (rest == 3) {
      tile5(3, stride, p, input + whole * stride * pixel, output + whole * pixel, low, high);
    } else if (rest > 0) {
      const x = width - 2;
      tile5(2, stride, p, input + x * stride * pixel, output + x * pixel, low, high);
    }
  }
}

export function q16_depthwise_3x3s1(p: Arguments, from: usize, to: usize): void {
  if (p.epilogue == HARD_SWISH) depthwise3(HARD_SWISH, 1, p, from, to);
  else depthwise3(CLAMP, 1, p, from, to);
}

export function q16_depthwise_3x3s2(p: Arguments, from: usize, to: usize): void {
  if (p.epilogue == HARD_SWISH) depthwise3(HARD_SWISH, 2, p, from, to);
  else depthwise3(CLAMP, 2, p, from, to);
}

export function q16_depthwise_5x5s1(p: Arguments, from: usize, to: usize): void {
  depthwise5(1, p, from, to);
}

export function q16_depthwise_5x5s2(p: Arguments, from: usize, to: usize): void {
  depthwise5(2, p, from, to);
}

/** Any kernel and stride, one pixel at a time: what the four above are not made for. */
export function q16_depthwise(p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 2;
  const low = lowest(p);
  const high = highest(p);
  for (let row = from; row < to; row++) {
    for (let x: usize = 0; x < p.width; x++) {
      const input = p.input + row * p.strideHeight * p.inputRowStride + x * p.strideWidth * pixel;
      const output = p.output + row * p.outputRowStride + x * pixel;
      let filter = p.filter;
      for (let c: usize = 0; c < pixel; c += 8) {
        let sum = v128.load(p.bias + c * 2);
        for (let ky: usize = 0; ky < p.kernelHeight; ky += 2) {
          let at = input + ky * p.inputRowStride + c;
          for (let kx: usize = 0; kx < p.kernelWidth; kx++, filter += 16, at += pixel) {
            sum = dot(sum, pair(at, p.inputRowStride), v128.load(filter));
          }
        }
        const scale = v128.load(p.scale + c * 2);
        const gateScale = v128.load(p.otherScale + c * 2);
        if (p.epilogue == HARD_SWISH) store4(HARD_SWISH, output + c, sum, scale, gateScale, low, high);
        else store4(CLAMP, output + c, sum, scale, gateScale, low, high);
      }
    }
  }
}
