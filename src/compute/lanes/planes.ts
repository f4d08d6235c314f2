import { Kernel } from '../../engine/kernel.js';
import type { Machine } from '../../engine/machine.js';
import { isDepthwise } from '../../graph/graph.js';
import { checkSums, largestSafeLane } from '../../graph/sums.js';
import { packSixteens } from '../blocks.js';
import { CHANNEL_BLOCK, type ConvKernels, isPointwise, isVector, padChannels } from '../convolution.js';
import { PRODUCTS_KERNELS } from './products.js';
import type { Way } from './way.js';

/** Lanes of 16 bits lie in two planes of bytes, lanes of 8 in one. */
const TWO: ConvKernels = {
  ...PRODUCTS_KERNELS,
  pointwise: Kernel.planes_pointwise,
  vector: Kernel.planes_vector,
  convolution: Kernel.planes_convolution,
};
const ONE: ConvKernels = {
  ...PRODUCTS_KERNELS,
  pointwise: Kernel.plane_pointwise,
  vector: Kernel.plane_vector,
  convolution: Kernel.plane_convolution,
};

/**
 * Four products of bytes at a time, i32x4.relaxed_dot_i8x16_i7x16_add_s: SDOT on arm64, VPDPBUSD on x86. Filters are bytes.
 *
 * @param rest the way for what has no four values to a dot: depthwise convolutions, and filters beyond a byte
 */
export const planesBy = (dot: NonNullable<Machine['dot']>, rest: Way): Way => ({
  name: 'planes',
  pack(engine, node, weights, source, input, bias) {
    const isBytes = weights.filter.every((w) => Math.abs(w - weights.zeroPoint) <= 127);
    if (isDepthwise(node) || !isBytes) {
      return rest.pack(engine, node, weights, source, input, bias);
    }
    checkSums(node, largestSafeLane(node, weights), input);
    const stored = padChannels(node.channels);
    const [height, width] = node.kernel;
    const row = width * source.channels;
    const run = Math.ceil((height * row) / 8) * 8;
    const size = run * stored;
    const filter = engine.allocate(size);
    const target = new Int8Array(engine.memory.buffer, filter, size).fill(0);
    packSixteens(
      target,
      weights.filter,
      node,
      { inputStored: source.channels, run: row, group: 4, stored, depth: run },
      1,
      0 - weights.zeroPoint,
    );
    const isNarrow = input.high - input.low <= 255;
    // lane = byte + constant, or 256 * upper byte + lower byte + constant.
    const constant = isNarrow ? input.low + (dot === 'signed' ? 128 : 0) : dot === 'signed' ? 128 : -32768;
    const splitter = isNarrow ? constant & 0xffff : dot === 'signed' ? 0x0080 : 0x8000;
    const biases = engine.ints(bias, node.channels);
    for (let from = 0; from < weights.filter.length; from += node.channels) {
      for (let c = 0; c < node.channels; c++) {
        biases[c] = (biases[c] as number) + constant * ((weights.filter[from + c] as number) - weights.zeroPoint);
      }
    }
    const kernels = isNarrow ? ONE : TWO;
    // A panel, and a step more that is read and not used; four windows, which are written sixteen bytes at a time.
    const windows = isPointwise(node) && source.channels % CHANNEL_BLOCK === 0 ? 0 : 8 * run + 64;
    const scratchBytes = windows + (isNarrow ? 4 : 8) * run + 64;
    return { kernels, words: { filter, run, splitter }, vector: isVector(node, source), scratchBytes };
  },
});
