import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, RESIDUAL, clamp, hardSwish, madd } from '../arithmetic';

/*
 * Four pixels by eight output channels, in registers:
 *
 *   filter, packed [channels / 8][inputChannels][8]      c00 c01   <- pixel 0
 *   one step: 2 loads of filter, 4 splats of input,      c10 c11   <- pixel 1
 *   8 multiply-adds                                      c20 c21   <- pixel 2
 *                                                        c30 c31   <- pixel 3
 */

// @ts-ignore: decorator
@inline
function epilogue(kind: i32, sum: v128, low: v128, high: v128, other: usize): v128 {
  if (kind == HARD_SWISH) return hardSwish(sum);
  if (kind == RESIDUAL) sum = f32x4.add(sum, v128.load(other));
  return clamp(sum, low, high);
}

// @ts-ignore: decorator
@inline
export function tile4(
  kind: i32, p: Arguments,
  a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize,
  r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const depth = <usize>p.inputChannels * 4;
  const endOfChannels = <usize>p.channels * 4;
  let filter = p.filter;
  const bias = p.bias;
  for (let n: usize = 0; n < endOfChannels; n += 32) {
    let c00 = v128.load(bias + n);
    let c01 = v128.load(bias + n, 16);
    let c10 = c00;
    let c11 = c01;
    let c20 = c00;
    let c21 = c01;
    let c30 = c00;
    let c31 = c01;
    const end = a0 + depth;
    do {
      const b0 = v128.load(filter);
      const b1 = v128.load(filter, 16);
      let a = v128.load_splat<f32>(a0);
      c00 = madd(c00, a, b0);
      c01 = madd(c01, a, b1);
      a = v128.load_splat<f32>(a1);
      c10 = madd(c10, a, b0);
      c11 = madd(c11, a, b1);
      a = v128.load_splat<f32>(a2);
      c20 = madd(c20, a, b0);
      c21 = madd(c21, a, b1);
      a = v128.load_splat<f32>(a3);
      c30 = madd(c30, a, b0);
      c31 = madd(c31, a, b1);

      filter += 32;
      a0 += 4;
      a1 += 4;
      a2 += 4;
      a3 += 4;
    } while (a0 < end);
    a0 -= depth;
    a1 -= depth;
    a2 -= depth;
    a3 -= depth;
    const low = f32x4.splat(p.low);
    const high = f32x4.splat(p.high);
    v128.store(o0 + n, epilogue(kind, c00, low, high, r0 + n));
    v128.store(o0 + n, epilogue(kind, c01, low, high, r0 + n + 16), 16);
    v128.store(o1 + n, epilogue(kind, c10, low, high, r1 + n));
    v128.store(o1 + n, epilogue(kind, c11, low, high, r1 + n + 16), 16);
    v128.store(o2 + n, epilogue(kind, c20, low, high, r2 + n));
    v128.store(o2 + n, epilogue(kind, c21, low, high, r2 + n + 16), 16);
    v128.store(o3 + n, epilogue(kind, c30, low, high, r3 + n));
    v128.store(o3 + n, epilogue(kind, c31, low, high, r3 + n + 16), 16);
  }
}

/** A unit is four consecutive pixels; the last one may overlap its neighbour rather than be smaller. */
// @ts-ignore: decorator
@inline
function pointwise(kind: i32, p: Arguments, from: usize, to: usize): void {
  const width = p.width;
  const last = p.height * width - 4;
  const inputPixel = <usize>p.inputChannels * 4;
  const outputPixel = <usize>p.channels * 4;
  const inputGap = p.inputRowStride - width * inputPixel;
  const outputGap = p.outputRowStride - width * outputPixel;
  const otherGap = kind == RESIDUAL ? p.otherRowStride - width * outputPixel : 0;
  for (let unit = from; unit < to; unit++) {
    const pixel = min(unit * 4, last);
    const row = pixel / width;
    let x = pixel - row * width;
    const a0 = p.input + row * p.inputRowStride + x * inputPixel;
    const o0 = p.output + row * p.outputRowStride + x * outputPixel;
    const r0 = kind == RESIDUAL ? p.other + row * p.otherRowStride + x * outputPixel : 0;
    // The next pixel is beside this one, or at the start of the next row.
    let wrap: usize = ++x == width ? 1 : 0;
    if (wrap) x = 0;
    const a1 = a0 + inputPixel + wrap * inputGap;
    const o1 = o0 + outputPixel + wrap * outputGap;
    const r1 = r0 + outputPixel + wrap * otherGap;
    wrap = ++x == width ? 1 : 0;
    if (wrap) x = 0;
    const a2 = a1 + inputPixel + wrap * inputGap;
    const o2 = o1 + outputPixel + wrap * outputGap;
    const r2 = r1 + outputPixel + wrap * otherGap;
    wrap = ++x == width ? 1 : 0;
    const a3 = a2 + inputPixel + wrap * inputGap;
    const o3 = o2 + outputPixel + wrap * outputGap;
    const r3 = r2 + outputPixel + wrap * otherGap;
    tile4(kind, p, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
  }
}

export function f32_pointwise_4x8_clamp(p: Arguments, from: usize, to: usize): void {
  pointwise(CLAMP, p, from, to);
}

export function f32_pointwise_4x8_hard_swish(p: Arguments, from: usize, to: usize): void {
  pointwise(HARD_SWISH, p, from, to);
}

export function f32_pointwise_4x8_residual(p: Arguments, from: usize, to: usize): void {
  pointwise(RESIDUAL, p, from, to);
}

/** One pixel by eight channels: two sums a register pair, over even and odd inputs, to hide the adds' latency. */
// @ts-ignore: decorator
@inline
export function tile1(kind: i32, p: Arguments, a: usize, n: usize, output: usize, other: usize): void {
  const depth = <usize>p.inputChannels * 4;
  let filter = p.filter + n * p.inputChannels;
  let c0 = v128.load(p.bias + n);
  let c1 = v128.load(p.bias + n, 16);
  let d0 = f32x4.splat(0);
  let d1 = f32x4.splat(0);
  let e0 = f32x4.splat(0);
  let e1 = f32x4.splat(0);
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  for (const end = a + depth; a < end; a += 16, filter += 128) {
    let x = v128.load_splat<f32>(a);
    c0 = madd(c0, x, v128.load(filter));
    c1 = madd(c1, x, v128.load(filter, 16));
    x = v128.load_splat<f32>(a, 4);
    d0 = madd(d0, x, v128.load(filter, 32));
    d1 = madd(d1, x, v128.load(filter, 48));
    x = v128.load_splat<f32>(a, 8);
    e0 = madd(e0, x, v128.load(filter, 64));
    e1 = madd(e1, x, v128.load(filter, 80));
    x = v128.load_splat<f32>(a, 12);
    f0 = madd(f0, x, v128.load(filter, 96));
    f1 = madd(f1, x, v128.load(filter, 112));
  }
  c0 = f32x4.add(f32x4.add(c0, d0), f32x4.add(e0, f0));
  c1 = f32x4.add(f32x4.add(c1, d1), f32x4.add(e1, f1));
  const low = f32x4.splat(p.low);
  const high = f32x4.splat(p.high);
  v128.store(output + n, epilogue(kind, c0, low, high, other + n));
  v128.store(output + n, epilogue(kind, c1, low, high, other + n + 16), 16);
}

/** Matrix by vector, for layers of fewer than four pixels. A unit is eight output channels. */
// @ts-ignore: decorator
@inline
function vector(kind: i32, p: Arguments, from: usize, to: usize): void {
  for (let row: usize = 0; row < p.height; row++) {
    for (let x: usize = 0; x < p.width; x++) {
      const input = p.input + row * p.inputRowStride + x * p.inputChannels * 4;
      const output = p.output + row * p.outputRowStride + x * p.channels * 4;
      const other = kind == RESIDUAL ? p.other + row * p.otherRowStride + x * p.channels * 4 : 0;
      for (let unit = from; unit < to; unit++) tile1(kind, p, input, unit * 32, output, other);
    }
  }
}

export function f32_pointwise_1x8_clamp(p: Arguments, from: usize, to: usize): void {
  vector(CLAMP, p, from, to);
}

export function f32_pointwise_1x8_hard_swish(p: Arguments, from: usize, to: usize): void {
  vector(HARD_SWISH, p, from, to);
}

export function f32_pointwise_1x8_residual(p: Arguments, from: usize, to: usize): void {
  vector(RESIDUAL, p, from, to);
}
