import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH } from '../arithmetic';
import { tile1, tile4 } from '../pointwise/f32';
import { gatherWindows } from './window';

/** Any kernel, stride, padding and channel count: the stem, and what is left. A unit is one output row. */
// @ts-ignore: decorator
@inline
function convolution(kind: i32, p: Arguments, from: usize, to: usize, thread: usize): void {
  const scratch = p.scratch + thread * p.scratchBytes;
  const window = <usize>p.inputChannels * 4;
  const pixel = <usize>p.channels * 4;
  for (let row = from; row < to; row++) {
    gatherWindows<f32>(p, row, scratch);
    const output = p.output + row * p.outputRowStride;
    if (p.width < 4) {
      for (let x: usize = 0; x < p.width; x++) {
        for (let n: usize = 0; n < pixel; n += 32) tile1(kind, p, scratch + x * window, n, output + x * pixel, 0);
      }
      continue;
    }
    for (let at: usize = 0; at < p.width; at += 4) {
      const x = <usize>min(at, p.width - 4);
      const a = scratch + x * window;
      const o = output + x * pixel;
      tile4(
        kind, p,
        a, a + window, a + 2 * window, a + 3 * window,
        o, o + pixel, o + 2 * pixel, o + 3 * pixel,
        0, 0, 0, 0,
      );
    }
  }
}

export function f32_convolution_clamp(p: Arguments, from: usize, to: usize, thread: usize): void {
  convolution(CLAMP, p, from, to, thread);
}

export function f32_convolution_hard_swish(p: Arguments, from: usize, to: usize, thread: usize): void {
  convolution(HARD_SWISH, p, from, to, thread);
}
