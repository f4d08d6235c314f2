import { Kernel } from '../../engine/kernel.js';
import { type ConvNode, isDepthwise } from '../../graph/graph.js';
import type { QuantizedWeights } from '../../graph/network.js';
import { checkSums, largestSafeLane } from '../../graph/sums.js';
import { packSixteens } from '../blocks.js';
import { type ConvKernels, isVector, padChannels } from '../convolution.js';
import type { Way } from './way.js';

export const PRODUCTS_KERNELS: ConvKernels = {
  pointwise: Kernel.products_pointwise,
  vector: Kernel.products_vector,
  convolution: Kernel.products_convolution,
  depthwise: Kernel.products_depthwise,
  depthwiseOf: {
    '3x3s1': Kernel.products_depthwise_3x3s1,
    '3x3s2': Kernel.products_depthwise_3x3s2,
    '5x5s1': Kernel.products_depthwise_5x5s1,
    '5x5s2': Kernel.products_depthwise_5x5s2,
  },
  linesAtOnce: 1,
};

/** One product at a time, extmul and add: one instruction on arm64, SMLAL. Filters are widened to i16. */
export const PRODUCTS: Way = {
  name: 'products',
  pack(engine, node, weights, source, input) {
    checkSums(node, largestSafeLane(node, weights), input);
    const stored = padChannels(node.channels);
    const [height, width] = node.kernel;
    const offset = 0 - weights.zeroPoint;
    if (isDepthwise(node)) {
      const size = height * width * stored;
      const filter = engine.allocate(size * 2);
      packDepthwise(engine.shorts(filter, size).fill(0), weights, node);
      return { kernels: PRODUCTS_KERNELS, words: { filter, run: stored }, vector: false };
    }
    // What is read once, behind the pool, stays int8.
    const vector = isVector(node, source) && weights.filter instanceof Int8Array && weights.zeroPoint === 0;
    const run = width * source.channels;
    const size = height * run * stored;
    const filter = engine.allocate(size * (vector ? 1 : 2));
    const target = vector ? new Int8Array(engine.memory.buffer, filter, size) : engine.shorts(filter, size);
    packSixteens(target.fill(0), weights.filter, node, { inputStored: source.channels, run, group: 1, stored }, 1, offset);
    return { kernels: PRODUCTS_KERNELS, words: { filter, run }, vector };
  },
};

/** [channels / 8][kernelHeight * kernelWidth][8], as assembly/products/depthwise.ts reads it. */
function packDepthwise(target: Int16Array, { filter, zeroPoint }: QuantizedWeights, { kernel, channels }: ConvNode): void {
  const taps = kernel[0] * kernel[1];
  for (let tap = 0, from = 0; tap < taps; tap++) {
    for (let c = 0; c < channels; c++, from++) target[((c >> 3) * taps + tap) * 8 + (c & 7)] = (filter[from] as number) - zeroPoint;
  }
}
