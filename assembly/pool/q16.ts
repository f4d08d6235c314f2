import { Arguments } from '../arguments';
import { clamp, round, storeI16 } from '../arithmetic';

/** The mean over all pixels: exact i32 sums, then one scale. A unit is four channels. */
export function q16_global_average_pool(p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 2;
  for (let unit = from; unit < to; unit++) {
    let sum = i32x4.splat(0);
    for (let row: usize = 0; row < p.inputHeight; row++) {
      let at = p.input + row * p.inputRowStride + unit * 8;
      for (let x: usize = 0; x < p.inputWidth; x++, at += pixel) sum = i32x4.add(sum, v128.load_ext<i16>(at));
    }
    const y = f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load(p.scale + unit * 16));
    storeI16(p.output + unit * 8, round(clamp(y, f32x4.splat(p.low), f32x4.splat(p.high))));
  }
}
