import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, RESIDUAL, loadF32FromI16 } from '../arithmetic';

/*
 * requantize.ts for arm64: the same steps, hence the same bits, in the instructions that are cheap there. Sums are rounded by
 * adding 1.5 * 2^23, clamped as integers on both sides, and left as they are: the even i16 lanes of two registers are the result
 * (one UZP1, where x86 packs). Constants come from memory, since V8 makes those of the code anew at every use.
 */

// @ts-ignore: decorator
@inline
function rounder(p: Arguments): v128 {
  return v128.load_splat<f32>(changetype<usize>(p), offsetof<Arguments>('rounder'));
}

// @ts-ignore: decorator
@inline
function lowest(p: Arguments): v128 {
  return v128.load_splat<f32>(changetype<usize>(p), offsetof<Arguments>('lowest'));
}

// @ts-ignore: decorator
@inline
function highest(p: Arguments): v128 {
  return v128.load_splat<f32>(changetype<usize>(p), offsetof<Arguments>('highest'));
}

/** Four sums to their rounded bits. `half` is scale / 2, for h-swish. */
// @ts-ignore: decorator
@inline
function bits(
  kind: usize, sum: v128, scale: v128, gateScale: v128, half: v128, other: usize, residualScale: v128, round: v128,
): v128 {
  const x = f32x4.convert_i32x4_s(sum);
  let y: v128;
  if (kind == HARD_SWISH) {
    const gate = f32x4.add(f32x4.mul(x, gateScale), half);
    y = f32x4.mul(x, i32x4.min_s(i32x4.max_s(gate, i32x4.splat(0)), scale));
  } else {
    y = f32x4.mul(x, scale);
  }
  if (kind == RESIDUAL) y = f32x4.add(y, f32x4.mul(loadF32FromI16(other), residualScale));
  return f32x4.add(y, round);
}

/** Eight sums of one pixel, as i16. */
// @ts-ignore: decorator
@inline
function eight(
  kind: usize, c0: v128, c1: v128, scale: usize, s1: v128, g0: v128, g1: v128, h0: v128, h1: v128,
  other: usize, residualScale: v128, low: v128, high: v128, round: v128,
): v128 {
  const s0 = v128.load(scale);
  const q0 = i32x4.min_s(i32x4.max_s(bits(kind, c0, s0, g0, h0, other, residualScale, round), low), high);
  const q1 = i32x4.min_s(i32x4.max_s(bits(kind, c1, s1, g1, h1, other + 8, residualScale, round), low), high);
  return v128.shuffle<i16>(q0, q1, 0, 2, 4, 6, 8, 10, 12, 14);
}

/** All four are computed before the first is stored: V8 ends a block at each store on arm64, to compare the address. */
// @ts-ignore: decorator
@inline
function four(
  kind: usize, p: Arguments, n: usize,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  const low = lowest(p);
  const high = highest(p);
  const round = rounder(p);
  const residual = kind == RESIDUAL ? f32x4.splat(p.residualScale) : low;
  const scale = p.scale + n * 2;
  const s1 = v128.load(scale, 16);
  const g0 = kind == HARD_SWISH ? v128.load(p.gateScale + n * 2) : low;
  const g1 = kind == HARD_SWISH ? v128.load(p.gateScale + n * 2, 16) : low;
  const h0 = kind == HARD_SWISH ? f32x4.mul(v128.load(scale), f32x4.splat(0.5)) : low;
  const h1 = kind == HARD_SWISH ? f32x4.mul(s1, f32x4.splat(0.5)) : low;
  const q0 = eight(kind, c00, c01, scale, s1, g0, g1, h0, h1, r0 + n, residual, low, high, round);
  const q1 = eight(kind, c10, c11, scale, s1, g0, g1, h0, h1, r1 + n, residual, low, high, round);
  const q2 = eight(kind, c20, c21, scale, s1, g0, g1, h0, h1, r2 + n, residual, low, high, round);
  const q3 = eight(kind, c30, c31, scale, s1, g0, g1, h0, h1, r3 + n, residual, low, high, round);
  v128.store(o0 + n, q0);
  v128.store(o1 + n, q1);
  v128.store(o2 + n, q2);
  v128.store(o3 + n, q3);
}

/** Eight channels, from byte n of the outputs on, of four pixels. It asks for the epilogue: a copy of a tile for each costs more. */
// @ts-ignore: decorator
@inline
export function storeFour(
  p: Arguments, n: usize,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  if (p.epilogue == HARD_SWISH) four(HARD_SWISH, p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
  else if (p.epilogue == RESIDUAL) four(RESIDUAL, p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
  else four(CLAMP, p, n, c00, c01, c10, c11, c20, c21, c30, c31, o0, o1, o2, o3, r0, r1, r2, r3);
}

/** The same of one pixel, with any epilogue. */
// @ts-ignore: decorator
@inline
export function storeOne(p: Arguments, n: usize, c0: v128, c1: v128, output: usize, other: usize): void {
  const low = lowest(p);
  const high = highest(p);
  const round = rounder(p);
  const residual = f32x4.splat(p.residualScale);
  const scale = p.scale + n * 2;
  const s1 = v128.load(scale, 16);
  let q: v128;
  if (p.epilogue == HARD_SWISH) {
    const g0 = v128.load(p.gateScale + n * 2);
    const g1 = v128.load(p.gateScale + n * 2, 16);
    const h0 = f32x4.mul(v128.load(scale), f32x4.splat(0.5));
    const h1 = f32x4.mul(s1, f32x4.splat(0.5));
    q = eight(HARD_SWISH, c0, c1, scale, s1, g0, g1, h0, h1, 0, residual, low, high, round);
  } else if (p.epilogue == RESIDUAL) {
    q = eight(RESIDUAL, c0, c1, scale, s1, low, low, low, low, other + n, residual, low, high, round);
  } else {
    q = eight(CLAMP, c0, c1, scale, s1, low, low, low, low, 0, residual, low, high, round);
  }
  v128.store(output + n, q);
}
