import { Arguments } from './arguments';
import { CLAMP, HARD_SWISH, RESIDUAL } from './arithmetic';
import { f32_one, f32_tile, f32_wide_one } from './f32/pointwise';
import { wide_tile } from './f32/wide';
import { pairs_one, pairs_tile } from './pairs/pointwise';
import { planes_one, planes_tile } from './planes/pointwise';
import { products_one, products_tile } from './products/pointwise';

/*
 * Pointwise convolutions, whatever their numbers and the way to compute them: which four pixels come next, and where they lie. A
 * way's own file has its tile, four pixels by all output channels, and its single pixel.
 */

// The ways, to an inlined function: what is not the way's own falls away.
const F32: i32 = 0;
const WIDE: i32 = 1;
const PAIRS: i32 = 2;
const PRODUCTS: i32 = 3;
const PLANE: i32 = 4;
const PLANES: i32 = 5;

// @ts-ignore: decorator
@inline
function one(way: i32, p: Arguments, scratch: usize, a: usize, o: usize, r: usize): void {
  if (way == F32) f32_one(p, a, o, r, 0, p.channels / 8);
  else if (way == WIDE) f32_wide_one(p, a, o, r);
  else if (way == PAIRS) pairs_one(p, a, o, r);
  else if (way == PRODUCTS) products_one(false, p, a, o, r, 0, p.channels / 8);
  else planes_one(way == PLANES ? 2 : 1, p, scratch, a, o, r, 0, p.channels / 8);
}

// @ts-ignore: decorator
@inline
function tile(
  way: i32, kind: usize, p: Arguments, scratch: usize, a0: usize, a1: usize, a2: usize, a3: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, r0: usize, r1: usize, r2: usize, r3: usize,
): void {
  if (way == F32) f32_tile(true, p, 1, 0, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
  else if (way == WIDE) wide_tile(p, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
  else if (way == PAIRS) pairs_tile(kind, true, p, 1, 0, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
  else if (way == PRODUCTS) products_tile(true, p, 1, 0, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
  else planes_tile(way == PLANES ? 2 : 1, p, scratch, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
}

/** A unit is four consecutive pixels; beyond the last one, it repeats, but for a single one: 7x7 is 12 fours and one. */
// @ts-ignore: decorator
@inline
function pointwise(way: i32, kind: usize, p: Arguments, from: usize, to: usize, thread: usize): void {
  const bytes: usize = way == F32 || way == WIDE ? 4 : 2;
  const width = p.width;
  const pixels = p.height * width;
  const inputPixel = <usize>p.inputChannels * bytes;
  const outputPixel = <usize>p.channels * bytes;
  const inputGap = p.inputRowStride - width * inputPixel;
  const outputGap = p.outputRowStride - width * outputPixel;
  const otherGap = p.otherRowStride - width * outputPixel;
  const scratch = p.scratch + thread * p.scratchBytes;
  const first = from * 4;
  const row = first / width;
  let x = first - row * width;
  let a = p.input + row * p.inputRowStride + x * inputPixel;
  let o = p.output + row * p.outputRowStride + x * outputPixel;
  let r = p.other + row * p.otherRowStride + x * outputPixel;
  for (let unit = from; unit < to; unit++) {
    const left = pixels - unit * 4;
    const a0 = a, o0 = o, r0 = r;
    if (left == 1) {
      one(way, p, scratch, a0, o0, r0);
      break;
    }
    // The next pixel is beside this one, or at the start of the next row.
    a += inputPixel, o += outputPixel, r += outputPixel;
    if (++x == width) x = 0, a += inputGap, o += outputGap, r += otherGap;
    const a1 = a, o1 = o, r1 = r;
    a += inputPixel, o += outputPixel, r += outputPixel;
    if (++x == width) x = 0, a += inputGap, o += outputGap, r += otherGap;
    const a2 = left > 2 ? a : a1, o2 = left > 2 ? o : o1, r2 = left > 2 ? r : r1;
    a += inputPixel, o += outputPixel, r += outputPixel;
    if (++x == width) x = 0, a += inputGap, o += outputGap, r += otherGap;
    const a3 = left > 3 ? a : a2, o3 = left > 3 ? o : o2, r3 = left > 3 ? r : r2;
    a += inputPixel, o += outputPixel, r += outputPixel;
    if (++x == width) x = 0, a += inputGap, o += outputGap, r += otherGap;
    tile(way, kind, p, scratch, a0, a1, a2, a3, o0, o1, o2, o3, r0, r1, r2, r3);
  }
}

export function f32_pointwise(p: Arguments, from: usize, to: usize, thread: usize): void {
  pointwise(F32, CLAMP, p, from, to, thread);
}

export function f32_wide_pointwise(p: Arguments, from: usize, to: usize, thread: usize): void {
  pointwise(WIDE, CLAMP, p, from, to, thread);
}

/** A copy for each epilogue: on x86 most of the time is spent here, and this one is worth its bytes. */
export function pairs_pointwise(p: Arguments, from: usize, to: usize, thread: usize): void {
  if (p.epilogue == HARD_SWISH) pointwise(PAIRS, HARD_SWISH, p, from, to, thread);
  else if (p.epilogue == RESIDUAL) pointwise(PAIRS, RESIDUAL, p, from, to, thread);
  else pointwise(PAIRS, CLAMP, p, from, to, thread);
}

export function products_pointwise(p: Arguments, from: usize, to: usize, thread: usize): void {
  pointwise(PRODUCTS, CLAMP, p, from, to, thread);
}

/** Lanes of 16 bits. */
export function planes_pointwise(p: Arguments, from: usize, to: usize, thread: usize): void {
  pointwise(PLANES, CLAMP, p, from, to, thread);
}

/** Lanes of 8 bits. */
export function plane_pointwise(p: Arguments, from: usize, to: usize, thread: usize): void {
  pointwise(PLANE, CLAMP, p, from, to, thread);
}

/** Matrix by vector. A unit is eight output channels. */
export function planes_vector(p: Arguments, from: usize, to: usize, thread: usize): void {
  planes_one(2, p, p.scratch + thread * p.scratchBytes, p.input, p.output, 0, from, to);
}

export function plane_vector(p: Arguments, from: usize, to: usize, thread: usize): void {
  planes_one(1, p, p.scratch + thread * p.scratchBytes, p.input, p.output, 0, from, to);
}
