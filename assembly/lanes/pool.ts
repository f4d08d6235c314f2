import { Arguments } from '../arguments';
import { roundFrom } from '../arithmetic';
import { highest, lowest, narrow } from './requantize';

/** The mean over all pixels: exact i32 sums, then one scale. A unit is eight channels. */
export function lanes_global_average_pool(p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 2;
  const low = lowest(p);
  const high = highest(p);
  for (let unit = from; unit < to; unit++) {
    let sum0 = i32x4.splat(0);
    let sum1 = sum0;
    for (let row: usize = 0; row < p.inputHeight; row++) {
      let at = p.input + row * p.inputRowStride + unit * 16;
      for (let x: usize = 0; x < p.inputWidth; x++, at += pixel) {
        sum0 = i32x4.add(sum0, v128.load_ext<i16>(at));
        sum1 = i32x4.add(sum1, v128.load_ext<i16>(at, 8));
      }
    }
    const y0 = f32x4.mul(f32x4.convert_i32x4_s(sum0), v128.load(p.scale + unit * 32));
    const y1 = f32x4.mul(f32x4.convert_i32x4_s(sum1), v128.load(p.scale + unit * 32, 16));
    v128.store(p.output + unit * 16, narrow(roundFrom(y0, low), roundFrom(y1, low), high));
  }
}
