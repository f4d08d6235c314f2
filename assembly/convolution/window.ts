import { Arguments } from '../arguments';

/**
 * The windows of four output pixels that reach over the image's edge, side by side:
 *
 *   scratch [4][kernelHeight][inputChannels], a row being kernelWidth x sourceChannels values and, at an odd number of i16,
 *   one more that meets a zero of the filter
 *
 * @param row y of the output pixels
 * @param column x of the first of them; those beyond the last one repeat it
 */
export function gatherWindows<T>(p: Arguments, row: usize, column: usize, scratch: usize): void {
  const pixel = <usize>p.sourceChannels * sizeof<T>();
  const run = <usize>p.inputChannels * sizeof<T>();
  const top = <i32>(row * p.strideHeight) - <i32>p.padTop;
  for (let i: usize = 0; i < 4; i++) {
    const left = <i32>(min(column + i, p.width - 1) * p.strideWidth) - <i32>p.padLeft;
    for (let ky: usize = 0; ky < p.kernelHeight; ky++, scratch += run) {
      const y = top + <i32>ky;
      const from = max(left, 0);
      const to = min(left + <i32>p.kernelWidth, <i32>p.inputWidth);
      memory.fill(scratch, 0, run);
      if (y < 0 || y >= <i32>p.inputHeight || to <= from) continue;
      const source = p.input + <usize>y * p.inputRowStride + <usize>from * pixel;
      memory.copy(scratch + <usize>(from - left) * pixel, source, <usize>(to - from) * pixel);
    }
  }
}
