import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, clamp, hardSwish, madd, never } from '../arithmetic';

/*
 * Four neighbouring output pixels of four channels, in registers; a row of the window at a time:
 *
 *   filter, packed [channels / 4][kernelHeight * kernelWidth][4]
 *   stride 1, 3x3:   x0 x1 x2 x3 x4 x5      sum0 = x0 w0 + x1 w1 + x2 w2
 *                    \__sum0_/              sum1 = x1 w0 + x2 w1 + x3 w2 ...
 *
 * The input has its halo, so that no pixel is a special case. A unit is one output row.
 */

// @ts-ignore: decorator
@inline
function store4x4(
  kind: usize, pixel: usize, output: usize, s0: v128, s1: v128, s2: v128, s3: v128, low: v128, high: v128,
): void {
  v128.store(output, kind == HARD_SWISH ? hardSwish(s0) : clamp(s0, low, high));
  v128.store((output += pixel), kind == HARD_SWISH ? hardSwish(s1) : clamp(s1, low, high));
  v128.store((output += pixel), kind == HARD_SWISH ? hardSwish(s2) : clamp(s2, low, high));
  v128.store((output += pixel), kind == HARD_SWISH ? hardSwish(s3) : clamp(s3, low, high));
}

// @ts-ignore: decorator
@inline
function depthwise4(size: usize, stride: usize, p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 4;
  const low = f32x4.splat(p.low);
  const high = f32x4.splat(p.high);
  const rowStride = p.inputRowStride;
  for (let row = from; row < to; row++) {
    const inputRow = p.input + row * stride * rowStride;
    const outputRow = p.output + row * p.outputRowStride;
    for (let at: usize = 0; at < p.width; at += 4) {
      const x = <usize>min(at, p.width - 4);
      let input = inputRow + x * stride * pixel;
      let output = outputRow + x * pixel;
      let bias = p.bias;
      let filter = p.filter;
      // Pointers that advance: V8 would compute those that are sums anew, multiplication and all, for every four channels.
      for (const last = input + pixel; input < last; input += 16, output += 16, bias += 16) {
        let s0 = v128.load(bias);
        let s1 = s0;
        let s2 = s0;
        let s3 = s0;
        let line = input;
        for (const end = line + size * rowStride; line < end; line += rowStride, filter += size * 16) {
          let at = line;
          const w0 = v128.load(filter);
          const w1 = v128.load(filter, 16);
          const w2 = v128.load(filter, 32);
          let v = v128.load(at);
          s0 = madd(s0, v, w0);
          v = v128.load((at += pixel));
          s0 = madd(s0, v, w1);
          if (stride == 1) s1 = madd(s1, v, w0);
          v = v128.load((at += pixel));
          s0 = madd(s0, v, w2);
          if (stride == 1) {
            s1 = madd(s1, v, w1);
            s2 = madd(s2, v, w0);
          } else {
            s1 = madd(s1, v, w0);
          }
          if (size == 3 && stride == 1) {
            v = v128.load((at += pixel));
            s1 = madd(s1, v, w2);
            s2 = madd(s2, v, w1);
            s3 = madd(s3, v, w0);
            v = v128.load((at += pixel));
            s2 = madd(s2, v, w2);
            s3 = madd(s3, v, w1);
            v = v128.load((at += pixel));
            s3 = madd(s3, v, w2);
          } else if (size == 3) {
            v = v128.load((at += pixel));
            s1 = madd(s1, v, w1);
            v = v128.load((at += pixel));
            s1 = madd(s1, v, w2);
            s2 = madd(s2, v, w0);
            v = v128.load((at += pixel));
            s2 = madd(s2, v, w1);
            v = v128.load((at += pixel));
            s2 = madd(s2, v, w2);
            s3 = madd(s3, v, w0);
            v = v128.load((at += pixel));
            s3 = madd(s3, v, w1);
            v = v128.load((at += pixel));
            s3 = madd(s3, v, w2);
          } else {
            const w3 = v128.load(filter, 48);
            const w4 = v128.load(filter, 64);
            if (never(at)) break;
            v = v128.load((at += pixel)); // x3
            s0 = madd(s0, v, w3);
            if (stride == 1) {
              s1 = madd(s1, v, w2);
              s2 = madd(s2, v, w1);
              s3 = madd(s3, v, w0);
            } else {
              s1 = madd(s1, v, w1);
            }
            v = v128.load((at += pixel)); // x4
            s0 = madd(s0, v, w4);
            if (stride == 1) {
              s1 = madd(s1, v, w3);
              s2 = madd(s2, v, w2);
              s3 = madd(s3, v, w1);
            } else {
              s1 = madd(s1, v, w2);
              s2 = madd(s2, v, w0);
            }
            if (never(line)) break;
            v = v128.load((at += pixel)); // x5
            if (stride == 1) {
              s1 = madd(s1, v, w4);
              s2 = madd(s2, v, w3);
              s3 = madd(s3, v, w2);
            } else {
              s1 = madd(s1, v, w3);
              s2 = madd(s2, v, w1);
            }
            v = v128.load((at += pixel)); // x6
            if (stride == 1) {
              s2 = madd(s2, v, w4);
              s3 = madd(s3, v, w3);
            } else {
              s1 = madd(s1, v, w4);
              s2 = madd(s2, v, w2);
              s3 = madd(s3, v, w0);
            }
            v = v128.load((at += pixel)); // x7
            if (stride == 1) {
              s3 = madd(s3, v, w4);
            } else {
              s2 = madd(s2, v, w3);
              s3 = madd(s3, v, w1);
              if (never(filter)) break;
              v = v128.load((at += pixel)); // x8
              s2 = madd(s2, v, w4);
              s3 = madd(s3, v, w2);
              v = v128.load((at += pixel)); // x9
              s3 = madd(s3, v, w3);
              v = v128.load((at += pixel)); // x10
              s3 = madd(s3, v, w4);
            }
          }
        }
        if (p.epilogue == HARD_SWISH) store4x4(HARD_SWISH, pixel, output, s0, s1, s2, s3, low, high);
        else store4x4(CLAMP, pixel, output, s0, s1, s2, s3, low, high);
      }
    }
  }
}

export function f32_depthwise_3x3s1(p: Arguments, from: usize, to: usize): void {
  depthwise4(3, 1, p, from, to);
}

export function f32_depthwise_3x3s2(p: Arguments, from: usize, to: usize): void {
  depthwise4(3, 2, p, from, to);
}

export function f32_depthwise_5x5s1(p: Arguments, from: usize, to: usize): void {
  depthwise4(5, 1, p, from, to);
}

export function f32_depthwise_5x5s2(p: Arguments, from: usize, to: usize): void {
  depthwise4(5, 2, p, from, to);
}

/** Any kernel and stride, one pixel at a time: what the four above are not made for. */
export function f32_depthwise(p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 4;
  const low = f32x4.splat(p.low);
  const high = f32x4.splat(p.high);
  for (let row = from; row < to; row++) {
    for (let x: usize = 0; x < p.width; x++) {
      const input = p.input + row * p.strideHeight * p.inputRowStride + x * p.strideWidth * pixel;
      const output = p.output + row * p.outputRowStride + x * pixel;
      let filter = p.filter;
      for (let c: usize = 0; c < pixel; c += 16) {
        let sum = v128.load(p.bias + c);
        for (let ky: usize = 0; ky < p.kernelHeight; ky++) {
          let at = input + ky * p.inputRowStride + c;
          for (let kx: usize = 0; kx < p.kernelWidth; kx++, filter += 16, at += pixel) {
            sum = madd(sum, v128.load(at), v128.load(filter));
          }
        }
        v128.store(output + c, p.epilogue == HARD_SWISH ? hardSwish(sum) : clamp(sum, low, high));
      }
    }
  }
}
