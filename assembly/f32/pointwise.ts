import { Arguments } from '../arguments';
import { HARD_SWISH, RESIDUAL, clamp, hardSwish, madd, never } from '../arithmetic';

/*
 * Four pixels by eight output channels, in registers:
 *
 *   filter, packed [channels / 8][inputChannels][8]      c00 c01   <- pixel 0
 *   one step: 2 loads of filter, 4 splats of input,      c10 c11   <- pixel 1
 *   8 multiply-adds                                      c20 c21   <- pixel 2
 *                                                        c30 c31   <- pixel 3
 */

// A function a kind of epilogue: where one had the kind as a parameter, Binaryen merged the three and asked at every pixel.

// @ts-ignore: decorator
@inline
function storeHardSwish(output: usize, c0: v128, c1: v128): void {
  v128.store(output, hardSwish(c0));
  v128.store(output, hardSwish(c1), 16);
}

// @ts-ignore: decorator
@inline
function storeClamped(output: usize, c0: v128, c1: v128, low: v128, high: v128): void {
  v128.store(output, clamp(c0, low, high));
  v128.store(output, clamp(c1, low, high), 16);
}

// @ts-ignore: decorator
@inline
function storeSum(output: usize, c0: v128, c1: v128, other: usize, low: v128, high: v128): void {
  storeClamped(output, f32x4.add(c0, v128.load(other)), f32x4.add(c1, v128.load(other, 16)), low, high);
}

/** `pointwise`: one run, a multiple of eight steps, perhaps a residual. Windows have several runs, any steps, no residual. */
// @ts-ignore: decorator
@inline
export function f32_tile(
  pointwise: bool, p: Arguments, runs: usize, next: usize,
  a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize,
  r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const depth = <usize>p.run * 4;
  const endOfChannels = <usize>p.channels * 4;
  const steps: usize = pointwise ? 8 : 2;
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
    let run: usize = 0;
    do {
      const end = a0 + depth;
      const middle = end - 4;
      do {
        let b0 = v128.load(filter);
        let b1 = v128.load(filter, 16);
        let a = v128.load_splat<f32>(a0); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
        a = v128.load_splat<f32>(a1); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
        a = v128.load_splat<f32>(a2); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
        a = v128.load_splat<f32>(a3); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
        if (pointwise ? never(filter + 32) : a0 >= middle) break;
        b0 = v128.load(filter, 32);
        b1 = v128.load(filter, 48);
        a = v128.load_splat<f32>(a0, 4); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
        a = v128.load_splat<f32>(a1, 4); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
        a = v128.load_splat<f32>(a2, 4); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
        a = v128.load_splat<f32>(a3, 4); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
        if (pointwise) {
          // V8 asks in every round whether to stop: eight steps instead of two are 2 to 3 % faster. Written out, since an inline
          // function cannot return eight sums, and a loop would be that round.
          if (never(filter + 64)) break;
          b0 = v128.load(filter, 64);
          b1 = v128.load(filter, 80);
          a = v128.load_splat<f32>(a0, 8); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
          a = v128.load_splat<f32>(a1, 8); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
          a = v128.load_splat<f32>(a2, 8); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
          a = v128.load_splat<f32>(a3, 8); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
          if (never(filter + 96)) break;
          b0 = v128.load(filter, 96);
          b1 = v128.load(filter, 112);
          a = v128.load_splat<f32>(a0, 12); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
          a = v128.load_splat<f32>(a1, 12); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
          a = v128.load_splat<f32>(a2, 12); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
          a = v128.load_splat<f32>(a3, 12); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
          if (never(filter + 128)) break;
          b0 = v128.load(filter, 128);
          b1 = v128.load(filter, 144);
          a = v128.load_splat<f32>(a0, 16); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
          a = v128.load_splat<f32>(a1, 16); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
          a = v128.load_splat<f32>(a2, 16); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
          a = v128.load_splat<f32>(a3, 16); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
          if (never(filter + 160)) break;
          b0 = v128.load(filter, 160);
          b1 = v128.load(filter, 176);
          a = v128.load_splat<f32>(a0, 20); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
          a = v128.load_splat<f32>(a1, 20); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
          a = v128.load_splat<f32>(a2, 20); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
          a = v128.load_splat<f32>(a3, 20); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
          if (never(filter + 192)) break;
          b0 = v128.load(filter, 192);
          b1 = v128.load(filter, 208);
          a = v128.load_splat<f32>(a0, 24); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
          a = v128.load_splat<f32>(a1, 24); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
          a = v128.load_splat<f32>(a2, 24); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
          a = v128.load_splat<f32>(a3, 24); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
          if (never(filter + 224)) break;
          b0 = v128.load(filter, 224);
          b1 = v128.load(filter, 240);
          a = v128.load_splat<f32>(a0, 28); c00 = madd(c00, a, b0); c01 = madd(c01, a, b1);
          a = v128.load_splat<f32>(a1, 28); c10 = madd(c10, a, b0); c11 = madd(c11, a, b1);
          a = v128.load_splat<f32>(a2, 28); c20 = madd(c20, a, b0); c21 = madd(c21, a, b1);
          a = v128.load_splat<f32>(a3, 28); c30 = madd(c30, a, b0); c31 = madd(c31, a, b1);
        }
        filter += steps * 32;
        a0 += steps * 4;
        a1 += steps * 4;
        a2 += steps * 4;
        a3 += steps * 4;
      } while (a0 < end);
      // After an odd number of steps, one is left to count.
      const rest: usize = pointwise ? 0 : end - a0;
      const gap: usize = pointwise ? 0 - depth : rest + next - depth;
      filter += rest * 8;
      a0 += gap;
      a1 += gap;
      a2 += gap;
      a3 += gap;
    } while (!pointwise && ++run < runs);
    if (!pointwise) {
      const back = runs * next;
      a0 -= back;
      a1 -= back;
      a2 -= back;
      a3 -= back;
    }
    const low = f32x4.splat(p.low);
    const high = f32x4.splat(p.high);
    if (p.epilogue == HARD_SWISH) {
      storeHardSwish(o0 + n, c00, c01);
      storeHardSwish(o1 + n, c10, c11);
      storeHardSwish(o2 + n, c20, c21);
      storeHardSwish(o3 + n, c30, c31);
    } else if (pointwise && p.epilogue == RESIDUAL) {
      storeSum(o0 + n, c00, c01, r0 + n, low, high);
      storeSum(o1 + n, c10, c11, r1 + n, low, high);
      storeSum(o2 + n, c20, c21, r2 + n, low, high);
      storeSum(o3 + n, c30, c31, r3 + n, low, high);
    } else {
      storeClamped(o0 + n, c00, c01, low, high);
      storeClamped(o1 + n, c10, c11, low, high);
      storeClamped(o2 + n, c20, c21, low, high);
      storeClamped(o3 + n, c30, c31, low, high);
    }
  }
}

/** One pixel by eight output channels, from byte n of the output on; four sums a register pair hide the adds' latency. */
// @ts-ignore: decorator
@inline
function eight(step: usize, p: Arguments, n: usize, filter: usize, input: usize, output: usize, other: usize): void {
  const low = f32x4.splat(p.low);
  const high = f32x4.splat(p.high);
  let a = input;
  let c0 = v128.load(p.bias + n);
  let c1 = v128.load(p.bias + n, 16);
  let d0 = f32x4.splat(0);
  let d1 = f32x4.splat(0);
  let e0 = f32x4.splat(0);
  let e1 = f32x4.splat(0);
  let f0 = f32x4.splat(0);
  let f1 = f32x4.splat(0);
  for (const end = a + <usize>p.run * 4; a < end; a += 16, filter += step * 4) {
    let x = v128.load_splat<f32>(a);
    c0 = madd(c0, x, v128.load(filter));
    c1 = madd(c1, x, v128.load(filter, 16));
    x = v128.load_splat<f32>(a, 4);
    d0 = madd(d0, x, v128.load(filter + step));
    d1 = madd(d1, x, v128.load(filter + step, 16));
    if (never(filter)) break;

    x = v128.load_splat<f32>(a, 8);
    e0 = madd(e0, x, v128.load(filter + step * 2));
    e1 = madd(e1, x, v128.load(filter + step * 2, 16));
    x = v128.load_splat<f32>(a, 12);
    f0 = madd(f0, x, v128.load(filter + step * 3));
    f1 = madd(f1, x, v128.load(filter + step * 3, 16));
  }
  c0 = f32x4.add(f32x4.add(c0, d0), f32x4.add(e0, f0));
  c1 = f32x4.add(f32x4.add(c1, d1), f32x4.add(e1, f1));
  if (p.epilogue == HARD_SWISH) storeHardSwish(output + n, c0, c1);
  else if (p.epilogue == RESIDUAL) storeSum(output + n, c0, c1, other + n, low, high);
  else storeClamped(output + n, c0, c1, low, high);
}

/** One pixel by eights of output channels, `from` to `to`. */
export function f32_one(p: Arguments, input: usize, output: usize, other: usize, from: usize, to: usize): void {
  const block = <usize>p.run * 32;
  let filter = p.filter + from * block;
  for (let n = from * 32; n < to * 32; n += 32, filter += block) eight(32, p, n, filter, input, output, other);
}

function wideEight(step: usize, p: Arguments, n: usize, filter: usize, input: usize, output: usize, other: usize): void {
  eight(step, p, n, filter, input, output, other);
}

/** The same of a filter that is packed as wide.ts has it. */
export function f32_wide_one(p: Arguments, input: usize, output: usize, other: usize): void {
  const block = <usize>p.run * 64;
  const bytes = <usize>p.channels * 4;
  let filter = p.filter;
  let n: usize = 0;
  for (; n + 64 <= bytes; n += 64, filter += block) {
    wideEight(64, p, n, filter, input, output, other);
    wideEight(64, p, n + 32, filter + 32, input, output, other);
  }
  if (n < bytes) wideEight(32, p, n, filter, input, output, other);
}

/** Matrix by vector, for the layers behind the pool. A unit is eight output channels. */
export function f32_vector(p: Arguments, from: usize, to: usize): void {
  f32_one(p, p.input, p.output, 0, from, to);
}
