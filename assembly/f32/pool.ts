import { Arguments } from '../arguments';

/** The mean over all pixels. A unit is eight channels; a row is summed before the rows are, for the rounding's sake. */
export function f32_global_average_pool(p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 4;
  const factor = f32x4.splat(p.factor);
  for (let unit = from; unit < to; unit++) {
    let sum0 = f32x4.splat(0);
    let sum1 = sum0;
    for (let row: usize = 0; row < p.inputHeight; row++) {
      let at = p.input + row * p.inputRowStride + unit * 32;
      let row0 = f32x4.splat(0);
      let row1 = row0;
      for (let x: usize = 0; x < p.inputWidth; x++, at += pixel) {
        row0 = f32x4.add(row0, v128.load(at));
        row1 = f32x4.add(row1, v128.load(at, 16));
      }
      sum0 = f32x4.add(sum0, row0);
      sum1 = f32x4.add(sum1, row1);
    }
    v128.store(p.output + unit * 32, f32x4.mul(sum0, factor));
    v128.store(p.output + unit * 32, f32x4.mul(sum1, factor), 16);
  }
}
