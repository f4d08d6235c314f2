import { Arguments } from './arguments';

/**
 * The windows of four output pixels that reach over the image's edge, side by side:
 *
 *   scratch [4][kernelHeight][inputChannels], a row being kernelWidth x sourceChannels values and, at an odd number of i16,
 *   one more that meets a zero of the filter
 *
 * @param run values of a window's row
 * @param row y of the output pixels
 * @param column x of the first of them; those beyond the last one repeat it
 */
export function gatherWindows<T>(p: Arguments, run: usize, row: usize, column: usize, scratch: usize): void {
  const channels = <i32>p.inputChannels;
  const top = <i32>(row * p.strideHeight) - <i32>p.padTop;
  for (let i: usize = 0; i < 4; i++) {
    const left = <i32>(min(column + i, p.width - 1) * p.strideWidth) - <i32>p.padLeft;
    for (let ky = 0; ky < <i32>p.kernelHeight; ky++) {
      const y = top + ky;
      const line = p.input + <usize>y * p.inputRowStride;
      // Values of the line that the window's row has; not memory.copy, whose call costs more than so few values.
      const from = left * channels;
      const inside = y >= 0 && y < <i32>p.inputHeight ? <i32>p.inputWidth * channels : 0;
      for (let k = from; k < from + <i32>run; k++, scratch += sizeof<T>()) {
        store<T>(scratch, k >= 0 && k < inside ? load<T>(line + <usize>k * sizeof<T>()) : <T>0);
      }
    }
  }
}
