import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, dot } from '../arithmetic';
import { highest, lowest, narrow, requantize } from '../lanes/requantize';

/*
 * The twin of f32.ts. Two lines of the input are interleaved, so that one dot_i16x8_s multiplies two taps, one above
 * the other, of four channels:
 *
 *   line 0:  a0 a1 a2 a3        pair:  a0 b0 a1 b1 a2 b2 a3 b3   . dot .   filter pair:  u0 v0 u1 v1 u2 v2 u3 v3
 *   line 1:  b0 b1 b2 b3
 *
 *   filter, packed [channels / 4][ceil(kernelHeight / 2)][kernelWidth][4][2], i16; an odd last tap pairs with zero
 *
 * A 3x3 kernel goes along the row, its filter in registers, each column read once for all outputs that it is part of. A
 * 5x5 filter has no room there: four neighbouring output pixels are, and the filter comes by. A unit is one output row.
 * The line under the last, paired with zeros, is read: the planner leaves a row behind every halo.
 */

// @ts-ignore: decorator
@inline
export function pair(at: usize, rowStride: usize): v128 {
  return v128.shuffle<i16>(v128.load_zero<u64>(at), v128.load_zero<u64>(at + rowStride), 0, 8, 1, 9, 2, 10, 3, 11);
}

/** The last line of an odd number, paired with zeros. */
// @ts-ignore: decorator
@inline
export function single(at: usize): v128 {
  return v128.load_ext<u16>(at);
}

// @ts-ignore: decorator
@inline
function store4(kind: usize, output: usize, sum: v128, scale: v128, gateScale: v128, low: v128, high: v128): void {
  const q = requantize(kind, sum, scale, gateScale, 0, low, low);
  v128.store_lane<i64>(output, narrow(q, q, high), 0);
}

/** Any kernel and stride, one pixel at a time: what the four above are not made for. */
export function pairs_depthwise(p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 2;
  const low = lowest(p);
  const high = highest(p);
  for (let row = from; row < to; row++) {
    for (let x: usize = 0; x < p.width; x++) {
      const input = p.input + row * p.strideHeight * p.inputRowStride + x * p.strideWidth * pixel;
      const output = p.output + row * p.outputRowStride + x * pixel;
      let filter = p.filter;
      for (let c: usize = 0; c < pixel; c += 8) {
        let sum = v128.load(p.bias + c * 2);
        for (let ky: usize = 0; ky < p.kernelHeight; ky += 2) {
          let at = input + ky * p.inputRowStride + c;
          for (let kx: usize = 0; kx < p.kernelWidth; kx++, filter += 16, at += pixel) {
            sum = dot(sum, pair(at, p.inputRowStride), v128.load(filter));
          }
        }
        const scale = v128.load(p.scale + c * 2);
        const gateScale = v128.load(p.gateScale + c * 2);
        if (p.epilogue == HARD_SWISH) store4(HARD_SWISH, output + c, sum, scale, gateScale, low, high);
        else store4(CLAMP, output + c, sum, scale, gateScale, low, high);
      }
    }
  }
}
