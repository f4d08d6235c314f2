import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, RESIDUAL, dot } from '../arithmetic';
import { requantize } from '../requantize';

/*
 * The twin of f32.ts. Activations are i16 with their zero point already subtracted, filters are int8 widened to i16,
 * and one dot_i16x8_s multiplies two input channels at once:
 *
 *   filter, packed [channels / 8][inputChannels / 2][8][2]  c00 c01   <- pixel 0
 *   one step: 2 loads of filter, 4 splats of an input pair, c10 c11   <- pixel 1
 *   8 dots, 8 adds: 64 multiply-adds                        c20 c21   <- pixel 2
 *                                                           c30 c31   <- pixel 3
 *
 * i32 sums do not overflow: the packer refuses a filter for which they could.
 */

// @ts-ignore: decorator
@inline
function store8(
  kind: i32, output: usize, c0: v128, c1: v128, scale: usize, gateScale: usize, other: usize,
  alpha: v128, low: v128, high: v128,
): void {
  const q0 = requantize(kind, c0, scale, gateScale, other, alpha, low, high);
  const q1 = requantize(kind, c1, scale + 16, gateScale + 16, other + 8, alpha, low, high);
  v128.store(output, i16x8.narrow_i32x4_s(q0, q1));
}

// @ts-ignore: decorator
@inline
export function tile4(
  kind: i32, p: Arguments,
  a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize,
  r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const depth = <usize>p.inputChannels * 2;
  const endOfChannels = <usize>p.channels * 2;
  let filter = p.filter;
  let bias = p.bias;
  let scale = p.scale;
  let gateScale = p.otherScale;
  for (let n: usize = 0; n < endOfChannels; n += 16) {
    let c00 = v128.load(bias);
    let c01 = v128.load(bias, 16);
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
      let a = v128.load_splat<i32>(a0);
      c00 = dot(c00, a, b0);
      c01 = dot(c01, a, b1);
      a = v128.load_splat<i32>(a1);
      c10 = dot(c10, a, b0);
      c11 = dot(c11, a, b1);
      a = v128.load_splat<i32>(a2);
      c20 = dot(c20, a, b0);
      c21 = dot(c21, a, b1);
      a = v128.load_splat<i32>(a3);
      c30 = dot(c30, a, b0);
      c31 = dot(c31, a, b1);

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
    const alpha = f32x4.splat(p.alpha);
    store8(kind, o0 + n, c00, c01, scale, gateScale, r0 + n, alpha, low, high);
    store8(kind, o1 + n, c10, c11, scale, gateScale, r1 + n, alpha, low, high);
    store8(kind, o2 + n, c20, c21, scale, gateScale, r2 + n, alpha, low, high);
    store8(kind, o3 + n, c30, c31, scale, gateScale, r3 + n, alpha, low, high);
    bias += 32;
    scale += 32;
    gateScale += 32;
  }
}

/** A unit is four consecutive pixels; the last one may overlap its neighbour rather than be smaller. */
// @ts-ignore: decorator
@inline
function pointwise(kind: i32, p: Arguments, from: usize, to: usize): void {
  const width = p.width;
  const last = p.height * width - 4;
  const inputPixel = <usize>p.inputChannels * 2;
  const outputPixel = <usize>p.channels * 2;
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

export function q16_pointwise_4x8_clamp(p: Arguments, from: usize, to: usize): void {
  pointwise(CLAMP, p, from, to);
}

export function q16_pointwise_4x8_hard_swish(p: Arguments, from: usize, to: usize): void {
  pointwise(HARD_SWISH, p, from, to);
}

export function q16_pointwise_4x8_residual(p: Arguments, from: usize, to: usize): void {
  pointwise(RESIDUAL, p, from, to);
}

/** One pixel by eight channels, four sums a register pair to hide the adds' latency. */
// @ts-ignore: decorator
@inline
export function tile1(kind: i32, p: Arguments, a: usize, n: usize, output: usize, other: usize): void {
  const depth = <usize>p.inputChannels * 2;
  let filter = p.filter + n * p.inputChannels;
  let c0 = v128.load(p.bias + n * 2);
  let c1 = v128.load(p.bias + n * 2, 16);
  let d0 = i32x4.splat(0);
  let d1 = i32x4.splat(0);
  let e0 = i32x4.splat(0);
  let e1 = i32x4.splat(0);
  let f0 = i32x4.splat(0);
  let f1 = i32x4.splat(0);
  for (const end = a + depth; a < end; a += 16, filter += 128) {
    let x = v128.load_splat<i32>(a);
    c0 = dot(c0, x, v128.load(filter));
    c1 = dot(c1, x, v128.load(filter, 16));
    x = v128.load_splat<i32>(a, 4);
    d0 = dot(d0, x, v128.load(filter, 32));
    d1 = dot(d1, x, v128.load(filter, 48));
    x = v128.load_splat<i32>(a, 8);
    e0 = dot(e0, x, v128.load(filter, 64));
    e1 = dot(e1, x, v128.load(filter, 80));
    x = v128.load_splat<i32>(a, 12);
    f0 = dot(f0, x, v128.load(filter, 96));
    f1 = dot(f1, x, v128.load(filter, 112));
  }
  c0 = i32x4.add(i32x4.add(c0, d0), i32x4.add(e0, f0));
  c1 = i32x4.add(i32x4.add(c1, d1), i32x4.add(e1, f1));
  store8(
    kind, output + n, c0, c1, p.scale + n * 2, p.otherScale + n * 2, other + n,
    f32x4.splat(p.alpha), f32x4.splat(p.low), f32x4.splat(p.high),
  );
}

/** Matrix by vector, for layers of fewer than four pixels. A unit is eight output channels. */
// @ts-ignore: decorator
@inline
function vector(kind: i32, p: Arguments, from: usize, to: usize): void {
  for (let row: usize = 0; row < p.height; row++) {
    for (let x: usize = 0; x < p.width; x++) {
      const input = p.input + row * p.inputRowStride + x * p.inputChannels * 2;
      const output = p.output + row * p.outputRowStride + x * p.channels * 2;
      const other = kind == RESIDUAL ? p.other + row * p.otherRowStride + x * p.channels * 2 : 0;
      for (let unit = from; unit < to; unit++) tile1(kind, p, input, unit * 16, output, other);
    }
  }
}

export function q16_pointwise_1x8_clamp(p: Arguments, from: usize, to: usize): void {
  vector(CLAMP, p, from, to);
}

export function q16_pointwise_1x8_hard_swish(p: Arguments, from: usize, to: usize): void {
  vector(HARD_SWISH, p, from, to);
}

export function q16_pointwise_1x8_residual(p: Arguments, from: usize, to: usize): void {
  vector(RESIDUAL, p, from, to);
}
