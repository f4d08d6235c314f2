import type { ConvNode } from '../graph/graph.js';
import { CHANNEL_BLOCK } from './convolution.js';

/**
 * The order in which a dense filter lies in memory: for each block of 8 output channels, for each input value of the
 * window in groups of `group`, the 8 channels' values. Plain loops: all weights pass here before the first inference, by
 * code that no compiler has seen yet.
 *
 * @param inputStored channels of an input pixel in memory
 * @param run values of a window's row in memory
 */
export function packDense<T extends Float32Array | Int16Array>(
  target: T,
  source: Float32Array | Int8Array | Int16Array,
  { kernel, inputChannels, channels }: ConvNode,
  { inputStored, run, group }: { readonly inputStored: number; readonly run: number; readonly group: number },
  factor: number,
  offset: number,
): void {
  const [height, width] = kernel;
  const block = CHANNEL_BLOCK * height * run;
  for (let tap = 0, from = 0; tap < height * width; tap++) {
    const first = Math.floor(tap / width) * run + (tap % width) * inputStored;
    for (let i = 0; i < inputChannels; i++) {
      const k = first + i;
      const rest = k % group;
      let to = (k - rest) * CHANNEL_BLOCK + rest;
      for (let n = 0; n < channels; n += CHANNEL_BLOCK, to += block) {
        const end = Math.min(CHANNEL_BLOCK, channels - n);
        for (let j = 0; j < end; j++, from++) target[to + j * group] = (source[from] as number) * factor + offset;
      }
    }
  }
}
