import { Arguments } from '../arguments';
import { ANY, CLAMP, HARD_SWISH, RESIDUAL, dot, never } from '../arithmetic';
import { highest, lowest, narrow, requantize } from '../lanes/requantize';

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
  kind: usize, output: usize, c0: v128, c1: v128, s0: v128, s1: v128, g0: v128, g1: v128, other: usize,
  residualScale: v128, low: v128, high: v128,
): void {
  const q0 = requantize(kind, c0, s0, g0, other, residualScale, low);
  const q1 = requantize(kind, c1, s1, g1, other + 8, residualScale, low);
  v128.store(output, narrow(q0, q1, high));
}

// @ts-ignore: decorator
@inline
function store4x8(
  kind: usize, p: Arguments, n: usize,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const low = lowest(p);
  const high = highest(p);
  const residualScale = f32x4.splat(p.residualScale);
  const s0 = v128.load(p.scale + n * 2);
  const s1 = v128.load(p.scale + n * 2, 16);
  const g0 = kind == HARD_SWISH ? v128.load(p.gateScale + n * 2) : residualScale;
  const g1 = kind == HARD_SWISH ? v128.load(p.gateScale + n * 2, 16) : residualScale;
  store8(kind, o0 + n, c00, c01, s0, s1, g0, g1, r0 + n, residualScale, low, high);
  store8(kind, o1 + n, c10, c11, s0, s1, g0, g1, r1 + n, residualScale, low, high);
  store8(kind, o2 + n, c20, c21, s0, s1, g0, g1, r2 + n, residualScale, low, high);
  store8(kind, o3 + n, c30, c31, s0, s1, g0, g1, r3 + n, residualScale, low, high);
}

/** `pointwise`: one run, an even number of steps, perhaps a residual. Windows have several runs, any steps, no residual. */
// @ts-ignore: decorator
@inline
export function pairs_tile(
  kind: usize, pointwise: bool, p: Arguments, runs: usize, next: usize,
  a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize,
  r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const depth = <usize>p.run * 2;
  const endOfChannels = <usize>p.channels * 2;
  let filter = p.filter;
  let bias = p.bias;
  for (let n: usize = 0; n < endOfChannels; n += 16) {
    let c00 = v128.load(bias);
    let c01 = v128.load(bias, 16);
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
        if (pointwise ? never(filter) : a0 >= middle) break;

        b0 = v128.load(filter, 32);
        b1 = v128.load(filter, 48);
        a = v128.load_splat<i32>(a0, 4);
        c00 = dot(c00, a, b0);
        c01 = dot(c01, a, b1);
        a = v128.load_splat<i32>(a1, 4);
        c10 = dot(c10, a, b0);
        c11 = dot(c11, a, b1);
        a = v128.load_splat<i32>(a2, 4);
        c20 = dot(c20, a, b0);
        c21 = dot(c21, a, b1);
        a = v128.load_splat<i32>(a3, 4);
        c30 = dot(c30, a, b0);
        c31 = dot(c31, a, b1);

        filter += 64;
        a0 += 8;
        a1 += 8;
        a2 += 8;
        a3 += 8;
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
    const epilogue = kind == ANY ? p.epilogue : kind;
    if (epilogue == HARD_SWISH) {
      store4x8(HARD_SWISH, p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
    } else if (pointwise && epilogue == RESIDUAL) {
      store4x8(RESIDUAL, p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
    } else {
      store4x8(CLAMP, p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
    }
    bias += 32;
  }
}

/** The twin of the one in f32.ts; isNarrow: the filter is in int8. */
// @ts-ignore: decorator
@inline
function onePixel(isNarrow: bool, p: Arguments, input: usize, output: usize, other: usize, from: usize, to: usize): void {
  const depth = <usize>p.run * 2;
  const residualScale = f32x4.splat(p.residualScale);
  const low = lowest(p);
  const high = highest(p);
  const step: usize = isNarrow ? 16 : 32;
  let filter = p.filter + from * depth * (step / 4);
  for (let n = from * 16; n < to * 16; n += 16) {
    let a = input;
    let c0 = v128.load(p.bias + n * 2);
    let c1 = v128.load(p.bias + n * 2, 16);
    let d0 = i32x4.splat(0);
    let d1 = i32x4.splat(0);
    let e0 = i32x4.splat(0);
    let e1 = i32x4.splat(0);
    let f0 = i32x4.splat(0);
    let f1 = i32x4.splat(0);
    for (const end = a + depth; a < end; a += 16, filter += step * 4) {
      let x = v128.load_splat<i32>(a);
      c0 = dot(c0, x, isNarrow ? v128.load_ext<i8>(filter) : v128.load(filter));
      c1 = dot(c1, x, isNarrow ? v128.load_ext<i8>(filter, 8) : v128.load(filter, 16));
      x = v128.load_splat<i32>(a, 4);
      d0 = dot(d0, x, isNarrow ? v128.load_ext<i8>(filter, 16) : v128.load(filter, 32));
      d1 = dot(d1, x, isNarrow ? v128.load_ext<i8>(filter, 24) : v128.load(filter, 48));
      if (never(filter)) break;

      x = v128.load_splat<i32>(a, 8);
      e0 = dot(e0, x, isNarrow ? v128.load_ext<i8>(filter, 32) : v128.load(filter, 64));
      e1 = dot(e1, x, isNarrow ? v128.load_ext<i8>(filter, 40) : v128.load(filter, 80));
      x = v128.load_splat<i32>(a, 12);
      f0 = dot(f0, x, isNarrow ? v128.load_ext<i8>(filter, 48) : v128.load(filter, 96));
      f1 = dot(f1, x, isNarrow ? v128.load_ext<i8>(filter, 56) : v128.load(filter, 112));
    }
    c0 = i32x4.add(i32x4.add(c0, d0), i32x4.add(e0, f0));
    c1 = i32x4.add(i32x4.add(c1, d1), i32x4.add(e1, f1));
    const s0 = v128.load(p.scale + n * 2);
    const s1 = v128.load(p.scale + n * 2, 16);
    const g0 = v128.load(p.gateScale + n * 2);
    const g1 = v128.load(p.gateScale + n * 2, 16);
    if (p.epilogue == HARD_SWISH) store8(HARD_SWISH, output + n, c0, c1, s0, s1, g0, g1, 0, residualScale, low, high);
    else if (!isNarrow && p.epilogue == RESIDUAL) store8(RESIDUAL, output + n, c0, c1, s0, s1, g0, g1, other + n, residualScale, low, high);
    else store8(CLAMP, output + n, c0, c1, s0, s1, g0, g1, 0, residualScale, low, high);
  }
}

export function pairs_one(p: Arguments, input: usize, output: usize, other: usize): void {
  onePixel(false, p, input, output, other, 0, p.channels / 8);
}

/** The twin of f32_vector, its filter in int8: these layers read each weight once, so that its bytes count. */
export function pairs_vector(p: Arguments, from: usize, to: usize): void {
  onePixel(true, p, p.input, p.output, 0, from, to);
}
