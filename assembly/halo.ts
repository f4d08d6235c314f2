import { Arguments } from './arguments';

/**
 * Zeros around an image, for whoever reads over its edge: padTop rows above, what padLeft and the row stride leave
 * beside each row, and rowsBelow rows below. A unit is the whole of it.
 */
export function clear_halo(p: Arguments, from: usize, to: usize): void {
  const row = <usize>p.width * p.pixelBytes;
  const left = p.padLeft * p.pixelBytes;
  const gap = p.outputRowStride - row;
  let at = p.output - p.padTop * p.outputRowStride - left;
  const above = p.padTop * p.outputRowStride + left;
  memory.fill(at, 0, above);
  at += above + row;
  for (let y: usize = 1; y < p.height; y++, at += p.outputRowStride) {
    // A pixel of the image is less work than the call.
    if (gap < 16) for (let i: usize = 0; i < gap; i += 2) store<u16>(at + i, 0);
    else memory.fill(at, 0, gap);
  }
  memory.fill(at, 0, gap - left + p.rowsBelow * p.outputRowStride);
}
