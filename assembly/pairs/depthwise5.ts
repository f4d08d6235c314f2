import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, dot, never } from '../arithmetic';
import { highest, lowest, narrow, requantize } from '../lanes/requantize';
import { pair } from './depthwise';

// @ts-ignore: decorator
@inline
function store(
  kind: usize, count: usize, p: Arguments, pixel: usize, c: usize, output: usize,
  s0: v128, s1: v128, s2: v128, s3: v128, low: v128, high: v128,
): void {
  const scale = v128.load(p.scale + c * 2);
  const gateScale = kind == HARD_SWISH ? v128.load(p.gateScale + c * 2) : scale;
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

export function pairs_depthwise_5x5s1(p: Arguments, from: usize, to: usize): void {
  depthwise5(1, p, from, to);
}

export function pairs_depthwise_5x5s2(p: Arguments, from: usize, to: usize): void {
  depthwise5(2, p, from, to);
}
