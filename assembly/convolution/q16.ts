import { Arguments } from '../arguments';
import { ANY } from '../arithmetic';
import { tile4 } from '../pointwise/q16';
import { gatherWindows } from './window';

/** The twin of f32.ts. A run of an odd number of values reads one more, which meets a zero of the filter. */
export function q16_convolution(p: Arguments, from: usize, to: usize, thread: usize): void {
  const scratch = p.scratch + thread * p.scratchBytes;
  const window = p.scratchBytes / 4;
  const run = <usize>p.inputChannels * 2;
  const pixel = <usize>p.channels * 2;
  const step = <usize>p.strideWidth * p.sourceChannels * 2;
  const last = p.width - 1;
  for (let row = from; row < to; row++) {
    const output = p.output + row * p.outputRowStride;
    const top = <i32>(row * p.strideHeight) - <i32>p.padTop;
    const inRows = top >= 0 && top + <i32>p.kernelHeight <= <i32>p.inputHeight;
    const line = p.input + <usize>top * p.inputRowStride;
    for (let x: usize = 0; x < p.width; x += 4) {
      const left = <i32>(x * p.strideWidth) - <i32>p.padLeft;
      const right = <i32>(min(x + 3, last) * p.strideWidth) - <i32>p.padLeft + <i32>p.kernelWidth;
      const x1 = min(x + 1, last);
      const x2 = min(x + 2, last);
      const x3 = min(x + 3, last);
      let a0 = scratch;
      let a1 = a0 + window;
      let a2 = a1 + window;
      let a3 = a2 + window;
      let next = run;
      if (inRows && left >= 0 && right <= <i32>p.inputWidth) {
        a0 = line + <usize>left * p.sourceChannels * 2;
        a1 = a0 + (x1 - x) * step;
        a2 = a0 + (x2 - x) * step;
        a3 = a0 + (x3 - x) * step;
        next = p.inputRowStride;
      } else {
        gatherWindows<i16>(p, row, x, scratch);
      }
      tile4(
        ANY, false, p, p.kernelHeight, next,
        a0, a1, a2, a3,
        output + x * pixel, output + x1 * pixel, output + x2 * pixel, output + x3 * pixel,
        0, 0, 0, 0,
      );
    }
  }
}
