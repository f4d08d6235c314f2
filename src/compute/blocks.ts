import type { ConvNode } from '../graph/graph.js';

/**
 * The order in which filters lie for tiles of sixteen output channels: for each sixteen of them, the last eight of an odd number
 * of eights alone, for each group of input values of the window, the channels' values.
 *
 * @param inputStored channels of an input pixel in memory
 * @param run values of a window's row in memory
 * @param depth values of a whole window in memory, a multiple of `group`
 * @param stored output channels in memory, a multiple of 8
 */
export function packSixteens(
  target: Float32Array | Int16Array | Int8Array,
  source: Float32Array | Int16Array | Int8Array,
  { kernel, inputChannels, channels }: ConvNode,
  layout: {
    readonly inputStored: number;
    readonly run: number;
    readonly group: number;
    readonly stored: number;
    readonly depth?: number;
  },
  factor: number,
  offset: number,
): void {
  const [height, width] = kernel;
  const { inputStored, run, group, stored, depth = height * run } = layout;
  const whole = stored & ~15;
  for (let tap = 0, from = 0; tap < height * width; tap++) {
    const first = Math.floor(tap / width) * run + (tap % width) * inputStored;
    for (let i = 0; i < inputChannels; i++) {
      const k = first + i;
      const rest = k % group;
      for (let n = 0; n < channels; n++, from++) {
        const block = n < whole ? 16 : 8;
        const to = (n & ~15) * depth + (k - rest) * block + (n % block) * group + rest;
        target[to] = (source[from] as number) * factor + offset;
      }
    }
  }
}
