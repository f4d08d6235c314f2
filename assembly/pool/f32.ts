import { Arguments } from '../arguments';

/** The mean over all pixels. A unit is four channels; a row is summed before the rows are, for the rounding's sake. */
export function f32_global_average_pool(p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 4;
  const factor = f32x4.splat(p.alpha);
  for (let unit = from; unit < to; unit++) {
    let sum = f32x4.splat(0);
    for (let row: usize = 0; row < p.inputHeight; row++) {
      let at = p.input + row * p.inputRowStride + unit * 16;
      let rowSum = f32x4.splat(0);
      for (let x: usize = 0; x < p.inputWidth; x++, at += pixel) rowSum = f32x4.add(rowSum, v128.load(at));
      sum = f32x4.add(sum, rowSum);
    }
    v128.store(p.output + unit * 16, f32x4.mul(sum, factor));
  }
}
