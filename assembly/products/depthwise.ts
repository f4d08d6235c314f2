import { Arguments } from '../arguments';
import { storeFour, storeOne } from '../lanes/ends';
import { high, low } from './pointwise';

/*
 * f32/depthwise.ts on lanes: four neighbouring output pixels of eight channels in registers, a row of the window at a time, every
 * product added as it comes. Each column of the row is loaded once, for all outputs that it is part of.
 *
 *   filter, i16, packed [channels / 8][kernelHeight * kernelWidth][8]
 *
 * The input has its halo, so that no pixel is a special case. A unit is one output row.
 */

// @ts-ignore: decorator
@inline
function tile(size: usize, stride: usize, p: Arguments, input: usize, output: usize): void {
  const pixel = <usize>p.channels * 2;
  const rowStride = p.inputRowStride;
  let filter = p.filter;
  for (let c: usize = 0; c < pixel; c += 16) {
    let s0 = v128.load(p.bias + c * 2), t0 = v128.load(p.bias + c * 2, 16);
    let s1 = s0, t1 = t0, s2 = s0, t2 = t0, s3 = s0, t3 = t0;
    let line = input + c;
    for (const end = line + size * rowStride; line < end; line += rowStride, filter += size * 16) {
      let at = line;
      const w0 = v128.load(filter), w1 = v128.load(filter, 16), w2 = v128.load(filter, 32);
      let v: v128;
      if (size == 3 && stride == 1) {
        v = v128.load(at);
        s0 = low(s0, v, w0); t0 = high(t0, v, w0);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w1); t0 = high(t0, v, w1); s1 = low(s1, v, w0); t1 = high(t1, v, w0);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w2); t0 = high(t0, v, w2); s1 = low(s1, v, w1); t1 = high(t1, v, w1);
        s2 = low(s2, v, w0); t2 = high(t2, v, w0);
        v = v128.load((at += pixel));
        s1 = low(s1, v, w2); t1 = high(t1, v, w2); s2 = low(s2, v, w1); t2 = high(t2, v, w1);
        s3 = low(s3, v, w0); t3 = high(t3, v, w0);
        v = v128.load((at += pixel));
        s2 = low(s2, v, w2); t2 = high(t2, v, w2); s3 = low(s3, v, w1); t3 = high(t3, v, w1);
        v = v128.load((at += pixel));
        s3 = low(s3, v, w2); t3 = high(t3, v, w2);
      } else if (size == 3) {
        v = v128.load(at);
        s0 = low(s0, v, w0); t0 = high(t0, v, w0);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w1); t0 = high(t0, v, w1);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w2); t0 = high(t0, v, w2); s1 = low(s1, v, w0); t1 = high(t1, v, w0);
        v = v128.load((at += pixel));
        s1 = low(s1, v, w1); t1 = high(t1, v, w1);
        v = v128.load((at += pixel));
        s1 = low(s1, v, w2); t1 = high(t1, v, w2); s2 = low(s2, v, w0); t2 = high(t2, v, w0);
        v = v128.load((at += pixel));
        s2 = low(s2, v, w1); t2 = high(t2, v, w1);
        v = v128.load((at += pixel));
        s2 = low(s2, v, w2); t2 = high(t2, v, w2); s3 = low(s3, v, w0); t3 = high(t3, v, w0);
        v = v128.load((at += pixel));
        s3 = low(s3, v, w1); t3 = high(t3, v, w1);
        v = v128.load((at += pixel));
        s3 = low(s3, v, w2); t3 = high(t3, v, w2);
      } else if (stride == 1) {
        const w3 = v128.load(filter, 48), w4 = v128.load(filter, 64);
        v = v128.load(at);
        s0 = low(s0, v, w0); t0 = high(t0, v, w0);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w1); t0 = high(t0, v, w1); s1 = low(s1, v, w0); t1 = high(t1, v, w0);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w2); t0 = high(t0, v, w2); s1 = low(s1, v, w1); t1 = high(t1, v, w1);
        s2 = low(s2, v, w0); t2 = high(t2, v, w0);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w3); t0 = high(t0, v, w3); s1 = low(s1, v, w2); t1 = high(t1, v, w2);
        s2 = low(s2, v, w1); t2 = high(t2, v, w1); s3 = low(s3, v, w0); t3 = high(t3, v, w0);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w4); t0 = high(t0, v, w4); s1 = low(s1, v, w3); t1 = high(t1, v, w3);
        s2 = low(s2, v, w2); t2 = high(t2, v, w2); s3 = low(s3, v, w1); t3 = high(t3, v, w1);
        v = v128.load((at += pixel));
        s1 = low(s1, v, w4); t1 = high(t1, v, w4); s2 = low(s2, v, w3); t2 = high(t2, v, w3);
        s3 = low(s3, v, w2); t3 = high(t3, v, w2);
        v = v128.load((at += pixel));
        s2 = low(s2, v, w4); t2 = high(t2, v, w4); s3 = low(s3, v, w3); t3 = high(t3, v, w3);
        v = v128.load((at += pixel));
        s3 = low(s3, v, w4); t3 = high(t3, v, w4);
      } else {
        const w3 = v128.load(filter, 48), w4 = v128.load(filter, 64);
        v = v128.load(at);
        s0 = low(s0, v, w0); t0 = high(t0, v, w0);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w1); t0 = high(t0, v, w1);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w2); t0 = high(t0, v, w2); s1 = low(s1, v, w0); t1 = high(t1, v, w0);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w3); t0 = high(t0, v, w3); s1 = low(s1, v, w1); t1 = high(t1, v, w1);
        v = v128.load((at += pixel));
        s0 = low(s0, v, w4); t0 = high(t0, v, w4); s1 = low(s1, v, w2); t1 = high(t1, v, w2);
        s2 = low(s2, v, w0); t2 = high(t2, v, w0);
        v = v128.load((at += pixel));
        s1 = low(s1, v, w3); t1 = high(t1, v, w3); s2 = low(s2, v, w1); t2 = high(t2, v, w1);
        v = v128.load((at += pixel));
        s1 = low(s1, v, w4); t1 = high(t1, v, w4); s2 = low(s2, v, w2); t2 = high(t2, v, w2);
        s3 = low(s3, v, w0); t3 = high(t3, v, w0);
        v = v128.load((at += pixel));
        s2 = low(s2, v, w3); t2 = high(t2, v, w3); s3 = low(s3, v, w1); t3 = high(t3, v, w1);
        v = v128.load((at += pixel));
        s2 = low(s2, v, w4); t2 = high(t2, v, w4); s3 = low(s3, v, w2); t3 = high(t3, v, w2);
        v = v128.load((at += pixel));
        s3 = low(s3, v, w3); t3 = high(t3, v, w3);
        v = v128.load((at += pixel));
        s3 = low(s3, v, w4); t3 = high(t3, v, w4);
      }
    }
    const o1 = output + pixel, o2 = o1 + pixel, o3 = o2 + pixel;
    storeFour(p, c, s0, t0, s1, t1, s2, t2, s3, t3, output, o1, o2, o3, 0, 0, 0, 0);
  }
}

// @ts-ignore: decorator
@inline
function rows(size: usize, stride: usize, p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 2;
  for (let row = from; row < to; row++) {
    const input = p.input + row * stride * p.inputRowStride;
    const output = p.output + row * p.outputRowStride;
    for (let at: usize = 0; at < p.width; at += 4) {
      const x = <usize>min(at, p.width - 4);
      tile(size, stride, p, input + x * stride * pixel, output + x * pixel);
    }
  }
}

export function products_depthwise_3x3s1(p: Arguments, from: usize, to: usize): void {
  rows(3, 1, p, from, to);
}

export function products_depthwise_3x3s2(p: Arguments, from: usize, to: usize): void {
  rows(3, 2, p, from, to);
}

export function products_depthwise_5x5s1(p: Arguments, from: usize, to: usize): void {
  rows(5, 1, p, from, to);
}

export function products_depthwise_5x5s2(p: Arguments, from: usize, to: usize): void {
  rows(5, 2, p, from, to);
}

/** Any kernel and stride, one pixel at a time: what the four above are not made for. */
export function products_depthwise(p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 2;
  for (let row = from; row < to; row++) {
    for (let x: usize = 0; x < p.width; x++) {
      const input = p.input + row * p.strideHeight * p.inputRowStride + x * p.strideWidth * pixel;
      const output = p.output + row * p.outputRowStride + x * pixel;
      let filter = p.filter;
      for (let c: usize = 0; c < pixel; c += 16) {
        let s = v128.load(p.bias + c * 2), t = v128.load(p.bias + c * 2, 16);
        for (let ky: usize = 0; ky < p.kernelHeight; ky++) {
          let at = input + ky * p.inputRowStride + c;
          for (let kx: usize = 0; kx < p.kernelWidth; kx++, filter += 16, at += pixel) {
            const v = v128.load(at), w = v128.load(filter);
            s = low(s, v, w);
            t = high(t, v, w);
          }
        }
        storeOne(p, c, s, t, output, 0);
      }
    }
  }
}
