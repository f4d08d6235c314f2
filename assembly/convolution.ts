import { Arguments } from './arguments';
import { ANY } from './arithmetic';
import { f32_tile } from './f32/pointwise';
import { pairs_tile } from './pairs/pointwise';
import { products_tile } from './products/pointwise';
import { gatherWindows } from './window';

/**
 * Any kernel, stride, padding and channel count: the stem, and what is left. The row of a window is one run of values
 * in memory, so that a convolution is a pointwise one over kernelHeight runs. Windows that reach over the edge are
 * gathered first. A unit is one output row.
 *
 * T is the element: f32, or i16 for lanes. In pairs, a run of an odd number of values reads one more, which meets a zero of the
 * filter.
 */
// @ts-ignore: decorator
@inline
function convolution<T>(inPairs: bool, p: Arguments, from: usize, to: usize, thread: usize): void {
  const scratch = p.scratch + thread * p.scratchBytes;
  const window = p.scratchBytes / 4;
  const run = <usize>p.run * sizeof<T>();
  const pixel = <usize>p.channels * sizeof<T>();
  const step = <usize>p.strideWidth * p.inputChannels * sizeof<T>();
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
        a0 = line + <usize>left * p.inputChannels * sizeof<T>();
        a1 = a0 + (x1 - x) * step;
        a2 = a0 + (x2 - x) * step;
        a3 = a0 + (x3 - x) * step;
        next = p.inputRowStride;
      } else {
        gatherWindows<T>(p, p.run, row, x, scratch);
      }
      const o0 = output + x * pixel;
      const o1 = output + x1 * pixel;
      const o2 = output + x2 * pixel;
      const o3 = output + x3 * pixel;
      const runs = p.kernelHeight;
      if (isFloat<T>()) f32_tile(false, p, runs, next, a0, a1, a2, a3, o0, o1, o2, o3, 0, 0, 0, 0);
      else if (inPairs) pairs_tile(ANY, false, p, runs, next, a0, a1, a2, a3, o0, o1, o2, o3, 0, 0, 0, 0);
      else products_tile(false, p, runs, next, a0, a1, a2, a3, o0, o1, o2, o3, 0, 0, 0, 0);
    }
  }
}

export function f32_convolution(p: Arguments, from: usize, to: usize, thread: usize): void {
  convolution<f32>(false, p, from, to, thread);
}

export function pairs_convolution(p: Arguments, from: usize, to: usize, thread: usize): void {
  convolution<i16>(true, p, from, to, thread);
}

export function products_convolution(p: Arguments, from: usize, to: usize, thread: usize): void {
  convolution<i16>(false, p, from, to, thread);
}
