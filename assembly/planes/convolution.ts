import { Arguments } from '../arguments';
import { gatherWindows } from '../window';
import { planes_tile } from './pointwise';

/*
 * A window of any size as one pixel: its rows are laid side by side, so that a dot takes four values of it whatever they are. Of
 * the last dot, what lies behind the window meets zeros of the filter.
 *
 *   scratch  windows of four output pixels, i16 [4][p.run], p.run = kernelHeight x kernelWidth x inputChannels, padded to 8;
 *            then the panel of pointwise.ts
 */

/** A window's rows, sixteen bytes at a time: what is written beyond a row is overwritten by what comes next. */
// @ts-ignore: decorator
@inline
function copyWindow(p: Arguments, source: usize, target: usize, row: usize): void {
  for (let ky: usize = 0; ky < p.kernelHeight; ky++, source += p.inputRowStride, target += row) {
    for (let i: usize = 0; i < row; i += 16) v128.store(target + i, v128.load(source + i));
  }
}

// @ts-ignore: decorator
@inline
function convolution(planes: i32, p: Arguments, from: usize, to: usize, thread: usize): void {
  const window = <usize>p.run * 2;
  const scratch = p.scratch + thread * p.scratchBytes;
  const panel = scratch + window * 4 + 64;
  const row = <usize>p.kernelWidth * p.inputChannels * 2;
  const pixel = <usize>p.channels * 2;
  const step = <usize>p.strideWidth * p.inputChannels * 2;
  const last = p.width - 1;
  for (let y = from; y < to; y++) {
    const output = p.output + y * p.outputRowStride;
    const top = <i32>(y * p.strideHeight) - <i32>p.padTop;
    const inRows = top >= 0 && top + <i32>p.kernelHeight <= <i32>p.inputHeight;
    const line = p.input + <usize>top * p.inputRowStride;
    for (let x: usize = 0; x < p.width; x += 4) {
      const left = <i32>(x * p.strideWidth) - <i32>p.padLeft;
      const right = <i32>(min(x + 3, last) * p.strideWidth) - <i32>p.padLeft + <i32>p.kernelWidth;
      const x1 = min(x + 1, last);
      const x2 = min(x + 2, last);
      const x3 = min(x + 3, last);
      let stride = window;
      if (inRows && left >= 0 && right <= <i32>p.inputWidth) {
        const a0 = line + <usize>left * p.inputChannels * 2;
        copyWindow(p, a0, scratch, row);
        copyWindow(p, a0 + (x1 - x) * step, scratch + window, row);
        copyWindow(p, a0 + (x2 - x) * step, scratch + window * 2, row);
        copyWindow(p, a0 + (x3 - x) * step, scratch + window * 3, row);
      } else {
        gatherWindows<i16>(p, row / 2, y, x, scratch);
        stride = row * p.kernelHeight;
      }
      planes_tile(
        planes, p, panel, scratch, scratch + stride, scratch + stride * 2, scratch + stride * 3,
        output + x * pixel, output + x1 * pixel, output + x2 * pixel, output + x3 * pixel, 0, 0, 0, 0,
      );
    }
  }
}

export function planes_convolution(p: Arguments, from: usize, to: usize, thread: usize): void {
  convolution(2, p, from, to, thread);
}

export function plane_convolution(p: Arguments, from: usize, to: usize, thread: usize): void {
  convolution(1, p, from, to, thread);
}
