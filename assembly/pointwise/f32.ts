import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, RESIDUAL, clamp, hardSwish, madd, never } from '../arithmetic';

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
  kind: i32, even: bool, p: Arguments, runs: usize, next: usize,
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
    for (let run: usize = 0; run < runs; run++) {
      const end = a0 + depth;
      const middle = end - 4;
      do {
        let b0 = v128.load(filter);
        let b1 = v128.load(filter, 16);
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
        if (even ? never(filter) : a0 >= middle) break;

        b0 = v128.load(filter, 32);
        b1 = v128.load(filter, 48);
        a = v128.load_splat<f32>(a0, 4);
        c00 = madd(c00, a, b0);
        c01 = madd(c01, a, b1);
        a = v128.load_splat<f32>(a1, 4);
        c10 = madd(c10, a, b0);
        c11 = madd(c11, a, b1);
        a = v128.load_splat<f32>(a2, 4);
        c20 = madd(c20, a, b0);
        c21 = madd(c21, a, b1);
        a = v128.load_splat<f32>(a3, 4);
        c30 = madd(c30, a, b0);
        c31 = madd(c31, a, b1);

        filter += 64;
        a0 += 8;
        a1 += 8;
        a2 += 8;
        a3 += 8;
      } while (a0 < end);
      // After an odd number of steps, one is left to count.
      const rest: usize = even ? 0 : end - a0;
      const gap: usize = even ? 0 - depth : rest + next - depth;
      filter += rest * 8;
      a0 += gap;
      a1 += gap;
      a2 += gap;
      a3 += gap;
    }
    if (!even) {
      const back = runs * next;
      a0 -= back;
      a1 -= back;
      a2 -= back;
      a3 -= back;
    }
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

/** A unit is four consecutive pixels; beyond the last one, it repeats. */
// @ts-ignore: decorator
@inline
function pointwise(kind: i32, p: Arguments, from: usize, to: usize): void {
  const width = p.width;
  const pixels = p.height * width;
  const inputPixel = <usize>p.inputChannels * 4;
  const outputPixel = <usize>p.channels * 4;
  const inputGap = p.inputRowStride - width * inputPixel;
  const outputGap = p.outputRowStride - width * outputPixel;
  const otherGap = kind == RESIDUAL ? p.otherRowStride - width * outputPixel : 0;
  for (let unit = from; unit < to; unit++) {
    const pixel = unit * 4;
    const row = pixel / width;
    let x = pixel - row * width;
    const a0 = p.input + row * p.inputRowStride + x * inputPixel;
    const o0 = p.output + row * p.outputRowStride + x * outputPixel;
    const r0 = kind == RESIDUAL ? p.other + row * p.otherRowStride + x * outputPixel : 0;
    let a1 = a0;
    let o1 = o0;
    let r1 = r0;
    // The next pixel is beside this one, or at the start of the next row.
    if (pixel + 1 < pixels) {
      const wrap: usize = ++x == width ? 1 : 0;
      if (wrap) x = 0;
      a1 += inputPixel + wrap * inputGap;
      o1 += outputPixel + wrap * outputGap;
      r1 += outputPixel + wrap * otherGap;
    }
    let a2 = a1;
    let o2 = o1;
    let r2 = r1;
    if (pixel + 2 < pixels) {
      const wrap: usize = ++x == width ? 1 : 0;
      if (wrap) x = 0;
      a2 += inputPixel + wrap * inputGap;
      o2 += outputPixel + wrap * outputGap;
      r2 += outputPixel + wrap * otherGap;
    }
    let a3 = a2;
    let o3 = o2;
    let r3 = r2;
    if (pixel + 3 < pixels) {
      const wrap: usize = ++x == width ? 1 : 0;
      a3 += inputPixel + wrap * inputGap;
      o3 += outputPixel + wrap * outputGap;
      r3 += outputPixel + wrap * otherGap;
    }
    tile4(kind, true, p, 1, 0, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
  }
}

export function f32_pointwise_clamp(p: Arguments, from: usize, to: usize): void {
  pointwise(CLAMP, p, from, to);
}

export function f32_pointwise_hard_swish(p: Arguments, from: usize, to: usize): void {
  pointwise(HARD_SWISH, p, from, to);
}

export function f32_pointwise_residual(p: Arguments, from: usize, to: usize): void {
  pointwise(RESIDUAL, p, from, to);
}

/** One pixel by eight channels: four sums a register pair to hide the adds' latency. */
// @ts-ignore: decorator
@inline
function vector(kind: i32, p: Arguments, from: usize, to: usize): void {
  const depth = <usize>p.inputChannels * 4;
  const low = f32x4.splat(p.low);
  const high = f32x4.splat(p.high);
  let filter = p.filter + from * depth * 8;
  for (let n = from * 32; n < to * 32; n += 32) {
    let a = p.input;
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
      if (never(filter)) break;

      x = v128.load_splat<f32>(a, 8);
      e0 = madd(e0, x, v128.load(filter, 64));
      e1 = madd(e1, x, v128.load(filter, 80));
      x = v128.load_splat<f32>(a, 12);
      f0 = madd(f0, x, v128.load(filter, 96));
      f1 = madd(f1, x, v128.load(filter, 112));
    }
    c0 = f32x4.add(f32x4.add(c0, d0), f32x4.add(e0, f0));
    c1 = f32x4.add(f32x4.add(c1, d1), f32x4.add(e1, f1));
    v128.store(p.output + n, epilogue(kind, c0, low, high, 0));
    v128.store(p.output + n, epilogue(kind, c1, low, high, 0), 16);
  }
}

/** Matrix by vector, for the layers behind the pool. A unit is eight output channels. */
export function f32_vector_clamp(p: Arguments, from: usize, to: usize): void {
  vector(CLAMP, p, from, to);
}

export function f32_vector_hard_swish(p: Arguments, from: usize, to: usize): void {
  vector(HARD_SWISH, p, from, to);
}
