import type { Engine } from '../../engine/engine.js';
import { Kernel } from '../../engine/kernel.js';
import { type ConvNode, isDepthwise } from '../../graph/graph.js';
import { checkSums, largestSafeLane, safeLane } from '../../graph/sums.js';
import { type ConvKernels, isVector, padChannels } from '../convolution.js';
import { packDense } from '../dense.js';
import type { Way } from './way.js';

const KERNELS: ConvKernels = {
  pointwise: Kernel.pairs_pointwise,
  vector: Kernel.pairs_vector,
  convolution: Kernel.pairs_convolution,
  depthwise: Kernel.pairs_depthwise,
  depthwiseOf: {
    '3x3s1': Kernel.pairs_depthwise_3x3s1,
    '3x3s2': Kernel.pairs_depthwise_3x3s2,
    '5x5s1': Kernel.pairs_depthwise_5x5s1,
    '5x5s2': Kernel.pairs_depthwise_5x5s2,
  },
  linesAtOnce: 2,
};

/** Two products at a time, i32x4.dot_i16x8_s: one instruction on x86. Filters are widened to i16 and lie in pairs of taps. */
export const PAIRS: Way = {
  name: 'pairs',
  pack(engine, node, weights, source, input) {
    const channels = padChannels(node.channels);
    const depthwise = isDepthwise(node);
    const [height, width] = node.kernel;
    const inputStored = source.channels;
    // An int8 filter stays one there. Other filters go through the kernel for any number of pixels.
    const vector = isVector(node, source) && weights.filter instanceof Int8Array && weights.zeroPoint === 0;
    const run = depthwise ? channels : width * inputStored + ((width * inputStored) % 2);
    const size = depthwise ? 2 * Math.ceil(height / 2) * width * channels : height * run * channels;
    const elementBytes = vector ? 1 : 2;
    const filter = engine.allocate(size * elementBytes);
    engine.bytes(filter, size * elementBytes).fill(0);
    if (weights.filter instanceof Int8Array) {
      const sums = packInt8(engine, node, weights.filter, weights.zeroPoint, { filter, run, inputStored, elementBytes });
      checkSums(node, safeLane(sums, weights), input);
    } else {
      checkSums(node, largestSafeLane(node, weights), input);
      const target = engine.shorts(filter, size);
      const offset = 0 - weights.zeroPoint;
      if (depthwise) packDepthwise(target, weights.filter, node, offset);
      else packDense(target, weights.filter, node, { inputStored, run, group: 2 }, 1, offset);
    }
    return { kernels: KERNELS, words: { filter, run }, vector };
  },
};

/** Packs in WebAssembly, which is compiled when most filters pass here. @returns the sums of each channel's magnitudes */
function packInt8(
  engine: Engine,
  node: ConvNode,
  source: Int8Array,
  zeroPoint: number,
  { filter, run, inputStored, elementBytes }: { filter: number; run: number; inputStored: number; elementBytes: number },
): Int32Array {
  const { exports } = engine;
  const { inputChannels, channels } = node;
  const [height, width] = node.kernel;
  const mark = engine.mark();
  const unpacked = engine.allocate(source.length);
  const sums = engine.allocate(channels * 4);
  engine.bytes(unpacked, source.length).set(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  engine.ints(sums, channels).fill(0);
  if (isDepthwise(node)) exports.pack_depthwise_i8(unpacked, filter, sums, height, width, channels, zeroPoint);
  else {
    exports.pack_dense_i8(unpacked, filter, sums, height, width, inputChannels, inputStored, channels, run, zeroPoint, elementBytes);
  }
  const result = engine.ints(sums, channels).slice();
  engine.release(mark);
  return result;
}

/** The order of assembly/pairs/depthwise.ts: a tap and the one below it side by side. */
function packDepthwise(target: Int16Array, source: Int16Array, { kernel, channels }: ConvNode, offset: number): void {
  const [height, width] = kernel;
  const block = Math.ceil(height / 2) * width * 8;
  for (let ky = 0, from = 0; ky < height; ky++) {
    for (let kx = 0; kx < width; kx++) {
      const tap = ((ky >> 1) * width + kx) * 8 + (ky & 1);
      for (let c = 0; c < channels; c++, from++) target[tap + (c >> 2) * block + (c & 3) * 2] = (source[from] as number) + offset;
    }
  }
}
