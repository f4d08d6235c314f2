import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, dot } from '../arithmetic';
import { highest, lowest, narrow, requantize } from '../lanes/requantize';
import { pair, single } from './depthwise';

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
        const gateScale = kind == HARD_SWISH ? v128.load(p.gateScale + c * 2) : scale;
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

export function pairs_depthwise_3x3s1(p: Arguments, from: usize, to: usize): void {
  if (p.epilogue == HARD_SWISH) depthwise3(HARD_SWISH, 1, p, from, to);
  else depthwise3(CLAMP, 1, p, from, to);
}

export function pairs_depthwise_3x3s2(p: Arguments, from: usize, to: usize): void {
  if (p.epilogue == HARD_SWISH) depthwise3(HARD_SWISH, 2, p, from, to);
  else depthwise3(CLAMP, 2, p, from, to);
}
