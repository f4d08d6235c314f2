import { Arguments } from '../arguments';

/**
 * The windows of one output row, side by side, as the rows of a matrix (im2col):
 *
 *   scratch [width][inputChannels], a row being kernelHeight x kernelWidth x sourceChannels values, then zeros
 *
 * T is the element: f32, or i16 for the quantized twin.
 */
export function gatherWindows<T>(p: Arguments, row: usize, scratch: usize): void {
  const pixel = <usize>p.sourceChannels * sizeof<T>();
  const window = <usize>p.inputChannels * sizeof<T>();
  const run = <usize>p.kernelWidth * pixel;
  const used = p.kernelHeight * run;
  const top = <i32>(row * p.strideHeight) - <i32>p.padTop;
  for (let x: usize = 0; x < p.width; x++) {
    const left = <i32>(x * p.strideWidth) - <i32>p.padLeft;
    const right = left + <i32>p.kernelWidth;
    const inside = left >= 0 && right <= <i32>p.inputWidth;
    let target = scratch;
    for (let ky: usize = 0; ky < p.kernelHeight; ky++, target += run) {
      const y = top + <i32>ky;
      if (y < 0 || y >= <i32>p.inputHeight) {
        memory.fill(target, 0, run);
        continue;
      }
      const source = p.input + <usize>y * p.inputRowStride + <usize>left * pixel;
      if (inside) {
        // Whole vectors: what lands beyond the run is overwritten by the next one, or by the zeros at the end.
        for (let i: usize = 0; i < run; i += 16) v128.store(target + i, v128.load(source + i));
      } else {
        for (let kx: usize = 0; kx < p.kernelWidth; kx++) {
          const column = left + <i32>kx;
          const outside = column < 0 || column >= <i32>p.inputWidth;
          for (let i: usize = kx * pixel; i < (kx + 1) * pixel; i += sizeof<T>()) {
            store<T>(target + i, outside ? <T>0 : load<T>(source + i));
          }
        }
      }
    }
    for (let i: usize = used; i < window; i += 16) v128.store(scratch + i, i32x4.splat(0));
    scratch += window;
  }
}
